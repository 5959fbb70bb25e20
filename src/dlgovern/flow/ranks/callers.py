"""Whether the calls of a function in its own file are made by the first rank only."""

from __future__ import annotations

import ast

from dlgovern.flow.facts import Facts
from dlgovern.flow.paths import called_name
from dlgovern.flow.ranks.expressions import value
from dlgovern.flow.ranks.frame import Frame, GaveUp, Meter
from dlgovern.flow.ranks.partly import conditions
from dlgovern.flow.ranks.project import Target
from dlgovern.flow.ranks.summaries import Summaries
from dlgovern.flow.ranks.values import OTHER, truth


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
    return all(truth(value(frame, test)) is not not_if for test, not_if in conditions(node))
