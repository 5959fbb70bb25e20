"""Read YAML and JSON as nodes that know their places; no object is ever built from a tag, no alias walked twice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

DEEPEST = 64
MOST_NODES = 100_000
MOST_ALIASES = 100
MOST_DOCUMENTS = 1_000


class Broken(Exception):
    """The text cannot be read; ``line`` counts from 1. The message completes the sentence "this file …"."""

    def __init__(self, why: str, line: int = 0) -> None:
        super().__init__(why)
        self.line = line


class Node(NamedTuple):
    """A scalar (``text``), a sequence (``items``) or a mapping (``pairs``), and where it stands.

    Lines and columns count from 1, the end is exclusive. ``style`` is the YAML style of a scalar: "" plain, quotes, ``|`` or ``>``.
    """

    kind: str
    text: str
    items: tuple[Node, ...]
    pairs: tuple[tuple[Node, Node], ...]
    line: int
    column: int
    end_line: int
    end_column: int
    style: str = ""
    tag: str = ""

    def get(self, key: str) -> Node | None:
        """The value of a key of a mapping; the last one of two alike, those of merged mappings after all others."""
        found = None
        for name, value in self.pairs:
            if name.kind == "scalar" and name.text == key:
                found = value
        return found

    def at(self, *keys: str) -> Node | None:
        """The value below a path of keys."""
        node: Node | None = self
        for key in keys:
            node = node.get(key) if node is not None else None
        return node

    def key(self, name: str) -> Node | None:
        """The node of a key itself."""
        return next((key for key, _ in self.pairs if key.kind == "scalar" and key.text == name), None)

    def word(self, *keys: str) -> str | None:
        """The text of a scalar below a path of keys, None where there is none."""
        node = self.at(*keys)
        return node.text if node is not None and node.kind == "scalar" else None

    def number(self, *keys: str) -> int | None:
        """A whole number below a path of keys, None where there is none or it is not known before the run."""
        return whole(self.at(*keys))


def whole(node: Node | None) -> int | None:
    """The whole number that a scalar says."""
    text = node.text.strip() if node is not None and node.kind == "scalar" else ""
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None


def truth(node: Node | None) -> bool | None:
    """The truth value that a scalar says."""
    text = node.text.strip().lower() if node is not None and node.kind == "scalar" else ""
    return {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}.get(text)


class Document(NamedTuple):
    """All documents of one text, and keys that a mapping has twice."""

    roots: tuple[Node, ...]
    doubled: tuple[Node, ...] = ()
    templated: bool = False


_TEMPLATE = re.compile(r"\{\{|\{%|<%|\$\{")
_ALONE = re.compile(r"^[ \t]*(?:-[ \t]*)?(?:\{\{(?:[^}]|\}(?!\}))*\}\}|\{%(?:[^%]|%(?!\}))*%\}|<%(?:[^%]|%(?!>))*%>)[ \t]*(?:#.*)?$", re.M)
_INLINE = re.compile(r"\{\{(?:[^}\n]|\}(?!\}))*\}\}|\{%(?:[^%\n]|%(?!\}))*%\}|<%(?:[^%\n]|%(?!>))*%>|\$\{[^{}\n]*\}")
UNKNOWN = "\ufffd"
"""Stands in the text of a scalar for what a template engine would put there."""


def read_yaml(text: str) -> Document:
    """The documents of a YAML text; of a template what can be read of it. Raises `Broken`."""
    return _tolerant(text)


def _tolerant(text: str) -> Document:
    try:
        return _compose(text)
    except Broken as error:
        if not _TEMPLATE.search(text) or "limit" in str(error):
            raise
        plain = _ALONE.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), text)
        plain = _INLINE.sub(lambda found: UNKNOWN * len(found.group()), plain)
        try:
            return _compose(plain)._replace(templated=True)
        except Broken:
            raise Broken("is a template that cannot be read as it stands", error.line) from None


def read_json(text: str, *, comments: bool = False) -> Document:
    """The value of a JSON text, with ``//`` comments and last commas where ``comments``. Raises `Broken`."""
    if comments:
        text = _JSON.sub(lambda found: found.group(1) or re.sub(r"[^\n]", " ", found.group()), text)
    return _tolerant(text.replace("\t", " "))


_JSON = re.compile(r'("(?:[^"\\\n]|\\.)*")|//[^\n]*|/\*(?:[^*]|\*(?!/))*\*/')


def _compose(text: str) -> Document:
    import yaml  # cold: some 10 ms, and only where a file of this kind is new

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _Composer().run(yaml.parse(text, Loader=loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Broken(f"does not parse: {error.problem or error.context}", mark.line + 1 if mark else 0) from None
    except yaml.YAMLError as error:
        position = getattr(error, "position", None)
        line = text.count("\n", 0, position) + 1 if isinstance(position, int) else 0
        raise Broken(f"does not parse: {getattr(error, 'reason', None) or 'a character is not allowed'}", line) from None


class _Open:
    """A collection that is not complete yet."""

    def __init__(self, mapping: bool, event: Any) -> None:
        self.mapping = mapping
        self.event = event
        self.nodes: list[Node] = []


class _Composer:
    """From events to nodes without recursion, within the limits of this module."""

    def __init__(self) -> None:
        self.roots: list[Node] = []
        self.doubled: list[Node] = []
        self.anchors: dict[str, Node] = {}
        self.open: list[_Open] = []
        self.count = 0
        self.aliases = 0

    def run(self, events: Iterator[Any]) -> Document:
        for event in events:
            name = type(event).__name__
            if name == "ScalarEvent":
                self._add(_scalar(event), event.anchor)
            elif name in ("MappingStartEvent", "SequenceStartEvent"):
                if len(self.open) >= DEEPEST:
                    raise Broken(f"nests deeper than the limit of {DEEPEST}", event.start_mark.line + 1)
                self.open.append(_Open(name[0] == "M", event))
            elif name in ("MappingEndEvent", "SequenceEndEvent"):
                done = self.open.pop()
                self._add(self._close(done, event), done.event.anchor)
            elif name == "AliasEvent":
                self.aliases += 1
                if self.aliases > MOST_ALIASES:
                    raise Broken(f"has more aliases than the limit of {MOST_ALIASES}", event.start_mark.line + 1)
                known = self.anchors.get(event.anchor)
                if known is None:
                    raise Broken(f"uses the anchor {event.anchor[:40]!r}, which is not there", event.start_mark.line + 1)
                self._add(_alias(known, event), None)
            elif name == "DocumentStartEvent":
                self.anchors = {}
                if len(self.roots) >= MOST_DOCUMENTS:
                    raise Broken(f"has more documents than the limit of {MOST_DOCUMENTS}", event.start_mark.line + 1)
        return Document(tuple(self.roots), tuple(self.doubled))

    def _add(self, node: Node, anchor: str | None) -> None:
        self.count += 1
        if self.count > MOST_NODES:
            raise Broken(f"has more values than the limit of {MOST_NODES}", node.line)
        if anchor:
            self.anchors[anchor] = node
        (self.open[-1].nodes if self.open else self.roots).append(node)

    def _close(self, done: _Open, event: Any) -> Node:
        start, end = done.event.start_mark, event.end_mark
        place = (start.line + 1, start.column + 1, end.line + 1, end.column + 1)
        tag = done.event.tag or ""
        if not done.mapping:
            return Node("sequence", "", tuple(done.nodes), (), *place, tag=tag)
        pairs = list(zip(done.nodes[::2], done.nodes[1::2], strict=True))
        own: dict[str, Node] = {}
        merged: list[tuple[Node, Node]] = []
        for key, value in pairs:
            if key.kind != "scalar":
                continue
            if key.text == "<<":
                sources = value.items if value.kind == "sequence" else (value,)
                merged += [pair for source in sources for pair in source.pairs]
                self.count += len(merged)  # what is merged counts as if it were written
                if self.count > MOST_NODES:
                    raise Broken(f"has more values than the limit of {MOST_NODES}", key.line)
            elif key.text in own:
                self.doubled.append(key)
            own[key.text] = value
        inherited = [(key, value) for key, value in merged if key.text not in own]
        return Node("mapping", "", (), (*inherited, *pairs), *place, tag=tag)


def _scalar(event: Any) -> Node:
    start, end = event.start_mark, event.end_mark
    place = (start.line + 1, start.column + 1, end.line + 1, end.column + 1)
    style = event.style if event.style in ("'", '"', "|", ">") else ""
    return Node("scalar", event.value, (), (), *place, style, event.tag or "")


def _alias(known: Node, event: Any) -> Node:
    """What an alias stands for, as a leaf: its inside keeps the place where it is written."""
    start, end = event.start_mark, event.end_mark
    return known._replace(line=start.line + 1, column=start.column + 1, end_line=end.line + 1, end_column=end.column + 1)


def walk(root: Node) -> Iterator[tuple[tuple[str, ...], Node]]:
    """Every node with the keys above it (``*`` for an item of a sequence); what an alias repeats only once."""
    todo: list[tuple[tuple[str, ...], Node]] = [((), root)]
    seen: set[int] = set()
    while todo:
        path, node = todo.pop()
        inner = node.pairs or node.items
        if inner:
            if id(inner) in seen:
                continue
            seen.add(id(inner))
        yield path, node
        todo += [((*path, "*"), item) for item in reversed(node.items)]
        todo += [((*path, key.text), value) for key, value in reversed(node.pairs) if key.kind == "scalar"]
