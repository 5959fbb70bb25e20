"""Turn raw hits into findings: the level of the file's scope, the message with its slots filled."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from dlgovern.engine.live import confidence, level, scopes
from dlgovern.engine.result import FileResult
from dlgovern.finding import Finding, Hit, Place, Related, rank
from dlgovern.policy import Policy, Rule
from dlgovern.source.patterns import lazy

if TYPE_CHECKING:
    import datetime


def grade(policy: Policy, results: Iterable[FileResult], today: datetime.date | None = None) -> list[Finding]:
    """The findings of all results, in no order yet. What has a sunset is lowered until that day."""
    rules = {rule.id: rule for rule in policy.rules}
    found: list[Finding] = []
    for result in results:
        if result.hits:
            names = scopes(policy, result.path)
            hits = (_after_sunset(hit, today) for hit in result.hits if hit.rule in rules)
            found += [finding(rules[hit.rule], hit, result.path, names) for hit in hits]
    return found


def _after_sunset(hit: Hit, today: datetime.date | None) -> Hit:
    """The day is no part of what is kept of an earlier run, so it counts here and not in a detector."""
    sunset = hit.slots.get("sunset")
    return hit._replace(level="") if sunset and today is not None and sunset <= today.isoformat() else hit


def finding(rule: Rule, hit: Hit, path: str, names: tuple[str, ...]) -> Finding:
    """One hit as a finding. A detector and the scope may lower the level and the confidence, a detector never raises them."""
    said = level(rule, names)
    if hit.level and rank(hit.level) < rank(said):
        said = hit.level
    return Finding(
        place=Place(path, hit.line, hit.column, hit.end_line, hit.end_column, hit.symbol),
        rule=rule.id,
        name=rule.name,
        level=said,
        confidence=confidence(rule, hit.confidence or rule.confidence, names),
        message=fill(rule.message, hit.slots),
        instead=fill(rule.instead, hit.slots),
        related=tuple(Related(Place(p, line, column, line, column), text) for p, line, column, text in hit.related),
    )


def fill(text: str, slots: dict[str, str]) -> str:
    """``text`` with each known ``{slot}`` replaced; other braces stay, so that prose may show code."""
    if "{" not in text:
        return text
    return _SLOT.sub(lambda match: slots.get(match.group(1), match.group()), text)


_SLOT = lazy(r"\{(\w+)\}")
