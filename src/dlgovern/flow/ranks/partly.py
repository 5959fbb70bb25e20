"""Attributes that some ranks alone are given a value for: ``self.writer = None``, and under a question for the rank ``self.writer = Writer()``."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from dlgovern.flow.facts import Facts
from dlgovern.flow.ranks.said import made_of
from dlgovern.flow.ranks.values import NONE, Value, truth, unknown
from dlgovern.source.names import Binding
from dlgovern.source.tree import FUNCTIONS, up

Condition = tuple[ast.expr, bool]
"""A test, and the outcome with which a node is not reached."""


def parted_attributes(facts: Facts, parting: set[str]) -> set[str]:
    """The attributes of ``self`` that are nothing at first, and something under a condition that has a word about ranks."""
    if not parting:
        return set()
    empty: set[str] = set()
    later: list[tuple[str, ast.AST]] = []
    for node in facts.tree.of(ast.Assign, ast.AnnAssign):
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:  # type: ignore[attr-defined]
            if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "self":
                if isinstance(node.value, ast.Constant):  # type: ignore[attr-defined]
                    empty.add(target.attr)
                else:
                    later.append((target.attr, node))
    return {name for name, node in later if name in empty and any(not parting.isdisjoint(made_of(test)) for test, _ in conditions(node))}


def conditions(node: ast.AST) -> Iterator[Condition]:
    """The tests around a node in its function, and those before it that leave."""
    child = node
    while (parent := up(child)) is not None:
        for block in (getattr(parent, "body", None), getattr(parent, "orelse", None)):
            if isinstance(block, list) and child in block:
                before = block[: block.index(child)]
                yield from ((one.test, True) for one in before if isinstance(one, ast.If) and isinstance(one.body[-1], ast.Return | ast.Continue | ast.Raise))
        if isinstance(parent, ast.If) and child is not parent.test:
            yield parent.test, child not in parent.body
        if isinstance(parent, FUNCTIONS):
            return
        child = parent


def partly(text: str, bindings: list[Binding], ask: Callable[[ast.expr], Value]) -> Value | None:
    """What an attribute is on a class of ranks where some ranks alone are given it; ``ask`` tells what a test is worth on the class."""
    told = [one for one in bindings if one.kind == "value" and one.value is not None]
    if not any(isinstance(one.value, ast.Constant) and one.value.value is None for one in told):
        return None
    some = [one for one in told if not isinstance(one.value, ast.Constant)]
    kept_out = [_is_kept_out(one, ask) for one in some]
    if not some or None in kept_out:
        return None
    return NONE._replace(ranked=True) if all(kept_out) else unknown(text, "", ranked=True)


def _is_kept_out(binding: Binding, ask: Callable[[ast.expr], Value]) -> bool | None:
    """Whether the class of ranks does not come to an assignment, None where no rank decides that."""
    tests = [(ask(test), outcome) for test, outcome in conditions(binding.node)]
    if not any(found.ranked for found, _ in tests):
        return None
    return any(found.ranked and truth(found) is outcome for found, outcome in tests)
