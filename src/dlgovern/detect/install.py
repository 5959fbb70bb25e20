"""See packages that are installed beside the manifest: in images, scripts and workflows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.detect.recipes import guarded
from dlgovern.evidence.installs import installs
from dlgovern.evidence.recipe import Recipe
from dlgovern.evidence.values import normal
from dlgovern.finding import Hit
from dlgovern.policy import Rule
from dlgovern.repository.window import Windows

PARAMETERS = {
    "governed": Parameter("strings", "distributions that only a manifest or a lock may bring", required=True),
}
KINDS = frozenset({"dockerfile", "shell", "make", "just", "tox", "yaml", "json", "jenkins"})
"""Kinds of evidence that are read."""

GUARDS = ("manifest",)
"""What the detector is silent under; an example of its rules must show it."""


def judge(rules: list[Rule], document: Recipe, _tables: dict[str, Any], _windows: Windows) -> Iterator[Hit]:
    """The hits on the packages that the commands of one file install by name, without a list or constraints beside them."""
    for install in installs(document.commands, document.path):
        for rule in rules:
            governed = {normal(name) for name in rule.parameters["governed"]}
            if install.declared and guarded(rule, "manifest"):
                continue
            for one in install.requirements:
                if one.name in governed and not one.url:
                    yield Hit(rule.id, one.line, one.column, one.line, one.end_column, slots={"package": one.raw[:80]})
