"""What kept results rest on: rows of a read, its digest and the file's status, numbered once for all results of a repository.

A result names its rows as one number with a bit for each: whether any of a few thousand files is another one now is then
one operation, however many results rest on them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from dlgovern.digest import sha256
from dlgovern.engine.stamps import UNKNOWN, Stamps
from dlgovern.engine.stamps import Stamp as Status
from dlgovern.repository.reads import Packed, file_of
from dlgovern.store import Store

_SPARSE = 24
"""A set in which at most one bit of so many is set is written as a list."""

_MARKS = 500
"""Runs that added rows and of which parts may still speak."""

_USELESS = 8  # one row in so many

Concerns = Callable[[str, frozenset[str]], bool]


class Ledger:
    """The rows of one repository. They are only added to, so that a number means the same file in every part that names it.

    Each run that adds rows leaves a mark. A part is believed only if its mark is known here: two runs at once may both add
    rows, and the numbers of the one that wrote first mean nothing any more.
    """

    def __init__(self, store: Store, name: str, stamps: Stamps, concerns: Concerns) -> None:
        """``concerns`` tells whether a file may mean one of some names by an import."""
        self._store, self._name, self._stamps, self._concerns = store, name, stamps, concerns
        self._reads: list[str] = []  # paths, some with a name: see `repository.reads`
        self._packed = Packed([], [], [])
        self._digests: list[str] = []
        self._status: list[Status] = []
        self._marks: list[str] = []
        self._kept = 0  # rows that the last mark covers
        self._seen = self._stale = 0  # of which rows is known whether the file is as it was, and of which it is not
        self._moved: dict[frozenset[str], tuple[int, int]] = {}  # likewise: rows looked through, rows concerned
        self._index: dict[tuple[str, str], int] = {}
        self._latest: dict[str, int] = {}  # the last row of a read
        self._now: dict[tuple[str, str], int] = {}  # rows of what was read in this run
        self._changed = False
        self._load()

    def __len__(self) -> int:
        return len(self._reads)

    def _load(self) -> None:
        values = self._store.get(self._name)
        try:
            marks, digests = values["marks"], values["digests"]
            packed = Packed(*(values[key] for key in ("paths", "files", "names")))
            reads = packed.reads()
            known = [tuple(row) for row in values["known"]]
            status = [known[number] for number in values["status"]]
            if not (len(reads) == len(digests) == len(status) and all(isinstance(text, str) for text in (*marks, *digests))):
                return
        except (KeyError, TypeError, ValueError, IndexError):
            return
        self._marks, self._reads, self._digests, self._status, self._kept = marks, reads, digests, status, len(reads)
        self._packed = packed

    def knows(self, mark: str) -> bool:
        """Whether the numbers of a part with this mark mean what they meant."""
        return mark in self._marks

    def path(self, row: int) -> str:
        """The path of a row. Raises IndexError."""
        return file_of(self._reads[row])

    def reads(self, rows: int) -> frozenset[str]:
        """The reads of a set. Raises IndexError."""
        return frozenset(self._reads[row] for row in members(rows))

    def digest(self, row: int) -> str:
        """The digest of a row. Raises IndexError."""
        return self._digests[row]

    def fresh(self, rows: int) -> bool:
        """Whether all files of a set are as they were. Raises IndexError for a number that no row has."""
        if unseen := rows & ~self._seen:
            for row in members(unseen):
                self._look(row)
        return not rows & self._stale

    def spoilt(self, rows: int) -> bool:
        """Whether a file of a set is known to be another one now."""
        return bool(rows & self._stale)

    def concerned(self, rows: int, names: frozenset[str]) -> bool:
        """Whether a file of a set may mean one of these names by an import."""
        seen, hit = self._moved.get(names, (0, 0))
        for row in members(rows & ~seen):
            seen |= 1 << row
            if self._concerns(self.path(row), names):
                hit |= 1 << row
        self._moved[names] = (seen, hit)
        return bool(rows & hit)

    def _look(self, row: int) -> None:
        read, status = self._reads[row], self._status[row]
        self._seen |= 1 << row
        if not self._stamps.same(read, status, self._digests[row]):
            self._stale |= 1 << row
        elif now := self._stamps.renewed(file_of(read), status):
            self._status[row] = now
            self._changed = True

    def known(self, read: str) -> str | None:
        """The digest of a read of a file that is as it was, None where nobody knows without reading it."""
        if not self._latest:
            self._latest = {one: row for row, one in enumerate(self._reads)}
        row = self._latest.get(read)
        if row is None or not self._stamps.trusts or self._status[row] != self._stamps.of(file_of(read)):
            return None
        return self._digests[row]

    def rows(self, pairs: Iterable[tuple[str, str]]) -> int:
        """The set of the rows for reads with the digests that they had in this run."""
        now = self._now
        return together(now[pair] if pair in now else self.row(*pair) for pair in pairs)

    def row(self, read: str, digest: str) -> int:
        """The number of the row for a read with the digest that it had in this run."""
        row = self._now.get((read, digest))
        if row is None:
            row = self._now[read, digest] = self._place(read, digest)
            self._settle(row, self._stamps.kept(file_of(read)))
        return row

    def _place(self, read: str, digest: str) -> int:
        if not self._index:
            self._index = {pair: row for row, pair in enumerate(zip(self._reads, self._digests, strict=True))}
        row = self._index.setdefault((read, digest), len(self._reads))
        if row == len(self._reads):
            self._reads.append(read)
            self._digests.append(digest)
            self._status.append(UNKNOWN)
        return row

    def _settle(self, row: int, status: Status) -> None:
        self._seen |= 1 << row
        self._stale &= ~(1 << row)
        if self._status[row] != status:
            self._status[row] = status
            self._changed = True

    def only(self, used: int) -> dict[int, int]:
        """Forget all rows but these, and say which number each of them has now. All parts have to be written anew."""
        numbers = {row: number for number, row in enumerate(members(used))}
        self._reads, self._digests = [self._reads[row] for row in numbers], [self._digests[row] for row in numbers]
        self._status = [self._status[row] for row in numbers]
        self._seen, self._stale = (renumbered(rows & used, numbers) for rows in (self._seen, self._stale))
        self._marks, self._kept, self._index, self._now, self._moved = [], 0, {}, {}, {}
        self._packed, self._latest = Packed([], [], []), {}
        self._changed = True
        return numbers

    @property
    def is_worn(self) -> bool:
        """Whether many rows are of no use any more, or more runs have added rows than can be told apart."""
        useless = max(len(self._reads) - len(set(self._reads)), self._stale.bit_count())
        return useless * _USELESS > len(self._reads) or len(self._marks) > _MARKS

    def save(self) -> str:
        """Write what is new; the mark for the parts that are written now."""
        if not self._marks or self._kept < len(self._reads):
            self._marks.append(sha256(f"{time.time_ns()} {id(self)} {self._name}".encode())[:16])
            self._kept = len(self._reads)
            self._changed = True
        if self._changed:
            known: dict[Status, int] = {}
            status = [known.setdefault(one, len(known)) for one in self._status]
            if len(self._packed) < len(self._reads):
                self._packed.add(self._reads[len(self._packed) :])
            columns = {**self._packed.columns(), "digests": self._digests, "status": status}
            self._store.put(self._name, {"marks": self._marks, "known": list(known), **columns})
            self._changed = False
        return self._marks[-1]


def together(rows: Iterable[int]) -> int:
    """The set of these rows."""
    numbers = list(rows)
    bits = bytearray(max(numbers, default=0) // 8 + 1)
    for row in numbers:
        bits[row >> 3] |= 1 << (row & 7)
    return int.from_bytes(bits, "little")


def members(rows: int) -> Iterator[int]:
    """The rows of a set, the smallest first."""
    text = bin(rows)[:1:-1]
    at = text.find("1")
    while at >= 0:
        yield at
        at = text.find("1", at + 1)


def renumbered(rows: int, numbers: dict[int, int]) -> int:
    """A set after `Ledger.only`."""
    return together(numbers[row] for row in members(rows))


def written(rows: int) -> str | list[int]:
    """A set as JSON-ready value: hexadecimal, or a list of the few numbers in it."""
    return list(members(rows)) if rows.bit_count() * _SPARSE < rows.bit_length() else f"{rows:x}"


def read(value: Any) -> int:
    """The set from what `written` became in JSON. Raises TypeError or ValueError for anything else."""
    if isinstance(value, str):
        return int(value, 16)
    if not all(isinstance(row, int) and row >= 0 for row in value):
        raise ValueError("not a set of rows")
    return together(value)
