"""Laws about verdicts: the examples say what the rule does (L1, L4), and nothing in the rule is idle (L2, L3, L9)."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from dlgovern.policy import Rule
from dlgovern.standard.laws.clauses import Clause, guards, near, stated, widened
from dlgovern.standard.laws.court import PATH, Case, Court, Verdict
from dlgovern.standard.laws.values import Broken, Proof, Trial

_ALIKE = 0.5  # of two lines that count as one line changed


def places(trial: Trial, court: Court) -> Iterator[Broken]:
    """L1 and L4: exactly the stated places, and silence where silence is promised."""
    for example, case, title in trial.proofs:
        law = "L4" if example.kind == "missed" else "L1"
        verdict = court.judge(trial.rule, case)
        if verdict.trouble:
            yield Broken(trial.rule.id, law, title, f"was not judged: {verdict.trouble}")
            continue
        wanted = sorted(example.at, key=str) if example.kind == "bad" else []
        found = verdict.lines(case.only)
        if case.only and all(isinstance(place, str) for place in wanted):
            found = sorted(f"{case.only}:{line}" for line in found) if wanted else found
        if found != wanted:
            text = f"findings at {_listed(found)}, stated are {_listed(wanted)}"
            if law == "L4" and found:
                text = f"is found now, at {_listed(found)}: make it a bad example"
            yield Broken(trial.rule.id, law, title, text)


def clauses(trial: Trial, court: Court, kin: Callable[[], Iterable[Trial]]) -> Iterator[Broken]:
    """L2: dropping any clause changes the verdict on some example.

    A guard belongs to the detector: an example of any rule that uses it, one of its ``kin``, may show it.
    """
    found = stated(trial.rule, court.policy.tables)
    if not found and not guards(trial.rule) and not trial.rule.needs:
        yield Broken(trial.rule.id, "L2", "", f"has no clause: the detector {trial.rule.detector} names no guard")
    for clause in found:
        if not _matters(clause, trial, court):
            yield Broken(trial.rule.id, "L2", "", f"no example changes without {clause.name}")
    for clause in guards(trial.rule):
        if not _matters(clause, trial, court) and not any(_matters(clause, other, court) for other in kin()):
            yield Broken(trial.rule.id, "L2", "", f"no example, of this rule or its kin, changes without the {clause.name}")
    for name in trial.rule.needs:
        if not any(name in proof.case.parameters for proof in trial.proofs):
            yield Broken(trial.rule.id, "L2", "", f"needs the parameter {name!r}, and no example sets it")


def _matters(clause: Clause, trial: Trial, court: Court) -> bool:
    return any(
        not _same(court.judge(trial.rule, proof.case), _without(clause, trial.rule, proof.case, court))
        for proof in trial.proofs
    )


def near_misses(trial: Trial, court: Court) -> Iterator[Broken]:
    """L3: every ok example would be a finding if one clause, or one of its named lines, were not there."""
    for proof in trial.proofs:
        if proof.example.kind == "ok" and not (like_a_bad_one(trial, proof) or wakes(trial.rule, proof, court)):
            hint = "its lines named in `asleep` do not wake it" if proof.example.asleep else "it names no line in `asleep`"
            what = f"is no near miss: no dropped clause wakes it, no bad example is one line away, and {hint}"
            yield Broken(trial.rule.id, "L3", proof.title, what)


def wakes(rule: Rule, proof: Proof, court: Court) -> str:
    """What has to be dropped for an ok example to become a finding; "" when nothing does."""
    case = proof.case
    for what, thinner in _thinner(proof, court):
        if _fires(court.judge(rule, thinner)):
            return what
    for clause in near(rule, case, court.policy.tables):
        if _fires(_without(clause, rule, case, court)):
            return clause.name
    for clause in widened(rule, case, court.empty, court.windows(case), court.policy.tables):
        if _fires(_without(clause, rule, case, court)):
            return clause.name
    return ""


def prefilter(trial: Trial, court: Court, variants: list[tuple[str, Case]]) -> Iterator[Broken]:
    """L9: the examples and their retellings have the same findings with and without the prefilter."""
    if trial.rule.shape != "python":
        return
    for title, case in [*((proof.title, proof.case) for proof in trial.proofs), *variants]:
        on, off = court.judge(trial.rule, case), court.judge(trial.rule, case, prefilter=False)
        if on.marks != off.marks:
            lines = f"{_listed(on.lines(case.only))} with the prefilter, {_listed(off.lines(case.only))} without"
            yield Broken(trial.rule.id, "L9", title, f"findings at {lines}: the triggers are not sound")


def like_a_bad_one(trial: Trial, proof: Proof) -> str:
    """The bad example that an ok differs from in one line: what keeps it silent stands in that line."""
    for other in trial.proofs:
        if other.example.kind == "bad" and _one_line_apart(proof.case, other.case):
            return other.title
    return ""


def _one_line_apart(one: Case, other: Case) -> bool:
    changed = 0
    if one.only and other.only:  # how the file is called is not what keeps it silent
        one = one._replace(files={other.only: one.files[one.only]})
    for path in {*one.files, *other.files}:
        if path not in one.files or path not in other.files:
            changed += 1  # a file more or less
            continue
        here, there = (case.files[path].decode("utf-8", "replace").split("\n") for case in (one, other))
        if max((Counter(here) - Counter(there)).total(), (Counter(there) - Counter(here)).total()) > 1:
            return False  # whatever lines are put beside each other
        blocks = [b for b in difflib.SequenceMatcher(None, here, there, autojunk=False).get_opcodes() if b[0] != "equal"]
        for _, a, b, c, d in blocks:
            alike = difflib.SequenceMatcher(None, "\n".join(here[a:b]), "\n".join(there[c:d])).ratio() >= _ALIKE
            changed += max(b - a, d - c) if alike or a == b or c == d else 2
    settings = (one.parameters != other.parameters) + (one.window != other.window)
    return changed + settings == 1


def _thinner(proof: Proof, court: Court) -> Iterator[tuple[str, Case]]:
    """The example without one of its named lines, one of its files, its version window, its place."""
    case = proof.case
    for line in proof.example.asleep:
        for path, data in case.files.items():
            if (less := _delete(data, line)) is not None:
                yield f"the line {line.strip()!r}", case._replace(files={**case.files, path: less})
    if len(case.files) > 1:
        for path in case.files:
            yield f"the file {path}", case._replace(files={p: d for p, d in case.files.items() if p != path})
    libraries = sorted({*case.window, *court.policy.window})
    yield "its version window", case._replace(window=dict.fromkeys(libraries, ">=0.1"))
    for library in case.window:
        yield f"window.{library}", case._replace(window={k: v for k, v in case.window.items() if k != library})
    if case.only.endswith(".py") and case.only != PATH:
        yield "its path", case._replace(files={PATH: case.files[case.only]})


def _delete(data: bytes, line: str) -> bytes | None:
    lines = data.split(b"\n")
    wanted = line.strip().encode()
    at = next((index for index, text in enumerate(lines) if text.strip() == wanted), None)
    return None if at is None else b"\n".join([*lines[:at], *lines[at + 1 :]])


def _without(clause: Clause, rule: Rule, case: Case, court: Court) -> Verdict:
    settled = rule._replace(parameters=clause.drop({**rule.parameters, **case.parameters}))
    return court.judge(settled, case._replace(parameters={}), tables=clause.tables(court.policy.tables))


def _same(one: Verdict, other: Verdict) -> bool:
    return one.marks == other.marks and bool(one.trouble) == bool(other.trouble)


def _fires(verdict: Verdict) -> bool:
    return bool(verdict.marks) and not verdict.trouble


def _listed(places: Any) -> str:
    return ", ".join(map(str, places)) or "none"
