"""Find the commands inside the values of YAML and JSON, with the places where they stand in the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dlgovern.evidence.nodes import UNKNOWN, Node
from dlgovern.evidence.script import Command, Script, Setting, Word
from dlgovern.evidence.shell import read_shell
from dlgovern.evidence.words import Line

_SHELLS = frozenset(("bash", "sh", "zsh", "/bin/bash", "/bin/sh", "/usr/bin/bash", "/usr/bin/env"))


def lines_of_scalar(node: Node, lines: Sequence[Line]) -> list[Line]:
    """The lines of a scalar, each where it stands in the file; folded lines go on."""
    if node.style == "|":
        return _block(node, lines)
    if node.style in ("'", '"') and node.line == node.end_line:
        return [Line(node.text.replace("\n", " "), node.line, node.column + 1)]
    if node.line == node.end_line and node.style != ">":
        return [Line(node.text, node.line, node.column)]
    if node.style in ("'", '"'):
        return [Line(" ".join(node.text.split("\n")), node.line, node.column + 1)]
    found = _block(node, lines) if node.style == ">" else _plain(node, lines)
    return [line._replace(text=f"{line.text} \\") if line.text.strip() else line for line in found[:-1]] + found[-1:]


def _block(node: Node, lines: Sequence[Line]) -> list[Line]:
    """The lines below the sign of a block scalar, without what they are indented by."""
    last = min(node.end_line if node.end_column > 1 else node.end_line - 1, len(lines))
    own = [(line.text, line.line) for line in lines[node.line : last]]
    while own and not own[-1][0].strip():
        own.pop()
    indents = [len(text) - len(text.lstrip(" ")) for text, _ in own if text.strip()]
    indent = min(indents, default=0)
    written = node.text.split("\n")
    literal = node.style == "|" and any(UNKNOWN in text for text in written)
    return [
        Line(written[n] if literal and n < len(written) else text[indent:], number, indent + 1)
        for n, (text, number) in enumerate(own)
    ]


def _plain(node: Node, lines: Sequence[Line]) -> list[Line]:
    found = []
    for number in range(node.line, min(node.end_line, len(lines)) + 1):
        text = lines[number - 1].text
        end = node.end_column - 1 if number == node.end_line else len(text)
        start = node.column - 1 if number == node.line else min(len(text) - len(text.lstrip()), end)
        found.append(Line(text[start:end], number, start + 1))
    return found


def script_of(node: Node, lines: Sequence[Line], source: str, known: dict[str, str] | None = None) -> Script:
    """What a scalar runs, read as a script."""
    return read_shell(lines_of_scalar(node, lines), known=known, source=source)


def scripts_of(node: Node | None, lines: Sequence[Line], source: str) -> Script:
    """What a scalar, or each item of a sequence, runs in one and the same shell."""
    if node is None:
        return Script()
    items = node.items if node.kind == "sequence" else (node,)
    found: list[Line] = []
    for item in items:
        if item.kind == "scalar":
            found += lines_of_scalar(item, lines)
        elif item.kind == "sequence":
            found += [line for inner in item.items if inner.kind == "scalar" for line in lines_of_scalar(inner, lines)]
    return read_shell(found, source=source) if found else Script()


def exec_of(command: Node | None, arguments: Node | None, lines: Sequence[Line], source: str) -> Script:
    """What a container starts: a command and its arguments, or the script given to a shell."""
    if command is None:  # the image says what is started, and this may be the whole of it
        command, arguments = arguments, None
    words = [node for part in (command, arguments) if part is not None for node in _words(part)]
    if not words:
        return Script()
    if command is not None and command.kind == "scalar" and arguments is None:
        return script_of(command, lines, source)
    for index, node in enumerate(words[:4]):
        if node.text in ("-c", "-lc", "-ec", "-exc", "-xc", "-euc", "-xec", "-cx", "-ce") and index + 1 < len(words):
            if words[0].text in _SHELLS or words[0].text.endswith(("/bash", "/sh")):
                return script_of(words[index + 1], lines, source)
    made = tuple(Word(n.text, UNKNOWN not in n.text and "$(" not in n.text, n.line, n.column, n.end_line, n.end_column) for n in words)
    first, last = words[0], words[-1]
    return Script((Command(made, (), first.line, first.column, last.end_line, last.end_column, 0, source),))


def _words(node: Node) -> Iterator[Node]:
    if node.kind == "scalar" and node.text:
        yield node
    for item in node.items:
        if item.kind == "scalar":
            yield item


def environment_of(node: Node | None) -> Iterator[Setting]:
    """The variables of a mapping, of a list of ``NAME=value``, or of a list of ``name:`` and ``value:``."""
    if node is None:
        return
    for key, given in node.pairs:
        if key.kind == "scalar" and given.kind == "scalar":
            yield _setting(key.text, given, key)
    for item in node.items:
        if item.kind == "scalar":
            name, equals, text = item.text.partition("=")
            if equals:
                yield _setting(name, item._replace(text=text), item)
        elif (name_node := item.get("name")) is not None and (value := item.get("value")) is not None:
            if name_node.kind == "scalar" and value.kind == "scalar":
                yield _setting(name_node.text, value, name_node)


def _setting(name: str, value: Node, at: Node) -> Setting:
    known = UNKNOWN not in value.text and "${" not in value.text
    return Setting(name, value.text, known, True, at.line, at.column, value.end_line, value.end_column)
