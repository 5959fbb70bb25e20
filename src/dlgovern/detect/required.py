"""See files and pyproject keys that a repository must have and does not."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.evidence.nodes import UNKNOWN
from dlgovern.finding import Hit
from dlgovern.policy import Rule
from dlgovern.repository.view import View

PARAMETERS = {
    "files": Parameter("strings", "files that must be there; alternatives parted by |, * as in a shell", default=[]),
    "keys": Parameter("strings", "dotted keys that pyproject.toml must set", default=[]),
    "patterns": Parameter("any", "key or label -> regular expression that its whole value must match", default={}),
    "labels": Parameter("strings", "labels that manifests of these jobs must carry", default=[]),
    "jobs": Parameter("strings", "kinds of a cluster's manifests that must carry them", default=[]),
    "image_labels": Parameter("strings", "labels that the image of each Dockerfile must carry", default=[]),
    "refused": Parameter("string", "regular expression for a value that counts as not set", default=""),
}
GUARDS = ("any-case",)
"""What the detector is silent under; a rule's examples must show it."""


def triggers(_parameters: dict[str, Any], _tables: dict[str, Any]) -> list[dict[str, Any]]:
    """Never looks at a Python file."""
    return []


def judge_repository(rules: list[Rule], view: View) -> Iterator[tuple[str, Hit]]:
    """The hits on a repository, all at the first line of its pyproject.toml or what stands for it."""
    values: dict[str, Any] | None = None
    for rule in rules:
        exact = "any-case" in rule.parameters.get("without_guards", ())
        for wanted in rule.parameters.get("files", ()):
            if not any(_exists(view, choice.strip(), exact) for choice in wanted.split("|")):
                words = " or ".join(part.strip() for part in wanted.split("|"))
                yield "", Hit(rule.id, 1, 1, 1, 2, slots={"missing": words, "where": "the repository"})
        for key in rule.parameters.get("keys", ()):
            values = _pyproject(view) if values is None else values
            if not _is_good(rule, key, _value(values, key.split("."))):
                yield "", Hit(rule.id, 1, 1, 1, 2, slots={"missing": _words(rule, key), "where": "pyproject.toml"})
        yield from _unlabelled(rule, view)


def _unlabelled(rule: Rule, view: View) -> Iterator[tuple[str, Hit]]:
    """The hits on manifests of jobs, and on images, without a label or with a value that does not count."""
    labels, image_labels = rule.parameters.get("labels", ()), rule.parameters.get("image_labels", ())
    for document in view.of("yaml") if labels else ():
        for one in document.resources:
            for name in labels if one.kind in rule.parameters.get("jobs", ()) else ():
                if not _is_good(rule, name, dict(one.labels).get(name)):
                    slots = {"missing": _words(rule, name), "where": f"this {one.kind}"}
                    yield document.path, Hit(rule.id, one.line, one.column, one.line, one.end_column, slots=slots)
    for document in view.of("dockerfile") if image_labels else ():
        for name in image_labels if document.images else ():
            if not _is_good(rule, name, dict(document.labels).get(name)):
                at = max(document.images, key=lambda image: image.line)
                slots = {"missing": _words(rule, name), "where": "this image"}
                yield document.path, Hit(rule.id, at.line, at.column, at.line, at.end_column, slots=slots)


def _is_good(rule: Rule, name: str, value: Any) -> bool:
    """Whether a value is set, is no placeholder and has the form that is asked for; what a build fills in counts."""
    if value is None or _is_refused(value, rule.parameters.get("refused", "")):
        return False
    pattern = rule.parameters.get("patterns", {}).get(name)
    known = isinstance(value, str) and "$" not in value and UNKNOWN not in value
    return pattern is None or not known or re.fullmatch(pattern, value) is not None


def _words(rule: Rule, name: str) -> str:
    pattern = rule.parameters.get("patterns", {}).get(name)
    return f"{name} to something like {pattern}" if pattern else name


def _exists(view: View, pattern: str, exact: bool) -> bool:
    """Whether a file matches; case does not matter, since README.md and Readme.md say the same."""
    folder, _, name = pattern.rpartition("/")
    entries = view.names(folder)
    if exact:
        return any(fnmatch.fnmatchcase(entry, name) for entry in entries)
    return any(fnmatch.fnmatchcase(entry.lower(), name.lower()) for entry in entries)


def _pyproject(view: View) -> dict[str, Any]:
    import tomli  # cold: only where a rule asks for keys

    try:
        return tomli.loads(view.text("pyproject.toml") or "")
    except (ValueError, RecursionError):
        return {}  # that it cannot be read is a finding of its own


def _value(values: Any, parts: list[str]) -> Any:
    for part in parts:
        if not isinstance(values, dict) or part not in values:
            return None
        values = values[part]
    return values


def _is_refused(value: Any, pattern: str) -> bool:
    return bool(pattern) and isinstance(value, str) and re.search(pattern, value) is not None
