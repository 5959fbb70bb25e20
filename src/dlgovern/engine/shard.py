"""One part of what is kept of a repository: what was found in some of its files, and what was learned of them.

One file of JSON. ``layout``: the digest (see `engine.layout`) and ``mark``: the mark (see `engine.ledger`) for which the
answers hold; ``sets``: sets of rows; ``answers``: path -> its own row, and answers, each with the number of the set it rests on.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dlgovern.engine import ledger
from dlgovern.engine.ledger import Ledger
from dlgovern.engine.stamps import Stamps
from dlgovern.store import Store

_DAMAGED = (TypeError, ValueError, IndexError, KeyError, OverflowError)


class Shard:
    """What one file of the store holds. Damage of any kind is a miss."""

    def __init__(self, store: Store, name: str, stamps: Stamps, files: Ledger) -> None:
        self._store, self._name, self._stamps, self._files = store, name, stamps, files
        self._sets: list[int] = []
        self._answers: dict[str, list[Any]] = {}  # path -> row, [[set, answer], ...]
        self._numbers: dict[int, int] = {}  # set -> its number
        self._moved: frozenset[str] = frozenset()
        self._fresh: set[str] = set()  # files of which all answers are from this run
        self.changed = False
        self.layout = ""
        self._load()

    def _load(self) -> None:
        values = self._store.get(self._name)
        try:
            sets, answers, layout = values["sets"], values["answers"], values["layout"]
            if self._files.knows(values["mark"]) and isinstance(layout, str) and isinstance(answers, dict):
                self._sets, self._answers, self.layout = [ledger.read(rows) for rows in sets], answers, layout
        except (KeyError, TypeError, ValueError):
            return
        self._numbers = {rows: number for number, rows in enumerate(self._sets)}

    def distrust(self, moved: frozenset[str] | None) -> None:
        """Modules have come or gone: a file that may mean one of these names counts as changed, None for every file."""
        if not self._answers:
            return
        if moved is None:
            self._answers = {}
        else:
            self._moved = moved
        self.changed = True

    def get(self, path: str) -> tuple[str, Any] | None:
        """The digest of a file and its answer, if everything this rests on is as it was."""
        found = next(self.all(path), None)
        if found is None:
            return None
        return self._files.digest(self._answers[path][0]), found[0]

    def all(self, path: str) -> Iterator[tuple[Any, int]]:
        """The answers of a file that hold, with the rows that each rests on."""
        try:
            row, answers = self._answers[path]
            if self._files.path(row) != path or not self._holds(1 << row):
                return
            for number, answer in answers:
                if self._holds(rows := self._sets[number]):
                    yield answer, rows
        except _DAMAGED:
            return

    def _holds(self, rows: int) -> bool:
        return self._files.fresh(rows) and not (self._moved and self._files.concerned(rows, self._moved))

    def put(self, path: str, row: int, rows: int, answer: Any) -> None:
        """Keep the one answer of a file; ``rows``: the other files that this rests on."""
        self._answers[path] = [row, [[self._number(rows), answer]]]
        self._fresh.add(path)
        self.changed = True

    def add(self, path: str, row: int, rows: int, question: Any, answer: Any) -> None:
        """Keep one answer more of a file, in the place of an older one to the same question."""
        one = [self._number(rows), [question, answer]]
        try:
            old_row, held = self._answers.get(path, (row, ()))
            others = [other for other in held if other[1][0] != question] if old_row == row else []
        except _DAMAGED:
            others = []
        self._answers[path] = [row, [*others, one]]
        if not others:
            self._fresh.add(path)
        self.changed = True

    def _number(self, rows: int) -> int:
        number = self._numbers.get(rows)
        if number is None:
            number = self._numbers[rows] = len(self._sets)
            self._sets.append(rows)
        return number

    def tidy(self) -> int:
        """Forget what holds no longer; the rows that are still needed."""
        kept: dict[str, list[Any]] = {}
        used = 0
        for path, held in self._answers.items():
            try:
                row, answers = held
                holding = [one for one in answers if self._may_hold(path, self._sets[one[0]] | 1 << row)]
                if self._stamps.of(path) is None or not holding:
                    continue
                used |= 1 << row
                for number, _ in holding:
                    used |= self._sets[number]
                self.changed = self.changed or len(holding) != len(answers)
                kept[path] = [row, holding]
            except _DAMAGED:
                continue
        self.changed = self.changed or len(kept) != len(self._answers)
        self._answers = kept
        return used

    def _may_hold(self, path: str, rows: int) -> bool:
        if self._files.spoilt(rows) or rows >> len(self._files):
            return False
        return not self._moved or path in self._fresh or not self._files.concerned(rows, self._moved)

    def renumber(self, numbers: dict[int, int]) -> None:
        """Take over the numbers that rows have from now on (`Ledger.only`). Only after `tidy`."""
        before = list(self._sets)
        self._sets, self._numbers = [], {}
        for held in self._answers.values():
            held[0] = numbers[held[0]]
            for one in held[1]:
                one[0] = self._number(ledger.renumbered(before[one[0]], numbers))
        self.changed = self.changed or bool(self._answers)

    def save(self, layout: str, mark: str) -> None:
        """Write what holds now. Only after `tidy`."""
        places: dict[int, int] = {}
        answers = {
            path: [row, [[places.setdefault(number, len(places)), answer] for number, answer in held]]
            for path, (row, held) in sorted(self._answers.items())
        }
        sets = [ledger.written(self._sets[number]) for number in places]
        self._store.put(self._name, {"layout": layout, "mark": mark, "sets": sets, "answers": answers})
