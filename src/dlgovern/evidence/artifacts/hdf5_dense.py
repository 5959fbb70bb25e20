"""The objects of a group or header of HDF5 that are many: kept in a fractal heap, and listed by B-trees of version 2.

Read as the public file format specification says. Filtered heaps and huge objects are `Broken`, for they are not read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from dlgovern.evidence.artifacts.blob import Broken

if TYPE_CHECKING:
    from dlgovern.evidence.artifacts.hdf5_file import Hdf5

_RECORDS = 200_000
_LEVELS = 16
_OBJECT = 1 << 20  # bytes of one link or attribute
_MANAGED, _TINY = 0, 2
_SHARED = 2


class _Heap(NamedTuple):
    """What the header of a fractal heap says."""

    root: int
    rows: int  # of the root; 0 where it is one block
    width: int  # blocks of a row
    first: int  # bytes of a block of the first two rows; it doubles with each row behind them
    largest: int  # bytes of the largest block that holds objects itself
    offset: int  # bytes that say where an object begins
    length: int  # bytes that say how long it is


def objects(file: Hdf5, heap: int, tree: int, order: int) -> Iterator[bytes]:
    """The objects that the index by name lists, and those of the index by time where there is one; each once. Raises `Broken`."""
    head = _heap(file, heap)
    seen: set[bytes] = set()
    for address in (tree, order):
        if file.nowhere(address):
            continue
        for key in _keys(file, address):
            if key not in seen:
                seen.add(key)
                if len(seen) > _RECORDS:
                    raise Broken("has a group of too many names")
                yield _object(file, head, key)


def _heap(file: Hdf5, address: int) -> _Heap:
    size, wide = file.length, file.offset
    data = file.part(address, 22 + 12 * size + 3 * wide)
    if data[:4] != b"FRHP" or data[4]:
        raise Broken("has a group whose names are not found")
    if file.number(data, 7, 2):
        raise Broken("has a group whose names are packed, which is not read here")
    at = 14 + 10 * size + 2 * wide
    width, first, largest = file.number(data, at, 2), file.number(data, at + 2, size), file.number(data, at + 2 + size, size)
    at += 2 + 2 * size
    bits, root, rows = file.number(data, at, 2), file.number(data, at + 4, wide), file.number(data, at + 4 + wide, 2)
    if not width or width & width - 1 or not 0 < first <= largest or first & first - 1 or largest & largest - 1 or bits > 64 or rows > 64:  # noqa: PLR2004
        raise Broken("has a group whose names are not found")
    most = file.number(data, 10, 4)
    length = min((largest.bit_length() + 6) // 8, _size_of(most))
    return _Heap(root, rows, width, first, largest, (bits + 7) // 8, length)


def _size_of(most: int) -> int:
    """The bytes that a number up to ``most`` takes."""
    return (most.bit_length() - 1) // 8 + 1 if most else 1


def _object(file: Hdf5, heap: _Heap, key: bytes) -> bytes:
    kind = key[0] >> 4 & 3
    if key[0] >> 6 or kind not in (_MANAGED, _TINY):
        raise Broken("has an object too large for its group, which is not read here")
    if kind == _TINY:
        raise Broken("has an object within its own address, which is not read here")
    start = file.number(key, 1, heap.offset)
    length = file.number(key, 1 + heap.offset, heap.length)
    if not 0 < length <= _OBJECT:
        raise Broken("has a name that is too long")
    block, within, size = _block(file, heap, start)
    if within + length > size:
        raise Broken("has a name that reaches out of its block")
    return file.part(block + within, length)


def _block(file: Hdf5, heap: _Heap, start: int) -> tuple[int, int, int]:
    """The address of the block that holds an offset of the heap, the offset in it, and its size."""
    address, rows, base = heap.root, heap.rows, 0
    if not rows:
        return _direct(file, heap, address), start, heap.first
    for _ in range(_LEVELS):
        head = file.part(address, 5 + file.offset + heap.offset)
        if head[:4] != b"FHIB" or head[4]:
            raise Broken("has a group whose names are not found")
        number, within, size = _place(heap, start - base)
        if number >= rows * heap.width:
            break
        inner = file.address(address + len(head) + number * file.offset)
        base = start - within
        if size <= heap.largest:
            return _direct(file, heap, inner), within, size
        address = inner
        rows = size.bit_length() - (heap.first * heap.width).bit_length() + 1
    raise Broken("has a group whose names are not found")


def _place(heap: _Heap, start: int) -> tuple[int, int, int]:
    """Which child of an indirect block holds an offset in it, the offset in the child, and the child's size."""
    size, row, base = heap.first, 0, 0
    while start >= base + heap.width * size:
        base += heap.width * size
        row += 1
        size = heap.first << max(0, row - 1)
        if row > 64:  # noqa: PLR2004
            raise Broken("has a group whose names are not found")
    child, within = divmod(start - base, size)
    return row * heap.width + child, within, size


def _direct(file: Hdf5, heap: _Heap, address: int) -> int:
    head = file.part(address, 5 + file.offset + heap.offset)
    if head[:4] != b"FHDB" or head[4]:
        raise Broken("has a group whose names are not found")
    return address


_NAMES = {5: (4, 0), 6: (8, 0), 8: (0, 9), 9: (0, 5)}
"""Type of a tree -> bytes before the address of an object in a record, and behind it: links by name and time, attributes by both."""


def _keys(file: Hdf5, address: int) -> Iterator[bytes]:
    head = file.part(address, 18 + file.offset + file.length)
    if head[:4] != b"BTHD" or head[4] or head[5] not in _NAMES:
        raise Broken("has a group whose names are not found")
    before, behind = _NAMES[head[5]]
    node, record, depth = file.number(head, 6, 4), file.number(head, 10, 2), file.number(head, 12, 2)
    root, count = file.number(head, 16, file.offset), file.number(head, 16 + file.offset, 2)
    total = file.number(head, 18 + file.offset, file.length)
    if record <= before + behind or node < record + 10 or depth > _LEVELS or total > _RECORDS:
        raise Broken("has a group of too many names")
    sizes = _pointers(file, node, record, depth)
    found = 0
    todo = [(root, count, depth)] if count else []
    while todo:
        address, count, level = todo.pop()
        data = file.part(address, node)
        if data[:4] != (b"BTIN" if level else b"BTLF") or data[4] or data[5] != head[5] or 6 + count * record > node:
            raise Broken("has a group whose names are not found")
        for one in range(count):
            at = 6 + one * record
            found += 1
            if behind and data[at + record - behind] & _SHARED:
                raise Broken("shares attributes between its objects, which is not read here")
            yield data[at + before : at + record - behind]
        if level:
            wide, counts, totals = sizes[level]
            for one in range(count + 1):
                at = 6 + count * record + one * (wide + counts + totals)
                todo.append((file.number(data, at, wide), file.number(data, at + wide, counts), level - 1))
        if found > total or len(todo) > _RECORDS:
            raise Broken("has a group that does not end")
    if found != total:
        raise Broken("has a group that does not hold as many names as it says")


def _pointers(file: Hdf5, node: int, record: int, depth: int) -> list[tuple[int, int, int]]:
    """For each level of a tree, the bytes of the parts of a pointer to a node below: address, records there, records in all below."""
    most = total = (node - 10) // record
    counts, totals = _size_of(most), 0
    found = [(file.offset, counts, 0)]
    for _ in range(depth):
        found.append((file.offset, counts, totals))
        here = (node - 10 - sum(found[-1])) // (record + sum(found[-1]))
        total = (here + 1) * total + here
        totals = _size_of(total)
    return found
