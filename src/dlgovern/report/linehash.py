"""Fingerprint lines as GitHub's upload action does, so that an alert keeps its identity when its line moves."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_WINDOW = 100
_FACTOR = 37
_BITS = (1 << 64) - 1
_END = "\uffff"

_LINE_END = re.compile("\r\n?")
_WIDE = re.compile("[\U00010000-\U0010ffff]")
_INDENT = str.maketrans("", "", " \t")


def line_hashes(text: str, wanted: Iterable[int]) -> dict[int, str]:
    """The fingerprint of each wanted line (from 1) that ``text`` has, such as ``5c33da4dce53765f:1``.

    It is the rolling hash (37, modulo 2**64) of the hundred UTF-16 units from the line's first one on, spaces and
    tabs left out, all line ends LF, the file's end U+FFFF and zeros; then a colon and how often the same hundred have
    begun a line up to here. So it moves with the line, and changes when the next hundred units do.
    Source: github/codeql-action, ``src/fingerprints.ts``.
    """
    units = _WIDE.sub(_split, _LINE_END.sub("\n", text).translate(_INDENT)) + _END
    asked = set(wanted)
    last = max(asked, default=0)
    seen: dict[str, int] = {}
    found: dict[int, str] = {}
    start, number = 0, 0
    while number < last and start < len(units):
        number += 1
        window = units[start : start + _WINDOW]
        seen[window] = times = seen.get(window, 0) + 1
        if number in asked:
            found[number] = f"{_hash(window):x}:{times}"
        start = (units.find("\n", start) + 1) or len(units)
    return found


def _hash(window: str) -> int:
    value = 0
    for unit in window.ljust(_WINDOW, "\0"):
        value = (value * _FACTOR + ord(unit)) & _BITS
    return value


def _split(match: re.Match[str]) -> str:
    high, low = divmod(ord(match[0]) - 0x10000, 0x400)
    return chr(0xD800 + high) + chr(0xDC00 + low)
