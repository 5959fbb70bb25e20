"""Judge one example by one rule, in memory where a single Python file suffices."""

from __future__ import annotations

import base64
import datetime
import json
import os
import tempfile
from typing import Any, NamedTuple

from dlgovern.engine.run import Job
from dlgovern.engine.walk import Walk
from dlgovern.evidence.versions import windows as resolve
from dlgovern.finding import Finding
from dlgovern.judge.grade import grade
from dlgovern.judge.judgement import judge
from dlgovern.policy import Policy, Rule
from dlgovern.repository.facts import manifests_above, windows
from dlgovern.repository.window import Windows
from dlgovern.source.classify import classify
from dlgovern.standard.compile import triggers_of
from dlgovern.standard.model import Example
from dlgovern.store import Store

TODAY = datetime.date(2026, 7, 1)
"""The day on which every example is judged: an expiry in an example must not change its verdict next year."""

PATH = "example.py"
"""Where the text of a one-file example lies unless it says."""


class Case(NamedTuple):
    """One example, ready to be judged."""

    files: dict[str, bytes]
    window: dict[str, str]
    parameters: dict[str, Any]

    @property
    def only(self) -> str:
        """The path of the only file, "" when there are several."""
        return next(iter(self.files)) if len(self.files) == 1 else ""


class Mark(NamedTuple):
    """One finding of the rule under test, as far as a law compares it."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    level: str
    confidence: str
    message: str


class Verdict(NamedTuple):
    """What judging an example brought; ``trouble`` says why there is no verdict."""

    marks: tuple[Mark, ...]
    trouble: str = ""

    def lines(self, only: str) -> list[int | str]:
        """Where the marks stand, in the words of an example's ``at``."""
        return sorted((mark.line if only else f"{mark.path}:{mark.line}" for mark in self.marks), key=str)


class Unmakeable(Exception):
    """The bytes of an example's file cannot be made."""


def case_of(example: Example) -> Case:
    """The files of an example. Raises Unmakeable."""
    if example.files:
        files = {path: content(text) for path, text in example.files.items()}
    else:
        files = {example.path or PATH: content(example.text)}
    return Case(files, dict(example.window), dict(example.parameters))


def content(text: str) -> bytes:
    """The bytes that the text of an example stands for: ``base64:…`` or the text itself."""
    if text.startswith("base64:"):
        try:
            return base64.b64decode("".join(text[7:].split()), validate=True)
        except ValueError as error:
            raise Unmakeable(f"not base64: {error}") from None
    if text.startswith("make:"):
        raise Unmakeable(f"nothing makes {text[5:]!r}")
    return text.encode("utf-8", "surrogatepass")


class Court:
    """Judges examples by single rules; ``policy`` is the whole chain with every rule live."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._folder = tempfile.TemporaryDirectory(prefix="dlgovern-laws-")
        self.empty = os.path.join(os.path.realpath(self._folder.name), "empty")
        os.mkdir(self.empty)
        self._laid: dict[tuple[tuple[str, bytes], ...], str] = {}
        self._windows: dict[tuple[tuple[str, str], ...], Windows] = {}
        self._walks: dict[Any, Walk] = {}
        self._verdicts: dict[Any, Verdict] = {}

    def forget(self) -> None:
        """Drop what is known of the rule that was tried last."""
        self._walks.clear()
        self._verdicts.clear()

    def close(self) -> None:
        """Remove what was laid out."""
        self._folder.cleanup()

    def judge(self, rule: Rule, case: Case, *, prefilter: bool = True, tables: dict[str, Any] | None = None) -> Verdict:
        """The findings of ``rule`` alone on an example; a detector that cannot start is trouble, not an error.

        The laws ask for one verdict many times: it is reached once.
        """
        if tables is not None and tables is not self.policy.tables:
            return self._try(rule, case, prefilter, tables, None)
        law = (rule.id, _written({**rule.parameters, **case.parameters}), _written(case.window), prefilter)
        asked = (law, tuple(case.files.items()))
        if asked not in self._verdicts:
            self._verdicts[asked] = self._try(rule, case, prefilter, self.policy.tables, law)
        return self._verdicts[asked]

    def _try(self, rule: Rule, case: Case, prefilter: bool, tables: dict[str, Any], law: Any) -> Verdict:
        try:
            return self._judge(rule, case, prefilter, tables, law)
        except Exception as error:  # noqa: BLE001 - around a detector: a clause may be one it cannot be asked without
            return Verdict((), f"{type(error).__name__}: {error}")

    def _judge(self, rule: Rule, case: Case, prefilter: bool, tables: dict[str, Any], law: Any) -> Verdict:
        if rule.shape == "python" and classify(case.only or ".") == "python":
            walk = self._walks.get(law)
            if walk is None:
                rule = with_parameters(rule, {**rule.parameters, **case.parameters}, tables)
                policy = self.policy._replace(rules=(rule,), tables=tables, roots=())
                walk = Walk(policy, self.empty, self.windows(case), prefilter=prefilter)
                if law is not None:
                    self._walks[law] = walk
            result = walk.judge(case.only, case.files[case.only])
            trouble = result.not_judged or "; ".join(why for _, why in result.failed)
            return Verdict(_marks(rule, grade(walk.policy, [result])), trouble)
        rule = with_parameters(rule, {**rule.parameters, **case.parameters}, tables)
        policy = self.policy._replace(rules=self._rules(rule), tables=tables, roots=())
        folder = self.lay(case.files)
        paths = sorted(case.files)
        found = self.versions(case)
        prefilter = prefilter and rule.shape != "engine"  # its rules speak of files that other rules made it read
        job = Job(policy, folder, found, 1, prefilter)
        report = judge(job, paths, (), Store(""), today=TODAY, project=rule.shape == "repository" or "repository" in rule.kinds)
        troubles = [*(why for _, why in report.not_judged), *(why for _, why in report.failed)]
        if rule.shape == "engine":
            troubles = []  # what the engine cannot read is what its rules are about
        return Verdict(_marks(rule, report.findings), "; ".join(troubles))

    def versions(self, case: Case) -> Windows:
        """The version windows of an example as its manifests give them."""
        folder = self.lay(case.files)
        standard = {**self.policy.window, **case.window}
        return windows(folder, manifests_above(folder, sorted(case.files)), standard, Store(""))

    def windows(self, case: Case) -> Windows:
        """The version windows of an example that has no manifest."""
        key = tuple(sorted(case.window.items()))
        if key not in self._windows:
            said = {name: w._replace(source="the example") for name, w in resolve({}, case.window).standard.items()}
            self._windows[key] = Windows({"": said}, resolve({}, self.policy.window).standard)
        return self._windows[key]

    def lay(self, files: dict[str, bytes]) -> str:
        """A folder with these files; the same files are laid out once."""
        key = tuple(sorted(files.items()))
        if key not in self._laid:
            folder = os.path.join(os.path.dirname(self.empty), str(len(self._laid)))
            for path, data in files.items():
                full = os.path.normpath(os.path.join(folder, path))
                if not full.startswith(folder + os.sep):
                    raise Unmakeable(f"{path} lies outside the example")
                os.makedirs(os.path.dirname(full), exist_ok=True)
                with open(full, "wb") as file:
                    file.write(data)
            self._laid[key] = folder
        return self._laid[key]

    def _rules(self, rule: Rule) -> tuple[Rule, ...]:
        """The rule alone; for a rule about the judgement all others too: it speaks of what they did."""
        if rule.shape != "engine":
            return (rule,)
        others = [other for other in self.policy.rules if other.id != rule.id and all(map(other.parameters.get, other.needs))]
        return (*others, rule)


def _written(value: dict[str, Any]) -> str:
    return json.dumps(value, sort_keys=True, default=repr)


def with_parameters(rule: Rule, parameters: dict[str, Any], tables: dict[str, Any]) -> Rule:
    """The rule with other parameters, and the triggers that follow from them."""
    return rule._replace(
        parameters=parameters, triggers=triggers_of(rule.detector, rule.shape, parameters, tables)
    )


def _marks(rule: Rule, findings: Any) -> tuple[Mark, ...]:
    found: list[Finding] = [one for one in findings if one.rule == rule.id and one.state == "open"]
    return tuple(
        sorted(
            Mark(p.path, p.line, p.column, p.end_line, p.end_column, one.level, one.confidence, one.message)
            for one in found
            for p in (one.place,)
        )
    )
