"""Everything a detector may ask about one Python file, each answer computed on the first question."""

from __future__ import annotations

import ast
import weakref
from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar, cast

from dlgovern.finding import Hit
from dlgovern.repository.exports import Repository
from dlgovern.repository.sight import Sight
from dlgovern.repository.window import Windows
from dlgovern.source.encoding import decode
from dlgovern.source.names import Names
from dlgovern.source.tree import Tree, symbol

T = TypeVar("T")


class Facts(Sight):
    """One parsed file in its repository."""

    def __init__(self, path: str, data: bytes, module: ast.Module, repository: Repository, windows: Windows) -> None:
        super().__init__(repository, path)
        self.data = data
        self.tree = Tree(module)
        self.windows = windows
        self.names = Names(self.tree, weakref.proxy(self))  # a file that nobody holds goes at once
        self.gave_up: list[tuple[ast.AST, str]] = []  # functions, or the module, that an analysis did not follow to its end, and why
        self._memo: dict[object, Any] = {}  # goes with the file: what holds the file itself must not outlive it elsewhere

    @cached_property
    def lines(self) -> list[str]:
        """The source text by line, without line ends, split where Python splits."""
        text = decode(self.data).replace("\r\n", "\n").replace("\r", "\n")
        return text.split("\n")

    def once(self, key: object, make: Callable[[], T]) -> T:
        """What ``make`` gives, made on the first question and remembered as long as the file is."""
        if key not in self._memo:
            self._memo[key] = make()
        return cast(T, self._memo[key])

    def forget(self) -> None:
        """Let go of everything that was remembered; it can be asked for again."""
        self._memo.clear()

    # -- places -----------------------------------------------------------------------------------------

    def span(self, node: ast.AST) -> tuple[int, int, int, int]:
        """Line, column, end line and end column of a node, all from 1, columns in characters."""
        line, end_line = node.lineno, node.end_lineno  # type: ignore[attr-defined]
        column = self._characters(line, node.col_offset)  # type: ignore[attr-defined]
        return line, column, end_line, self._characters(end_line, node.end_col_offset)  # type: ignore[attr-defined]

    def hit(self, rule: str, node: ast.AST, **slots: str) -> Hit:
        """A hit of ``rule`` on a node."""
        return Hit(rule, *self.span(node), symbol(node), slots)

    def _characters(self, line: int, offset: int) -> int:
        if line > len(self.lines):
            return offset + 1
        text = self.lines[line - 1]
        if line == 1 and text.startswith("\ufeff"):
            text = text[1:]
        if text.isascii():
            return offset + 1
        return len(text.encode("utf-8", "surrogatepass")[:offset].decode("utf-8", "ignore")) + 1
