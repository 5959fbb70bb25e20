"""See a requirements file that includes a file which is not there, or itself."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator

from dlgovern.detect import Parameter
from dlgovern.evidence.recipe import SCRIPTS, Recipe
from dlgovern.evidence.requirements import read_requirements
from dlgovern.evidence.values import Include, Manifest
from dlgovern.finding import Hit
from dlgovern.policy import Rule
from dlgovern.repository.view import View

PARAMETERS: dict[str, Parameter] = {}
GUARDS = ("made-later", "other-repository", "placeholder")
"""What the detector is silent under; examples of its rules must show each."""

_OPTION = {"requirements": "-r", "constraints": "-c"}
_LETTERS = re.compile(r"[$<>{}%]")


def judge_repository(rules: list[Rule], view: View) -> Iterator[tuple[str, Hit]]:
    """One hit at each include that pip cannot follow, or that closes a circle."""
    manifests: list[Manifest] = [m for m in view.of("requirements", "environment") if m.includes]
    for rule in rules:
        off = rule.parameters.get("without_guards", ())
        for manifest in manifests:
            for include in manifest.includes:
                if "placeholder" not in off and _LETTERS.search(f"{manifest.path}{include.target}"):
                    continue
                if not _is_there(view, include.target):
                    yield from _missing(rule, view, manifest, include, off)
                elif (by := _way_back(view, manifest.path, include)) is not None:
                    way = f", by way of {' and '.join(by)}" if by else ""
                    yield manifest.path, _hit(rule, include, f"includes this file again{way}")


def _hit(rule: Rule, include: Include, why: str) -> Hit:
    slots = {"option": _OPTION[include.kind], "target": include.target, "why": why}
    return Hit(rule.id, include.line, include.column, include.line, include.end_column, slots=slots)


def _is_there(view: View, path: str) -> bool:
    folder, name = posixpath.split(path)
    return name in view.names(folder)


def _missing(
    rule: Rule, view: View, manifest: Manifest, include: Include, off: Collection[str]
) -> Iterator[tuple[str, Hit]]:
    name = posixpath.basename(include.target)
    if "made-later" not in off and _is_made(view, include.target, name):
        return
    if "other-repository" not in off and any(include.target.startswith(f"{path}/") for path in _submodules(view)):
        return
    hit = _hit(rule, include, "is not there")
    twins = [path for path in view.paths if posixpath.basename(path) == name]
    if twins:  # an image or a job may lay both files into one folder
        hit = hit._replace(confidence="medium", related=((twins[0], 1, 1, "a file of this name lies here"),))
    yield manifest.path, hit


def _is_made(view: View, target: str, name: str) -> bool:
    """Whether a tool makes it of the file beside it, a command writes a file of this name, or git is told to pass over it."""
    if _is_there(view, f"{target.removesuffix('.txt')}.in") or any(_writes(recipe, name) for recipe in view.of(*sorted(SCRIPTS))):
        return True
    return any(name in line for line in (view.text(".gitignore") or "").splitlines() if not line.startswith("#"))


def _writes(recipe: Recipe, name: str) -> bool:
    """Whether output goes there, or a command that does not install names it: cp, curl, uv export."""
    named = [word.text for command in recipe.commands for word in command.words if not any(w.text == "install" for w in command.words)]
    return any(posixpath.basename(path) == name for path in (*recipe.written, *named))


def _submodules(view: View) -> list[str]:
    return re.findall(r"^\s*path\s*=\s*(\S+)", view.text(".gitmodules") or "", re.MULTILINE)


def _way_back(view: View, start: str, first: Include) -> list[str] | None:
    """The files between an include and the file it stands in, which they lead back to; None where they do not."""
    ways: list[tuple[str, list[str]]] = [(first.target, [])]
    seen: set[str] = set()
    while ways:
        path, by = ways.pop()
        if path == start:
            return by[1:]
        if path not in seen:
            seen.add(path)
            ways += [(one.target, [*by, path]) for one in _includes(view, path)]
    return None


def _includes(view: View, path: str) -> tuple[Include, ...]:
    found = view.document(path)
    if isinstance(found, Manifest):
        return found.includes
    return read_requirements(view.text(path) or "", path).includes  # its name does not say what it is
