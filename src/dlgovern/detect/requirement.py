"""See declared and locked distributions that the standard does not approve."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dlgovern.detect import Parameter, listing
from dlgovern.detect.listing import Entry, Listing, judged, listing_of
from dlgovern.evidence.installs import manifest_of
from dlgovern.evidence.recipe import Recipe
from dlgovern.evidence.values import Locked, Manifest, Requirement
from dlgovern.finding import Hit
from dlgovern.policy import Rule
from dlgovern.repository.supply import STATEMENTS
from dlgovern.repository.window import Windows

PARAMETERS = {
    **listing.PARAMETERS,
    "discontinued": Parameter("boolean", "true: only what its makers ended; false: only what the standard decided"),
    "locked": Parameter("boolean", "judge the entries of lock files too, as a warning at most", default=False),
}
KINDS = STATEMENTS
"""Kinds of evidence that are read."""

GUARDS = ("part", "from-elsewhere")
"""What the detector is silent under; examples of its rules must show each."""


def judge(rules: list[Rule], document: Manifest | Recipe, tables: dict[str, Any], _windows: Windows) -> Iterator[Hit]:
    """The hits of these rules on one manifest or lock file."""
    manifest = manifest_of(document)
    table = listing_of(tables)
    for rule in rules:
        yield from _declared(rule, manifest, table)
        if rule.parameters.get("locked"):
            yield from _locked(rule, manifest, table)


def _declared(rule: Rule, manifest: Manifest, table: Listing) -> Iterator[Hit]:
    for requirement in manifest.requirements:
        entry = _entry(rule, table, requirement.name)
        if not requirement.name or not _concerns(rule, entry, requirement):
            continue
        verdict = judged(rule.parameters, (requirement.name,), entry, requirement.path)
        if verdict:
            slots = {"distribution": requirement.name, "verdict": verdict.words, "instead": verdict.instead}
            slots["renamed"] = _renamed(requirement, entry) if manifest.kind != "install" else ""
            if verdict.sunset:
                slots["sunset"] = verdict.sunset
            place = (requirement.line, requirement.column, requirement.line, requirement.end_column)
            yield Hit(rule.id, *place, slots=slots, level=verdict.level)


def _locked(rule: Rule, manifest: Manifest, table: Listing) -> Iterator[Hit]:
    for locked in manifest.locked:
        entry = _entry(rule, table, locked.name)
        verdict = judged(rule.parameters, (locked.name,), entry, locked.path) if _concerns(rule, entry, locked) else None
        if verdict:
            slots = {"distribution": locked.name, "verdict": verdict.words, "instead": verdict.instead, "renamed": ""}
            level = verdict.level if verdict.level == "info" else "warning"
            yield Hit(rule.id, locked.line, 1, locked.line, 2, slots=slots, level=level)


def _entry(rule: Rule, table: Listing, name: str) -> Entry | None:
    """What the table says about the whole distribution; an entry about some of its modules is for imports."""
    part = table.part_of(name) if "part" in rule.parameters.get("without_guards", ()) else None
    return part or table.of_distribution(name)


def _concerns(rule: Rule, entry: Entry | None, found: Requirement | Locked) -> bool:
    """A discontinued library is the matter of one rule, a decision of the standard that of another."""
    wanted = rule.parameters.get("discontinued")
    if wanted is None or entry is None or entry.ring != "hold":
        return not wanted
    guarded = "from-elsewhere" not in rule.parameters.get("without_guards", ())
    from_elsewhere = guarded and isinstance(found, Requirement) and bool(found.url)
    return entry.discontinued is wanted and not (entry.rename and from_elsewhere)


def _renamed(requirement: Requirement, entry: Entry | None) -> str:
    """The requirement under its new name, where that is the same code: the old versions do not exist there."""
    if entry is None or not entry.rename or requirement.url:
        return ""
    extras = f"[{','.join(requirement.extras)}]" if requirement.extras else ""
    marker = f" ; {requirement.marker}" if requirement.marker else ""
    return f"{entry.replaced_by}{extras}{marker}"
