"""Laws about meaning: the same program in other words has the same verdict (L5 imports, L6 surroundings)."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from dlgovern import detect
from dlgovern.standard.laws.court import Case, Court, Verdict
from dlgovern.standard.laws.spell import spellings
from dlgovern.standard.laws.values import Broken, Proof, Skipped, Trial
from dlgovern.standard.laws.wrap import Retold, why_not, wrappings


def imports(trial: Trial, court: Court, variants: list[tuple[str, Case]]) -> Iterator[Broken]:
    """L5. A finding may move between an import and its use: some rules report the one, some the other."""
    for proof, text in _texts(trial):
        before = court.judge(trial.rule, proof.case)
        for told, at_import in spellings(text):
            case = _case(proof, told)
            variants.append((f"{proof.title} ({told.name})", case))
            after = court.judge(trial.rule, case)
            if not _same_meaning(before, after, at_import):
                yield Broken(trial.rule.id, "L5", proof.title, _changed(told, before, after))


def surroundings(trial: Trial, court: Court, variants: list[tuple[str, Case]]) -> Iterator[Broken | Skipped]:
    """L6. A detector about constructs at the top of a module says so with MODULE_LEVEL; only comments are tried then."""
    top_only = bool(getattr(detect.load(trial.rule.detector), "MODULE_LEVEL", False))
    for proof, text in _texts(trial):
        why = why_not(text) or ("the detector is about the top of a module" if top_only else "")
        if why:
            yield Skipped(trial.rule.id, "L6", proof.title, why)
        before = court.judge(trial.rule, proof.case)
        for told in wrappings(text):
            if why and told.name != "comments":
                continue
            case = _case(proof, told)
            variants.append((f"{proof.title} ({told.name})", case))
            after = court.judge(trial.rule, case)
            if sorted(told.line(mark.line) for mark in before.marks) != _lines(after) or after.trouble:
                yield Broken(trial.rule.id, "L6", proof.title, _changed(told, before, after))


def _texts(trial: Trial) -> Iterator[tuple[Proof, str]]:
    """The Python examples of one file that parse; a known miss may be seen in other words."""
    if trial.rule.shape != "python":
        return
    for proof in trial.proofs:
        if proof.example.kind == "missed" or not proof.case.only.endswith(".py"):
            continue
        try:
            text = proof.case.files[proof.case.only].decode()
            ast.parse(text)
        except (SyntaxError, ValueError):
            continue
        yield proof, text


def _case(proof: Proof, told: Retold) -> Case:
    return proof.case._replace(files={proof.case.only: told.text.encode()})


def _same_meaning(before: Verdict, after: Verdict, at_import: set[int]) -> bool:
    if after.trouble:
        return False
    rest = [[line for line in _lines(verdict) if line not in at_import] for verdict in (before, after)]
    if rest[0] == rest[1] and bool(before.marks) == bool(after.marks):
        return True
    moved = any(mark.line in at_import for verdict in (before, after) for mark in verdict.marks)
    return moved and bool(before.marks) == bool(after.marks)


def _lines(verdict: Verdict) -> list[int]:
    return sorted(mark.line for mark in verdict.marks)


def _changed(told: Retold, before: Verdict, after: Verdict) -> str:
    if after.trouble:
        return f"told as {told.name}: {after.trouble}"
    lines = ", ".join(str(line) for line in _lines(after)) or "none"
    wanted = ", ".join(str(told.line(mark.line)) for mark in before.marks) or "none"
    return f"told as {told.name}: findings at {lines} instead of {wanted}"
