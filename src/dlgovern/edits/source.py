"""Where the parts of a file's syntax tree lie in its bytes."""

from __future__ import annotations

import ast
import re
from hashlib import sha256
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from dlgovern.finding import Edit, Hit
from dlgovern.flow.facts import Facts
from dlgovern.source.encoding import byte_offset, codec_of, line_starts
from dlgovern.source.tree import parents

_BLANK = b" \t\f\r\n"
_NEWLINES = (b"\r\n", b"\n", b"\r")


class Change(NamedTuple):
    """Bytes ``start:end`` become ``text``."""

    start: int
    end: int
    text: str


class Item(NamedTuple):
    """One argument of a call in bytes, brackets and stars included; ``comma`` is where its comma ends, 0 without."""

    start: int
    end: int
    comma: int
    node: ast.AST


class Layout(NamedTuple):
    """The brackets of a call and what stands between them; ``open`` is after ``(``, ``close`` before ``)``."""

    open: int
    close: int
    items: tuple[Item, ...]


class Source:
    """The bytes of one file and where its nodes lie in them."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.data = facts.data
        self.codec = codec_of(facts.data)
        self._starts = line_starts(facts.data)
        self._digest = sha256(facts.data).hexdigest()

    @classmethod
    def of(cls, facts: Facts) -> Source:
        """The source of these facts, made once for as long as they live."""
        known = _KNOWN.get(facts)
        if known is None:
            known = _KNOWN[facts] = cls(facts)
        return known

    def edit(self, change: Change) -> Edit:
        """The change as an edit of the file."""
        return Edit(self.facts.path, self._digest, *change)

    def span(self, node: Any) -> tuple[int, int]:
        """First byte of a node and the byte after its last."""
        start = byte_offset(self.data, self._starts, node.lineno, node.col_offset)
        return start, byte_offset(self.data, self._starts, node.end_lineno, node.end_col_offset)

    def text(self, start: int, end: int) -> str:
        """The text between two offsets."""
        return self.data[start:end].decode(self.codec)

    def written(self, node: ast.AST) -> str:
        """A node as it is written."""
        return self.text(*self.span(node))

    def mark(self, at: int) -> int:
        """The first byte from ``at`` on that is neither blank nor in a comment nor a continued line's end."""
        data = self.data
        while at < len(data):
            if data[at] in _BLANK:
                at += 1
            elif data[at] == ord("#"):
                at = self.line_end(at)
            elif data[at] == ord("\\") and data[at + 1 : at + 2] in (b"\r", b"\n"):
                at += 2
            else:
                break
        return at

    def line_start(self, at: int) -> int:
        """Where the line of this byte begins."""
        before = max(self.data.rfind(b"\n", 0, at), self.data.rfind(b"\r", 0, at)) + 1
        return max(before, self._starts[0])

    def line_end(self, at: int) -> int:
        """Where the line of this byte ends, without its newline."""
        ends = [end for end in (self.data.find(b"\n", at), self.data.find(b"\r", at)) if end >= 0]
        return min(ends, default=len(self.data))

    def newline(self, at: int) -> str:
        """The newline that ends the line of this byte, that of the file's first line where none does."""
        for end in (self.line_end(at), self.line_end(0)):
            for newline in _NEWLINES:
                if self.data.startswith(newline, end):
                    return newline.decode()
        return "\n"

    def indent(self, at: int) -> str | None:
        """What stands before this byte on its line, None where that is not blank."""
        before = self.data[self.line_start(at) : at]
        return None if before.strip(b" \t\f") else before.decode()

    def rest(self, at: int) -> bytes:
        """What follows on the line."""
        return self.data[at : self.line_end(at)].strip(b" \t\f")

    def mark_on_line(self, at: int) -> int:
        """The first byte from ``at`` on that is not blank, at most the end of the line."""
        end = self.line_end(at)
        while at < end and self.data[at] in b" \t\f":
            at += 1
        return at

    def ends_line(self, at: int) -> bool:
        """Whether nothing but a comment follows on the line."""
        return self.rest(at)[:1] in (b"", b"#")

    def layout(self, call: ast.Call) -> Layout | None:
        """The brackets and arguments of a call, None where they cannot be told apart."""
        data = self.data
        at = self.mark(self.span(call.func)[1])
        while data[at : at + 1] == b")":
            at = self.mark(at + 1)
        close = self.span(call)[1] - 1
        if data[at : at + 1] != b"(" or data[close : close + 1] != b")":
            return None
        opened = at + 1
        at = opened
        items = []
        for node in sorted((*call.args, *call.keywords), key=lambda one: self.span(one)):
            start, end = self.span(node)
            if isinstance(node, ast.GeneratorExp) and end == close + 1:
                return None  # its brackets are those of the call
            first = self.mark(at)
            for _ in range(self._opened(first, start)):
                end = self.mark(end)
                if data[end : end + 1] != b")":
                    return None
                end += 1
            after = self.mark(end)
            comma = after + 1 if data[after : after + 1] == b"," else 0
            items.append(Item(first, end, comma, node))
            at = comma or after
        return Layout(opened, close, tuple(items)) if self.mark(at) == close else None

    def _opened(self, start: int, end: int) -> int:
        count = 0
        at = start
        while at < end:
            count += self.data[at] == ord("(")
            at = self.mark(at + 1)
        return count


_KNOWN: WeakKeyDictionary[Facts, Source] = WeakKeyDictionary()
_SLOT = re.compile(r"\{(\w+)\}")


class Place(NamedTuple):
    """One hit that is to be repaired, and the parameters of its rule's repair."""

    source: Source
    hit: Hit
    parameters: dict[str, Any]

    @property
    def facts(self) -> Facts:
        """What is known of the file."""
        return self.source.facts

    def nodes(self, *kinds: type[ast.AST]) -> list[Any]:
        """The nodes of these types that have the hit's span. None inside an f-string, whose columns are not sure."""
        wanted = (self.hit.line, self.hit.column, self.hit.end_line, self.hit.end_column)
        return [
            node
            for node in self.facts.tree.of(*kinds)
            if node.lineno == self.hit.line  # type: ignore[attr-defined]
            and self.facts.span(node) == wanted
            and not any(isinstance(parent, ast.JoinedStr) for parent in (node, *parents(node)))
        ]

    def node(self, *kinds: type[ast.AST]) -> Any:
        """The only such node, or None."""
        found = self.nodes(*kinds)
        return found[0] if len(found) == 1 else None

    def any_node(self) -> Any:
        """The outermost expression, keyword, name of an import or statement with the hit's span."""
        found = self.nodes(*self.facts.tree.nodes.keys() - _NO_SPAN)
        inside = {id(one) for one in found}
        return next((one for one in found if id(one.up) not in inside), None)

    def call(self) -> Any:
        """The call that was hit, or the nearest one around the argument that was."""
        if found := self.node(ast.Call):
            return found
        node = self.any_node()
        around = parents(node) if node is not None else iter(())
        for parent in around:
            if isinstance(parent, ast.Call):
                return parent
            if isinstance(parent, ast.stmt | ast.Lambda):
                return None
        return None

    def fill(self, template: str) -> str | None:
        """A template with its slots filled, None where one is not known."""
        if any(not self.hit.slots.get(name) for name in _SLOT.findall(template)):
            return None
        return _SLOT.sub(lambda match: self.hit.slots[match[1]], template)


_NO_SPAN = {ast.Module, ast.arguments, ast.comprehension, ast.withitem, ast.match_case}
