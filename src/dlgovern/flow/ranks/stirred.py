"""What calls that only some ranks make change in the objects that they are made on: ``stopper.step(loss)``, then ``if stopper.stop``."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TypeGuard

from dlgovern.flow.paths import own_nodes, written
from dlgovern.flow.ranks.frame import Frame
from dlgovern.flow.ranks.objects import Kind, kinds
from dlgovern.flow.ranks.project import Target
from dlgovern.source.tree import enclosing_class

_INSIDE = 2  # methods of the same object that a method calls, one inside of the other


def stirred(frame: Frame, body: list[ast.stmt]) -> set[str]:
    """The attributes of objects that calls in these statements may change and that the function asks for in a condition, as written."""
    asked = _tested(frame)
    if not asked:
        return set()
    return {name for node in own_nodes(body) if isinstance(node, ast.Call) for name in _changed(frame, node, asked)}


def _tested(frame: Frame) -> frozenset[str]:
    """The attributes that conditions of the function ask for."""
    if frame.target is None:
        return frozenset()
    known = frame.summaries.tested
    key = id(frame.target.node)
    if key not in known:
        tests = (node.test for node in own_nodes(frame.target.node.body) if isinstance(node, ast.If | ast.While | ast.IfExp))
        known[key] = frozenset(filter(None, (written(part) for test in tests for part in ast.walk(test) if isinstance(part, ast.Attribute))))
    return known[key]


def _changed(frame: Frame, call: ast.Call, asked: frozenset[str]) -> Iterator[str]:
    """The asked attributes of the object on which a call is made that it may change."""
    ways: list[tuple[ast.expr, str]] = [(call.func, "__call__")]
    if isinstance(call.func, ast.Attribute):
        ways.append((call.func.value, call.func.attr))
    for on, method in ways:
        text = written(on)
        names = [name for name in asked if text and name.rpartition(".")[0] == text and not name.endswith(f".{method}")]
        for kind in _classes(frame, on) if names else ():
            changes = _sets(frame, kind, method) if kind is not None else None
            for name in names:
                attribute = name.rpartition(".")[2]
                if _is_stopper(text, method, attribute) if kind is None or changes is None else not changes.isdisjoint(_rests_on(frame, kind, attribute)):
                    yield name


def _is_stopper(on: str, method: str, attribute: str) -> bool:
    """Whether an object of which no more is known decides when to stop, as its name or the way it is called, and the attribute, say."""
    return "stop" in attribute and (method == "__call__" or "stop" in on.lower())


def _classes(frame: Frame, on: ast.expr) -> list[Kind | None]:
    """The class of an object, None for one of which it is not known."""
    if isinstance(on, ast.Name) and on.id in ("self", "cls"):
        around = enclosing_class(on)
        return [Kind(frame.facts, around)] if around is not None else []
    return [*kinds(frame.project, frame.facts, on)[:1]] or [None]


def _sets(frame: Frame, kind: Kind, name: str) -> set[str] | None:
    """The attributes that a method of a class gives a value, through the methods that it calls on itself; None where there is no such method."""
    method = frame.project.method(kind.facts, kind.node, name)
    return _given_in(frame, kind, method, _INSIDE) if method is not None else None


def _given_in(frame: Frame, kind: Kind, method: Target, inside: int) -> set[str]:
    found: set[str] = set()
    for node in own_nodes(method.node.body):
        if _is_own(node) and isinstance(node.ctx, ast.Store):
            found.add(node.attr)
        elif isinstance(node, ast.Call) and _is_own(node.func) and inside:
            inner = frame.project.method(kind.facts, kind.node, node.func.attr)
            found |= _given_in(frame, kind, inner, inside - 1) if inner is not None else set()
    return found


def _rests_on(frame: Frame, kind: Kind, attribute: str) -> set[str]:
    """The attribute itself, or what a property or a method of this name asks for."""
    method = frame.project.method(kind.facts, kind.node, attribute)
    return {node.attr for node in own_nodes(method.node.body) if _is_own(node)} if method is not None else {attribute}


def _is_own(node: ast.AST) -> TypeGuard[ast.Attribute]:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
