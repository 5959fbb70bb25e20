"""One file that is not Python, as a repair sees it: its text, its document, and where places lie in its bytes."""

from __future__ import annotations

from functools import cached_property
from hashlib import sha256
from typing import Any, NamedTuple

from dlgovern.evidence import registry
from dlgovern.evidence.nodes import Document, read_yaml
from dlgovern.finding import Edit, Hit
from dlgovern.repository.exports import Repository
from dlgovern.repository.window import Window, Windows

_BOM = b"\xef\xbb\xbf"


class Cut(NamedTuple):
    """Characters ``start:end`` of the text become ``text``."""

    start: int
    end: int
    text: str


class Repair(NamedTuple):
    """What an action would change; ``safe`` means that it is known here that the meaning stays."""

    cuts: tuple[Cut, ...]
    safe: bool = True


class Sheet:
    """A file in UTF-8; `usable` is False where its characters cannot be counted as its reader counts them."""

    def __init__(self, path: str, data: bytes, repository: Repository, windows: Windows) -> None:
        self.path = path
        self.repository = repository
        self.windows = windows
        self._data = data
        self._lead = len(_BOM) if data.startswith(_BOM) else 0
        try:
            self.text = data[self._lead :].decode()
        except UnicodeDecodeError:
            self.text = ""
        self.usable = bool(self.text) and "\r" not in self.text.replace("\r\n", "")
        self.newline = "\r\n" if "\r\n" in self.text else "\n"
        self._starts = [0]
        for line in self.text.split("\n"):
            self._starts.append(self._starts[-1] + len(line) + 1)

    @cached_property
    def kind(self) -> str:
        """The kind of evidence that the file is."""
        return registry.kind_of(self.path) or "shell"

    @cached_property
    def document(self) -> Any:
        """The document that the reader of its kind makes of it."""
        return self.read(self.text)

    def read(self, text: str) -> Any:
        """What the reader of its kind makes of another text."""
        return registry.reader(self.kind)(self.path, text.encode())

    @cached_property
    def nodes(self) -> Document:
        """The nodes of a YAML file. Raises `nodes.Broken`."""
        return read_yaml(self.text.replace("\r\n", " \n"))

    def at(self, line: int, column: int) -> int:
        """The offset of a place, at most the end of its line."""
        return min(self._starts[min(line, len(self._starts) - 1) - 1] + column - 1, self.line_end(line))

    def line_start(self, line: int) -> int:
        """Where a line begins."""
        return self._starts[line - 1]

    def line_end(self, line: int) -> int:
        """Where a line ends, without its newline."""
        end = min(self._starts[min(line, len(self._starts) - 1)] - 1, len(self.text))
        return end - 1 if self.text[end - 1 : end] == "\r" else end

    def line(self, number: int) -> str:
        """One line without its newline."""
        return self.text[self.line_start(number) : self.line_end(number)]

    def span(self, hit: Hit) -> tuple[int, int]:
        """The offsets of a hit."""
        return self.at(hit.line, hit.column), self.at(hit.end_line, hit.end_column)

    def edit(self, cut: Cut) -> Edit:
        """A cut as an edit of the file's bytes."""
        start, end = (self._lead + len(self.text[:offset].encode()) for offset in cut[:2])
        return Edit(self.path, sha256(self._data).hexdigest(), start, end, cut.text.replace("\n", self.newline))

    def after(self, cuts: tuple[Cut, ...]) -> str:
        """The text with the cuts made."""
        text = self.text
        for cut in sorted(cuts, reverse=True):
            text = text[: cut.start] + cut.text.replace("\n", self.newline) + text[cut.end :]
        return text

    def window(self, library: str) -> Window | None:
        """The versions of a library that the file must work with."""
        return self.windows.of(self.path, library)
