"""Read a small text file of the checked tree, whatever somebody put in its place."""

from __future__ import annotations

import os
import stat

CONFIG_LIMIT = 256 * 1024
"""Bytes of a file people write."""

LOCK_LIMIT = 16 * 1024 * 1024
"""Bytes of a file a tool writes."""


class Unreadable(Exception):
    """The file cannot be read; the message completes the sentence "this file …"."""


def read_text(root: str, path: str, limit: int = CONFIG_LIMIT) -> str:
    """The text of ``path`` below ``root``, line ends as ``\\n``. Raises `Unreadable`.

    Never follows a link out of the root, never waits for a pipe, never reads more than ``limit`` bytes.
    """
    full = os.path.join(root, path)
    base = os.path.realpath(root)
    if os.path.commonpath([base, os.path.realpath(full)]) != base:
        raise Unreadable("lies outside the project's root")
    try:
        descriptor = os.open(full, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError) as error:
        raise Unreadable(f"cannot be opened: {getattr(error, 'strerror', None) or error}") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Unreadable("is not a regular file")
    with open(descriptor, "rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise Unreadable(f"is larger than {limit} bytes")
    return text_of(data)


def text_of(data: bytes) -> str:
    """The text of a file's bytes, line ends as ``\\n``. Raises `Unreadable`."""
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"  # what PowerShell's > writes
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise Unreadable(f"is not {'UTF-16' if encoding == 'utf-16' else 'UTF-8'}") from error
    if "\0" in text:
        raise Unreadable("holds a NUL")
    return text.replace("\r\n", "\n")
