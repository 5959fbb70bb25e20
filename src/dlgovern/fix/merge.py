"""Choose from many repairs those that can be made at once."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from dlgovern.finding import Edit, Finding


class Left(NamedTuple):
    """A finding whose repair is not made in this round, and why."""

    finding: Finding
    why: str


class Merged(NamedTuple):
    """Findings whose repairs do not touch each other, and the rest. ``edits`` has those of each file, sorted."""

    taken: tuple[Finding, ...]
    edits: dict[str, tuple[Edit, ...]]
    left: tuple[Left, ...]


def merge(findings: Iterable[Finding]) -> Merged:
    """Take the repairs in the order of their first edit, each as a whole or not at all.

    A repair is left where one of its edits overlaps one that is taken, or was made for other bytes of the same
    file. An edit that two repairs share is made once, if making it once is what both ask for: see `_shareable`.
    """
    spans: dict[str, list[Edit]] = {}
    taken: list[Finding] = []
    left: list[Left] = []
    for finding in sorted(findings, key=_position):
        edits = _edits(finding)
        why = "" if edits else "has nothing to change"
        for edit in edits:
            why = why or _conflict(spans.get(edit.path, []), edit)
        why = why or _conflict_within(edits)
        if why:
            left.append(Left(finding, why))
            continue
        taken.append(finding)
        for edit in edits:
            there = spans.setdefault(edit.path, [])
            if edit not in there[_from(there, edit) : _from(there, edit) + 1]:
                insort(there, edit, key=_span)
    return Merged(tuple(taken), {path: tuple(edits) for path, edits in sorted(spans.items())}, tuple(left))


def replace(data: bytes, edits: Iterable[Edit], codec: str) -> bytes:
    """``data`` with the spans of sorted, separate edits replaced. Raises ValueError where a span or text cannot be."""
    parts = []
    at = 0
    for edit in edits:
        if not at <= edit.start <= edit.end <= len(data):
            raise ValueError(f"the span {edit.start}:{edit.end} does not fit")
        parts += [data[at : edit.start], edit.text.encode(codec)]
        at = edit.end
    return b"".join([*parts, data[at:]])


def _edits(finding: Finding) -> list[Edit]:
    return sorted(set(finding.fix.edits), key=_order) if finding.fix else []


def _position(finding: Finding) -> tuple[object, ...]:
    edits = _edits(finding)
    return (_order(edits[0]) if edits else ("", 0, 0, "", ""), finding.rule, finding.place)


def _order(edit: Edit) -> tuple[str, int, int, str, str]:
    return edit.path, edit.start, edit.end, edit.digest, edit.text


def _span(edit: Edit) -> tuple[int, int]:
    return edit.start, edit.end


def _from(there: list[Edit], edit: Edit) -> int:
    return bisect_left(there, _span(edit), key=_span)


def _conflict(there: list[Edit], edit: Edit) -> str:
    """Why an edit cannot join those that are taken of its file, which are sorted and separate."""
    if not there:
        return ""
    if there[0].digest != edit.digest:
        return "was made for other bytes of the same file"
    at = _from(there, edit)
    for other in there[max(at - 1, 0) : at + 2]:
        if other == edit and _shareable(edit):
            return ""
        if _overlap(other, edit):
            return "overlaps another repair"
    return ""


def _conflict_within(edits: list[Edit]) -> str:
    for one, other in pairwise(edits):
        if one.path == other.path and (one.digest != other.digest or _overlap(one, other)):
            return "has edits that overlap each other"
    return ""


def _overlap(one: Edit, other: Edit) -> bool:
    """Whether two edits share a byte, one inserts inside the other, or both insert at one place: in which order?"""
    if one.start == one.end == other.start == other.end:
        return True
    return one.start < other.end and other.start < one.end


def _shareable(edit: Edit) -> bool:
    """Whether the same edit of two repairs means one change: not so for a bracket that each of two would insert."""
    return edit.start < edit.end or edit.text.endswith("\n") or not edit.digest
