"""Find the commands in the code blocks of Markdown and reStructuredText."""

from __future__ import annotations

import re

from dlgovern.evidence.script import Script, together
from dlgovern.evidence.shell import read_shell
from dlgovern.evidence.words import Line

_FENCE = re.compile(r"^((?:[ \t]*(?:>|[-*+]|\d+[.)]))*[ \t]*)(`{3,}|~{3,})[ \t]*\{?[.]?([\w+-]*)[^`\n]*$")
_DIRECTIVE = re.compile(r"^([ \t]*)\.\. (?:code-block|code|sourcecode|prompt|parsed-literal)::[ \t]*([\w+-]*)[^\n]*$")
_SHELLS = frozenset(
    (
        *("", "bash", "bash-session", "cmd", "commandline", "console", "ksh", "none", "plain", "plaintext", "sbatch"),
        *("sh", "sh-session", "shell", "shell-session", "slurm", "terminal", "text", "txt", "zsh"),
    )
)
_PLACEHOLDER = re.compile(r"<[A-Za-z][^<>\n|&;]*>|(?<![\w\"'])\[[^\]\n]*\](?![\w\"'])")
_PROMPT = re.compile(r"[ \t]*(?:\([\w.-]+\)[ \t]*)?(?:[\w.-]+@[\w.-]+(?::[^\s$#]*)?[$#]|[$%>❯])[ \t]+")


def read_prose(text: str, *, rst: bool = False) -> Script:
    """What the code blocks run; each block is a script of its own."""
    blocks = _directives(text) if rst else _fences(text)
    return together([read_shell([_told(line) for line in block], source="prose") for block in blocks])


def _told(line: Line) -> Line:
    """A line with its placeholders, ``<your script>`` and ``[1|2]``, as what only the reader knows."""
    return line._replace(text=_PLACEHOLDER.sub(lambda found: f"`{' ' * (len(found.group()) - 2)}`", line.text))


def _fences(text: str) -> list[list[Line]]:
    blocks: list[list[Line]] = []
    closing = ""
    wanted = False
    current: list[Line] = []
    for number, line in enumerate(text.split("\n"), 1):
        fence = _FENCE.match(line)
        if not closing:
            if fence:
                closing = fence.group(2)
                wanted = fence.group(3).lower() in _SHELLS
                current = []
            continue
        if fence and fence.group(2)[0] == closing[0] and len(fence.group(2)) >= len(closing) and not fence.group(3):
            if wanted:
                blocks.append(_prompted(current))
            closing = ""
            continue
        current.append(Line(line, number))
    if closing and wanted:
        blocks.append(_prompted(current))
    return blocks


def _directives(text: str) -> list[list[Line]]:
    blocks: list[list[Line]] = []
    indent = -1
    wanted = False
    current: list[Line] = []
    for number, line in enumerate(text.split("\n"), 1):
        own = len(line) - len(line.lstrip())
        if indent >= 0 and (not line.strip() or own > indent):
            if not re.match(r"\s*:[\w-]+:", line):
                current.append(Line(line, number))
            continue
        if indent >= 0 and wanted:
            blocks.append(_prompted(current))
        indent, current = -1, []
        match = _DIRECTIVE.match(line)
        if match:
            indent, wanted = own, match.group(2).lower() in _SHELLS
        elif line.rstrip().endswith("::") and not line.lstrip().startswith(".."):
            indent, wanted = own, True
    if indent >= 0 and wanted:
        blocks.append(_prompted(current))
    return blocks


def _prompted(block: list[Line]) -> list[Line]:
    """Without the prompts; where there are some, lines without one are output."""
    marks = [_PROMPT.match(line.text) for line in block]
    if not any(marks):
        return block
    kept: list[Line] = []
    going_on = False
    for line, mark in zip(block, marks, strict=True):
        if mark and not (going_on and line.text.lstrip().startswith(">") is False):
            kept.append(line._replace(text=line.text[mark.end() :], column=line.column + mark.end()))
        elif going_on:
            kept.append(line)
        else:
            continue
        going_on = line.text.rstrip().endswith("\\")
    return kept
