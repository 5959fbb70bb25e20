"""One part of what is kept of a repository: the results of some of its files, and what each of them rests on.

Two lines of JSON in one file, so that both are always of the same run; the second is read only when the layout of the
repository has changed:

1. ``layout``: the digest (see `engine.layout`) for which the answers hold; ``files``: rows of path, digest and status;
   ``results``: path -> the rows it rests on, its own first, and what was found.
2. for each importer among these files what it asked of `repository.modules`, with the answers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from dlgovern.engine.stamps import UNKNOWN, Stamps
from dlgovern.repository.modules import Question
from dlgovern.store import Store

Answers = dict[str, dict[tuple[int, str], str | None]]
"""Importer -> level and dotted name -> the path that was found."""
TORN = "?"
"""Two processes got different answers: equals no path."""


class Shard:
    """What one file of the store holds. Damage of any kind is a miss."""

    def __init__(self, store: Store, name: str, stamps: Stamps) -> None:
        self._store = store
        self._name = name
        self._stamps = stamps
        self._files: list[list[Any]] = []  # path, digest, size, times, inode
        self._results: dict[str, list[Any]] = {}
        self._fresh: list[bool | None] = []
        self._rest = b""
        self.changed = False
        self.layout = ""
        self._load()

    def _load(self) -> None:
        first, _, rest = self._store.read(self._name).partition(b"\n")
        try:
            values = json.loads(first) if first else {}
            layout, files, results = values["layout"], values["files"], values["results"]
            if not (isinstance(layout, str) and isinstance(results, dict) and all(isinstance(row[0], str) for row in files)):
                return
        except (ValueError, LookupError, TypeError, RecursionError):
            return
        self.layout, self._files, self._results, self._rest = layout, files, results, rest
        self._fresh = [None] * len(files)

    def verify(self, same: Callable[[Question], bool]) -> None:
        """Ask again what the results rest on; a file of which an answer has changed counts as changed."""
        answers = self._answers()
        wrong = {
            importer
            for importer, asked in answers.items()
            if not all(same((importer, level, dotted, answer)) for (level, dotted), answer in asked.items())
        }
        for index, row in enumerate(self._files):
            if row[0] in wrong:
                self._fresh[index] = False
        self.layout, self.changed = "", True

    def _answers(self) -> Answers:
        try:
            return {
                importer: {(level, dotted): answer for level, dotted, answer in rows}
                for importer, rows in json.loads(self._rest or b"{}").items()
            }
        except (ValueError, TypeError, AttributeError, RecursionError):
            self._results = {}
            return {}

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
        fresh = self._stamps.same(path, tuple(stamp), digest)
        self._fresh[index] = fresh
        if fresh and self._stamps.trusts and tuple(stamp) != (now := self._stamps.kept(path)) and now != UNKNOWN:
            row[2:] = now
            self.changed = True
        return fresh

    def put(self, path: str, digest: str, reads: Iterable[tuple[str, str]], found: list[Any]) -> None:
        """Keep what was found in a file."""
        indexes = []
        for other, its in ((path, digest), *(pair for pair in reads if pair[0] != path)):
            indexes.append(len(self._files))
            self._files.append([other, its, *self._stamps.kept(other)])
        self._results[path] = [indexes, found]
        self.changed = True

    def save(self, layout: str, asked: Mapping[str, Mapping[tuple[int, str], str | None]]) -> None:
        """Write what is known now, without what nothing rests on any more; ``asked`` joins what was asked before."""
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
        old = self._answers()
        answers = {importer: _joined(old.get(importer, {}), asked.get(importer, {})) for importer in sorted({row[0] for row in files})}
        listed = {
            importer: [[level, dotted, answer] for (level, dotted), answer in sorted(found.items())]
            for importer, found in answers.items() if found
        }
        lines = ({"layout": layout, "files": files, "results": results}, listed)
        self._store.write(self._name, "\n".join(json.dumps(line, separators=(",", ":")) for line in lines).encode())


def _joined(
    old: Mapping[tuple[int, str], str | None], new: Mapping[tuple[int, str], str | None]
) -> dict[tuple[int, str], str | None]:
    joined = {**old, **new}
    for question in old.keys() & new.keys():
        if old[question] != new[question]:
            joined[question] = TORN
    return joined
