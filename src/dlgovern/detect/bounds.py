"""See declared and locked versions that leave the window of the standard, or that nothing bounds from above."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.evidence.installs import manifest_of
from dlgovern.evidence.manifests import kind
from dlgovern.evidence.recipe import Recipe
from dlgovern.evidence.values import Manifest, Requirement, normal
from dlgovern.evidence.versions import Range, is_aside, versions_of
from dlgovern.finding import Hit
from dlgovern.policy import Rule
from dlgovern.repository.supply import STATEMENTS
from dlgovern.repository.window import Window, Windows, parse_version

PARAMETERS = {
    "outside": Parameter("boolean", "report versions outside the windows of the standard", default=False),
    "open": Parameter("names", "distributions that need an upper bound or a lock file", default=[]),
}
KINDS = STATEMENTS
"""Kinds of evidence that are read."""

GUARDS = ("published", "constraints", "compiled", "address", "aside", "upper-bound", "lock-file")
"""What the detector is silent under; examples of its rules must show each."""

_BINDING = ("lock", "constraints")


def judge(rules: list[Rule], document: Manifest | Recipe, _tables: dict[str, Any], windows: Windows) -> Iterator[Hit]:
    """The hits of these rules on one manifest or lock file."""
    manifest = manifest_of(document)
    for rule in rules:
        if rule.parameters.get("outside"):
            yield from _outside(rule, manifest, windows)
        if names := rule.parameters.get("open"):
            yield from _open(rule, manifest, windows, {normal(name) for name in names})


def _outside(rule: Rule, manifest: Manifest, windows: Windows) -> Iterator[Hit]:
    for requirement in manifest.requirements:
        supported = windows.standard.get(requirement.name)
        declared = versions_of(requirement.specifier)
        how = _how(declared, supported) if supported and declared != ((), ()) else ""
        if supported and how:
            level = "" if how == "outside" else "warning"
            slots = _slots(requirement.name, requirement.specifier, how, supported)
            yield Hit(rule.id, *_place(requirement), slots=slots, level=level)
    for locked in manifest.locked:
        supported = windows.standard.get(locked.name)
        version = parse_version(locked.version)
        if supported and version and _how(Range(version, (*version, 0, 0, 0, 1)), supported) == "outside":
            slots = _slots(locked.name, locked.version, "outside", supported)
            yield Hit(rule.id, locked.line, 1, locked.line, 2, slots=slots)


def _open(rule: Rule, manifest: Manifest, windows: Windows, names: set[str]) -> Iterator[Hit]:
    silent = {
        "published": manifest.published,
        "constraints": manifest.kind in _BINDING,
        "compiled": manifest.path.endswith(".in"),
    }
    off = rule.parameters.get("without_guards", ())
    if any(holds for guard, holds in silent.items() if guard not in off):
        return
    for requirement in manifest.requirements:
        if requirement.name in names and not _is_bound(requirement, manifest, windows, off):
            yield Hit(rule.id, *_place(requirement), slots={"library": requirement.name, "declared": requirement.raw})


def _is_bound(requirement: Requirement, manifest: Manifest, windows: Windows, off: Collection[str]) -> bool:
    """Whether something else than the specifier's lower end decides what is installed, or only developers install it."""
    return (
        ("address" not in off and bool(requirement.url))
        or ("aside" not in off and is_aside(requirement))
        or ("upper-bound" not in off and bool(versions_of(requirement.specifier).below))
        or ("lock-file" not in off and _is_locked(requirement.name, manifest, windows))
    )


def _is_locked(name: str, manifest: Manifest, windows: Windows) -> bool:
    """Whether a lock file or constraints decide the version."""
    window = windows.of(manifest.path, name)
    return window is not None and kind(window.source.rpartition(":")[0]) in _BINDING


def _how(declared: Range, supported: Window) -> str:
    """"outside", "partly outside" or ""; an end that is left open is no word against the standard."""
    standard = Range(supported.floor, supported.below)
    if _ends_before(declared.below, standard.floor) or _ends_before(standard.below, declared.floor):
        return "outside"
    older = bool(declared.floor and standard.floor) and Window(declared.floor, (), "").starts_below(standard.floor)
    newer = bool(declared.below and standard.below) and Window(standard.below, (), "").starts_below(declared.below)
    return "partly outside" if older or newer else ""


def _ends_before(below: tuple[int, ...], floor: tuple[int, ...]) -> bool:
    return bool(below and floor) and not Window((), below, "").reaches(floor)


def _slots(library: str, declared: str, how: str, supported: Window) -> dict[str, str]:
    return {"library": library, "declared": declared, "how": how, "supported": _words(supported)}


def _words(window: Window) -> str:
    floor, below = (".".join(map(str, version)) for version in (window.floor, window.below))
    return ",".join(part for part in (f">={floor}" if floor else "", f"<{below}" if below else "") if part)


def _place(requirement: Requirement) -> tuple[int, int, int, int]:
    return requirement.line, requirement.column, requirement.line, requirement.end_column
