"""See options of a launcher that do not go together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.detect.recipes import at_option, launches_in
from dlgovern.evidence.recipe import SCRIPTS, Recipe
from dlgovern.finding import Hit
from dlgovern.policy import Rule
from dlgovern.repository.launch import whole
from dlgovern.repository.window import Windows

PARAMETERS = {
    "launchers": Parameter("strings", "launchers whose options these are", required=True),
    "given": Parameter("strings", "options that are all given; the first one is reported", required=True),
    "several": Parameter("string", "an option whose number is known and above 1", default=""),
    "unless_given": Parameter("strings", "options with which the others go together", default=[]),
    "unless_started_by": Parameter("strings", "launchers that start this one, under which they go together", default=[]),
}
KINDS = SCRIPTS
"""Kinds of evidence that are read."""


def judge(rules: list[Rule], document: Recipe, _tables: dict[str, Any], _windows: Windows) -> Iterator[Hit]:
    """The hits in one file."""
    for launch in launches_in(document):
        for rule in rules:
            said = rule.parameters
            if launch.launcher not in said["launchers"]:
                continue
            options = launch.steps[-1].options
            if not all(name in options for name in said["given"]) or not said["given"]:
                continue
            number = whole(options.get(said.get("several", "")))
            if said.get("several") and (number is None or number <= 1):
                continue
            if any(name in options for name in said.get("unless_given", ())):
                continue
            if launch.step(*said.get("unless_started_by", ())) is None:
                yield at_option(rule, options[said["given"][0]], option=f"--{said['given'][0]}", number=str(number or ""))
