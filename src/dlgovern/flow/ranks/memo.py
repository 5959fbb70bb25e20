"""What is remembered of one judged file: answers, and for which classes of ranks and in which depth of calls each holds."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

from dlgovern.flow.ranks.tables import NOTHING
from dlgovern.flow.ranks.values import FIRST

DEPTH = 6
"""Calls that are followed one inside the other."""

EVERY, REST = -1, -2
"""Stand for all classes of ranks, and for all but the first, where an answer holds for each."""


class Kept(NamedTuple):
    """An answer, what it asks of the class of its rank, and how many calls deep it was followed."""

    answer: Any
    asked: int
    deep: int


class Memo:
    """Answers by key. ``asked`` is what the interpretation that goes on asks of the class of its rank, so far."""

    def __init__(self) -> None:
        self.asked = NOTHING
        self._deepest = 0
        self._kept: dict[Hashable, Kept] = {}

    def ask(self, what: int) -> None:
        """The interpretation that goes on depends on this much of the class of its rank."""
        self.asked = max(self.asked, what)

    def reach(self, depth: int) -> None:
        """The interpretation that goes on was to follow calls in a frame of this depth."""
        self._deepest = max(self._deepest, depth)

    def known(self, key: Hashable, cls: int, depth: int, taken_over: Callable[[int], Kept | None] | None = None) -> Kept | None:
        """What is known for a class; ``taken_over`` gives what others know, by the classes for which it holds."""
        for of in holds_for(cls):
            found = self._kept.get((key, of))
            if found is None and taken_over is not None and (found := taken_over(of)) is not None:
                self._kept[key, of] = found
            if found is not None:
                return self._noted(found, depth)
        return None

    def make(self, key: Hashable, cls: int, depth: int, answer: Callable[[], object], meanwhile: object = None) -> Kept:
        """A new answer, kept with what it rests on; ``meanwhile`` is the answer to the same question while it is made."""
        asked, deepest = self.asked, self._deepest
        self.asked, self._deepest = NOTHING, depth
        if meanwhile is not None:
            self._kept[key, EVERY] = Kept(meanwhile, NOTHING, 0)
        try:
            found = answer()
            whole = self._deepest < DEPTH  # else it is as much as could be followed from this depth, and whole from none
            kept = Kept(found, self.asked, self._deepest - depth if whole else DEPTH)
        finally:
            if meanwhile is not None:
                del self._kept[key, EVERY]
            self.asked, self._deepest = asked, deepest
        self._kept[key, holds_for(cls)[kept.asked]] = kept
        return self._noted(kept, depth)

    def _noted(self, kept: Kept, depth: int) -> Kept:
        self.ask(kept.asked)
        self.reach(depth + kept.deep)
        return kept


def holds_for(cls: int) -> tuple[int, int, int]:
    """For which classes an answer for one class holds, by what it asks."""
    return (EVERY, cls if cls == FIRST else REST, cls)
