"""What is remembered of a function: what it does on one class of ranks, and what it returns."""

from __future__ import annotations

from typing import NamedTuple

from dlgovern.flow.ranks.trace import Node, Spot
from dlgovern.flow.ranks.values import Value, unknown


class Summary(NamedTuple):
    """The steps of a function, nothing where nothing happens, and what it returns."""

    steps: tuple[Node, ...]
    value: Value
    cut: frozenset[Spot] = frozenset()  # calls below that were not followed although ranks may meet there


EMPTY = Summary((), unknown("?"))


def strip(steps: tuple[Node, ...]) -> None:
    """Let go of the tree of another file."""
    for step in steps:
        if step.node is not None:
            step.node = None
            for branch in step.branches:
                strip(branch)
