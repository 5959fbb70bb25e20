"""Bytes at an offset, of a file or a part of one: bounded, never written, never mapped into memory."""

from __future__ import annotations

import bz2
import lzma
import os
import zlib
from collections.abc import Callable
from typing import Any, Protocol

from dlgovern.source.read import FLAGS, Unreadable, demand_regular, reason

MOST = 64 * 1024 * 1024
"""Bytes that are ever held of one part of a file."""

RATIO = 200
"""More bytes out of one byte in is a bomb."""


class Broken(Exception):
    """Bytes that are not what their format demands; the message completes the sentence "this file …"."""


class Blob(Protocol):
    """Something with bytes in it."""

    size: int

    def read(self, offset: int, length: int) -> bytes:
        """At most ``length`` bytes from ``offset``; fewer only where the end comes first."""
        ...


class File:
    """A regular file, opened without following a link and without blocking. Raises `Unreadable`."""

    def __init__(self, path: str) -> None:
        try:
            before = os.lstat(path)
            demand_regular(before)
            self._descriptor = os.open(path, FLAGS)
        except (OSError, ValueError) as error:
            raise Unreadable(reason(error)) from None
        after = os.fstat(self._descriptor)
        if (before.st_dev, before.st_ino) != (after.st_dev, after.st_ino):
            os.close(self._descriptor)
            raise Unreadable("was replaced while it was being opened")
        self.size = after.st_size

    def read(self, offset: int, length: int) -> bytes:
        """See `Blob`."""
        length = min(length, self.size - offset)
        if length <= 0 or offset < 0:
            return b""
        try:
            os.lseek(self._descriptor, offset, os.SEEK_SET)
            parts = []
            while length > 0 and (part := os.read(self._descriptor, length)):
                parts.append(part)
                length -= len(part)
        except OSError as error:
            raise Unreadable(reason(error)) from None
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def close(self) -> None:
        """Give the file back."""
        os.close(self._descriptor)


class Held:
    """Bytes in memory."""

    def __init__(self, data: bytes | bytearray) -> None:
        self._data = data
        self.size = len(data)

    def read(self, offset: int, length: int) -> bytes:
        """See `Blob`."""
        return bytes(self._data[offset : offset + max(0, length)]) if offset >= 0 else b""


class Part:
    """A range of another blob."""

    def __init__(self, whole: Blob, start: int, size: int) -> None:
        self._whole = whole
        self._start = start
        self.size = max(0, min(size, whole.size - start))

    def read(self, offset: int, length: int) -> bytes:
        """See `Blob`."""
        if offset < 0:
            return b""
        return self._whole.read(self._start + offset, min(length, self.size - offset))


def exactly(blob: Blob, offset: int, length: int) -> bytes:
    """As many bytes as asked for. Raises `Broken` where the end comes first."""
    data = blob.read(offset, length)
    if len(data) != length:
        raise Broken(f"ends before byte {offset + length}")
    return data


def expand(blob: Blob, method: str, most: int = MOST) -> bytearray:
    """What a compressed blob holds. Raises `Broken` for damage, for more than ``most`` bytes and for a bomb."""
    unpack = _MAKERS[method]()
    out = bytearray()
    position = 0
    ceiling = min(most, max(1, blob.size) * RATIO + 65536)
    while not unpack.eof:
        chunk = blob.read(position, 65536)
        if not chunk:
            raise Broken(f"holds {method} data that ends too early")
        position += len(chunk)
        try:
            out += unpack.decompress(chunk, ceiling + 1 - len(out))
            while len(out) <= ceiling and not unpack.eof and _waiting(unpack):
                more = unpack.decompress(_rest(unpack), ceiling + 1 - len(out))
                if not more and not unpack.eof:
                    break
                out += more
        except (zlib.error, lzma.LZMAError, OSError, ValueError, EOFError, MemoryError):
            raise Broken(f"holds damaged {method} data") from None
        if len(out) > ceiling:
            raise Broken(f"holds {method} data that becomes more than {ceiling:,} bytes")
    if position - len(unpack.unused_data) < blob.size:
        raise Broken(f"holds bytes after its {method} data")
    return out


def begin(blob: Blob, method: str, most: int = 4096) -> bytes:
    """The first ``most`` bytes of what a compressed blob holds, fewer where its first bytes give no more. Raises `Broken`."""
    unpack = _MAKERS[method]()
    found = b""
    for position in range(0, 1 << 20, 1 << 16):
        try:
            found = unpack.decompress(blob.read(position, 1 << 16), most)
        except (zlib.error, lzma.LZMAError, OSError, ValueError, EOFError, MemoryError):
            raise Broken(f"holds damaged {method} data") from None
        if found or unpack.eof:
            break
    return found


def _waiting(unpack: object) -> bool:
    tail = getattr(unpack, "unconsumed_tail", None)
    return bool(tail) if tail is not None else not getattr(unpack, "needs_input", True)


def _rest(unpack: object) -> bytes:
    return getattr(unpack, "unconsumed_tail", b"")


_MAKERS: dict[str, Callable[[], Any]] = {
    "deflate": lambda: zlib.decompressobj(-15),
    "zlib": lambda: zlib.decompressobj(15),
    "gzip": lambda: zlib.decompressobj(31),
    "bzip2": bz2.BZ2Decompressor,
    "xz": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MOST),
    "lzma": lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=MOST),
}
"""How each compression is undone."""
