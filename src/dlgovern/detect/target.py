"""See a launch whose script, argument or configuration is not there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.detect.recipes import graph, guarded
from dlgovern.evidence.arguments import Arguments, read_arguments, takes
from dlgovern.evidence.recipe import Recipe
from dlgovern.evidence.script import Word
from dlgovern.finding import Hit
from dlgovern.policy import Rule
from dlgovern.repository.launch import Launch
from dlgovern.repository.targets import Targets
from dlgovern.repository.view import View
from dlgovern.repository.window import Windows, parse_version

PARAMETERS = {
    "launchers": Parameter("strings", "launchers whose script is looked for", required=True),
    "configurations": Parameter("strings", "options, of the script or the launcher, whose value is a file", default=[]),
    "adds_since": Parameter("table", "launcher -> library and the version from which it gives that", default={}),
    "adds": Parameter("table", "launcher -> what it gives to the script of its own, unless one of its options forbids it", default={}),
}
GUARDS = ("prose", "fetched", "elsewhere", "not-strict")
"""What the detector is silent under; examples of its rules must show each."""

_READ = ("shell", "make", "yaml", "just", "tox", "prose", "jenkins")
_FILE = re.compile(r"[\w./-]+\.(?:json|ya?ml|toml)$")


def triggers(_parameters: dict[str, Any], _tables: dict[str, Any]) -> list[dict[str, Any]]:
    """Never looks at a Python file by itself."""
    return []


def judge_repository(rules: list[Rule], view: View) -> Iterator[tuple[str, Hit]]:
    """The hits at the words of commands that name what is not there."""
    targets = view.once("targets", Targets)
    known: dict[str, Arguments] = {}
    for recipe, launch in graph(view):
        if recipe.kind not in _READ or launch.target is None or not launch.target.known or launch.command.source in ("cluster", "start"):
            continue
        for rule in rules:
            if launch.launcher in rule.parameters["launchers"]:
                for hit in _hits(rule, view, targets, recipe, launch, known):
                    yield recipe.path, hit


def _hits(
    rule: Rule, view: View, targets: Targets, recipe: Recipe, launch: Launch, known: dict[str, Arguments]
) -> Iterator[Hit]:
    target = launch.target
    assert target is not None
    prose = recipe.kind == "prose" and guarded(rule, "prose")
    if not launch.module and target.text.endswith(".py"):
        path = targets.file(recipe, launch, target.text)
        if path is None:
            if not prose and _is_nowhere(rule, targets, recipe, launch, target.text):
                yield _hit(rule, target, f"there is no {target.text} in this repository")
            return
        if path not in known:
            known[path] = read_arguments((view.text(path) or "").encode())
        yield from _arguments(rule, launch, path, known[path], view.windows)
    if not prose:
        yield from _configurations(rule, targets, recipe, launch)


def _is_nowhere(rule: Rule, targets: Targets, recipe: Recipe, launch: Launch, named: str) -> bool:
    if not guarded(rule, "fetched"):
        recipe = recipe._replace(commands=(), written=())
    name = named if guarded(rule, "elsewhere") else f"{named}\0"
    return targets.is_nowhere(recipe, launch, name)


def _arguments(rule: Rule, launch: Launch, path: str, arguments: Arguments, windows: Windows) -> Iterator[Hit]:
    """Options that the parser of the script refuses."""
    if guarded(rule, "not-strict") and not arguments.strict:
        return
    place = ((path, arguments.line, arguments.column, "the arguments are parsed here"),)
    for word in launch.arguments:
        if not word.known:
            return  # what follows may belong to it
        if re.match(r"--[A-Za-z][\w-]*(?:=|$)", word.text) and not takes(arguments, word.text):
            option = word.text.partition("=")[0]
            yield _hit(rule, word, f"{path} takes no argument {option}")._replace(related=place)
    given = rule.parameters.get("adds", {}).get(launch.launcher)
    library, version = rule.parameters.get("adds_since", {}).get(launch.launcher, ("", ""))
    window = windows.of(path, library) if library else None
    if library and (window is None or not window.reaches(parse_version(version))):
        return
    if given and launch.target is not None and not any(word in launch.steps[-1].options for word in given[1:]):
        if not takes(arguments, given[0]):
            yield _hit(rule, launch.target, f"{launch.launcher} gives {given[0]} to {path}, which takes no such argument")._replace(related=place)


def _configurations(rule: Rule, targets: Targets, recipe: Recipe, launch: Launch) -> Iterator[Hit]:
    wanted = rule.parameters.get("configurations", ())
    for name in wanted:
        option = launch.steps[-1].options.get(name)
        if option is not None and option.known and _FILE.fullmatch(option.value):
            if targets.file(recipe, launch, option.value) is None and _is_nowhere(rule, targets, recipe, launch, option.value):
                yield Hit(rule.id, option.line, option.column, option.line, option.end_column, slots={"what": f"there is no {option.value} in this repository"})
    words = launch.arguments
    for index, word in enumerate(words):
        name, _, value = word.text.partition("=")
        if name.lstrip("-").replace("_", "-") not in wanted or not name.startswith("--"):
            continue
        at = word if value else words[index + 1] if index + 1 < len(words) else None
        text = value or (at.text if at is not None else "")
        if at is not None and at.known and _FILE.fullmatch(text):
            if targets.file(recipe, launch, text) is None and _is_nowhere(rule, targets, recipe, launch, text):
                yield _hit(rule, at, f"there is no {text} in this repository")


def _hit(rule: Rule, word: Word, what: str) -> Hit:
    return Hit(rule.id, word.line, word.column, word.end_line, word.end_column, slots={"what": what})
