"""Read the lines that findings point at, never from outside the project's root."""

from __future__ import annotations

import os
import stat
import unicodedata

from dlgovern.report.display import display

MOST_BYTES = 4 * 1024 * 1024
"""A larger file is not read: nobody needs a source line of it, and memory stays bounded."""

_KEPT = 16  # files in memory; findings come sorted by file, only related places jump
_TAB = "    "
_GAP = "..."
_OPEN = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


class Sources:
    """The files under ``root``, read when asked for. A file that cannot be had is empty, never an error."""

    def __init__(self, root: str) -> None:
        self._root = os.path.realpath(root)
        self._files: dict[str, tuple[bytes, list[bytes]]] = {}

    def data(self, path: str) -> bytes:
        """The bytes of the file, empty if it is outside the root, not a regular file, too large or not readable."""
        return self._file(path)[0]

    def text(self, path: str) -> str:
        """The text of the file, "" as in `data` or if it has NUL bytes. Undecodable bytes become U+FFFD."""
        data, lines = self._file(path)
        return data.decode("utf-8", "replace") if lines else ""

    def line(self, path: str, number: int) -> str:
        """Line ``number`` (from 1) without its end, "" where there is none. Undecodable bytes become U+FFFD.

        Lines end as in Python's grammar, at LF, CR and CRLF only. A file with NUL bytes has no lines to show.
        """
        lines = self._file(path)[1]
        if not 1 <= number <= len(lines):
            return ""
        return lines[number - 1].decode("utf-8-sig" if number == 1 else "utf-8", "replace")

    def _file(self, path: str) -> tuple[bytes, list[bytes]]:
        found = self._files.get(path)
        if found is None:
            data = _read(self._root, path)
            found = (data, [] if b"\0" in data else data.splitlines())
            while len(self._files) >= _KEPT:
                del self._files[next(iter(self._files))]
            self._files[path] = found
        return found


def excerpt(line: str, start: int, end: int, width: int) -> tuple[str, int, int]:
    """A window of at most ``width`` cells on ``line`` around the characters ``start:end`` (from 0, exclusive end).

    Returns the text to print, the cell where the underline begins, and how many cells it takes (one at least).
    Tabs become four spaces, unprintable characters escapes, wide characters count two cells.
    """
    line = line.rstrip()
    start = min(start, len(line))
    end = min(max(end, start), len(line))
    if len(line) <= width and line.isascii() and line.isprintable() and "##[" not in line:
        return line, start, max(end - start, 1)
    first, last, cells = _window(line, start, end, width)
    before, after = _GAP if first else "", _GAP if last < len(line) else ""
    offset = len(before) + sum(_width(cell) for cell in cells[: start - first])
    under = sum(_width(cell) for cell in cells[start - first : min(end, last) - first])
    return before + "".join(cells) + after, offset, max(under, 1)


def _window(line: str, start: int, end: int, width: int) -> tuple[int, int, list[str]]:
    """The characters to show and their cells: the span as far as it fits, then what leads to it, then what follows."""
    if len(line) <= width:
        cells = [_cell(line, index) for index in range(len(line))]
        if sum(map(_width, cells)) <= width:
            return 0, len(line), cells
    room = max(width - 2 * len(_GAP), 8)
    first = last = start
    cells = []
    while last < end and (room := room - _width(cell := _cell(line, last))) >= 0:
        cells.append(cell)
        last += 1
    after = min(max(room, 0) // 4, len(line) - last)
    while first > 0 and (room := room - _width(cell := _cell(line, first - 1))) >= after:
        cells.insert(0, cell)
        first -= 1
    room = after if first else max(room, 0)
    while last < len(line) and (room := room - _width(cell := _cell(line, last))) >= 0:
        cells.append(cell)
        last += 1
    return first, last, cells


def _cell(line: str, index: int) -> str:
    char = line[index]
    if char == "\t":
        return _TAB
    if char == "#" and index and line.startswith("##[", index - 1):
        return "\\x23"  # see display: a command of GitHub's runner
    return display(char)


def _width(cell: str) -> int:
    if len(cell) > 1 or cell.isascii():
        return len(cell)
    if unicodedata.combining(cell) or unicodedata.category(cell) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(cell) in "WF" else 1


def _read(root: str, path: str) -> bytes:
    try:
        real = os.path.realpath(os.path.join(root, path))
        if os.path.commonpath((root, real)) != root:
            return b""
        handle = os.open(real, _OPEN)
    except (OSError, ValueError):  # ValueError: NUL in the name, or another drive
        return b""
    try:
        about = os.fstat(handle)
        if not stat.S_ISREG(about.st_mode) or about.st_size > MOST_BYTES:
            return b""
        with open(handle, "rb", closefd=False) as file:
            return file.read(MOST_BYTES)
    except OSError:
        return b""
    finally:
        os.close(handle)
