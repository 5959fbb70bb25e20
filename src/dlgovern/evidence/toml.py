"""TOML with the places of its keys and values, which no parser at hand reports."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from typing import Any, NamedTuple

from dlgovern.source.patterns import lazy

Path = tuple[str | int, ...]


class Span(NamedTuple):
    """A range on one line; a value of several lines ends with its first."""

    line: int
    column: int
    end_column: int


class Broken(Exception):
    """The text is no usable TOML; the message completes "this file …". ``line`` is 0 where it is unknown."""

    def __init__(self, why: str, line: int = 0) -> None:
        super().__init__(why)
        self.line = line


class Document(NamedTuple):
    """Parsed TOML. ``keys`` and ``values`` map the way to an item (names and list positions) to its place."""

    data: dict[str, Any]
    keys: dict[Path, Span]
    values: dict[Path, Span]

    def table(self, *path: str) -> dict[str, Any]:
        """The table at ``path``, empty where there is none or something else stands there."""
        found: Any = self.data
        for name in path:
            found = found.get(name) if isinstance(found, dict) else None
        return found if isinstance(found, dict) else {}

    def place(self, *path: str | int) -> Span:
        """Where the value at ``path`` stands, else its key, else the nearest item around it."""
        wanted: Path = path
        while wanted:
            found = self.values.get(wanted) or self.keys.get(wanted)
            if found:
                return found
            wanted = wanted[:-1]
        return Span(1, 1, 1)


def parse(text: str) -> Document:
    """Parse ``text``. Raises `Broken`."""
    data = load(text)
    scan = _Scan(text)
    try:
        scan.document()
    except RecursionError as error:
        raise Broken("is nested too deep") from error
    return Document(data, scan.keys, scan.values)


def load(text: str) -> dict[str, Any]:
    """Parse ``text`` without places. Raises `Broken`."""
    import tomli

    try:
        return tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        why = re.sub(r" \(at .*\)$", "", str(error))
        raise Broken(f"is not TOML: {why}", int(line[1]) if line else 0) from error
    except RecursionError as error:
        raise Broken("is nested too deep") from error
    except ValueError as error:  # an integer of more digits than Python converts
        raise Broken(f"is not TOML: {error}") from error


_SPACE = lazy(r"[ \t]*")
_BLANK = lazy(r"(?:[ \t\n]+|#[^\n]*)*")
_BARE = lazy(r"[^\s=.\[\]{},\"'#]+")
_STRING = lazy(
    r'"""(?:[^"\\]|\\.|"(?!""))*""""{0,2}'
    r"|'''(?:[^']|'(?!''))*''''{0,2}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_SCALAR = lazy(r"[^\s,\]}#]+(?: \d\d:[^\s,\]}#]+)?")
_REST = lazy(r"[^\n]*\n?")


class _Scan:
    """One pass over text that a parser has accepted: it need not judge, only count."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.keys: dict[Path, Span] = {}
        self.values: dict[Path, Span] = {}
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._counts: dict[Path, int] = {}

    def document(self) -> None:
        table: Path = ()
        while self._skip(_BLANK) < len(self.text):
            if self.text.startswith("[", self.at):
                table = self._header()
            else:
                self._pair(table)
            self._skip(_REST)

    def _skip(self, pattern: re.Pattern[str]) -> int:
        match = pattern.match(self.text, self.at)
        if match:
            self.at = match.end()
        return self.at

    def _span(self, start: int, end: int) -> Span:
        line = bisect_right(self._starts, start)
        first = self._starts[line - 1]
        stop = self._starts[line] - 1 if line < len(self._starts) else len(self.text)
        return Span(line, start - first + 1, min(end, stop) - first + 1)

    def _header(self) -> Path:
        start = self.at
        many = self.text.startswith("[[", start)
        self.at += 2 if many else 1
        names = self._names()
        path: Path = ()
        for index, name in enumerate(names):
            path = (*path, name)
            if many and index == len(names) - 1:
                self._counts[path] = self._counts.get(path, -1) + 1
            if path in self._counts:
                path = (*path, self._counts[path])
        self._skip(_SPACE)
        self.at += 2 if many else 1
        self.keys[path] = self._span(start, self.at)
        return path

    def _names(self) -> list[str]:
        names = []
        while True:
            self._skip(_SPACE)
            start = self.at
            quoted = self.text[start : start + 1] in ("'", '"')
            self._skip(_STRING if quoted else _BARE)
            text = self.text[start : self.at]
            names.append(_unquoted(text) if quoted else text)
            self._skip(_SPACE)
            if not self.text.startswith(".", self.at):
                return names
            self.at += 1

    def _pair(self, table: Path) -> None:
        self._skip(_SPACE)
        start = self.at
        path = table
        for name in self._names():
            path = (*path, name)
        self.keys.setdefault(path, self._span(start, self._trimmed(start)))
        self.at += 1  # the equals sign
        self._skip(_SPACE)
        self._value(path)

    def _trimmed(self, start: int) -> int:
        return start + len(self.text[start : self.at].rstrip(" \t"))

    def _value(self, path: Path) -> None:
        start = self.at
        head = self.text[start : start + 1]
        if head == "[":
            self._list(path)
        elif head == "{":
            self._inline(path)
        else:
            self._skip(_STRING if head in ("'", '"') else _SCALAR)
        self.values[path] = self._span(start, self.at)

    def _list(self, path: Path) -> None:
        self.at += 1
        index = 0
        while self._skip(_BLANK) < len(self.text):
            head = self.text[self.at]
            if head == "]":
                self.at += 1
                return
            if head == ",":
                self.at += 1
                continue
            before = self.at
            self._value((*path, index))
            index += 1
            if self.at == before:
                return

    def _inline(self, path: Path) -> None:
        self.at += 1
        while self._skip(_BLANK) < len(self.text):
            head = self.text[self.at]
            if head == "}":
                self.at += 1
                return
            if head == ",":
                self.at += 1
                continue
            before = self.at
            self._pair(path)
            if self.at == before:
                return


def _unquoted(text: str) -> str:
    if text.startswith("'"):
        return text[1:-1]
    try:
        return str(json.loads(text, strict=False))
    except ValueError:  # an escape that only TOML knows
        return text[1:-1]
