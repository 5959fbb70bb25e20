"""Forward passes of a model that a function was given wrapped and has unwrapped, where they go into the loss that it returns."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator

from dlgovern.flow.facts import Facts
from dlgovern.flow.feeds import returned
from dlgovern.flow.paths import called_name, own_nodes, written
from dlgovern.flow.project import Function
from dlgovern.flow.steps import callers
from dlgovern.source.tree import FUNCTIONS, enclosing_class, function, parents

_ROUNDS = 3


def past_forwards(facts: Facts, unwraps: Collection[str], trunks: Collection[str]) -> Iterator[tuple[ast.Call, str]]:
    """The forwards, each with the name of the parameter that has the wrapped model.

    ``unwraps`` are names of functions that unwrap, ``trunks`` attributes of a model that are most of it.
    """
    for node in facts.tree.of(ast.FunctionDef):
        assert isinstance(node, ast.FunctionDef)
        if enclosing_class(node) is not None and _makes_loss(facts, node):
            for name in _given(node):
                inner = _unwrapped(node, name, unwraps)
                wrapped = [one for one in own_nodes(node.body) if isinstance(one, ast.Call) and written(one.func) == name] if inner else []
                yield from ((call, name) for call in _forwards(node, inner, trunks) if not any(_runs_too(one, call) for one in wrapped))


def _makes_loss(facts: Facts, node: Function) -> bool:
    """Whether a method is named for the loss, or called by one that is."""
    return "loss" in node.name or any((owner := function(call)) is not None and "loss" in owner.name for call in callers(facts, node))


def _given(node: Function) -> list[str]:
    return [one.arg for one in node.args.args if "model" in one.arg]


def _unwrapped(node: Function, name: str, unwraps: Collection[str]) -> set[str]:
    """The variables of a function that are a model, or a part of it, without the wrapper."""
    found: set[str] = set()
    given = [one for one in own_nodes(node.body) if isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Name)]
    for _ in range(_ROUNDS):
        for one in given:
            if _is_inner(one.value, name, found, unwraps):
                found.add(one.targets[0].id)  # type: ignore[attr-defined]
    return found


def _is_inner(value: ast.expr, name: str, known: set[str], unwraps: Collection[str]) -> bool:
    if isinstance(value, ast.Call):
        first = written(value.args[0]) if value.args else ""
        if called_name(value.func) in unwraps:
            return first == name
        if called_name(value.func) == "getattr":
            return first in known
        value = value.func if isinstance(value.func, ast.Attribute) and value.func.attr in ("get_decoder", "get_base_model") else value
    return isinstance(value, ast.Attribute) and written(value).partition(".")[0] in known


def _forwards(node: Function, inner: set[str], trunks: Collection[str]) -> Iterator[ast.Call]:
    fed = returned(node.body)
    for one in own_nodes(node.body):
        if isinstance(one, ast.Call) and id(one) in fed:
            path = written(one.func)
            base, _, last = path.rpartition(".")
            if path in inner or (base.partition(".")[0] in inner and last in trunks):
                yield one


def _runs_too(one: ast.Call, other: ast.Call) -> bool:
    """Whether a path through the function may run both calls."""
    mine, theirs = dict(_sides(one)), dict(_sides(other))
    if any(mine[branch] != side for branch, side in theirs.items() if branch in mine):
        return False
    ends = [side[-1] for branch, side in theirs.items() if branch not in mine and side] if one.lineno > other.lineno else []
    return not any(isinstance(end, ast.Return | ast.Raise) for end in ends)


def _sides(node: ast.AST) -> Iterator[tuple[ast.If, list[ast.stmt]]]:
    """The branches around a node, each with its side of it."""
    child = node
    for parent in parents(node):
        if isinstance(parent, FUNCTIONS):
            return
        if isinstance(parent, ast.If) and child is not parent.test:
            yield parent, parent.body if child in parent.body else parent.orelse
        child = parent
