"""Which expressions of a training step the loss is made of."""

from __future__ import annotations

import ast

from dlgovern.flow.paths import own_nodes, targets, written
from dlgovern.flow.steps import BACKWARD
from dlgovern.source.tree import children

_ROUNDS = 6


def losses(body: list[ast.stmt]) -> list[set[int]]:
    """For each ``backward`` below these statements, the ids of the nodes whose value goes into it."""
    backward = [node for node in own_nodes(body) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in BACKWARD]
    return [_feeding(body, [node.func.value, *node.args]) for node in backward]  # type: ignore[attr-defined]


def returned(body: list[ast.stmt]) -> set[int]:
    """The ids of the nodes below these statements whose value goes into what a function returns."""
    return _feeding(body, [node.value for node in own_nodes(body) if isinstance(node, ast.Return) and node.value is not None])


def _feeding(body: list[ast.stmt], ends: list[ast.expr]) -> set[int]:
    wanted: set[str] = set()
    found: set[int] = set()
    for part in ends:
        _take(part, wanted, found)
    assigned = [node for node in own_nodes(body) if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign) and node.value]
    done: set[int] = set()
    for _ in range(_ROUNDS):
        more = [node for node in assigned if id(node) not in done and targets(node) & wanted]
        if not more:
            break
        for node in more:
            done.add(id(node))
            _take(node.value, wanted, found)  # type: ignore[arg-type]
    return found


def _take(node: ast.AST, wanted: set[str], found: set[int]) -> None:
    todo = [node]
    while todo:
        current = todo.pop()
        found.add(id(current))
        if isinstance(current, ast.Call) and isinstance(current.func, ast.Attribute) and current.func.attr in ("detach", "item"):
            continue
        name = written(current)
        if name:
            wanted.add(name)
        todo.extend(children(current))
    wanted.discard("")
