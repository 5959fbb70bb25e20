"""Hide findings that a comment excuses, and say which comments excuse nothing."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from dlgovern.engine.live import live_rules, scopes
from dlgovern.engine.result import FileResult
from dlgovern.finding import Finding, Hit
from dlgovern.judge.grade import finding
from dlgovern.policy import Policy, Rule
from dlgovern.source.comments import Excuse

if TYPE_CHECKING:
    import datetime


class Suppressed(NamedTuple):
    """All findings with their state, the new ones about excuses included, and how many a noqa hid."""

    findings: list[Finding]
    noqa: int


def suppress(
    policy: Policy, findings: list[Finding], results: Iterable[FileResult], *, whole: bool, today: "datetime.date | None",
    project: bool = True,
) -> Suppressed:
    """Apply the excuses of each file to its findings.

    ``whole``: every rule of the policy was run, so an excuse that hides nothing is stale; a selection cannot know.
    ``project``: those about the repository as a whole too. ``today`` may be None where no excuse has an end.
    """
    by_path: dict[str, list[Finding]] = {}
    for one in findings:
        by_path.setdefault(one.place.path, []).append(one)
    rules = _by_word(policy)
    noqa = 0
    for result in results:
        if not result.excuses:
            continue
        kept, extra, hidden = _file(policy, rules, result, by_path.get(result.path, []), whole=whole, today=today, project=project)
        by_path[result.path] = [*kept, *extra]
        noqa += hidden
    return Suppressed([one for path in by_path for one in by_path[path]], noqa)


def _file(
    policy: Policy,
    rules: dict[str, list[Rule]],
    result: FileResult,
    findings: list[Finding],
    *,
    whole: bool,
    today: "datetime.date | None",
    project: bool,
) -> tuple[list[Finding], list[Finding], int]:
    live = {rule.id for rule in live_rules(policy, result.path) if project or not _is_about_all(rule)}
    extra: list[Finding] = []
    hidden = 0
    for excuse in result.excuses:
        say = _Speaker(policy, result.path, excuse, extra)
        if excuse.wrong:
            say("bad-suppression", excuse.wrong)
            continue
        if excuse.kind == "noqa" and not policy.honour_noqa:
            continue
        expired = bool(excuse.until) and today is not None and _expired(excuse.until, today)
        if expired:
            say("expired-suppression", f"it ended on {excuse.until}")
        for code in excuse.codes:
            meant = {rule.id for rule in _meant(rules, code, excuse)}
            if not meant:
                if excuse.kind == "ignore" or code.startswith("DLG"):
                    say("unknown-rule", code)
                continue
            if expired:
                continue
            used = False
            for index, one in enumerate(findings):
                if one.rule in meant and one.state == "open" and _covers(excuse, one):
                    because = excuse.reason or f"noqa: {code}"
                    findings[index] = one._replace(state="suppressed", because=because)
                    hidden += excuse.kind == "noqa"
                    used = True
            ours = excuse.kind == "ignore" or code.startswith("DLG")
            if not used and ours and whole and meant & live:
                say("unused-suppression", code)
    return findings, extra, hidden


def _is_about_all(rule: Rule) -> bool:
    """Whether a rule may find in this file what only the whole repository shows."""
    return rule.shape == "repository" or "repository" in rule.kinds


class _Speaker:
    """Says something about one excuse, as a finding of the engine rule for that event."""

    def __init__(self, policy: Policy, path: str, excuse: Excuse, to: list[Finding]) -> None:
        self.policy = policy
        self.path = path
        self.excuse = excuse
        self.to = to

    def __call__(self, event: str, why: str) -> None:
        """Add a finding for each live engine rule of this event."""
        for rule in live_rules(self.policy, self.path):
            if rule.detector == "engine" and rule.parameters.get("event") == event:
                at = self.excuse
                hit = Hit(rule.id, at.line, at.column, at.line, at.end_column, slots={"why": why, "code": why})
                self.to.append(finding(rule, hit, self.path, scopes(self.policy, self.path)))


def _by_word(policy: Policy) -> dict[str, list[Rule]]:
    words: dict[str, list[Rule]] = {}
    for rule in policy.rules:
        for word in (rule.id, rule.name, *rule.aliases):
            words.setdefault(word, []).append(rule)
    return words


def _meant(rules: dict[str, list[Rule]], code: str, excuse: Excuse) -> list[Rule]:
    """The rules a code means: ids and names in our own form, ids and aliases in a noqa."""
    found = rules.get(code, [])
    if excuse.kind == "ignore":
        return [rule for rule in found if code in (rule.id, rule.name)]
    return [rule for rule in found if code != rule.name]


def _covers(excuse: Excuse, one: Finding) -> bool:
    """First or last line of the span; the engine's own findings cannot be excused."""
    last = excuse.through or excuse.covers
    return excuse.covers <= one.place.line <= last or excuse.covers <= one.place.end_line <= last


def _expired(until: str, today: "datetime.date") -> bool:
    import datetime

    try:
        return datetime.date.fromisoformat(until) < today
    except ValueError:
        return True
