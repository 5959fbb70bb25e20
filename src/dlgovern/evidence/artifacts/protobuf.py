"""Walk the wire format of a protocol buffer: fields by number, long ones by their place alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from dlgovern.evidence.artifacts.blob import Blob, Broken

FIELDS = 3_000_000
_WINDOW = 1 << 16

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


class Field(NamedTuple):
    """One field: a number for the short kinds, a range of the file for bytes, texts and messages."""

    number: int
    kind: int
    value: int
    start: int
    end: int


class Wire:
    """A file of fields, read through a window. Every message of it counts against one budget."""

    def __init__(self, blob: Blob) -> None:
        self.size = blob.size
        self._blob = blob
        self._base = 0
        self._data = b""
        self._left = FIELDS

    def bytes(self, start: int, end: int, most: int = 1 << 20) -> bytes:
        """At most ``most`` bytes of a range."""
        end = min(end, start + most)
        if start < self._base or end > self._base + len(self._data):
            if end - start > _WINDOW:
                return self._blob.read(start, end - start)
            self._base = start
            self._data = self._blob.read(start, _WINDOW)
        return self._data[start - self._base : end - self._base]

    def text(self, field: Field, most: int = 4096) -> str:
        """A field as text."""
        return self.bytes(field.start, field.end, most).decode("utf-8", "replace")

    def fields(self, start: int, end: int) -> Iterator[Field]:
        """The fields of the message in a range. Raises `Broken` where there is no message."""
        position = start
        while position < end:
            self._left -= 1
            if self._left < 0:
                raise Broken(f"has more than {FIELDS:,} fields")
            key, position = self._varint(position, end)
            number, kind = key >> 3, key & 7
            if not 0 < number < 1 << 29:
                raise Broken("has a field without a number")
            if kind == VARINT:
                value, position = self._varint(position, end)
                yield Field(number, kind, value, 0, 0)
            elif kind == BYTES:
                length, position = self._varint(position, end)
                if length > end - position:
                    raise Broken("has a field that reaches past its message")
                yield Field(number, kind, 0, position, position + length)
                position += length
            elif kind in (FIXED32, FIXED64):
                width = 4 if kind == FIXED32 else 8
                if width > end - position:
                    raise Broken("has a field that reaches past its message")
                yield Field(number, kind, int.from_bytes(self.bytes(position, position + width), "little"), position, position + width)
                position += width
            else:
                raise Broken("has a field of no known kind")

    def numbers(self, field: Field) -> list[int]:
        """A repeated number: alone, or packed."""
        if field.kind == VARINT:
            return [field.value]
        found: list[int] = []
        position = field.start
        while position < field.end and len(found) < 1024:  # noqa: PLR2004 - dimensions of a tensor
            value, position = self._varint(position, field.end)
            found.append(value)
        return found

    def _varint(self, position: int, end: int) -> tuple[int, int]:
        data = self.bytes(position, min(end, position + 10))
        value = shift = 0
        for index, byte in enumerate(data):
            value |= (byte & 0x7F) << shift
            if byte < 0x80:  # noqa: PLR2004 - the last byte of a number
                return value & 0xFFFFFFFFFFFFFFFF, position + index + 1
            shift += 7
        raise Broken("has a number that does not end")
