"""What has been read of one YAML or JSON file so far: commands, variables and images."""

from __future__ import annotations

from collections.abc import Sequence

from dlgovern.evidence.nodes import UNKNOWN, Node
from dlgovern.evidence.recipe import Image, Recipe
from dlgovern.evidence.script import Command, Script, Setting
from dlgovern.evidence.words import Line


class Gathered:
    """The parts of a `Recipe` that every such file may have, while it is read."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self.lines = lines
        self.commands: list[Command] = []
        self.settings: list[Setting] = []
        self.images: list[Image] = []

    def add(self, script: Script) -> tuple[int, int]:
        """Take what a script says; the index of its first command, and how many it has."""
        first = len(self.commands)
        self.commands += script.commands
        self.settings += script.settings
        return first, len(script.commands)

    def image(self, node: Node | None, final: bool = True) -> None:
        """Take the image that a scalar names, or that a mapping has under ``image`` or ``name``."""
        if node is not None and node.kind == "mapping":
            node = node.get("image") or node.get("name")
        if node is None or node.kind != "scalar" or not node.text or node.line != node.end_line:
            return
        known = UNKNOWN not in node.text and "$" not in node.text
        column = node.column + bool(node.style)
        self.images.append(Image(node.text, known, final, node.line, column, column + len(node.text)))

    def into(self, empty: Recipe) -> Recipe:
        """The recipe with these parts."""
        return empty._replace(commands=tuple(self.commands), settings=tuple(self.settings), images=tuple(self.images))
