"""See model files by what loading them would run, and by what about them could not be decided."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.evidence.artifacts.advice import advice, is_known_danger
from dlgovern.evidence.artifacts.allowed import Allowed, newest
from dlgovern.evidence.artifacts.document import Here, facts
from dlgovern.evidence.artifacts.endings import ending
from dlgovern.evidence.artifacts.values import Artifact
from dlgovern.finding import Hit
from dlgovern.policy import Rule
from dlgovern.repository.window import Windows

PARAMETERS = {
    "table": Parameter("string", "the table of names that a pickle may use: torch version, name, kind", default=""),
    "allow": Parameter("strings", "further names that a pickle may use, written out: collections.deque", default=[]),
    "verdict": Parameter("string", "which files are reported: unsafe or undecided", default="unsafe"),
}
KINDS = frozenset(("artifact",))
"""Kinds of evidence that are read."""

GUARDS = ("weak-ending", "worse-elsewhere")
"""What the detector is silent under; examples of its rules must show each."""

_WEAK = frozenset((".bin", ".p", ".plan", ".engine", ".dill", ".h5", ".hdf5", ".mar", ".nemo"))
"""Endings that files of other kinds have too: bytes that nobody knows are no model there."""

_NAMED = frozenset(("hdf5", "executorch", "tflite", "tensorrt", "git-lfs pointer"))
"""Formats that are named and never decided: worth a line, not a warning."""

_LOADED_PLAINLY = frozenset(("pickle", "zip", "npy", "npz"))
"""Formats whose own loaders have no list: a name that is not on torch's may still be what was meant."""


def judge(rules: list[Rule], here: Here, tables: dict[str, Any], windows: Windows) -> Iterator[Hit]:
    """The hits of these rules on one file, all at its first line: a binary file has no other."""
    for rule in rules:
        found = facts(here, allow_list(rule, tables, windows, here.path))
        without = rule.parameters.get("without_guards", ())
        wanted = rule.parameters.get("verdict", "unsafe")
        if found.verdict != wanted and not ("worse-elsewhere" in without and found.verdict == "unsafe"):
            continue
        if found.format in ("unknown", "zip") and ending(here.path) in _WEAK and wanted != "unsafe" and "weak-ending" not in without:
            continue
        yield _hit(rule, found)


def allow_list(rule: Rule, tables: dict[str, Any], windows: Windows, path: str) -> Allowed:
    """The names that a pickle may use, as a rule and its standard say, for the newest torch that the folder of ``path`` may have."""
    window = windows.of(path, "torch")
    return newest(tables.get(rule.parameters.get("table", ""), []), rule.parameters.get("allow", ()), window.reaches if window else None)


def _hit(rule: Rule, found: Artifact) -> Hit:
    reasons = [reason for reason in found.reasons if reason.verdict == found.verdict]
    first = reasons[0]
    place = f" ({first.member}, byte {first.offset})" if first.member else f" (byte {first.offset})" if first.offset else ""
    more = f", and {len(reasons) - 1} more" if len(reasons) > 1 else ""
    slots = {"format": found.format, "what": f"{first.what}{place}{more}", "instead": advice(found)}
    plainly = found.format in _LOADED_PLAINLY or found.format.endswith(" pickle")
    sure = found.verdict != "unsafe" or not plainly or any(is_known_danger(one.name) for one in reasons)
    return Hit(
        rule.id, 1, 1, 1, 1, slots=slots, confidence="" if sure else "medium", level="info" if found.format in _NAMED and found.verdict != "unsafe" else ""
    )
