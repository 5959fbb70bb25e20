"""The law about repairs (L8): one parses, removes its finding, adds none, is idempotent and touches only its span."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from dlgovern.edits import documents
from dlgovern.edits.sheet import Sheet
from dlgovern.engine.walk import Walk, see
from dlgovern.finding import Edit, Fix, Hit
from dlgovern.fix.across import fixes_across
from dlgovern.fix.alone import judge_alone, repairs_elsewhere
from dlgovern.flow.facts import Facts
from dlgovern.repository.exports import Repository
from dlgovern.source.parse import Unparsable, parse
from dlgovern.standard.laws.court import Case, Court, with_parameters
from dlgovern.standard.laws.values import Broken, Proof, Skipped, Trial

Compute = Callable[[Any, Hit, Facts], Iterable[Edit] | None]


def repairs(trial: Trial, court: Court) -> Iterator[Broken | Skipped]:
    """L8 for the examples of one file; a rule with a repair shows what comes out of it."""
    rule = trial.rule
    fixed = [proof for proof in trial.proofs if proof.example.fixed is not None]
    if not rule.fix:
        for proof in fixed:
            yield Broken(rule.id, "L8", proof.title, "shows a repaired text, and the rule has no [fix]")
        return
    if not fixed:
        yield Broken(rule.id, "L8", "", "has a [fix], and no bad example shows with `fixed` what comes out")
    compute = getattr(importlib.import_module("dlgovern.edits"), "compute", None)
    if compute is None:
        yield Skipped(rule.id, "L8", "", "nothing computes repairs yet")
        return
    for proof in trial.proofs:
        if proof.example.kind == "bad" and proof.case.only.endswith(".py") and rule.shape == "python":
            yield from _one(trial, court, proof, compute)
        elif proof.example.kind == "bad" and proof.case.only and not proof.case.only.endswith(".py"):
            yield from _document(trial, court, proof)
        elif proof.example.kind == "bad" and repairs_elsewhere(rule):
            yield from _across(trial, court, proof)
        elif proof.example.fixed is not None:
            yield Skipped(rule.id, "L8", proof.title, "only repairs of a single file are tried")


def _one(trial: Trial, court: Court, proof: Proof, compute: Compute) -> Iterator[Broken]:
    def say(what: str) -> Broken:
        return Broken(trial.rule.id, "L8", proof.title, what)

    path, before = proof.case.only, proof.case.files[proof.case.only]
    try:
        hits, edits = _edits(trial, court, proof.case, compute)
    except (Unparsable, LookupError, TypeError, ValueError) as error:
        yield say(f"the repair cannot be computed: {type(error).__name__}: {error}")
        return
    wanted = proof.example.fixed
    if not edits:
        if wanted is not None:
            yield say("no repair is offered where the example shows one")
        return
    if overlapping(edits):
        yield say("two edits of one repair overlap")
        return
    after = apply(before, edits)
    if wanted is not None and after.decode("utf-8", "replace") != wanted:
        yield say(f"the repaired text is not the one that `fixed` shows: {_first_difference(after, wanted.encode())}")
    try:
        ast.parse(after)
    except (SyntaxError, ValueError) as error:
        yield say(f"the repaired text does not parse: {error}")
        return
    repaired = proof.case._replace(files={path: after})
    left = court.judge(trial.rule, repaired).marks
    unrepaired = sum(1 for _, offered in hits if not offered)
    if len(left) > unrepaired:
        yield say(f"{len(left)} finding(s) are left or new after the repair of {len(hits) - unrepaired}")
    if _edits(trial, court, repaired, compute)[1]:
        yield say("the repaired text is repaired again")
    yield from map(say, _outside(before, hits))


def _document(trial: Trial, court: Court, proof: Proof) -> Iterator[Broken]:
    """The same for a script, an image, a workflow, a manifest: it reads as before but for what was repaired."""

    def say(what: str) -> Broken:
        return Broken(trial.rule.id, "L8", proof.title, what)

    path, before = proof.case.only, proof.case.files[proof.case.only]
    found = _offered(trial, court, proof.case)
    edits = sorted({edit for fix in found for edit in (fix.edits if fix else ())}, key=lambda edit: (edit.start, edit.end))
    wanted = proof.example.fixed
    if not edits:
        if wanted is not None:
            yield say("no repair is offered where the example shows one")
        return
    after = apply(before, edits)
    if overlapping(edits):
        yield say("two edits of one repair overlap")
    elif wrong := _wrong(path, before, after, edits, wanted):
        yield say(wrong)
    else:
        repaired = proof.case._replace(files={path: after})
        left, unrepaired = court.judge(trial.rule, repaired).marks, sum(fix is None for fix in found)
        if len(left) > unrepaired:
            yield say(f"{len(left)} finding(s) are left or new after the repair of {len(found) - unrepaired}")
        if any(_offered(trial, court, repaired)):
            yield say("the repaired text is repaired again")


def _wrong(path: str, before: bytes, after: bytes, edits: Sequence[Edit], wanted: str | None) -> str:
    """What is wrong with a repaired file, as one that an example shows and as one of its kind; "" where nothing is."""
    if wanted is not None and after.decode("utf-8", "replace") != wanted:
        return f"the repaired text is not the one that `fixed` shows: {_first_difference(after, wanted.encode())}"
    why = importlib.import_module("dlgovern.fix.prove").fault(path, before, after, edits)
    return f"the repaired file {why}" if why else ""


def _across(trial: Trial, court: Court, proof: Proof) -> Iterator[Broken]:
    """The same for repairs in another file than the finding: that file, one of the example, becomes what `fixed` shows."""

    def say(what: str) -> Broken:
        return Broken(trial.rule.id, "L8", proof.title, what)

    edits, found = _edits_across(trial, court, proof.case), court.judge(trial.rule, proof.case).marks
    wanted = proof.example.fixed
    if not edits:
        if wanted is not None:
            yield say("no repair is offered where the example shows one")
        return
    path = edits[0].path
    before = proof.case.files[path]
    after = apply(before, edits)
    if overlapping(edits) or any(edit.path != path for edit in edits):
        yield say("the repairs of one example overlap, or lie in two files")
    elif wrong := _wrong(path, before, after, edits, wanted):
        yield say(wrong)
    else:
        repaired = proof.case._replace(files={**proof.case.files, path: after})
        if len(left := court.judge(trial.rule, repaired).marks) >= len(found):
            yield say(f"{len(left)} finding(s) are left or new after the repair of {len(found)}")
        if _edits_across(trial, court, repaired):
            yield say("the repaired text is repaired again")


def _edits_across(trial: Trial, court: Court, case: Case) -> list[Edit]:
    """All edits of one example's findings, each once."""
    rule = with_parameters(trial.rule, {**trial.rule.parameters, **case.parameters}, court.policy.tables)
    walk = Walk(court.policy._replace(rules=(rule,)), court.lay(case.files), court.versions(case))
    return sorted({edit for fix, _ in fixes_across(walk).values() for edit in fix.edits})


def _offered(trial: Trial, court: Court, case: Case) -> list[Fix | None]:
    """The repair of each hit on the one file of an example."""
    path, data = case.only, case.files[case.only]
    rule = with_parameters(trial.rule, {**trial.rule.parameters, **case.parameters}, court.policy.tables)
    folder = court.lay(case.files)
    found = court.versions(case)
    policy = court.policy._replace(rules=(rule,))
    sheet = Sheet(path, data, Repository(folder), found)
    return [documents.repair(rule, hit, sheet) for one in judge_alone(policy, folder, path, found, data) for hit in one.hits]


def _edits(trial: Trial, court: Court, case: Case, compute: Compute) -> tuple[list[tuple[Hit, tuple[Edit, ...]]], list[Edit]]:
    """Each hit with its edits, and all edits, each once."""
    path, data = case.only, case.files[case.only]
    facts = Facts(path, data, parse(data), Repository(court.empty), court.windows(case))
    rule = with_parameters(trial.rule, {**trial.rule.parameters, **case.parameters}, court.policy.tables)
    found, _ = see([rule], facts, court.policy.tables)
    hits = [(hit, tuple(compute(rule, hit, facts) or ())) for hit in found]
    return hits, sorted({edit for _, edits in hits for edit in edits}, key=lambda edit: (edit.start, edit.end))


def overlapping(edits: list[Edit]) -> bool:
    """Whether two edits, in order, change the same bytes."""
    return any(one.end > other.start for one, other in zip(edits, edits[1:], strict=False))


def apply(data: bytes, edits: Iterable[Edit]) -> bytes:
    """The bytes with the edits made."""
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end), reverse=True):
        data = data[: edit.start] + edit.text.encode() + data[edit.end :]
    return data


def _outside(before: bytes, hits: list[tuple[Hit, tuple[Edit, ...]]]) -> Iterator[str]:
    """What an edit changes besides the statements of its finding and the imports of the file."""
    module = ast.parse(before)
    free: set[int] = {1}
    for hit, _ in hits:  # what one import brings is repaired at all its uses, by one repair that their findings share
        free |= set(range(hit.line, hit.end_line + 1))
    bound = {
        target.id: node
        for node in ast.walk(module)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(module):
        if isinstance(node, ast.Import | ast.ImportFrom):
            free |= set(range(node.lineno, (node.end_lineno or node.lineno) + 2))
    for hit, edits in hits:
        allowed = free | set(range(hit.line, hit.end_line + 1))
        for node in ast.walk(module):
            if isinstance(node, ast.stmt) and node.lineno <= hit.line <= (node.end_lineno or 0) and not hasattr(node, "body"):
                allowed |= set(range(node.lineno, (node.end_lineno or node.lineno) + 2))
                for name in ast.walk(node):  # a value is repaired where it is made
                    if isinstance(name, ast.Name) and name.id in bound:
                        made = bound[name.id]
                        allowed |= set(range(made.lineno, (made.end_lineno or made.lineno) + 1))
        for edit in edits:
            line = before[: edit.start].count(b"\n") + 1
            if line not in allowed:
                yield f"the repair of line {hit.line} changes line {line}"


def _first_difference(found: bytes, wanted: bytes) -> str:
    pairs = zip(found.split(b"\n"), wanted.split(b"\n"), strict=False)
    for number, (one, other) in enumerate(pairs, 1):
        if one != other:
            return f"line {number} is {one.decode('utf-8', 'replace')!r}, shown is {other.decode('utf-8', 'replace')!r}"
    return "one is longer than the other"
