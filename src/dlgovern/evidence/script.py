"""What a script says, as plain values: its commands, the variables it sets, its requests of a scheduler."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple


class Word(NamedTuple):
    """One word of a command. ``known``: no part of it depends on the run; ``text`` then is what the program gets."""

    text: str
    known: bool
    line: int
    column: int
    end_line: int
    end_column: int


class Setting(NamedTuple):
    """A variable that is set. ``exported``: child processes see it."""

    name: str
    value: str
    known: bool
    exported: bool
    line: int
    column: int
    end_line: int
    end_column: int


class Command(NamedTuple):
    """A simple command with its variables filled in; ``settings`` stand before it. The span is in the file."""

    words: tuple[Word, ...]
    settings: tuple[Setting, ...]
    line: int
    column: int
    end_line: int
    end_column: int
    branch: int = 0  # how many conditions, loops and functions stand around it
    source: str = ""  # what kind of text it stands in, "" for a script of its own


class Directive(NamedTuple):
    """One option of a scheduler in a comment: ``#SBATCH --nodes=2``. Long names without dashes, "" where it has no value."""

    name: str
    value: str
    line: int
    column: int
    end_column: int


class Script(NamedTuple):
    """What one script says."""

    commands: tuple[Command, ...] = ()
    settings: tuple[Setting, ...] = ()
    directives: tuple[Directive, ...] = ()
    written: tuple[str, ...] = ()  # files that output goes to


_SBATCH = re.compile(r"#SBATCH\s+(.*\S)\s*$")
_OPTION = re.compile(r"(?<!\S)(--[a-z][\w-]*|-[A-Za-z])(?:[= ]?[ ]*((?!-)\S+))?")
SHORT = {
    "A": "account", "B": "extra-node-info", "C": "constraint", "D": "chdir", "G": "gpus", "J": "job-name", "N": "nodes",
    "c": "cpus-per-task", "d": "dependency", "e": "error", "i": "input", "n": "ntasks", "o": "output", "p": "partition",
    "q": "qos", "t": "time", "w": "nodelist", "x": "exclude", "a": "array",
}
"""Short options of sbatch and srun."""


def directives(text: str, line: int, column: int) -> list[Directive]:
    """The options in one comment; none where it is no line for a scheduler."""
    match = _SBATCH.match(text)
    if match is None:
        return []
    found = []
    for option in _OPTION.finditer(match.group(1).split(" #")[0]):
        name = option.group(1).lstrip("-")
        value = (option.group(2) or "").strip().strip("\"'")
        at = column + match.start(1) + option.start()
        end = at + len(option.group().rstrip())
        found.append(Directive(SHORT.get(name, name) if len(name) == 1 else name, value, line, at, end))
    return found


_PYTHON_NAME = re.compile(r"(?:.*/)?(?:python|pypy)(?:[0-9](?:\.[0-9]+)?)?(?:\.exe)?$|\$\{?(?:[A-Z_]*PYTHON[A-Z_]*|python)\}?$")


def is_python(text: str) -> bool:
    """Whether a word names an interpreter; a variable called so counts."""
    return _PYTHON_NAME.match(text) is not None


def together(scripts: Sequence[Script]) -> Script:
    """What several scripts of one file say."""
    return Script(
        tuple(command for script in scripts for command in script.commands),
        tuple(setting for script in scripts for setting in script.settings),
        tuple(directive for script in scripts for directive in script.directives),
    )
