"""One part of what is kept of a repository: the results of some of its files.

One file of JSON. ``layout``: the digest (see `engine.layout`) and ``mark``: the mark (see `engine.ledger`) for which the
answers hold; ``sets``: sets of rows; ``results``: path -> its own row, the number of the set it rests on, what was found.
"""

from __future__ import annotations

from typing import Any

from dlgovern.engine import ledger
from dlgovern.engine.ledger import Ledger
from dlgovern.engine.stamps import Stamps
from dlgovern.store import Store


class Shard:
    """What one file of the store holds. Damage of any kind is a miss."""

    def __init__(self, store: Store, name: str, stamps: Stamps, files: Ledger) -> None:
        self._store, self._name, self._stamps, self._files = store, name, stamps, files
        self._sets: list[int] = []
        self._results: dict[str, list[Any]] = {}  # path -> row, set, what was found
        self._numbers: dict[int, int] = {}  # set -> its number
        self._moved: frozenset[str] = frozenset()
        self._fresh: set[str] = set()  # files that were judged in this run
        self.changed = False
        self.layout = ""
        self._load()

    def _load(self) -> None:
        values = self._store.get(self._name)
        try:
            sets, results, layout = values["sets"], values["results"], values["layout"]
            if self._files.knows(values["mark"]) and isinstance(layout, str) and isinstance(results, dict):
                self._sets, self._results, self.layout = [ledger.read(rows) for rows in sets], results, layout
        except (KeyError, TypeError, ValueError):
            return
        self._numbers = {rows: number for number, rows in enumerate(self._sets)}

    def distrust(self, moved: frozenset[str] | None) -> None:
        """Modules have come or gone: a file that may mean one of these names counts as changed, None for every file."""
        if not self._results:
            return
        if moved is None:
            self._results = {}
        else:
            self._moved = moved
        self.changed = True

    def get(self, path: str) -> tuple[str, list[Any]] | None:
        """The digest of a file and what was found in it, if everything this rests on is as it was."""
        try:
            row, number, found = self._results[path]
            rows = self._sets[number]
            if self._files.path(row) != path or not (self._files.fresh(1 << row) and self._files.fresh(rows)):
                return None
            if self._moved and self._files.concerned(rows | 1 << row, self._moved):
                return None
            return self._files.digest(row), found
        except (TypeError, ValueError, IndexError, KeyError, OverflowError):
            return None

    def put(self, path: str, row: int, rows: int, found: list[Any]) -> None:
        """Keep what was found in a file; ``rows``: the other files that this rests on."""
        number = self._numbers.get(rows)
        if number is None:
            number = self._numbers[rows] = len(self._sets)
            self._sets.append(rows)
        self._results[path] = [row, number, found]
        self._fresh.add(path)
        self.changed = True

    def tidy(self) -> int:
        """Forget what holds no longer; the rows that are still needed."""
        kept: dict[str, list[Any]] = {}
        used = 0
        for path, result in self._results.items():
            if (rows := self._rows(path, result)) is not None:
                kept[path] = result
                used |= rows
        self.changed = self.changed or len(kept) != len(self._results)
        self._results = kept
        return used

    def _rows(self, path: str, result: list[Any]) -> int | None:
        """The rows that a result rests on, its own among them; None where it holds no longer."""
        try:
            rows = int(self._sets[result[1]] | 1 << result[0])
            if self._stamps.of(path) is None or self._files.spoilt(rows) or rows >> len(self._files):
                return None
        except (TypeError, ValueError, IndexError, KeyError, OverflowError):
            return None
        moved = self._moved if path not in self._fresh else None
        return None if moved and self._files.concerned(rows, moved) else rows

    def renumber(self, numbers: dict[int, int]) -> None:
        """Take over the numbers that rows have from now on (`Ledger.only`). Only after `tidy`."""
        before = {number: self._sets[number] for _, number, _ in self._results.values()}
        places = {number: place for place, number in enumerate(before)}
        self._sets = [ledger.renumbered(rows, numbers) for rows in before.values()]
        self._results = {path: [numbers[row], places[number], found] for path, (row, number, found) in self._results.items()}
        self._numbers = {rows: number for number, rows in enumerate(self._sets)}
        self.changed = self.changed or bool(self._results)

    def save(self, layout: str, mark: str) -> None:
        """Write what holds now. Only after `tidy`."""
        places: dict[int, int] = {}
        results = {
            path: [row, places.setdefault(number, len(places)), found] for path, (row, number, found) in sorted(self._results.items())
        }
        sets = [ledger.written(self._sets[number]) for number in places]
        self._store.put(self._name, {"layout": layout, "mark": mark, "sets": sets, "results": results})
