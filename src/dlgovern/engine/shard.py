"""One part of what is kept of a repository: the results of some of its files, and what each of them rests on.

One file of JSON. ``layout``: the digest (see `engine.layout`) for which the answers hold; ``files``: rows of path, digest
and status; ``results``: path -> the rows it rests on, its own first, and what was found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from dlgovern.engine.stamps import Stamps
from dlgovern.store import Store


class Shard:
    """What one file of the store holds. Damage of any kind is a miss."""

    def __init__(self, store: Store, name: str, stamps: Stamps) -> None:
        self._store = store
        self._name = name
        self._stamps = stamps
        self._files: list[list[Any]] = []  # path, digest, size, times, inode
        self._results: dict[str, list[Any]] = {}
        self._fresh: list[bool | None] = []
        self._new: dict[tuple[str, str], int] = {}  # rows of this run
        self.changed = False
        self.layout = ""
        self._load()

    def _load(self) -> None:
        values = self._store.get(self._name)
        try:
            layout, files, results = values["layout"], values["files"], values["results"]
            if not (isinstance(layout, str) and isinstance(results, dict) and all(isinstance(row[0], str) for row in files)):
                return
        except (KeyError, IndexError, TypeError):
            return
        self.layout, self._files, self._results = layout, files, results
        self._fresh = [None] * len(files)

    def distrust(self, concerns: Callable[[str], bool]) -> None:
        """Count files as changed: modules have come or gone, and a file that this ``concerns`` may now import another one."""
        if not self._files:
            return
        self._fresh = [False if concerns(row[0]) else None for row in self._files]
        self.changed = True

    def get(self, path: str) -> tuple[str, list[Any]] | None:
        """The digest of a file and what was found in it, if everything this rests on is as it was."""
        kept = self._results.get(path)
        if kept is None:
            return None
        try:
            indexes, found = kept
            fresh = self._fresh
            for index in indexes:
                if not fresh[index] and (fresh[index] is False or not self._look(index)):
                    return None
            own = self._files[indexes[0]]
            return (own[1], found) if own[0] == path else None
        except (TypeError, ValueError, IndexError, KeyError):
            return None

    def _look(self, index: int) -> bool:
        row = self._files[index]
        path, digest, *stamp = row
        fresh = self._fresh[index] = self._stamps.same(path, tuple(stamp), digest)
        if fresh and (now := self._stamps.renewed(path, tuple(stamp))):
            row[2:] = now
            self.changed = True
        return fresh

    def put(self, path: str, digest: str, reads: Iterable[tuple[str, str]], found: list[Any]) -> None:
        """Keep what was found in a file."""
        indexes = []
        for other, its in ((path, digest), *(pair for pair in reads if pair[0] != path)):
            index = self._new.get((other, its))
            if index is None:
                index = self._new[other, its] = len(self._files)
                self._files.append([other, its, *self._stamps.kept(other)])
            indexes.append(index)
        self._results[path] = [indexes, found]
        self.changed = True

    def save(self, layout: str) -> None:
        """Write what is known now, without what nothing rests on any more."""
        rows: dict[tuple[str, str], int] = {}
        files: list[list[Any]] = []
        results: dict[str, list[Any]] = {}
        for path, (indexes, found) in sorted(self._results.items()):
            if self._stamps.of(path) is None or any(self._fresh[i] is False for i in indexes if i < len(self._fresh)):
                continue
            mine = []
            for index in indexes:
                row = self._files[index]
                key = (row[0], row[1])
                if key not in rows:
                    rows[key] = len(files)
                    files.append(row)
                mine.append(rows[key])
            results[path] = [mine, found]
        self._store.put(self._name, {"layout": layout, "files": files, "results": results})
