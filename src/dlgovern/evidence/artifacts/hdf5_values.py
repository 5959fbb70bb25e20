"""Types, shapes and attributes of an HDF5 file."""

from __future__ import annotations

from dlgovern.evidence.artifacts.blob import Broken
from dlgovern.evidence.artifacts.hdf5_file import Hdf5

_INTEGER, _FLOAT, _STRING, _ENUM, _VARIABLE = 0, 1, 3, 8, 9
_NAMES = {2: "float16", 4: "float32", 8: "float64"}
_MOST = 10_000  # texts of one attribute


def dtype(file: Hdf5, data: bytes) -> str:
    """The name of a type, "" where it is none of numbers."""
    kind, size = file.number(data, 0, 1) & 15, file.number(data, 4, 4)
    if kind == _FLOAT:
        return _NAMES.get(size, f"float{8 * size}")
    if kind == _INTEGER:
        return f"{'int' if data[1] & 8 else 'uint'}{8 * size}"
    return {_STRING: f"S{size}", _ENUM: "bool", _VARIABLE: "text"}.get(kind, "")


def shape(file: Hdf5, data: bytes) -> tuple[int, ...]:
    """The sizes that a dataspace says."""
    version, count = file.number(data, 0, 1), file.number(data, 1, 1)
    start = {1: 8, 2: 4}.get(version)
    if start is None:
        raise Broken("has a shape that is not understood")
    return tuple(file.number(data, start + one * file.length, file.length) for one in range(count))


def attribute(file: Hdf5, data: bytes) -> tuple[str, list[bytes] | None]:
    """The name of an attribute and the bytes of its texts; None for an attribute of numbers."""
    version, flags = file.number(data, 0, 1), file.number(data, 1, 1)
    if version not in (1, 2, 3) or (version > 1 and flags):
        raise Broken("has an attribute that is not read here")
    sizes = [file.number(data, at, 2) for at in (2, 4, 6)]
    at = 9 if version == 3 else 8  # noqa: PLR2004 - the set of characters
    parts = []
    for size in sizes:
        parts.append(data[at : at + size])
        at += (size + 7) // 8 * 8 if version == 1 else size
    name = parts[0].split(b"\0")[0].decode("utf-8", "replace")
    kind, width = file.number(parts[1], 0, 1) & 15, file.number(parts[1], 4, 4)
    count = 1
    for one in shape(file, parts[2]):
        count *= one
    if kind == _STRING and count <= _MOST:
        return name, [data[at + one * width : at + (one + 1) * width].rstrip(b"\0") for one in range(count)]
    if kind == _VARIABLE and file.number(parts[1], 1, 1) & 15 == 1 and count <= _MOST:
        found = []
        for one in range(count):
            start = at + one * (8 + file.offset)
            length = file.number(data, start, 4)
            address, index = file.number(data, start + 4, file.offset), file.number(data, start + 4 + file.offset, 4)
            found.append(file.heap(address, index)[:length].rstrip(b"\0") if length else b"")
        return name, found
    return name, None

