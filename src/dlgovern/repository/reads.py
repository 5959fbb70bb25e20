"""What an answer rests on: a whole file, or only what a file says of one name.

A read is a path, or a path and a name. Most files of a package are asked for a name or two, which they define or pass on;
such an answer holds however the rest of the file changes.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from dlgovern.digest import sha256
from dlgovern.source.imports import ImportLine, normal, scan
from dlgovern.source.patterns import lazy

_BETWEEN = "\0"
_TEXT = "="
ALL = "*"
"""Stands for the names that a module passes on."""

_STATEMENT = lazy(rb"^(?=[^\s#)\]}])", re.M)
_ALIAS = lazy(rb"^(\w+)[ \t]*(?::[^=\n]*)?=[ \t]*[A-Za-z_]\w*\.", re.M)


def of_origin(path: str, name: str) -> str:
    """The read of a file for where a name of it comes from: a function or class that it defines is itself, whatever it does."""
    return f"{path}{_BETWEEN}{name}" if name else path


def of_text(path: str, name: str) -> str:
    """The read of a file for every statement in which it says a name; of all of it where there is none."""
    return f"{path}{_BETWEEN}{_TEXT}{name}" if name else path


def of_passed_on(path: str) -> str:
    """The read of a file for the names that it imports or gives a dotted value."""
    return f"{path}{_BETWEEN}{ALL}"


def parts(read: str) -> tuple[str, str]:
    """The path of the file that was read, and what `Statements.digest` wants to know; "" for all of the file."""
    path, _, name = read.partition(_BETWEEN)
    return path, name


def file_of(read: str) -> str:
    """The path of the file that was read."""
    return read.partition(_BETWEEN)[0]


def is_whole(read: str) -> bool:
    """Whether all of the file was read."""
    return _BETWEEN not in read


def packed(reads: list[str]) -> tuple[list[str], list[int], list[str]]:
    """The files, and of each read the number of its file and what else it says, as JSON-ready values."""
    numbers: dict[str, int] = {}
    split = [parts(read) for read in reads]
    files = [numbers.setdefault(path, len(numbers)) for path, _ in split]
    return list(numbers), files, [name for _, name in split]


def unpacked(paths: list[str], files: list[int], names: list[str]) -> list[str]:
    """The reads from what `packed` gave. Raises TypeError, ValueError or IndexError for anything else."""
    before = [path + _BETWEEN for path in paths]
    return [before[file] + name if name else paths[file] for file, name in zip(files, names, strict=True)]


def digest(data: bytes, read: str) -> str:
    """The digest of what was read of a file with these bytes."""
    name = parts(read)[1]
    return Statements(data).digest(name) if name else sha256(data)


def aliases(data: bytes) -> list[bytes]:
    """The names that lines of a file give a dotted value, as ``load = torch.load`` does."""
    return _ALIAS.findall(data)


def defines(data: bytes, name: str) -> bool:
    """Whether a top-level ``def`` or ``class`` has this name: then it comes from nowhere else."""
    word = name.encode()
    for opening in (b"\ndef ", b"\nclass ", b"\nasync def "):
        at = data.find(opening + word)
        while at >= 0:
            end = at + len(opening) + len(word)
            if end < len(data) and data[end] in _ENDS:
                return True
            at = data.find(opening + word, end)
    return False


_ENDS = frozenset(b"(:[ \t\r\n\\")


class Statements:
    """The statements at the left margin of one file, each with what is indented below it."""

    def __init__(self, data: bytes, lines: list[ImportLine] | None = None) -> None:
        """``lines``: the import statements of the file, where they are known."""
        self._raw = data
        whole = normal(data)
        self._lines = scan(whole) if lines is None else lines
        self._data = whole.replace(b"\\\r\n", b"").replace(b"\\\n", b"") if b"\\" in whole else whole
        self._starts: list[int] = []

    def digest(self, name: str) -> str:
        """The digest of what the file says of the name of a read, the part behind the path."""
        if name == ALL:
            return sha256(repr((self._lines, aliases(self._raw))).encode("utf-8", "surrogatepass"))[:_SHORT]
        plain = name.removeprefix(_TEXT)
        if plain == name and defines(self._raw, name):
            return _DEFINED
        said = [line for line in self._lines if line.local in (plain, "*")]
        return sha256(repr((said, *self._with(plain))).encode("utf-8", "surrogatepass"))[:_SHORT]

    def _with(self, name: str) -> list[bytes]:
        """The statements in which a word stands."""
        word = name.encode("utf-8", "surrogatepass")
        found: list[bytes] = []
        data, at = self._data, self._data.find(word)
        while at >= 0:
            end = at + len(word)
            if _ends(data[at - 1 : at]) and _ends(data[end : end + 1]):
                start, end = self._around(at)
                found.append(data[start:end].rstrip())
            at = data.find(word, end)
        return found

    def _around(self, at: int) -> tuple[int, int]:
        if not self._starts:
            self._starts = [0, *(match.start() for match in _STATEMENT.finditer(self._data)), len(self._data)]
        last = len(self._starts) - 1
        index = bisect_right(self._starts, at, hi=last)
        start = self._starts[index - 1]
        while index < last and _goes_on(self._data[start : self._starts[index]]):
            index += 1
        return start, self._starts[index]


_DEFINED = "defined"
_SHORT = 24  # digits; what a file says of a name is no file, and nobody else has to find it by this


def _goes_on(text: bytes) -> bool:
    """Whether a statement may end further down: a bracket or a long string is open, as far as plain counting tells."""
    return any(text.count(quotes) % 2 for quotes in (b'"""', b"'''")) or any(text.count(one) > text.count(other) for one, other in _BRACKETS)


_BRACKETS = ((b"(", b")"), (b"[", b"]"), (b"{", b"}"))


def _ends(character: bytes) -> bool:
    """Whether a name ends before or after this byte."""
    return not (character.isalnum() or character == b"_" or character >= b"\x80")
