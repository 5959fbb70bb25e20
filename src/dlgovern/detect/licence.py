"""See declared and locked distributions whose licence the standard does not allow."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.detect.listing import listing_of
from dlgovern.evidence import spdx
from dlgovern.evidence.installs import manifest_of
from dlgovern.evidence.values import Manifest, normal
from dlgovern.finding import Hit
from dlgovern.policy import Rule
from dlgovern.repository.supply import STATEMENTS
from dlgovern.repository.window import Windows

PARAMETERS = {
    "licences": Parameter("strings", "SPDX names of the licences that are allowed", default=[]),
    "allow": Parameter("names", "distributions that are allowed under any licence", default=[]),
    "unknown": Parameter("boolean", "report, as information, distributions whose licence no table has", default=False),
}
GUARDS = ("not-known", "from-elsewhere")
"""What the detector is silent under; examples of its rules must show each."""

KINDS = STATEMENTS
"""Kinds of evidence that are read."""


def judge(rules: list[Rule], document: Any, tables: dict[str, Any], _windows: Windows) -> Iterator[Hit]:
    """The hits of these rules on one manifest, lock file or script."""
    manifest: Manifest = manifest_of(document)
    known = listing_of(tables).licences
    for rule in rules:
        off = rule.parameters.get("without_guards", ())
        allowed = set(map(normal, rule.parameters.get("allow", ())))
        for one in manifest.requirements:
            if not one.name or one.name in allowed or (one.url and "from-elsewhere" not in off):
                continue
            if found := _verdict(rule, known.get(one.name, ""), off):
                level = "" if one.name in known else "info"
                slots = {"distribution": one.name, "licence": found}
                yield Hit(rule.id, one.line, one.column, one.line, one.end_column, slots=slots, level=level)
        for locked in manifest.locked:
            if locked.name in known and locked.name not in allowed and (found := _verdict(rule, known[locked.name], off)):
                slots = {"distribution": locked.name, "licence": found}
                yield Hit(rule.id, locked.line, 1, locked.line, 2, slots=slots, level="warning")


def _verdict(rule: Rule, licence: str, off: Collection[str]) -> str:
    """What is wrong with a licence, "" where nothing is."""
    if not licence:
        return "a licence that no table of the standard has" if rule.parameters.get("unknown") or "not-known" in off else ""
    try:
        return "" if spdx.satisfied(licence, rule.parameters.get("licences", ())) else licence
    except spdx.Unparsable:
        return licence
