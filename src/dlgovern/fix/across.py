"""Repair findings in another file than their own: the distribution that code needs goes into a manifest."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from dlgovern.edits import documents
from dlgovern.edits.sheet import Sheet
from dlgovern.engine.walk import Walk
from dlgovern.finding import Finding, Fix, Hit
from dlgovern.fix.alone import judge_around, repairs_elsewhere
from dlgovern.fix.merge import replace
from dlgovern.fix.prove import codec_for, fault
from dlgovern.fix.rounds import Repaired
from dlgovern.judge.evidence import judge_evidence
from dlgovern.judge.repository import judge_repository
from dlgovern.policy import Rule
from dlgovern.repository.documents import Documents
from dlgovern.source.discover import discover
from dlgovern.source.read import Unreadable, read
from dlgovern.store import Store

Key = tuple[str, str, int, int, int, int]
"""Path, rule and span of a finding."""


class _Need(NamedTuple):
    """One change of a file that some findings ask for, and all of them."""

    rule: Rule
    hit: Hit
    keys: frozenset[Key]


def attach_across(findings: Iterable[Finding], walk: Walk) -> tuple[Finding, ...]:
    """The findings, in their order, those with `Finding.fix` whose repair lies in another file."""
    found = list(findings)
    ids = {rule.id for rule in walk.policy.rules if repairs_elsewhere(rule)}
    if not any(one.rule in ids and one.state == "open" for one in found):
        return tuple(found)
    fixes = fixes_across(walk)
    return tuple(
        one._replace(fix=fixes[_key(one)][0]) if one.state == "open" and _key(one) in fixes else one for one in found
    )


def fixes_across(walk: Walk) -> dict[Key, tuple[Fix, Hit]]:
    """The repairs that lie in another file than their finding, each as if it were the only one, with the hit behind it."""
    rules = {rule.id: rule for rule in walk.policy.rules if repairs_elsewhere(rule)}
    policy = walk.policy._replace(rules=tuple(rules.values()))
    sheets: dict[str, Sheet | None] = {}
    made = {}
    for result in judge_repository(policy, walk.root, discover(walk.root, [walk.root]).files, walk.windows):
        for hit in result.hits:
            path = hit.slots.get("owner", "")
            if path and path not in sheets:
                data = _data(walk, path)
                sheets[path] = None if data is None else Sheet(path, data, walk.repository, walk.windows)
            sheet = sheets.get(path)
            fix = documents.repair(rules[hit.rule], hit, sheet) if sheet else None
            if fix is not None:
                made[_place(result.path, hit)] = (fix, hit)
    return made


def repair_across(walk: Walk, findings: Iterable[Finding], repaired: Sequence[Repaired], *, unsafe: bool) -> list[Repaired]:
    """``repaired`` with the files in which findings of others are repaired, after their own repairs.

    A change counts only where the file parses, what it was made for is gone, and no rule about the repository or this
    file has anything new to say. Findings in a file that is itself repaired wait: they were seen in its old text.
    """
    found = {one.path: one for one in repaired}
    touched = {one.path for one in repaired if one.after != one.before}
    rules = {rule.id: rule for rule in walk.policy.rules if repairs_elsewhere(rule)}
    candidates = [one for one in findings if one.rule in rules and one.state == "open"]
    fixes = fixes_across(walk) if candidates else {}
    ready: dict[str, dict[str, _Need]] = {}
    waiting: dict[str, list[tuple[str, str]]] = {}
    for one in candidates:
        fix, hit = fixes.get(_key(one), (None, None))
        if fix is None or hit is None or not (fix.safe or unsafe):
            continue
        path = hit.slots["owner"]
        if one.place.path in touched:
            waiting.setdefault(path, []).append((one.rule, f"{one.place.path} is repaired first; run again"))
            continue
        needs = ready.setdefault(path, {})
        known = needs.get(hit.slots["missing"]) or _Need(rules[one.rule], hit, frozenset())
        needs[hit.slots["missing"]] = known._replace(keys=known.keys | {_key(one)})
    for path in sorted({*ready, *waiting}):
        data = _data(walk, path)
        start = found.get(path) or (None if data is None else Repaired(path, data, data, (), ()))
        if start is not None:
            sorted_needs = [need for _, need in sorted(ready.get(path, {}).items(), key=lambda pair: pair[0].lower())]
            found[path] = _Repair(walk, path).of(start, sorted_needs, waiting.get(path, []))
    return [found[path] for path in sorted(found)]


class _Said(NamedTuple):
    """What is found with some text of the file: in other files by place, in the file itself by rule."""

    elsewhere: frozenset[Key]
    here: Counter[str]


class _Repair:
    """The repair of one file, with what was read of its repository."""

    def __init__(self, walk: Walk, path: str) -> None:
        self._walk = walk
        self._path = path
        self._documents = Documents(walk.root, Store(""))

    def of(self, start: Repaired, needs: Sequence[_Need], left: Sequence[tuple[str, str]]) -> Repaired:
        """The file with all that can be proven, tried at once and then one by one."""
        data, done, refused = start.after, list(start.rules), [*start.left, *left]
        together = self._step(data, needs)
        for part in [needs] if together else [[need] for need in needs]:
            after = together or self._step(data, part)
            if after:
                data = after
                done += [key[1] for need in part for key in need.keys]
            else:
                refused += [(need.rule.id, "the repaired file does not stand its proof") for need in part]
        return start._replace(after=data, rules=tuple(sorted(done)), left=tuple(refused))

    def _step(self, data: bytes, needs: Sequence[_Need]) -> bytes:
        """The bytes with the changes made, empty where they cannot be proven."""
        after = data
        for need in needs:
            fix = documents.repair(need.rule, need.hit, Sheet(self._path, after, self._walk.repository, self._walk.windows))
            try:
                changed = replace(after, fix.edits, codec_for(self._path, after)) if fix else after
            except (ValueError, LookupError):
                return b""
            if fix is None or fault(self._path, after, changed, fix.edits):
                return b""
            after = changed
        old, new = self._said(data), self._said(after)
        gone = frozenset().union(*(need.keys for need in needs))
        if old is None or new is None or not new.elsewhere <= old.elsewhere - gone or not new.here <= old.here:
            return b""
        return after

    def _said(self, data: bytes) -> _Said | None:
        walk = self._walk
        about = walk.policy._replace(rules=tuple(rule for rule in walk.policy.rules if rule.shape == "repository"))
        results = judge_evidence(walk.policy, walk.root, [self._path], walk.windows, texts={self._path: data})
        results += judge_around(about, walk.root, self._path, walk.windows, data, self._documents)
        if any(result.failed or result.not_judged for result in results):
            return None
        placed = [(result.path, hit) for result in results for hit in result.hits]
        return _Said(
            frozenset(_place(path, hit) for path, hit in placed if path != self._path),
            Counter(hit.rule for path, hit in placed if path == self._path),
        )


def _data(walk: Walk, path: str) -> bytes | None:
    try:
        return read(os.path.join(walk.root, path))
    except Unreadable:
        return None


def _key(finding: Finding) -> Key:
    place = finding.place
    return place.path, finding.rule, place.line, place.column, place.end_line, place.end_column


def _place(path: str, hit: Hit) -> Key:
    return path, hit.rule, hit.line, hit.column, hit.end_line, hit.end_column
