"""The laws L1 to L13 that every rule of every standard must keep, checked from its own file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from dlgovern.policy import Policy, Rule
from dlgovern.standard.compile import ALL, compile_policy
from dlgovern.standard.laws import cost, form, proofs, repair, retell
from dlgovern.standard.laws.court import Case, Court, Unmakeable, case_of
from dlgovern.standard.laws.values import LAWS, Broken, Proof, Skipped, Trial
from dlgovern.standard.read import RuleSource, Source

__all__ = ["LAWS", "Broken", "Outcome", "Skipped", "check", "check_rule", "corpus_file", "open_court", "trial_of"]


class Outcome(NamedTuple):
    """What the laws say: what is broken, and what was not tried."""

    broken: tuple[Broken, ...]
    skipped: tuple[Skipped, ...]


def check(chain: list[Source], only: Iterable[str] | None = None, corpus: bytes = b"") -> Outcome:
    """All laws for the rules of the last standard of a chain, base first; ``only`` names some of them by id.

    ``corpus`` is the file on which cost is counted; a generated one stands in for it. Raises StandardError
    when the chain does not compile.
    """
    wanted = None if only is None else set(only)
    court = open_court(chain)
    broken: list[Broken] = []
    skipped: list[Skipped] = []
    try:
        for source in chain[-1].rules:
            if wanted is None or source.rule.id in wanted:
                found = check_rule(source, chain, court, corpus)
                broken += found.broken
                skipped += found.skipped
    finally:
        court.close()
    return Outcome(tuple(broken), tuple(skipped))


def open_court(chain: list[Source]) -> Court:
    """A court for the rules of a chain, each at its highest level."""
    return Court(_awake(compile_policy(chain, ALL)))


def check_rule(source: RuleSource, chain: list[Source], court: Court, corpus: bytes = b"") -> Outcome:
    """All laws for one rule."""
    court.forget()
    said = list(_laws(source, chain, court, corpus or _stand_in()))
    broken = dict.fromkeys(one for one in said if isinstance(one, Broken))
    return Outcome(tuple(broken), tuple(dict.fromkeys(one for one in said if isinstance(one, Skipped))))


def corpus_file(path: str) -> bytes:
    """The bytes of a file on which cost is to be counted."""
    with open(path, "rb") as file:
        return file.read()


def _laws(source: RuleSource, chain: list[Source], court: Court, corpus: bytes) -> Iterator[Broken | Skipped]:
    rule = court.policy.rule(source.rule.id)
    assert rule is not None, "every rule of the chain is in its policy"
    trial, unmakeable = trial_of(source, chain, court)
    yield from unmakeable

    def kin() -> Iterator[Trial]:
        for other in (other for one in chain for other in one.rules):
            if other.rule.detect == rule.detector and other.rule.id != rule.id:
                yield trial_of(other, chain, court)[0]

    variants: list[tuple[str, Case]] = []
    yield from proofs.places(trial, court)
    yield from proofs.clauses(trial, court, kin)
    yield from proofs.near_misses(trial, court)
    yield from retell.imports(trial, court, variants)
    yield from retell.surroundings(trial, court, variants)
    yield from form.examples(trial)
    yield from repair.repairs(trial, court)
    yield from proofs.prefilter(trial, court, variants)
    yield from form.message(trial, court)
    yield from form.identity(trial, chain)
    yield from form.prose(trial)
    yield from cost.cost(trial, court, corpus)


def trial_of(source: RuleSource, chain: list[Source], court: Court) -> tuple[Trial, list[Broken]]:
    """A rule with its examples, and which of these cannot be made."""
    rule = court.policy.rule(source.rule.id)
    assert rule is not None, "every rule of the chain is in its policy"
    made: list[Proof] = []
    broken: list[Broken] = []
    for number, example in enumerate(source.rule.example, 1):
        title = example.name or f"example {number}"
        try:
            made.append(Proof(example, case_of(example), title))
        except Unmakeable as error:
            broken.append(Broken(rule.id, "L7", title, f"cannot be made: {error}"))
    return Trial(rule, source.path, chain[-1].file.standard.name, tuple(made)), broken


def _awake(policy: Policy) -> Policy:
    return policy._replace(rules=tuple(map(_at_its_highest, policy.rules)))


def _at_its_highest(rule: Rule) -> Rule:
    """A rule that every profile leaves off is judged all the same."""
    return rule if rule.levels.get("", "off") != "off" else rule._replace(levels={"": "error"})


_generated: list[bytes] = []


def _stand_in() -> bytes:
    if not _generated:
        _generated.append(cost.generated())
    return _generated[0]
