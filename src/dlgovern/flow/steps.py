"""Where a program trains: the loops that go backward, directly or through functions of the repository."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from weakref import WeakKeyDictionary

from dlgovern.flow.facts import Facts
from dlgovern.flow.leads import may_lead
from dlgovern.flow.paths import called_name, own_nodes, written
from dlgovern.flow.project import Code, Function, called
from dlgovern.repository.outline import Seeds
from dlgovern.source.tree import FUNCTIONS, enclosing_class, function, parents

Loop = ast.For | ast.AsyncFor | ast.While
BACKWARD = frozenset({"backward", "manual_backward"})
"""Methods that compute gradients: of a loss, an engine, an accelerator or a module."""
_HOOK = re.compile(r"(^|_)train(ing)?_(one_)?(step|batch)$")
"""Names of functions that a framework, or a loop elsewhere, calls once a step."""
_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")

_DEPTH = 3
_MICRO = re.compile(r"micro|accum", re.I)
_PARTS = re.compile(r"\brange\(.*,.*,|\bchunk|\bsplit|sub_?batch", re.I)
"""The head of a loop over parts of a batch: numbers with a stride, or pieces."""
_DATA = re.compile(r"loader|dataset|data_?iter|batches|_d[ls]\b|epoch", re.I)
_EPOCHS = re.compile(r"epoch|fold|trial", re.I)
"""Heads of a loop over all of the data, and of one over epochs."""
_OPTIMISER = re.compile(r"optim|\bopt|scaler", re.I)
_SCALER = re.compile(r"scaler$", re.I)


class Step(NamedTuple):
    """Code that runs once a training step: the body of a loop, or of a function that a loop elsewhere calls."""

    node: Loop | Function
    loop: bool


def steps(facts: Facts) -> list[Step]:
    """The training steps of a file in source order: loops first, then functions that go backward outside of loops."""
    found = [Step(node, loop=True) for node in _loops(facts)]
    inside = {id(node) for step in found for node in own_nodes(step.node.body)}
    for node in facts.tree.of(ast.FunctionDef, ast.AsyncFunctionDef):
        assert isinstance(node, Function)
        hook = _HOOK.search(_named(node)) is not None
        if hook or (_steps_too(node) and (any(id(call) not in inside for call in _direct(node)) or _steps_what_others_fill(facts, node, inside))):
            found.append(Step(node, loop=False))
    return found


def _steps_what_others_fill(facts: Facts, node: Function, inside: set[int]) -> bool:
    """Whether a method steps an optimiser after other methods of its object went backward: ``self.backward_G()``, ``self.optim_G.step()``."""
    nodes = [one for one in own_nodes(node.body) if isinstance(one, ast.Call) and id(one) not in inside]
    own = [one for one in nodes if isinstance(one.func, ast.Attribute) and written(one.func.value) == "self"]
    return bool(own) and any(map(_is_update, nodes)) and any(goes_backward(facts, one, 1) for one in own)


def _named(node: Function) -> str:
    """What a function is called; of an object that is called itself, its class: ``TrainStep()(batch)`` is ``train_step``."""
    owner = enclosing_class(node) if node.name == "__call__" else None
    return _WORD.sub("_", owner.name).lower() if owner is not None else node.name


def goes_backward(facts: Facts, node: ast.AST, depth: int = _DEPTH) -> bool:
    """Whether a call computes gradients once, itself or through functions of the repository."""
    if not isinstance(node, ast.Call):
        return False
    if is_backward(node) or _scales(node):
        return True
    return _reaches(facts, node, BACKWARD, depth, once=True)


def _scales(call: ast.Call) -> bool:
    """``loss_scaler(loss, optimizer, …)``: an object that goes backward and steps, whoever made it."""
    given = [written(one) for one in call.args[:2]]
    return len(given) > 1 and _SCALER.search(called_name(call.func)) is not None and "loss" in given[0].lower() and bool(_OPTIMISER.search(given[1]))


def calls(
    facts: Facts, body: Sequence[ast.AST], names: frozenset[str], depth: int = _DEPTH, *, once: bool = False
) -> bool:
    """Whether a method or function of one of these names is called below, or in functions of the repository that are.

    ``once``: calls in loops do not count, but for loops that only split a step.
    """
    return any(
        isinstance(node, ast.Call)
        and (called_name(node.func) in names or _reaches(facts, node, names, depth, once=once))
        and not (once and _in_loop(node))
        for node in own_nodes(body)
    )


def _in_loop(node: ast.AST) -> bool:
    return any(not _MICRO.search(_head(loop)) for loop in loops_around(node))


def is_backward(call: ast.Call) -> bool:
    """Whether a call is ``loss.backward()``, ``engine.backward(loss)`` or the like."""
    return isinstance(call.func, ast.Attribute) and call.func.attr in BACKWARD


def loops_around(node: ast.AST) -> Iterator[Loop]:
    """The loops around a node in its function, innermost first."""
    for parent in parents(node):
        if isinstance(parent, FUNCTIONS):
            return
        if isinstance(parent, Loop):
            yield parent


def repeated(facts: Facts, node: ast.AST, depth: int = _DEPTH) -> bool:
    """Whether a node runs again and again: in a loop, or in a function of this file that a loop calls."""
    if next(loops_around(node), None) is not None:
        return True
    owner = function(node)
    if owner is None or not depth:
        return False
    return any(repeated(facts, call, depth - 1) for call in callers(facts, owner) if function(call) is not owner)


def callers(facts: Facts, wanted: Function) -> list[ast.Call]:
    """The calls of a function in its own file, by name or as a method."""
    table = _CALLERS.get(facts)
    if table is None:
        table = _CALLERS[facts] = {}
        for node in facts.tree.of(ast.Call):
            assert isinstance(node, ast.Call)
            table.setdefault(called_name(node.func), []).append(node)
    found = []
    for call in table.get(wanted.name, ()):
        code = called(facts, call)
        if code is None and isinstance(call.func, ast.Attribute):
            found.append(call)  # an object of unknown class: by name
        elif code is not None and code.node is wanted:
            found.append(call)
    return found


_CALLERS: WeakKeyDictionary[Facts, dict[str, list[ast.Call]]] = WeakKeyDictionary()


def _loops(facts: Facts) -> list[Loop]:
    """The innermost loops around backward, and the loops around those that only split a step."""
    found: dict[int, Loop] = {}
    for node in facts.tree.of(ast.Call):
        around = list(loops_around(node))
        if around and id(around[0]) not in found and goes_backward(facts, node):
            update = _update(around)
            for loop, outer in zip(around, (*around[1:], None), strict=True):
                found[id(loop)] = loop
                if not _MICRO.search(_head(loop)) and not (outer is not None and _only_splits(loop, outer)) and update is None:
                    break
                if loop is update:
                    break
    return sorted(found.values(), key=lambda loop: loop.lineno)


def _update(around: list[Loop]) -> Loop | None:
    """The loop each turn of which is one update, where the loops inside it go over parts of its batch and the optimiser steps behind them."""
    for inner, outer in zip(around, around[1:], strict=False):
        if _updates(inner.body) or _DATA.search(_head(inner)) or _EPOCHS.search(_head(outer)) or isinstance(inner, ast.While):
            return None
        behind = (call for call in own_nodes(outer.body) if _is_update(call) and next(loops_around(call), None) is outer)
        if any(call.lineno > (inner.end_lineno or 0) for call in behind):  # type: ignore[attr-defined]
            return outer
    return None


def _only_splits(loop: Loop, outer: Loop) -> bool:
    """Whether the optimiser steps behind a loop, in each turn of the loop around it: the loop goes over parts of one batch."""
    if isinstance(loop, ast.While) or not _PARTS.search(_head(loop)):
        return False
    behind = outer.body[next((n for n, one in enumerate(outer.body) if one is loop), len(outer.body)) + 1 :]
    return _updates(behind) and not _updates(loop.body)


def _updates(body: list[ast.stmt]) -> bool:
    """Whether an optimiser, or a scaler, steps below."""
    return any(map(_is_update, own_nodes(body)))


def _is_update(node: ast.AST) -> bool:
    func = node.func if isinstance(node, ast.Call) else None
    return isinstance(func, ast.Attribute) and func.attr == "step" and bool(_OPTIMISER.search(written(func.value)))


def _head(loop: Loop) -> str:
    return ast.unparse(loop.iter) + ast.unparse(loop.target) if isinstance(loop, ast.For | ast.AsyncFor) else ""


def _direct(node: Function) -> Iterator[ast.Call]:
    return (n for n in own_nodes(node.body) if isinstance(n, ast.Call) and is_backward(n))


def _steps_too(node: Function) -> bool:
    return any(isinstance(n, ast.Call) and called_name(n.func) == "step" for n in own_nodes(node.body))


_GOES_BACKWARD = Seeds(frozenset(), methods=BACKWARD)
"""As methods only: prose is full of the word."""

_REACHES: WeakKeyDictionary[Facts, dict[tuple[int, frozenset[str], int, bool], bool]] = WeakKeyDictionary()


def _reaches(facts: Facts, call: ast.Call, names: frozenset[str], depth: int, *, once: bool) -> bool:
    """Whether the function that a call runs calls one of these, itself or through others."""
    if not depth:
        return False
    name = called_name(call.func)
    if not name or name in _PLAIN or not may_lead(facts, call, _GOES_BACKWARD if names is BACKWARD else Seeds(names)):
        return False
    code = called(facts, call)
    if code is None or isinstance(code.node, ast.ClassDef):
        return False
    known = _REACHES.setdefault(code.facts, {})
    key = (id(code.node), names, depth, once)  # the depth makes an answer independent of who asked before
    if key not in known:
        known[key] = _mentions(code, names, depth) and calls(
            code.facts, code.node.body, names, depth - 1, once=once
        )
    if code.facts is not facts:
        facts.reads.add(code.facts.path)
        facts.reads |= code.facts.reads
    return known[key]


def _mentions(code: Code, names: frozenset[str], depth: int) -> bool:
    """Whether the names occur in the file, or calls may lead out of it: spares the walk of most bodies."""
    return depth > 1 or any(name.encode() in code.facts.data for name in names)


_PLAIN = frozenset("print len range enumerate zip isinstance getattr hasattr int float str list dict tuple set min max sum".split())
