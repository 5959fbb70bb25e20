"""See a continuous integration that does not hold a change up: nothing runs, nothing fails, or anything may be run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.detect.recipes import guarded
from dlgovern.evidence.recipe import Recipe, Step
from dlgovern.finding import Hit
from dlgovern.policy import Rule
from dlgovern.repository.view import View

PARAMETERS = {
    "programs": Parameter("strings", "programs that must run on every change, alternatives parted by |", default=[]),
    "pinned": Parameter("boolean", "actions of others are named by a whole commit", default=False),
}
GUARDS = ("tolerated", "trusted")
"""What the detector is silent under; examples of its rules must show each."""

_CHANGES = frozenset(("pull_request", "pull_request_target", "merge_group", "merge_request", "pr", "push"))
_COMMIT = re.compile(r"@[0-9a-f]{40}$|^\./|^docker://")


def triggers(_parameters: dict[str, Any], _tables: dict[str, Any]) -> list[dict[str, Any]]:
    """Never looks at a Python file."""
    return []


def judge_repository(rules: list[Rule], view: View) -> Iterator[tuple[str, Hit]]:
    """The hits on the workflows of a repository; a program that none of them runs is missing from the repository."""
    recipes = [recipe for recipe in view.of("yaml") if recipe.workflow is not None]
    hooks = view.text(".pre-commit-config.yaml") or ""
    for rule in rules:
        for wanted in rule.parameters.get("programs", ()):
            names = [name.strip() for name in wanted.split("|")]
            ran = [(recipe, step) for recipe in recipes for step in _running(recipe, names, hooks)]
            strict = [
                (recipe, step)
                for recipe, step in ran
                if _on_changes(recipe) and not (guarded(rule, "tolerated") and (step.tolerated or _forgiven(recipe, step, names)))
            ]
            if strict:
                continue
            what = f"no workflow runs {' or '.join(names)} on a change"
            if ran:
                recipe, step = ran[0]
                why = "not on every change" if not _on_changes(recipe) else "its failure does not fail the job"
                yield recipe.path, _hit(rule, step, f"{names[0]} is run here, but {why}")
            else:
                yield "", Hit(rule.id, 1, 1, 1, 2, slots={"what": what})
        for recipe in recipes:
            yield from ((recipe.path, hit) for hit in _actions(rule, recipe))


def _running(recipe: Recipe, names: list[str], hooks: str) -> Iterator[Step]:
    """The steps that run one of these programs, or pre-commit where it has a hook of that name."""
    assert recipe.workflow is not None
    for step in recipe.workflow.steps:
        words = [word.text for command in _commands(recipe, step) for word in command.words]
        if any(name in (word, word.rpartition("/")[2]) for word in words for name in names) or any(name in step.uses for name in names) or (any(name in hooks for name in names) and ("pre-commit" in step.uses or "pre-commit" in words)):
            yield step


def _commands(recipe: Recipe, step: Step) -> Any:
    return recipe.commands[step.first : step.first + step.commands]


def _on_changes(recipe: Recipe) -> bool:
    assert recipe.workflow is not None
    return bool(_CHANGES & set(recipe.workflow.events)) and not recipe.workflow.filtered


def _forgiven(recipe: Recipe, step: Step, names: list[str]) -> bool:
    """Whether ``|| true`` follows the program on its line."""
    commands = _commands(recipe, step)
    for command, after in zip(commands, commands[1:], strict=False):
        runs = any(word.text.rpartition("/")[2] in names for word in command.words)
        if runs and after.line == command.end_line and after.words[0].text in ("true", ":"):
            return True
    return False


def _actions(rule: Rule, recipe: Recipe) -> Iterator[Hit]:
    workflow = recipe.workflow
    assert workflow is not None
    for step in workflow.steps:
        if rule.parameters.get("pinned") and step.uses and not _COMMIT.search(step.uses):
            yield _hit(rule, step, f"{step.uses[:80]} is not named by a whole commit")
    if "pull_request_target" in workflow.events or not guarded(rule, "trusted"):
        for runner in workflow.runners:
            if runner.text == "self-hosted":
                hit = Hit(rule.id, runner.line, runner.column, runner.end_line, runner.end_column)
                yield hit._replace(slots={"what": "pull_request_target gives a change from outside a runner of our own"})


def _hit(rule: Rule, step: Step, what: str) -> Hit:
    return Hit(rule.id, step.line, step.column, step.line, max(step.end_column, step.column + 1), slots={"what": what})
