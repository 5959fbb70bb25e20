"""Read YAML and JSON as nodes that know their places; no object is ever built from a tag, no alias walked twice."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
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


class Doubled(NamedTuple):
    """A key that one mapping has twice: the later place, and the earlier one with its value."""

    key: Node
    value: Node
    before: Node
    lost: Node

    @property
    def differs(self) -> bool:
        """Whether it makes a difference which of the two is taken."""
        return (self.value.kind, self.value.text) != (self.lost.kind, self.lost.text) or self.value.kind != "scalar"


class Document(NamedTuple):
    """All documents of one text, the keys that a mapping has twice, and every key anywhere."""

    roots: tuple[Node, ...]
    doubled: tuple[Doubled, ...] = ()
    templated: bool = False
    keys: frozenset[str] = frozenset()


_TEMPLATE = re.compile(r"\{\{|\{%|<%|\$\{")
_ALONE = re.compile(r"^[ \t]*(?:-[ \t]*)?(?:\{\{(?:[^}]|\}(?!\}))*\}\}|\{%(?:[^%]|%(?!\}))*%\}|<%(?:[^%]|%(?!>))*%>)[ \t]*(?:#.*)?$", re.M)
_INLINE = re.compile(r"\{\{(?:[^}\n]|\}(?!\}))*\}\}|\{%(?:[^%\n]|%(?!\}))*%\}|<%(?:[^%\n]|%(?!>))*%>|\$\{[^{}\n]*\}")
UNKNOWN = "\ufffd"
"""Stands in the text of a scalar for what a template engine would put there."""


def read_yaml(text: str, *, template: bool = True) -> Document:
    """The documents of a YAML text; where it may be a template, what can be read of one. Raises `Broken`."""
    return _tolerant(text) if template else _compose(text)


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
    text = _HALF.sub(lambda found: UNKNOWN * len(found.group()) if found.group(1) else found.group(), text)
    return _tolerant(text.replace("\t", " "))


_HALF = re.compile(r"\\\\|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})")  # of a character beyond 16 bits: JSON has it, YAML has not
_JSON = re.compile(r'("(?:[^"\\\n]|\\.)*")|//[^\n]*|/\*(?:[^*]|\*(?!/))*\*/')


def _compose(text: str) -> Document:
    import yaml  # cold: some 10 ms, and only where a file of this kind is new

    try:
        parser: Any = yaml.cyaml.CParser(text) if yaml.__with_libyaml__ else yaml.SafeLoader(text)
        return _Composer().run(parser.get_event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Broken(f"does not parse: {error.problem or error.context}", mark.line + 1 if mark else 0) from None
    except yaml.YAMLError as error:
        position = getattr(error, "position", None)
        line = text.count("\n", 0, position) + 1 if isinstance(position, int) else 0
        raise Broken(f"does not parse: {getattr(error, 'reason', None) or 'a character is not allowed'}", line) from None


_STYLES = {style: style for style in ("'", '"', "|", ">")}
_new = tuple.__new__  # of a Node: half the time of its own constructor, and a configuration has thousands


class _Composer:
    """From events to nodes without recursion, within the limits of this module."""

    def __init__(self) -> None:
        self.roots: list[Node] = []
        self.doubled: list[Doubled] = []
        self.keys: set[str] = set()
        self.anchors: dict[str, Node] = {}
        self.merged = 0  # values that merge keys repeat
        self.aliases = 0

    def run(self, event_of: Callable[[], Any]) -> Document:
        """The documents that the events of a parser make; None is its last."""
        nodes = self.roots
        around: list[tuple[Any, list[Node]]] = []  # the collections that are open: how each began, and what it is in
        count = 0
        while (event := event_of()) is not None:
            name = event.__class__.__name__
            if name == "ScalarEvent":
                start, end = event.start_mark, event.end_mark
                node = _new(Node, (
                    "scalar", event.value, (), (), start.line + 1, start.column + 1, end.line + 1, end.column + 1,
                    _STYLES.get(event.style, ""), event.tag or "",
                ))  # fmt: skip
                anchor = event.anchor
            elif name in ("MappingStartEvent", "SequenceStartEvent"):
                if len(around) >= DEEPEST:
                    raise Broken(f"nests deeper than the limit of {DEEPEST}", event.start_mark.line + 1)
                around.append((event, nodes))
                nodes = []
                continue
            elif name in ("MappingEndEvent", "SequenceEndEvent"):
                opened, outer = around.pop()
                node = self._closed(opened, nodes, event.end_mark)
                anchor = opened.anchor
                nodes = outer
            elif name == "AliasEvent":
                node, anchor = self._alias(event), None
            else:
                if name == "DocumentStartEvent":
                    self._begin(event)
                continue
            count += 1
            if count + self.merged > MOST_NODES:
                raise Broken(f"has more values than the limit of {MOST_NODES}", node.line)
            if anchor:
                self.anchors[anchor] = node
            nodes.append(node)
        return Document(tuple(self.roots), tuple(self.doubled), keys=frozenset(self.keys))

    def _begin(self, event: Any) -> None:
        self.anchors = {}
        if len(self.roots) >= MOST_DOCUMENTS:
            raise Broken(f"has more documents than the limit of {MOST_DOCUMENTS}", event.start_mark.line + 1)

    def _closed(self, opened: Any, nodes: list[Node], end: Any) -> Node:
        start = opened.start_mark
        place = (start.line + 1, start.column + 1, end.line + 1, end.column + 1, "", opened.tag or "")
        if opened.__class__.__name__ == "SequenceStartEvent":
            return _new(Node, ("sequence", "", tuple(nodes), (), *place))
        keys = nodes[::2]
        pairs = tuple(zip(keys, nodes[1::2], strict=True))
        names = {key[1] for key in keys}
        self.keys |= names
        if len(names) != len(keys) or "<<" in names:
            pairs = self._merged(pairs)
        return _new(Node, ("mapping", "", (), pairs, *place))

    def _merged(self, pairs: tuple[tuple[Node, Node], ...]) -> tuple[tuple[Node, Node], ...]:
        """The pairs of a mapping with those that it takes from others before them; keys that it has twice are noted."""
        own: dict[str, tuple[Node, Node]] = {}
        merged: list[tuple[Node, Node]] = []
        for key, value in pairs:
            if key.kind != "scalar":
                continue
            if key.text == "<<":
                sources = value.items if value.kind == "sequence" else (value,)
                merged += [pair for source in sources for pair in source.pairs]
                self.merged += len(merged)  # what is merged counts as if it were written
                if self.merged > MOST_NODES:
                    raise Broken(f"has more values than the limit of {MOST_NODES}", key.line)
            elif key.text in own:
                self.doubled.append(Doubled(key, value, *own[key.text]))
            own[key.text] = (key, value)
        inherited = [(key, value) for key, value in merged if key.text not in own]
        return (*inherited, *pairs)

    def _alias(self, event: Any) -> Node:
        """What an alias stands for, as a leaf: its inside keeps the place where it is written."""
        start, end = event.start_mark, event.end_mark
        self.aliases += 1
        if self.aliases > MOST_ALIASES:
            raise Broken(f"has more aliases than the limit of {MOST_ALIASES}", start.line + 1)
        known = self.anchors.get(event.anchor)
        if known is None:
            raise Broken(f"uses the anchor {event.anchor[:40]!r}, which is not there", start.line + 1)
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
