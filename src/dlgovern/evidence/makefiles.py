"""Read Makefiles, justfiles and tox.ini: the commands of their recipes."""

from __future__ import annotations

import re

from dlgovern.evidence.script import Script
from dlgovern.evidence.shell import read_shell
from dlgovern.evidence.words import Line

_MAKE_VARIABLE = re.compile(r"^(?:export\s+)?([A-Za-z_]\w*)\s*(:{0,3}=|\?=|\+=)[ \t]*(.*?)\s*$")
_TOX_KEY = re.compile(r"^(commands(?:_pre|_post)?|install_command)\s*=\s*(.*)$")


def read_make(text: str) -> Script:
    """The recipes of a Makefile. A variable is known that is set once, plainly, and not left to the environment."""
    lines = text.split("\n")
    given: dict[str, list[str]] = {}
    recipes: list[list[Line]] = [[]]
    for number, line in enumerate(lines, 1):
        if line.startswith("\t"):
            going_on = bool(recipes[-1]) and recipes[-1][-1].text.endswith("\\")
            inner = re.match(r"\t[ \t]*" if going_on else r"\t[@+ \t-]*", line)
            start = inner.end() if inner else 1
            recipes[-1].append(Line(line[start:], number, start + 1))
            continue
        if variable := _MAKE_VARIABLE.match(line):
            value = variable.group(3)
            plain = variable.group(2) in ("=", ":=", "::=") and "$" not in value and not value.endswith("\\")
            given.setdefault(variable.group(1), []).append(value.partition(" #")[0].strip() if plain else "\0")
        if line.strip() and not line.startswith((" ", "#")):
            recipes.append([])
    known = {name: values[0] for name, values in given.items() if len(set(values)) == 1 and values[0] != "\0"}
    return _joined([read_shell(recipe, make=True, known=known) for recipe in recipes if recipe])


def read_just(text: str) -> Script:
    """The recipes of a justfile."""
    recipes: list[list[Line]] = [[]]
    for number, line in enumerate(text.split("\n"), 1):
        if line[:1] in (" ", "\t"):
            inner = re.match(r"[ \t]+[@-]*", line)
            start = inner.end() if inner else 0
            if not line[start:].startswith("#!"):
                recipes[-1].append(Line(line[start:], number, start + 1))
        elif line.strip():
            recipes.append([])
    return _joined([read_shell(recipe) for recipe in recipes if recipe])


def read_tox(text: str) -> Script:
    """The commands of the environments of a tox.ini."""
    scripts: list[Script] = []
    current: list[Line] | None = None
    for number, line in enumerate([*text.split("\n"), "["], 1):
        if line[:1] in (" ", "\t") and line.strip():
            if current is not None:
                start = len(line) - len(line.lstrip())
                current.append(Line(line[start:], number, start + 1))
            continue
        if line.strip() and current is not None:
            scripts.append(read_shell(current))
            current = None
        if key := _TOX_KEY.match(line):
            current = [Line(key.group(2), number, key.start(2) + 1)]
    return _joined(scripts)


def _joined(scripts: list[Script]) -> Script:
    return Script(
        tuple(command for script in scripts for command in script.commands),
        tuple(setting for script in scripts for setting in script.settings),
        tuple(directive for script in scripts for directive in script.directives),
        tuple(dict.fromkeys(path for script in scripts for path in script.written)),
    )
