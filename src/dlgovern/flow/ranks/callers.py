"""Whether the calls of a function in its own file are made by the first rank only."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from dlgovern.flow.facts import Facts
from dlgovern.flow.paths import called_name
from dlgovern.flow.ranks.expressions import value
from dlgovern.flow.ranks.frame import Frame, GaveUp, Meter
from dlgovern.flow.ranks.project import Target
from dlgovern.flow.ranks.summaries import Summaries
from dlgovern.flow.ranks.values import OTHER, truth
from dlgovern.source.tree import FUNCTIONS, up


def kept_to_the_first(facts: Facts, target: Target, summaries: Summaries) -> bool:
    """Whether a function of the file is called in it, and by no rank but the first."""
    calls = [node for node in facts.tree.of(ast.Call) if called_name(node.func) == target.node.name]  # type: ignore[attr-defined]
    frame = Frame(summaries, facts, target, OTHER, Meter(), 0).outside()
    try:
        return bool(calls) and not any(_may_reach(frame, call) for call in calls)
    except GaveUp:
        return False


def _may_reach(frame: Frame, node: ast.AST) -> bool:
    """Whether no condition around a node, and none before it that leaves, keeps the ranks of the frame out."""
    return all(truth(value(frame, test)) is not not_if for test, not_if in _conditions(node))


def _conditions(node: ast.AST) -> Iterator[tuple[ast.expr, bool]]:
    """Tests, and the outcome with which a node is not reached."""
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
