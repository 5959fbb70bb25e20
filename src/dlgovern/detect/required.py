"""See files and pyproject keys that a repository must have and does not."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.finding import Hit
from dlgovern.policy import Rule
from dlgovern.repository.view import View

PARAMETERS = {
    "files": Parameter("strings", "files that must be there; alternatives parted by |, * as in a shell", default=[]),
    "keys": Parameter("strings", "dotted keys that pyproject.toml must set", default=[]),
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
                yield "", Hit(rule.id, 1, 1, 1, 2, slots={"missing": words})
        for key in rule.parameters.get("keys", ()):
            values = _pyproject(view) if values is None else values
            found = _value(values, key.split("."))
            if found is None or _is_refused(found, rule.parameters.get("refused", "")):
                yield "", Hit(rule.id, 1, 1, 1, 2, slots={"missing": key})


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
