"""Take out of a notebook cell what is not Python, so that every line stays where it is."""

from __future__ import annotations

import ast
import re
import warnings
from typing import NamedTuple


class Said(NamedTuple):
    """A command that a cell gives to something other than Python.

    ``kind`` is "shell" for ``!command``, "script" for the body of a cell such as ``%%bash``, else the name of the magic
    ("pip" for ``%pip install x``). ``line`` and ``column`` count from 1 in the cell.
    """

    kind: str
    text: str
    line: int
    column: int


class Plain(NamedTuple):
    """A cell as Python: its lines, how many characters were cut off the front of each, and what else it says."""

    lines: list[str]
    cut: list[int]
    said: list[Said]


_AROUND = frozenset("time timeit capture prun memit mprun lprun mem snakeviz wandb scalene heat".split())
"""Magics of a cell after which Python follows."""

_BEFORE = re.compile(r"%(?:time|timeit|prun|memit)\s++(?:-[a-zA-Z]\s*+(?:[\w.]++\s++)?)*+(?=\S)")
_SHELLS = frozenset("bash sh zsh ksh shell system sx script !".split())
_MAGIC = re.compile(r"%(\w[\w.]*)[ \t]*(.*)", re.S)
_SHELL = re.compile(r"!!?[ \t]*(.*)", re.S)
_HELP = re.compile(r"\?{1,2}\s*\S+\s*$|[%\w.*]+\?{1,2}\s*$")
_ASSIGNED = re.compile(r"([\w.,\[\]'\"* \t]*[\w\]])([ \t]*=[ \t]*)([!%])(?=[\w ./~$({\"'-])(.*)", re.S)
_GIVEN = re.compile(r"=[ \t]*[!%]")
_LONGEST = 2000  # characters of a line that can be an assignment of what a command says
_SUSPECT = re.compile(r"^[ \t]*[!%?]|=[ \t]*[!%]|\?[ \t]*$", re.M)
_TOKEN = re.compile(
    r"""#.*|\"\"\"|'''|"(?:[^"\\]|\\.)*+"?|'(?:[^'\\]|\\.)*+'?|[()\[\]{}]"""
)


def plain(lines: list[str]) -> Plain:
    """The cell with its magics and shell commands replaced by ``pass`` or blanks. Never fails."""
    first = next((index for index, line in enumerate(lines) if line.strip()), -1)
    if first < 0:
        return Plain(lines, [0] * len(lines), [])
    if lines[first].lstrip().startswith("%%"):
        return _cell_magic(lines, first)
    indent = len(lines[first]) - len(lines[first].lstrip(" \t"))
    if indent:
        return _dedented(lines, lines[first][:indent])
    if not _SUSPECT.search("\n".join(lines)):
        return Plain(lines, [0] * len(lines), [])
    return _lines(lines)


def _cell_magic(lines: list[str], first: int) -> Plain:
    opening = lines[first].lstrip()
    name, _, rest = opening[2:].partition(" ")
    if name in _AROUND:
        return plain(["" if index <= first else line for index, line in enumerate(lines)])
    body = "\n".join(lines[first + 1 :])
    script = name in _SHELLS and (name != "script" or rest.split()[:1] in (["bash"], ["sh"], ["zsh"]))
    kind, text = ("script", body) if script else (name, f"{rest}\n{body}" if body else rest)
    said = Said(kind, text, first + 2 if script else first + 1, 1)
    return Plain([""] * len(lines), [0] * len(lines), [said])


def _dedented(lines: list[str], indent: str) -> Plain:
    """IPython takes the indentation of the first line away from all of them."""
    cut = [len(indent) if line.startswith(indent) else 0 for line in lines]
    inner = plain([line[less:] for line, less in zip(lines, cut, strict=True)])
    said = [one._replace(column=one.column + cut[min(one.line, len(cut)) - 1]) for one in inner.said]
    return Plain(inner.lines, [outer + own for outer, own in zip(cut, inner.cut, strict=True)], said)


def _lines(lines: list[str]) -> Plain:
    new, cut, said = list(lines), [0] * len(lines), []
    state = _State()
    index = 0
    while index < len(lines):
        line = lines[index]
        if state.inside or not (found := _command(line)):
            state.read(line)
            index += 1
            continue
        kind, text, column, replacement, less = found
        new[index], cut[index] = replacement, less
        start = index
        while not less and _goes_on(lines[index]) and index + 1 < len(lines):
            index += 1
            new[index] = ""
            text = f"{text.rstrip()[:-1].rstrip()} {lines[index].strip()}"
        if kind:
            said.append(Said(kind, text, start + 1, column))
        else:
            state.read(replacement)
        index += 1
    return Plain(new, cut, said)


def _command(line: str) -> tuple[str, str, int, str, int] | None:
    """Kind and text of a command, its column, what stands in its place, and how much of the line's front is cut off.

    Kind "" means that Python follows a magic that only measures it. None: the line is Python.
    """
    text = line.lstrip(" \t")
    indent = line[: len(line) - len(text)]
    if text[:1] == "%":
        before = _BEFORE.match(text)
        if before and _parses(rest := text[before.end() :]):
            return "", "", 1, indent + rest, before.end()
        magic = _MAGIC.match(text)
        if magic:
            return magic[1], magic[2], len(indent) + 1, f"{indent}pass", 0
    shell = _SHELL.match(text)
    if shell:
        return "shell", shell[1], len(indent) + 1, f"{indent}pass", 0
    if "?" in text and _HELP.match(text):
        return "help", text.strip(), len(indent) + 1, f"{indent}pass", 0
    assigned = _ASSIGNED.match(text) if len(text) < _LONGEST and _GIVEN.search(text) else None
    if assigned and not _parses(text):
        name, equals, mark, rest = assigned.groups()
        column = len(indent) + assigned.start(3) + 1
        place = f"{indent}{name}{equals}None"
        if mark == "!":
            return "shell", rest.lstrip("!").strip(), column, place, 0
        magic = _MAGIC.match(f"%{rest}")
        return (magic[1], magic[2], column, place, 0) if magic else None
    return None


def _goes_on(line: str) -> bool:
    """Whether a backslash at its end joins the next line to this one."""
    stripped = line.rstrip()
    return (len(stripped) - len(stripped.rstrip("\\"))) % 2 == 1


def _parses(text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


class _State:
    """Whether a line begins inside of a bracket, a string or a continued line."""

    def __init__(self) -> None:
        self._depth = 0
        self._quote = ""
        self._continued = False

    @property
    def inside(self) -> bool:
        """Whether the next line belongs to the statement before it."""
        return bool(self._depth or self._quote or self._continued)

    def read(self, line: str) -> None:
        """Go past one line."""
        at = self._close(line, 0) if self._quote else 0
        while at >= 0 and (token := _TOKEN.search(line, at)):
            text, at = token.group(), token.end()
            if text[0] == "#":
                self._continued = False
                return
            if text in ("(", "[", "{"):
                self._depth += 1
            elif text in (")", "]", "}"):
                self._depth = max(self._depth - 1, 0)
            elif text in ('"""', "\'\'\'"):
                self._quote = text
                at = self._close(line, at)
            elif _goes_on(text) and at == len(line):
                self._quote = text[0]
                at = -1
        self._continued = not self._quote and _goes_on(line)

    def _close(self, line: str, at: int) -> int:
        """Where the open string ends on this line, -1 when it does not."""
        while at < len(line):
            if line[at] == "\\":
                at += 2
            elif line.startswith(self._quote, at):
                at += len(self._quote)
                self._quote = ""
                return at
            else:
                at += 1
        if len(self._quote) == 1 and not _goes_on(line):
            self._quote = ""
        return -1
