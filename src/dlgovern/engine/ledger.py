"""The files that kept results rest on: rows of path, digest and status, numbered once for all results of a repository.

A result names its rows as one number with a bit for each: whether any of a few thousand files is another one now is then
one operation, however many results rest on them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from dlgovern.digest import sha256
from dlgovern.engine.stamps import Stamps
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
        self._paths: list[str] = []
        self._digests: list[str] = []
        self._status: list[list[int]] = []  # size, time of the bytes, time of the status, inode
        self._marks: list[str] = []
        self._kept = 0  # rows that the last mark covers
        self._seen = self._stale = 0  # of which rows is known whether the file is as it was, and of which it is not
        self._moved: dict[frozenset[str], tuple[int, int]] = {}  # likewise: rows looked through, rows concerned
        self._index: dict[tuple[str, str], int] = {}
        self._now: dict[tuple[str, str], int] = {}  # rows of what was read in this run
        self._changed = False
        self._load()

    def __len__(self) -> int:
        return len(self._paths)

    def _load(self) -> None:
        values = self._store.get(self._name)
        try:
            marks, paths, digests, *columns = (values[key] for key in ("marks", "paths", "digests", "sizes", "times", "changes", "inodes"))
            status = [list(row) for row in zip(*columns, strict=True)]
            if not (len(paths) == len(digests) == len(status) and all(isinstance(text, str) for text in (*marks, *paths, *digests))):
                return
        except (KeyError, TypeError, ValueError):
            return
        self._marks, self._paths, self._digests, self._status, self._kept = marks, paths, digests, status, len(paths)

    def knows(self, mark: str) -> bool:
        """Whether the numbers of a part with this mark mean what they meant."""
        return mark in self._marks

    def path(self, row: int) -> str:
        """The path of a row. Raises IndexError."""
        return self._paths[row]

    def digest(self, row: int) -> str:
        """The digest of a row. Raises IndexError."""
        return self._digests[row]

    def fresh(self, rows: int) -> bool:
        """Whether all files of a set are as they were. Raises IndexError for a number that no row has."""
        for row in members(rows & ~self._seen):
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
            if self._concerns(self._paths[row], names):
                hit |= 1 << row
        self._moved[names] = (seen, hit)
        return bool(rows & hit)

    def _look(self, row: int) -> None:
        path, stamp = self._paths[row], tuple(self._status[row])
        self._seen |= 1 << row
        if not self._stamps.same(path, stamp, self._digests[row]):
            self._stale |= 1 << row
        elif now := self._stamps.renewed(path, stamp):
            self._status[row] = list(now)
            self._changed = True

    def rows(self, pairs: Iterable[tuple[str, str]]) -> int:
        """The set of the rows for files that had these digests when they were read in this run."""
        now = self._now
        return together(now[pair] if pair in now else self.row(*pair) for pair in pairs)

    def row(self, path: str, digest: str) -> int:
        """The number of the row for a file that had this digest when it was read in this run."""
        row = self._now.get((path, digest))
        if row is None:
            row = self._now[path, digest] = self._place(path, digest)
            self._settle(row, list(self._stamps.kept(path)))
        return row

    def _place(self, path: str, digest: str) -> int:
        if not self._index:
            self._index = {pair: row for row, pair in enumerate(zip(self._paths, self._digests, strict=True))}
        row = self._index.setdefault((path, digest), len(self._paths))
        if row == len(self._paths):
            self._paths.append(path)
            self._digests.append(digest)
            self._status.append([])
        return row

    def _settle(self, row: int, status: list[int]) -> None:
        self._seen |= 1 << row
        self._stale &= ~(1 << row)
        if self._status[row] != status:
            self._status[row] = status
            self._changed = True

    def only(self, used: int) -> dict[int, int]:
        """Forget all rows but these, and say which number each of them has now. All parts have to be written anew."""
        numbers = {row: number for number, row in enumerate(members(used))}
        self._paths, self._digests = [self._paths[row] for row in numbers], [self._digests[row] for row in numbers]
        self._status = [self._status[row] for row in numbers]
        self._seen, self._stale = (renumbered(rows & used, numbers) for rows in (self._seen, self._stale))
        self._marks, self._kept, self._index, self._now, self._moved = [], 0, {}, {}, {}
        self._changed = True
        return numbers

    @property
    def is_worn(self) -> bool:
        """Whether many rows are of no use any more, or more runs have added rows than can be told apart."""
        useless = max(len(self._paths) - len(set(self._paths)), self._stale.bit_count())
        return useless * _USELESS > len(self._paths) or len(self._marks) > _MARKS

    def save(self) -> str:
        """Write what is new; the mark for the parts that are written now."""
        if not self._marks or self._kept < len(self._paths):
            self._marks.append(sha256(f"{time.time_ns()} {id(self)} {self._name}".encode())[:16])
            self._kept = len(self._paths)
            self._changed = True
        if self._changed:
            columns = zip(*self._status, strict=True) if self._status else ((), (), (), ())
            named = zip(("sizes", "times", "changes", "inodes"), map(list, columns), strict=True)
            self._store.put(self._name, {"marks": self._marks, "paths": self._paths, "digests": self._digests, **dict(named)})
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
