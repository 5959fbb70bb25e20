"""Find the commands that the cells of a notebook give to a shell or to an installer: ``!pip``, ``%pip``, ``%%bash``."""

from __future__ import annotations

from dlgovern.evidence.script import Script, together
from dlgovern.evidence.shell import read_shell
from dlgovern.evidence.words import Line
from dlgovern.source.notebook import Command, read_notebook
from dlgovern.source.parse import Unparsable

_TOOLS = frozenset(("pip", "conda", "mamba", "uv"))
"""Magics that are called like the program that they run."""


def read_commands(data: bytes) -> Script:
    """What the cells run, at places of the file; nothing where it is no notebook, which is said where its code is judged."""
    try:
        book = read_notebook(data)
    except Unparsable:
        return Script((), (), ())
    return together([read_shell(_lines(one), source="prose") for one in book.commands if one.kind in ("shell", "script", *_TOOLS)])


def _lines(command: Command) -> list[Line]:
    spot, text = command.spot, command.text
    if command.kind != "script":  # behind the mark
        return [Line(text if command.kind == "shell" else f"{command.kind} {text}", spot.raw_line, spot.raw_column + 1)]
    return [Line(line, spot.raw_line + number, spot.raw_column) for number, line in enumerate(text.split("\n"))]
