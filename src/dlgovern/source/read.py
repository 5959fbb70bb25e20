"""Get the bytes of one file without ever blocking, following a link or reading without bound."""

from __future__ import annotations

import os
import stat

LIMIT = 1_000_000
"""Bytes. A megabyte of hostile source already needs most of a gigabyte as a syntax tree."""
NOTEBOOK = 64_000_000
"""Bytes of a notebook: pictures lie in it."""

# Windows has none of the last three and needs the first, or "\r\n" would be translated.
FLAGS = os.O_RDONLY
for _flag in ("O_BINARY", "O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC"):
    FLAGS |= getattr(os, _flag, 0)

_KINDS = (
    (stat.S_ISLNK, "is a symbolic link"),
    (stat.S_ISDIR, "is a directory"),
    (stat.S_ISFIFO, "is a named pipe, not a regular file"),
    (stat.S_ISSOCK, "is a socket, not a regular file"),
    (stat.S_ISCHR, "is a device, not a regular file"),
    (stat.S_ISBLK, "is a device, not a regular file"),
)


class Unreadable(Exception):
    """A file whose bytes cannot be had; ``why`` completes the sentence "FILE …"."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def read(path: str, limit: int = LIMIT) -> bytes:
    """The bytes of a regular file of at most ``limit`` bytes.

    Raises `Unreadable` for anything else, links included: which links may be followed is known to discovery alone.
    """
    try:
        before = os.lstat(path)
        demand_regular(before)
        descriptor = os.open(path, FLAGS)
    except (OSError, ValueError) as error:
        raise Unreadable(reason(error)) from None
    try:
        after = os.fstat(descriptor)
        demand_regular(after)
        if (before.st_dev, before.st_ino) != (after.st_dev, after.st_ino):
            raise Unreadable("was replaced while it was being opened")
        return _take(descriptor, limit)
    except OSError as error:
        raise Unreadable(reason(error)) from None
    finally:
        os.close(descriptor)


def demand_regular(status: os.stat_result) -> None:
    """Raise `Unreadable` unless this is the status of a regular file."""
    if stat.S_ISREG(status.st_mode):
        return
    for is_kind, why in _KINDS:
        if is_kind(status.st_mode):
            raise Unreadable(why)
    raise Unreadable("is not a regular file")


def reason(error: OSError | ValueError) -> str:
    """Why the operating system refused, in words that are the same on every platform."""
    if isinstance(error, FileNotFoundError):
        return "does not exist"
    if isinstance(error, PermissionError):
        return "may not be read (permission denied)"
    if isinstance(error, OSError):
        return f"cannot be read ({error.strerror or type(error).__name__})"
    return "has a name that the file system cannot hold"


def _take(descriptor: int, limit: int) -> bytes:
    """At most ``limit`` bytes; one more is asked for, so that a growing or endless file is noticed."""
    parts: list[bytes] = []
    left = limit + 1
    while left > 0:
        part = os.read(descriptor, left)
        if not part:
            return b"".join(parts)
        parts.append(part)
        left -= len(part)
    raise Unreadable(f"is larger than {limit:,} bytes")
