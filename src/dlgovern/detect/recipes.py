"""What detectors of launch files share: the launches of a document, and hits at words, options and settings."""

from __future__ import annotations

from typing import Any

from dlgovern.evidence.recipe import SCRIPTS, Recipe
from dlgovern.finding import Hit
from dlgovern.policy import Rule
from dlgovern.repository.launch import Launch, Option, Step, every, launches
from dlgovern.repository.view import View

SAYING = frozenset(("echo", "printf", "cat", "grep", "sed", "awk", "git", "tee", "alias", "export", "which", "command -v"))
"""Programs whose words are no command of their own."""

_known: list[tuple[Recipe, list[Launch]]] = []


def launches_in(document: Recipe) -> list[Launch]:
    """The launches of a document; those of the document asked last are kept, since every rule asks."""
    if not (_known and _known[0][0] is document):
        _known[:] = [(document, launches(document))]
    return _known[0][1]


def graph(view: View) -> list[tuple[Recipe, Launch]]:
    """Every launch of a repository with its file, made once for all rules."""
    found: list[tuple[Recipe, Launch]] = view.once("launches", lambda v: every(v.of(*sorted(SCRIPTS))))
    return found


def at_option(rule: Rule, at: Option, /, **slots: str) -> Hit:
    """A hit at an option of a launcher."""
    return Hit(rule.id, at.line, at.column, at.line, max(at.end_column, at.column + 1), slots=slots)


def at_step(rule: Rule, step: Step, /, **slots: str) -> Hit:
    """A hit at the name of a launcher, which is shorter than all its options."""
    end = step.end_column if step.line == step.end_line else step.column + len(step.name)
    return Hit(rule.id, step.line, step.column, step.line, max(end, step.column + 1), slots=slots)


def guarded(rule: Rule, name: str) -> bool:
    """Whether a guard of the detector stands; the laws take it away to see what it is for."""
    return name not in rule.parameters.get("without_guards", ())


def option_of(step: Step | None, *names: str) -> Option | None:
    """The first of these options that a step has."""
    return next((step.options[name] for name in names if step is not None and name in step.options), None)


def environment(document: Recipe, launch: Launch) -> dict[str, Any]:
    """The variables that are set for a launch: in front of it, or exported anywhere in its file."""
    found = {setting.name: setting for setting in document.settings if setting.exported}
    return {**found, **{setting.name: setting for setting in launch.settings}}
