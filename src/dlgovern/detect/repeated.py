"""See a key that one mapping of a configuration has twice with different values, so that the first is lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.evidence.recipe import Recipe
from dlgovern.finding import Hit
from dlgovern.policy import Rule
from dlgovern.repository.window import Windows

PARAMETERS = {"forms": Parameter("strings", "what the file is for: accelerate, lightning, deepspeed, gitlab, devcontainer, vscode", required=True)}
KINDS = frozenset({"yaml", "json"})
"""Kinds of evidence that are read."""


def judge(rules: list[Rule], document: Recipe, _tables: dict[str, Any], _windows: Windows) -> Iterator[Hit]:
    """One hit for each later place of a key."""
    for rule in rules:
        for one in document.repeated if document.form in rule.parameters["forms"] else ():
            before = (document.path, one.before_line, one.before_column, "the value here is lost")
            yield Hit(rule.id, one.line, one.column, one.line, one.end_column, slots={"key": one.key[:60]}, related=(before,))
