"""Summaries of functions that stand in other files than the judged one: shared by all who lead to them, kept between runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from dlgovern.flow.ranks.memo import Kept
from dlgovern.flow.ranks.spelled import Unspellable, answer, kept_of, key_of, question
from dlgovern.repository.exports import Repository
from dlgovern.repository.learned import Lesson

_MANY = 20_000  # summaries of one repository that are held

Key = tuple[Any, ...]
"""What a summary is about: the function first, as `Target.key` names it."""


class Shared:
    """The summaries of one repository, each with what was read for it."""

    def __init__(self, repository: Repository) -> None:
        self._learned = repository.learned
        self._held: dict[Key, tuple[Kept, frozenset[str]]] = {}
        self._spelled: dict[Key, tuple[Any, Callable[[], frozenset[str]]]] = {}
        self._asked: set[str] = set()

    def get(self, key: Key) -> tuple[Kept, frozenset[str]] | None:
        """The summary under a key, and what was read for it."""
        found = self._held.get(key)
        return found if found is not None else self._recalled(key)

    def _recalled(self, key: Key) -> tuple[Kept, frozenset[str]] | None:
        path = key[0][0]
        if path not in self._asked:
            self._asked.add(path)
            self._recall(path)
        if key not in self._spelled:
            return None
        values, reads = self._spelled.pop(key)
        try:
            found = self._held[key] = (kept_of(values), reads())
        except (TypeError, ValueError, IndexError):
            return None
        return found

    def _recall(self, path: str) -> None:
        for asked, values, reads in self._learned.of(path):
            try:
                self._spelled[key_of(path, asked)] = (values, reads)
            except (TypeError, ValueError, IndexError):
                continue

    def put(self, key: Key, kept: Kept, reads: frozenset[str]) -> None:
        """Share a summary."""
        if len(self._held) > _MANY:
            self._held.clear()
        self._held[key] = (kept, reads)
        if self._learned.is_kept:
            try:
                self._learned.tell(Lesson(key[0][0], question(key), answer(kept), reads))
            except Unspellable:
                return


def shared(repository: Repository) -> Shared:
    """The summaries of a repository, one for all."""
    if repository not in _SHARED:
        _SHARED[repository] = Shared(repository)
    return _SHARED[repository]


_SHARED: WeakKeyDictionary[Repository, Shared] = WeakKeyDictionary()
