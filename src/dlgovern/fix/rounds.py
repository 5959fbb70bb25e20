"""Repair files in memory, round by round, and judge each result before it counts."""

from __future__ import annotations

import datetime
import difflib
import os
from collections import Counter
from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

from dlgovern.engine.walk import Walk
from dlgovern.finding import Edit, Finding
from dlgovern.fix.alone import judge_alone
from dlgovern.fix.apply import wanted
from dlgovern.fix.attach import attach
from dlgovern.fix.merge import merge, replace
from dlgovern.fix.prove import codec_for, fault
from dlgovern.judge.grade import grade
from dlgovern.judge.suppress import suppress
from dlgovern.source.classify import HEAD, classify
from dlgovern.source.read import Unreadable, read

ROUNDS = 10
"""A repair that overlaps another waits for the next round; more rounds than this would be a repair without end."""


class Repaired(NamedTuple):
    """One file after all rounds, in memory."""

    path: str
    before: bytes
    after: bytes
    rules: tuple[str, ...]  # one entry a finding that was repaired, sorted
    left: tuple[tuple[str, str], ...]  # (rule, why) of repairs that were tried and not made

    @property
    def digest(self) -> str:
        """SHA-256 of the file as it was."""
        return sha256(self.before).hexdigest()


def repair_file(walk: Walk, path: str, findings: Iterable[Finding], *, unsafe: bool) -> Repaired | None:
    """Repair one file until nothing can be repaired, at most `ROUNDS` times; None where it cannot be read.

    A round counts only where the result parses, changes nothing else, lacks what was repaired and has nothing new.
    """
    try:
        before = read(os.path.join(walk.root, path))
    except Unreadable:
        return None
    data = before
    current = attach((one for one in findings if one.place.path == path), walk, {path: data})
    done: list[str] = []
    left: list[tuple[str, str]] = []
    for _ in range(ROUNDS):
        candidates = list(merge(wanted(current, unsafe)).taken)
        step = _step(walk, path, data, current, candidates)
        if step is None and len(candidates) > 1:
            for one in candidates:
                step = _step(walk, path, data, current, [one])
                if step is not None:
                    candidates = [one]
                    break
        if step is None:
            left += [(one.rule, "the repaired file does not stand its proof") for one in candidates]
            break
        data, current = step
        done += [one.rule for one in candidates]
    return Repaired(path, before, data, tuple(sorted(done)), tuple(left))


def line_edits(repaired: Repaired) -> list[Edit]:
    """The whole change of a file as edits of lines, for a diff."""
    old, new = repaired.before.splitlines(keepends=True), repaired.after.splitlines(keepends=True)
    starts = [0]
    for line in old:
        starts.append(starts[-1] + len(line))
    codec = codec_for(repaired.path, repaired.before)
    return [
        Edit(repaired.path, repaired.digest, starts[a], starts[b], b"".join(new[c:d]).decode(codec))
        for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        if tag != "equal"
    ]


def _step(
    walk: Walk, path: str, data: bytes, current: tuple[Finding, ...], candidates: list[Finding]
) -> tuple[bytes, tuple[Finding, ...]] | None:
    edits = merge(candidates).edits.get(path, ())
    if not edits:
        return None
    try:
        after = replace(data, edits, codec_for(path, data))
    except (ValueError, LookupError):
        return None
    if fault(path, data, after, edits):
        return None
    judged = _judge(walk, path, after)
    if judged is None or not _is_better(current, judged, candidates):
        return None
    return after, attach(judged, walk, {path: after})


def _judge(walk: Walk, path: str, data: bytes) -> list[Finding] | None:
    if classify(path, data[:HEAD]) == "python":
        results = [walk.judge(path, data)]
    else:
        results = judge_alone(walk.policy, walk.root, path, walk.windows, data)
    if any(result.not_judged or result.failed for result in results):
        return None
    today = datetime.datetime.now(tz=datetime.UTC).date()
    settled = suppress(walk.policy, grade(walk.policy, results), results, whole=False, today=today)
    return list(settled.findings)


def _is_better(old: Iterable[Finding], new: Iterable[Finding], repaired: list[Finding]) -> bool:
    """Whether all that was repaired is gone and no rule has more to say than before."""
    before, after = (Counter(one.rule for one in found if one.state == "open") for found in (old, new))
    gone = Counter(one.rule for one in repaired)
    return all(after[rule] <= before[rule] - gone[rule] for rule in after | gone)
