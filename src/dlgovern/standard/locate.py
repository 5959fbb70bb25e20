"""On which line of a TOML file a key stands: the parser does not say."""

from __future__ import annotations

import re
from collections.abc import Sequence

_TABLE = re.compile(r"^\s*\[([^\[\]]+)\]\s*(?:#.*)?$")
_ARRAY = re.compile(r"^\s*\[\[([^\[\]]+)\]\]\s*(?:#.*)?$")
_KEY = re.compile(r"""^\s*((?:"[^"]*"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[\w-]+))*)\s*=""")
_PART = re.compile(r""""([^"]*)"|'([^']*)'|([\w-]+)""")


class Lines:
    """The lines of the keys of one TOML text."""

    def __init__(self, text: str) -> None:
        self._lines: dict[tuple[str | int, ...], int] = {}
        self._read(text)

    def line(self, path: Sequence[str | int]) -> int:
        """The line of a key, or of the nearest table around it that has one; 0 for the whole file."""
        wanted = tuple(path)
        while wanted:
            if wanted in self._lines:
                return self._lines[wanted]
            wanted = wanted[:-1]
        return 0

    def _read(self, text: str) -> None:
        table: tuple[str | int, ...] = ()
        counts: dict[tuple[str | int, ...], int] = {}
        quotes = ""
        for number, line in enumerate(text.split("\n"), 1):
            if quotes:
                quotes = "" if line.count(quotes) % 2 else quotes
                continue
            if match := _ARRAY.match(line):
                path = self._nested(_parts(match.group(1)), counts)
                counts[path] = counts.get(path, -1) + 1
                table = (*path, counts[path])
                self._lines[table] = number
            elif match := _TABLE.match(line):
                table = self._nested(_parts(match.group(1)), counts)
                self._lines.setdefault(table, number)
            elif match := _KEY.match(line):
                self._lines.setdefault((*table, *_parts(match.group(1))), number)
                rest = line[match.end() :]
                quotes = next((q for q in ("'''", '"""') if rest.count(q) % 2), "")

    def _nested(
        self, parts: tuple[str, ...], counts: dict[tuple[str | int, ...], int]
    ) -> tuple[str | int, ...]:
        path: tuple[str | int, ...] = ()
        for index, part in enumerate(parts):
            path = (*path, part)
            if path in counts and index < len(parts) - 1:
                path = (*path, counts[path])
        return path


def _parts(text: str) -> tuple[str, ...]:
    return tuple(a or b or c for a, b, c in _PART.findall(text))
