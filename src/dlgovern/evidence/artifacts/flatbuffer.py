"""Read tables of a flat buffer: by the numbers of their fields, with every offset checked."""

from __future__ import annotations

from collections.abc import Iterator

from dlgovern.evidence.artifacts.blob import Blob, Broken, exactly

_MOST = 200_000
"""Entries of one list, and tables of one file."""
_TEXT = 4096


class Table:
    """One table at ``position``. A field that is absent is 0, "" or none."""

    def __init__(self, blob: Blob, position: int) -> None:
        """Raises `Broken` for what is no table."""
        self._blob = blob
        self._position = position
        self._fields = position - _number(blob, position, 4, signed=True)
        self._size = _number(blob, self._fields, 2)
        if self._fields < 0 or self._size < 4 or self._size % 2:  # noqa: PLR2004 - its own two numbers
            raise Broken("has a table that is not understood")

    def _at(self, field: int) -> int:
        """Where a field lies, 0 for nowhere."""
        entry = 4 + 2 * field
        offset = _number(self._blob, self._fields + entry, 2) if entry + 2 <= self._size else 0
        return self._position + offset if offset else 0

    def _behind(self, field: int) -> int:
        at = self._at(field)
        return at + _number(self._blob, at, 4) if at else 0

    def number(self, field: int, width: int) -> int:
        """An unsigned number."""
        at = self._at(field)
        return _number(self._blob, at, width) if at else 0

    def text(self, field: int) -> str:
        """A text, cut where it is very long."""
        at = self._behind(field)
        return exactly(self._blob, at + 4, min(_number(self._blob, at, 4), _TEXT)).decode("utf-8", "replace") if at else ""

    def table(self, field: int) -> Table | None:
        """A table within this one."""
        at = self._behind(field)
        return Table(self._blob, at) if at else None

    def tables(self, field: int) -> Iterator[Table]:
        """The tables of a list."""
        at = self._behind(field)
        for one in range(self._count(at)):
            place = at + 4 + 4 * one
            yield Table(self._blob, place + _number(self._blob, place, 4))

    def numbers(self, field: int, width: int) -> tuple[int, ...]:
        """The numbers of a list."""
        at = self._behind(field)
        data = exactly(self._blob, at + 4, width * self._count(at)) if at else b""
        return tuple(int.from_bytes(data[one : one + width], "little") for one in range(0, len(data), width))

    def _count(self, at: int) -> int:
        count = _number(self._blob, at, 4) if at else 0
        if count > _MOST:
            raise Broken(f"has a list of {count:,} entries")
        return count


def root(blob: Blob) -> Table:
    """The table that holds everything."""
    return Table(blob, _number(blob, 0, 4))


def _number(blob: Blob, at: int, width: int, *, signed: bool = False) -> int:
    return int.from_bytes(exactly(blob, at, width), "little", signed=signed)
