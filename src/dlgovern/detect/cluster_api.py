"""See manifests of a cluster that use an interface its operator has left behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.evidence.recipe import Recipe
from dlgovern.finding import Hit
from dlgovern.policy import Rule
from dlgovern.repository.window import Windows

PARAMETERS = {
    "legacy": Parameter("table", "apiVersion/kind -> what takes its place; reported as info", default={}),
    "removed": Parameter("table", "Kind.field -> what takes its place", default={}),
}
KINDS = frozenset({"yaml", "json"})
"""Kinds of evidence that are read."""


def judge(rules: list[Rule], document: Recipe, _tables: dict[str, Any], _windows: Windows) -> Iterator[Hit]:
    """The hits in one file."""
    for rule in rules:
        for resource in document.resources:
            name = f"{resource.api}/{resource.kind}"
            if (now := rule.parameters.get("legacy", {}).get(name)) is not None:
                slots = {"what": f"{resource.kind} of {resource.api}", "now": now}
                yield Hit(rule.id, resource.line, resource.column, resource.line, resource.end_column, slots=slots, level="info")
        for value in document.values if document.form == "cluster" else ():
            if (now := rule.parameters.get("removed", {}).get(value.key)) is not None:
                kind, _, field = value.key.partition(".")
                slots = {"what": f"{field} of {kind}", "now": now}
                yield Hit(rule.id, value.line, value.column, value.end_line, value.end_column, slots=slots)
