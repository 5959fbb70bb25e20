"""See released model files that no manifest or model card speaks of, and those that are not what the manifest says."""

from __future__ import annotations

import json
import os
import posixpath
from collections.abc import Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.evidence.artifacts.manifest import FILE, beside, digest
from dlgovern.finding import Hit
from dlgovern.policy import Rule
from dlgovern.repository.view import View
from dlgovern.source.globs import matcher
from dlgovern.source.read import Unreadable

PARAMETERS = {
    "released": Parameter("strings", "which model files are released, as in .gitignore: release/, *.safetensors", default=[]),
    "manifest": Parameter("boolean", f"each must stand in {FILE} with its SHA-256", default=False),
    "cards": Parameter("strings", "files of which one must name each: MODEL_CARD.md, README.md", default=[]),
}
GUARDS = ("named-in-part",)
"""What the detector is silent under; a rule's examples must show it."""


def triggers(_parameters: dict[str, Any], _tables: dict[str, Any]) -> list[dict[str, Any]]:
    """Never looks at a Python file."""
    return []


def judge_repository(rules: list[Rule], view: View) -> Iterator[tuple[str, Hit]]:
    """The hits at the first line of each file that is not covered."""
    for rule in rules:
        wanted = matcher(rule.parameters.get("released", ()))
        paths = [path for path in view.kinds.get("artifact", ()) if wanted is not None and wanted.match(path)]
        if rule.parameters.get("manifest"):
            yield from _manifest(rule, view, paths)
        if cards := rule.parameters.get("cards"):
            yield from _cards(rule, view, paths, cards)


def _manifest(rule: Rule, view: View, paths: list[str]) -> Iterator[tuple[str, Hit]]:
    try:
        said = json.loads(view.text(FILE) or "{}")
        entries = {one["path"]: one for one in said.get("artifacts", [])}
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError):
        yield FILE, _hit(rule, f"{FILE} is not what `dlgovern artifact manifest --write` writes")
        return
    for path in paths:
        entry = entries.get(path)
        if entry is None:
            yield path, _hit(rule, f"{FILE} does not name it", "warning")
        elif wrong := _differs(view, path, entry):
            yield path, _hit(rule, wrong)


def _differs(view: View, path: str, entry: dict[str, Any]) -> str:
    full = os.path.join(view.root, path)
    try:
        if os.lstat(full).st_size != entry.get("size") or digest(full) != entry.get("sha256"):
            return f"it is not the file whose SHA-256 stands in {FILE}"
    except (OSError, Unreadable):
        return "it cannot be read"
    external = entry.get("external", {})
    if not isinstance(external, dict):
        return f"{FILE} says external files in a way that cannot be read"
    for location in external:
        view.status(posixpath.join(posixpath.dirname(path), location))
    found = beside(full, external)
    other = next((location for location in external if not found[location] or found[location] != external[location]), "")
    return f"{other}, which holds its weights, is not the file whose SHA-256 stands in {FILE}" if other else ""


def _cards(rule: Rule, view: View, paths: list[str], cards: list[str]) -> Iterator[tuple[str, Hit]]:
    texts = [view.text(card) or "" for card in cards]
    whole = "named-in-part" not in rule.parameters.get("without_guards", ())
    for path in paths:
        name = path.rpartition("/")[2]
        if not any(name in text if whole else path in text for text in texts):
            yield path, _hit(rule, f"{cards[0]} does not name it" if len(cards) == 1 else f"none of {', '.join(cards)} names it")


def _hit(rule: Rule, what: str, level: str = "") -> Hit:
    return Hit(rule.id, 1, 1, 1, 1, slots={"what": what}, level=level)
