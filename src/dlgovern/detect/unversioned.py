"""See a repository that uses a library and says nowhere which versions of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.finding import Hit
from dlgovern.policy import Rule
from dlgovern.repository.facts import MANIFESTS
from dlgovern.repository.view import View
from dlgovern.repository.window import Window

PARAMETERS = {
    "libraries": Parameter("names", "the libraries, each called as it is imported", required=True),
}
GUARDS = ("said-somewhere", "imported", "no-project", "unreadable")
"""What the detector is silent under; a rule's examples must show each."""


def triggers(_parameters: dict[str, Any], _tables: dict[str, Any]) -> list[dict[str, Any]]:
    """Never looks at a Python file by itself."""
    return []


def judge_repository(rules: list[Rule], view: View) -> Iterator[tuple[str, Hit]]:
    """One hit a library at the file that describes the repository, with the first import beside it."""
    for rule in rules:
        off = rule.parameters.get("without_guards", ())
        if "no-project" not in off and MANIFESTS.isdisjoint(view.kinds) and "setup-py" not in view.kinds:
            continue  # a folder of scripts: there is no place where it could be said
        if "unreadable" not in off and any(manifest.problems for manifest in view.of(*sorted(MANIFESTS))):
            continue  # that a manifest cannot be read is a finding of its own, and nobody knows what it says
        for library in rule.parameters.get("libraries", ()):
            users = [found.path for found in view.of("python") if _imports(found.lines, library)]
            if not users and "imported" in off:
                users = [found.path for found in view.of("python")]
            standard = view.windows.standard.get(library)
            if not users or (any(_is_said(view.windows.of(path, library), standard) for path in users) and "said-somewhere" not in off):
                continue
            slots = {"library": library, "window": _words(standard)}
            yield "", Hit(rule.id, 1, 1, 1, 2, slots=slots, related=((users[0], 1, 1, f"{library} is imported in this file"),))


def _imports(lines: tuple[Any, ...], library: str) -> bool:
    return any(not line.level and line.module.partition(".")[0] == library for line in lines)


def _is_said(window: Window | None, standard: Window | None) -> bool:
    """Whether a lock, a constraint or a manifest gives a bound; a bare name leaves that of the standard."""
    if window is None or window == standard:
        return False
    return bool(window.floor) or window.below != (standard.below if standard else ())


def _words(standard: Window | None) -> str:
    if standard is None or not (standard.floor or standard.below):
        return "of any version"
    floor = ".".join(map(str, standard.floor))
    below = ".".join(map(str, standard.below))
    return " and ".join(text for text in (f"{floor} or later" if floor else "", f"before {below}" if below else "") if text)
