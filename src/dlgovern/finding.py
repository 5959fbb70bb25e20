"""What was found and where: plain values that know nothing of how they were made or will be shown."""

from typing import Any, NamedTuple

LEVELS = ("info", "warning", "error")
"""How bad a finding is, in rising order; ``off`` is the level of a rule that does not run."""

CONFIDENCES = ("low", "medium", "high")
"""How sure a finding is, in rising order."""

STATES = ("open", "suppressed", "waived", "baselined")
"""What became of a finding."""


SURE = "sure"
"""The slot of a hit that no other file can answer."""


class Place(NamedTuple):
    """A range in a file. Lines and columns count from 1, columns in characters, the end is exclusive."""

    path: str  # POSIX, relative to the project's root
    line: int = 1
    column: int = 1
    end_line: int = 1
    end_column: int = 1
    symbol: str = ""  # enclosing function or class, dotted: "Trainer.fit"
    cell: int = 0  # notebook cell counted from 1; 0 elsewhere
    cell_line: int = 0  # line and column in that cell; the others are those of the file
    cell_column: int = 0


class Related(NamedTuple):
    """A second place that explains a finding."""

    place: Place
    message: str


class Edit(NamedTuple):
    """Replace bytes ``start:end`` of the file whose SHA-256 is ``digest`` by ``text``."""

    path: str
    digest: str
    start: int
    end: int
    text: str


class Fix(NamedTuple):
    """A repair: all edits or none. ``safe`` means that the meaning of the program stays."""

    safe: bool
    edits: tuple[Edit, ...]


class Hit(NamedTuple):
    """What a detector saw, before judgement: a rule's id, a span, and the words for its message.

    The span has the units of `Place`. Made of plain values only, so that it can be cached as JSON.
    """

    rule: str
    line: int
    column: int
    end_line: int
    end_column: int
    symbol: str = ""
    slots: dict[str, str] = {}  # noqa: RUF012 - never changed; the empty default is shared
    related: tuple[tuple[str, int, int, str], ...] = ()  # (path, line, column, message)
    confidence: str = ""  # empty: the rule's own
    level: str = ""  # empty: the standard's; a detector may only lower it


class Finding(NamedTuple):
    """A hit that has been judged. Sorts by place, then by rule."""

    place: Place
    rule: str
    name: str
    level: str
    confidence: str
    message: str
    instead: str = ""
    related: tuple[Related, ...] = ()
    fix: Fix | None = None
    state: str = "open"
    because: str = ""


class NotJudged(NamedTuple):
    """A file in scope that was not judged, and why. Its existence makes the exit code 3."""

    path: str
    why: str


class RuleNotRun(NamedTuple):
    """A rule of the policy that did not run, and why: a parameter that is not set, a crash, a missing fact."""

    rule: str
    why: str


class Report(NamedTuple):
    """Everything a run has to say; reporters get this and nothing else.

    ``sources`` gives the text of a file for showing a source frame, or "" when it cannot be had.
    ``rules`` maps each id to the compiled rule (`policy.Rule`).
    """

    version: str
    standard: dict[str, str]  # name, version, fingerprint
    profile: str
    findings: tuple[Finding, ...]  # sorted; every state
    not_judged: tuple[NotJudged, ...]
    rules_not_run: tuple[RuleNotRun, ...]
    failed: tuple[RuleNotRun, ...]  # detectors that raised: these make exit 3
    files_seen: int
    files_judged: int
    noqa: int  # findings hidden by a foreign comment, without a reason; part of the suppressed
    rules: dict[str, Any]
    root: str  # absolute path of the project's root
    fail_on: str
    min_confidence: str


def rank(level: str) -> int:
    """Position of a level in `LEVELS`, -1 for ``off``."""
    return LEVELS.index(level) if level in LEVELS else -1


def sure(confidence: str) -> int:
    """Position of a confidence in `CONFIDENCES`."""
    return CONFIDENCES.index(confidence)


def fails(finding: Finding, fail_on: str, min_confidence: str) -> bool:
    """Whether an open finding makes the run fail: both bars must be reached."""
    return (
        finding.state == "open"
        and rank(finding.level) >= rank(fail_on)
        and sure(finding.confidence) >= sure(min_confidence)
    )
