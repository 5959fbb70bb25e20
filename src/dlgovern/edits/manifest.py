"""Repairs of one requirement in a manifest: the same library under its new name, or inside of supported versions."""

from __future__ import annotations

import re

from dlgovern.edits.sheet import Cut, Repair, Sheet
from dlgovern.evidence.values import normal
from dlgovern.finding import Hit
from dlgovern.repository.window import STANDARD, Window

_REQUIREMENT = re.compile(r"([A-Za-z0-9][\w.-]*\s*(?:\[[\w\s,.-]*\])?)(\s*(?:[<>=!~][^;#\\'\"]*)?)((?:;[^#\\]*)?)")
_CLAUSE = re.compile(r"\s*(<=|>=|==|!=|~=|<|>)\s*([0-9][0-9.]*)\s*")


def rename_requirement(sheet: Sheet, hit: Hit, parameters: dict[str, object]) -> Repair | None:
    """The requirement as the slot that the rule names has it."""
    new = hit.slots.get(str(parameters.get("slot", "")), "")
    place = _written(sheet, hit, "environment")
    if not new or place is None or set(new) & set("\"'\\\n\r"):
        return None
    return Repair((Cut(*place, new),))


def tighten(sheet: Sheet, hit: Hit, _parameters: dict[str, object]) -> Repair | None:
    """The versions of the requirement that the standard supports; what it excludes stays excluded."""
    window = sheet.windows.standard.get(hit.slots.get("library", ""))
    place = _written(sheet, hit)
    if window is None or place is None:
        return None
    match = _REQUIREMENT.fullmatch(sheet.text[slice(*place)])
    clauses = _clauses(match[2]) if match else None
    if match is None or clauses is None:
        return None
    narrowed = _narrowed(clauses, window)
    return _with_versions(place[0], match, narrowed) if narrowed else None


def supported(sheet: Sheet, name: str) -> str:
    """The versions of a distribution that the standard supports, as a specifier; "" where it says nothing."""
    window = sheet.windows.standard.get(normal(name))
    return _narrowed([], window) if window and window.source == STANDARD else ""  # not what ``--assume`` says


def set_versions(sheet: Sheet, hit: Hit, parameters: dict[str, object]) -> Repair | None:
    """The requirement with the versions that the slot has which the rule names; extras and condition stay."""
    versions = hit.slots.get(str(parameters.get("slot", "")), "")
    place = _written(sheet, hit)
    match = _REQUIREMENT.fullmatch(sheet.text[slice(*place)]) if place else None
    if place is None or match is None or not versions:
        return None
    return _with_versions(place[0], match, versions)


def _with_versions(start: int, match: re.Match[str], versions: str) -> Repair:
    head = match[1].rstrip()
    return Repair((Cut(start, start + match.end(2), head + versions + (" " if match[3] else "")),))


def _written(sheet: Sheet, hit: Hit, *kinds: str) -> tuple[int, int] | None:
    """Where one plain requirement stands on one line without hashes; quotes around it stay."""
    if hit.line != hit.end_line or sheet.kind not in ("requirements", "pyproject", "setup-cfg", *kinds):
        return None
    start, end = sheet.span(hit)
    end -= len(sheet.text[start:end]) - len(sheet.text[start:end].rstrip())
    if sheet.text[start : start + 1] in ("'", '"') and sheet.text[end - 1 : end] == sheet.text[start : start + 1]:
        start, end = start + 1, end - 1
    plain = _REQUIREMENT.fullmatch(sheet.text[start:end]) and "--hash" not in sheet.line(hit.line)
    return (start, end) if plain else None


def _clauses(specifier: str) -> list[tuple[str, str]] | None:
    """The clauses of a specifier, None where one is not a plain comparison."""
    found = []
    for part in specifier.split(",") if specifier.strip() else ():
        match = _CLAUSE.fullmatch(part)
        if match is None:
            return None
        found.append((match[1], match[2]))
    return found


def _narrowed(clauses: list[tuple[str, str]], supported: Window) -> str:
    """The specifier inside the window: its own ends where they lie inside, those of the window elsewhere."""
    own = dict(clauses)
    if any(sign in own for sign in ("==", "~=", "<=", ">")):
        own = {}
    floor, below = _numbers(own.get(">=", "")), _numbers(own.get("<", ""))
    too_old = below and supported.floor and below <= supported.floor
    too_new = floor and supported.below and floor >= supported.below
    if too_old or too_new:
        floor, below = (), ()  # nothing of it is supported
    low = max(floor, supported.floor) if floor and supported.floor else floor or supported.floor
    high = min(below, supported.below) if below and supported.below else below or supported.below
    ends = [f"{sign}{_dotted(version)}" for sign, version in ((">=", low), ("<", high)) if version]
    return ",".join([*ends, *(f"{sign}{version}" for sign, version in clauses if sign == "!=")])


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part) if version else ()


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
