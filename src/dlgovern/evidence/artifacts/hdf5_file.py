"""The structure of an HDF5 file: its groups, datasets and attributes, from their headers alone.

Read as the public file format specification says: superblocks 0 to 3, object headers 1 and 2, groups as symbol tables, compact links
and dense ones. What is stored otherwise (shared messages) is `Broken`, for it is not read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from dlgovern.evidence.artifacts import hdf5_dense
from dlgovern.evidence.artifacts.blob import Blob, Broken, exactly

MAGIC = b"\x89HDF\r\n\x1a\n"
OBJECTS = 200_000
MESSAGES = 2_000_000
DEPTH = 64
TEXT = 16 * 1024 * 1024

DATASPACE, LINK_INFO, DATATYPE, LINK, EXTERNAL, LAYOUT = 0x01, 0x02, 0x03, 0x06, 0x07, 0x08
ATTRIBUTE, CONTINUATION, SYMBOLS, ATTRIBUTE_INFO = 0x0C, 0x10, 0x11, 0x15
_SHARED = 2


class Message(NamedTuple):
    """One message of an object header."""

    kind: int
    data: bytes


class Link(NamedTuple):
    """A name in a group, and where it leads: to an object of this file, or elsewhere."""

    name: str
    address: int
    where: str  # "" for an object of this file, else soft, external or user-defined


class Hdf5:
    """An opened HDF5 file."""

    def __init__(self, blob: Blob) -> None:
        """Raises `Broken` for what is no HDF5 file."""
        head = exactly(blob, 0, 16)
        version = head[8]
        if head[:8] != MAGIC or version > 3:  # noqa: PLR2004 - the newest
            raise Broken("is no HDF5 file")
        self._blob = blob
        self._left = MESSAGES
        old = version < 2  # noqa: PLR2004
        self.offset, self.length = (head[13], head[14]) if old else (head[9], head[10])
        if self.offset not in (4, 8) or self.length not in (4, 8):
            raise Broken("has addresses of a size that is not read here")
        start = (24, 28)[version] if old else 12
        base = self._address(exactly(blob, start, self.offset), 0)
        if base:
            raise Broken("begins after bytes of another file")
        if self._address(exactly(blob, start + 2 * self.offset, self.offset), 0) > blob.size:
            raise Broken("ends before its own end")
        at = start + 5 * self.offset if old else start + 3 * self.offset
        self.root = self._address(exactly(blob, at, self.offset), 0)

    def number(self, data: bytes, at: int, width: int) -> int:
        """An unsigned number. Raises `Broken` where the bytes end before it."""
        if at + width > len(data):
            raise Broken("has a header that is cut off")
        return int.from_bytes(data[at : at + width], "little")

    def _address(self, data: bytes, at: int) -> int:
        return self.number(data, at, self.offset)

    def part(self, at: int, length: int) -> bytes:
        """Bytes of the file. Raises `Broken` where it ends before them."""
        return exactly(self._blob, at, length)

    def address(self, at: int) -> int:
        """The address that stands at a place of the file."""
        return self._address(self.part(at, self.offset), 0)

    def nowhere(self, address: int) -> bool:
        """Whether an address says that there is nothing."""
        return address == (1 << 8 * self.offset) - 1

    def messages(self, address: int) -> list[Message]:
        """The messages of an object's header."""
        head = exactly(self._blob, address, 16)
        found: list[Message] = []
        if head[:4] == b"OHDR":
            flags = head[5]
            at = 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
            width = 1 << (flags & 3)
            size = int.from_bytes(exactly(self._blob, address + at, width), "little")
            todo = [(address + at + width, size)]
        elif head[0] == 1:
            todo = [(address + 16, self.number(head, 8, 4))]
        else:
            raise Broken("has an object without a header")
        new = head[:4] == b"OHDR"
        while todo:
            start, size = todo.pop()
            if size > TEXT or len(todo) > DEPTH:
                raise Broken("has a header that is too large")
            data = exactly(self._blob, start, size)
            for message in self._split(data, new=new, ordered=bool(new and head[5] & 4)):
                if message.kind == CONTINUATION:
                    where, length = self._address(message.data, 0), self.number(message.data, self.offset, self.length)
                    todo.append((where + 4, length - 8) if new else (where, length))
                else:
                    found.append(message)
        return found

    def _split(self, data: bytes, *, new: bool, ordered: bool) -> Iterator[Message]:
        at = 0
        width = (6 if ordered else 4) if new else 8
        while at + width <= len(data):
            self._left -= 1
            if self._left < 0:
                raise Broken("has too many headers")
            kind, size, flags = (data[at], self.number(data, at + 1, 2), data[at + 3]) if new else (
                self.number(data, at, 2), self.number(data, at + 2, 2), data[at + 4]
            )
            at += width
            if at + size > len(data):
                raise Broken("has a header that is cut off")
            if flags & _SHARED and kind:
                raise Broken("shares headers between its objects, which is not read here")
            if kind:
                yield Message(kind, data[at : at + size])
            at += size

    def links(self, messages: list[Message]) -> Iterator[Link]:
        """The names in a group."""
        for kind, data in messages:
            if kind == SYMBOLS:
                yield from self._symbols(self._address(data, 0), self._address(data, self.offset))
            elif kind == LINK:
                yield self._link(data)
            elif kind == LINK_INFO:
                yield from map(self._link, self.dense(data, 8))

    def dense(self, data: bytes, width: int) -> Iterator[bytes]:
        """The links or attributes that an object keeps in a heap; ``width``: bytes of the number of the last one in its message."""
        flags = self.number(data, 1, 1)
        at = 2 + (width if flags & 1 else 0)
        heap, names = self._address(data, at), self._address(data, at + self.offset)
        if self.nowhere(heap):
            return
        order = self._address(data, at + 2 * self.offset) if flags & 2 else (1 << 8 * self.offset) - 1
        for made in hdf5_dense.objects(self, heap, names, order):
            self._left -= 1
            if self._left < 0:
                raise Broken("has too many headers")
            yield made

    def _link(self, data: bytes) -> Link:
        flags = self.number(data, 1, 1)
        at = 2
        kind = 0
        if flags & 8:
            kind = self.number(data, at, 1)
            at += 1
        at += (8 if flags & 4 else 0) + (1 if flags & 0x10 else 0)
        width = 1 << (flags & 3)
        length = self.number(data, at, width)
        at += width
        name = data[at : at + length].decode("utf-8", "replace")
        if kind:
            return Link(name, 0, {1: "soft", 64: "external"}.get(kind, "user-defined"))
        return Link(name, self._address(data, at + length), "")

    def _symbols(self, tree: int, heap: int) -> Iterator[Link]:
        head = exactly(self._blob, heap, 8 + 2 * self.length + self.offset)
        if head[:4] != b"HEAP":
            raise Broken("has a group without names")
        size = self.number(head, 8, self.length)
        if size > TEXT:
            raise Broken("has a group whose names are too many")
        names = exactly(self._blob, self._address(head, 8 + 2 * self.length), size)
        todo, seen = [tree], 0
        while todo:
            address = todo.pop()
            seen += 1
            if seen > OBJECTS:
                raise Broken("has a group that does not end")
            head = exactly(self._blob, address, 8)
            if head[:4] == b"TREE" and head[4] == 0:
                used = self.number(head, 6, 2)
                data = exactly(self._blob, address + 8 + 2 * self.offset, used * (self.length + self.offset) + self.length)
                todo += [self._address(data, self.length + one * (self.length + self.offset)) for one in reversed(range(used))]
            elif head[:4] == b"SNOD":
                count = self.number(head, 6, 2)
                width = 2 * self.offset + 24
                data = exactly(self._blob, address + 8, count * width)
                for at in range(0, count * width, width):
                    start = self._address(data, at)
                    name = names[start : names.find(b"\0", start)].decode("utf-8", "replace")
                    soft = self.number(data, at + 2 * self.offset, 4) == 2  # noqa: PLR2004 - a symbolic link
                    yield Link(name, self._address(data, at + self.offset), "soft" if soft else "")
            else:
                raise Broken("has a group that is not understood")

    def heap(self, address: int, wanted: int) -> bytes:
        """An object of the global heap: a text of any length."""
        head = exactly(self._blob, address, 8 + self.length)
        size = self.number(head, 8, self.length)
        if head[:4] != b"GCOL" or size > TEXT:
            raise Broken("has a text that is not found")
        data = exactly(self._blob, address, size)
        at = 8 + self.length
        while at + 8 + self.length <= len(data):
            index, length = self.number(data, at, 2), self.number(data, at + 8, self.length)
            at += 8 + self.length
            if index == wanted:
                return data[at : at + length]
            if not index:
                break
            at += (length + 7) // 8 * 8
        raise Broken("has a text that is not found")
