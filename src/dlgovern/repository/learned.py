"""What analyses learn of the functions of single files, beyond the one they judge: worth keeping between runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple


class Lesson(NamedTuple):
    """One thing learned: of which file, the question, the answer (both JSON-ready), and what it rests on (see `repository.reads`)."""

    path: str
    question: Any
    answer: Any
    reads: frozenset[str]


Known = tuple[Any, Any, Callable[[], frozenset[str]]]
"""A question, its answer, and what tells what the answer rests on: few who look up one of them need that."""


class Learned:
    """What earlier runs learned, and what this one does; without ``recall`` nothing is known and nothing need be told."""

    def __init__(self, recall: Callable[[str], Iterable[Known]] | None = None) -> None:
        """``recall`` gives what is known of a file and holds."""
        self._recall = recall
        self._fresh: list[Lesson] = []

    @property
    def is_kept(self) -> bool:
        """Whether anybody keeps what is told."""
        return self._recall is not None

    def of(self, path: str) -> Iterable[Known]:
        """What earlier runs learned of a file."""
        return self._recall(path) if self._recall is not None else ()

    def tell(self, lesson: Lesson) -> None:
        """Something was learned in this run."""
        if self._recall is not None:
            self._fresh.append(lesson)

    def told(self) -> list[Lesson]:
        """What was told since the last time."""
        fresh, self._fresh = self._fresh, []
        return fresh
