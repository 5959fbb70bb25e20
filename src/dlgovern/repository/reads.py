"""What an answer rests on: a whole file, what it defines and passes on, or what it says of one name.

A read is a path, or a path and more. Most files of a package are only asked where a name comes from; such an answer holds
whatever its functions do.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator

from dlgovern.digest import sha256
from dlgovern.source.imports import ImportLine, normal, scan
from dlgovern.source.patterns import lazy

_BETWEEN = "\0"
_SURFACE = "*"
_TEXT = "="

# a line end is found at once, the begin of a line is looked for at every byte
_STATEMENT = lazy(rb"\n(?=[^\s#)\]}])")
_HEAD = lazy(rb"\n([ \t]*)(?:async[ \t]+def|def|class)[ \t]+([\w\x80-\xff]+)")
_ALIAS = lazy(rb"\n(\w+)[ \t]*(?::[^=\n]*)?=[ \t]*[A-Za-z_]\w*\.")
_ASSIGNED = lazy(rb"\n(\w+)[ \t]*(?::[^=\n]*)?=")
_BLOCK = lazy(rb"\n(?:if|elif|else|try|except|finally|for|while|with|match)\b")


def of_surface(path: str) -> str:
    """The read of a file for what its names are: what it imports, which functions it has, what is another name of something."""
    return f"{path}{_BETWEEN}{_SURFACE}"


def of_text(path: str, name: str) -> str:
    """The read of a file for every statement in which it says a name; of all of it where there is none."""
    return f"{path}{_BETWEEN}{_TEXT}{name}" if name else path


def parts(read: str) -> tuple[str, str]:
    """The path of the file that was read, and what `Statements.digest` wants to know; "" for all of the file."""
    path, _, name = read.partition(_BETWEEN)
    return path, name


def file_of(read: str) -> str:
    """The path of the file that was read."""
    return read.partition(_BETWEEN)[0]


class Packed:
    """Reads as JSON-ready columns: the files, and of each read the number of its file and what else it says."""

    def __init__(self, paths: list[str], files: list[int], names: list[str]) -> None:
        self._paths, self._files, self._names = paths, files, names
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._files)

    def reads(self) -> list[str]:
        """The reads. Raises TypeError, ValueError or IndexError where the columns are none."""
        before = [path + _BETWEEN for path in self._paths]
        return [before[file] + name if name else self._paths[file] for file, name in zip(self._files, self._names, strict=True)]

    def add(self, reads: Iterable[str]) -> None:
        """Append reads."""
        if not self._numbers:
            self._numbers = {path: number for number, path in enumerate(self._paths)}
        for read in reads:
            path, name = parts(read)
            number = self._numbers.setdefault(path, len(self._paths))
            if number == len(self._paths):
                self._paths.append(path)
            self._files.append(number)
            self._names.append(name)

    def columns(self) -> dict[str, list[str] | list[int]]:
        """The columns by name."""
        return {"paths": self._paths, "files": self._files, "names": self._names}


def digest(data: bytes, read: str) -> str:
    """The digest of what was read of a file with these bytes."""
    name = parts(read)[1]
    return Statements(data).digest(name) if name else sha256(data)


def aliases(data: bytes) -> list[bytes]:
    """The names that lines of a file give a dotted value, as ``load = torch.load`` does."""
    return _ALIAS.findall(b"\n" + data)


def heads(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """The functions and classes of a file: where the first line of each begins, its indent and the name."""
    for match in _HEAD.finditer(b"\n" + data):
        yield match.start(), match.group(1), match.group(2)


def decorated(data: bytes, start: int) -> int:
    """Where the decorators begin that stand on the lines before ``start``."""
    while start:
        before = data.rfind(b"\n", 0, start - 1) + 1
        if not data[before:start].lstrip().startswith(b"@"):
            return start
        start = before
    return start


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
        whole = normal(data)
        self._lines = scan(whole) if lines is None else lines
        self._data = whole.replace(b"\\\r\n", b"").replace(b"\\\n", b"") if b"\\" in whole else whole
        self._starts: list[int] = []

    def digest(self, name: str) -> str:
        """The digest of what the part of a read behind the path stands for."""
        said = self._surface() if name == _SURFACE else self._with(name.removeprefix(_TEXT))
        return sha256(repr(said).encode("utf-8", "surrogatepass"))[:_SHORT]

    def _surface(self) -> list[object]:
        """Import statements, names of functions, other names of something, and what decides between several of them."""
        data = self._data
        functions = sorted({(not indent, name) for _, indent, name in heads(data)})
        meant = {*(name for _, name in functions), *aliases(data), *(line.local.encode("utf-8", "surrogatepass") for line in self._lines)}
        led = b"\n" + data
        again = [name for name in _ASSIGNED.findall(led) if name in meant]
        blocks = [self._whole(match.start()) for match in _BLOCK.finditer(led)]
        return [self._lines, functions, [self._whole(match.start()) for match in _ALIAS.finditer(led)], again, blocks]

    def _whole(self, at: int) -> bytes:
        start, end = self._around(at)
        return self._data[start:end].rstrip()

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
            self._starts = [0, *(match.start() for match in _STATEMENT.finditer(b"\n" + self._data)), len(self._data)]
        last = len(self._starts) - 1
        index = bisect_right(self._starts, at, hi=last)
        start = self._starts[index - 1]
        while index < last and _goes_on(self._data[start : self._starts[index]]):
            index += 1
        return start, self._starts[index]


_SHORT = 24  # digits; what a file says of a name is no file, and nobody else has to find it by this


def _goes_on(text: bytes) -> bool:
    """Whether a statement may end further down: a bracket or a long string is open, as far as plain counting tells."""
    return any(text.count(quotes) % 2 for quotes in (b'"""', b"'''")) or any(text.count(one) > text.count(other) for one, other in _BRACKETS)


_BRACKETS = ((b"(", b")"), (b"[", b"]"), (b"{", b"}"))


def _ends(character: bytes) -> bool:
    """Whether a name ends before or after this byte."""
    return not (character.isalnum() or character == b"_" or character >= b"\x80")
