"""Comments that excuse findings, and what is said about those that do not."""

import datetime

import pytest

from dlgovern.engine.walk import Walk
from dlgovern.finding import Finding
from dlgovern.judge.grade import grade
from dlgovern.judge.suppress import Suppressed, suppress
from dlgovern.policy import Policy, Rule
from dlgovern.repository.window import Windows

TODAY = datetime.date(2026, 11, 23)
EVENTS = ("unknown-rule", "unused-suppression", "bad-suppression", "expired-suppression")


def rule(rule_id: str, **changes: object) -> Rule:
    """A rule about torch.load, or whatever the changes say."""
    plain = Rule(
        rule_id, f"name-{rule_id.lower()}", "", "{call}{why}", "", "", "", "high", (), ("TOR102",), {}, "call",
        {"names": ["torch.load"]}, (), {}, "python", "0.1", "", {"": "error"}, [{"name": "torch.load"}],
    )
    return plain._replace(**changes)  # type: ignore[arg-type]


def engine_rule(event: str) -> Rule:
    """The rule for one event of judging."""
    return rule(f"EVT{EVENTS.index(event):03}", name=event, detector="engine", parameters={"event": event}, shape="engine", aliases=(), triggers=[])


def settle(code: str, *, whole: bool = True, noqa: bool = True) -> Suppressed:
    """Judge one source with one rule and every engine event."""
    rules = (rule("DLG503"), rule("DLG999", parameters={"names": ["torch.never"]}, aliases=()), *map(engine_rule, EVENTS))
    policy = Policy("t", "1", "f", "all", rules, (), {}, (), {}, noqa, {})
    result = Walk(policy, "/nowhere", Windows({}, {})).judge("a.py", ("import torch\n" + code).encode())
    return suppress(policy, grade(policy, [result]), [result], whole=whole, today=TODAY)


def states(settled: Suppressed) -> list[tuple[str, str]]:
    """(rule, state) in source order."""
    return [(one.rule, one.state) for one in sorted(settled.findings, key=lambda one: (one.place.line, one.rule))]


def names(settled: Suppressed) -> list[str]:
    """Names of the open findings."""
    return sorted(one.name for one in settled.findings if one.state == "open")


@pytest.mark.parametrize(
    "code",
    [
        "torch.load(p)  # dlgovern: ignore[DLG503] our own file",
        "torch.load(p)  # dlgovern: ignore[name-dlg503] our own file",
        "# dlgovern: ignore[DLG503] our own file\ntorch.load(p)",
        "# dlgovern: ignore[DLG503] our own file\n\n# another remark\ntorch.load(p)",
        "torch.load(  # dlgovern: ignore[DLG503] our own file\n    p,\n)",
        "torch.load(\n    p,\n)  # dlgovern: ignore[DLG503] our own file",
        "torch.load(p)  # dlgovern: ignore[DLG503] our own file  # and a remark",
        "torch.load(p)  # dlgovern: ignore[DLG503] until=2027-01-31 our own file",
    ],
)
def test_a_reasoned_comment_hides_the_finding_and_keeps_it(code: str) -> None:
    """At the first or last line of the span, or alone above it."""
    settled = settle(code)
    assert [("DLG503", "suppressed")] == states(settled)
    assert ["our own file"] == [one.because for one in settled.findings]


@pytest.mark.parametrize(
    ("code", "event"),
    [
        ("torch.load(p)  # dlgovern: ignore[DLG503]", "bad-suppression"),
        ("torch.load(p)  # dlgovern: ignore", "bad-suppression"),
        ("torch.load(p)  # dlgovern: ignore[ALL] because", "bad-suppression"),
        ("torch.load(p)  # dlgovern: ignore[] because", "bad-suppression"),
        ("torch.load(p)  # dlgovern: ignore[DLG503] until=2026-11-22 our own file", "expired-suppression"),
        ("torch.load(p)  # dlgovern: ignore[DLG5O3] our own file", "unknown-rule"),
        ("torch.load(p)  # noqa: DLG777", "unknown-rule"),
        ("torch.load(p)\nx = 1  # dlgovern: ignore[DLG503] nothing here", "unused-suppression"),
        ("torch.load(p)\nx = 1  # noqa: DLG503", "unused-suppression"),
    ],
)
def test_a_comment_that_is_wrong_hides_nothing_and_is_a_finding(code: str, event: str) -> None:
    """No reason, a blanket form, an unknown or unused rule, a date that has passed."""
    assert [event, "name-dlg503"] == sorted(names(settle(code)), key=lambda name: name == "name-dlg503")


def test_the_last_day_of_an_excuse_counts() -> None:
    """It ends after that day."""
    assert [] == names(settle("torch.load(p)  # dlgovern: ignore[DLG503] until=2026-11-23 our own file"))


def test_a_noqa_hides_without_a_reason_and_is_counted_apart() -> None:
    """By our id or by an alias that means this rule."""
    results = [settle(f"torch.load(p)  # noqa: {code}") for code in ("DLG503", "TOR102", "E501, DLG503")]
    assert [([("DLG503", "suppressed")], 1)] * 3 == [(states(one), one.noqa) for one in results]


def test_a_noqa_is_powerless_where_the_standard_says_so() -> None:
    """Then only reasoned comments hide."""
    assert ["name-dlg503"] == names(settle("torch.load(p)  # noqa: DLG503", noqa=False))


@pytest.mark.parametrize("comment", ["# noqa", "# noqa: E501", "# type: ignore[DLG503] x", "'# dlgovern: ignore[DLG503] in a string'"])
def test_what_only_looks_like_an_excuse_is_none(comment: str) -> None:
    """A bare noqa, a foreign code, another tool's comment, a string."""
    code = f"torch.load(p)  {comment}" if comment.startswith("#") else f"torch.load(p, {comment})"
    assert ["name-dlg503"] == names(settle(code))


def test_foreign_codes_are_never_called_unused_or_unknown() -> None:
    """They belong to others."""
    assert [] == names(settle("x = 1  # noqa: F401, TOR102"))


def test_nothing_is_called_unused_when_only_some_rules_ran() -> None:
    """A selection cannot know."""
    assert [] == names(settle("x = 1  # dlgovern: ignore[DLG503] nothing here", whole=False))


def test_an_excuse_for_another_line_hides_nothing() -> None:
    """Two lines below is too far."""
    settled = settle("# dlgovern: ignore[DLG503] the first\ntorch.load(p)\ntorch.load(q)")
    assert [("DLG503", "suppressed"), ("DLG503", "open")] == states(settled)


def test_suppressing_twice_changes_nothing() -> None:
    """The stage is idempotent in what it hides."""
    settled = settle("torch.load(p)  # dlgovern: ignore[DLG503] our own file")
    assert all(isinstance(one, Finding) and one.state == "suppressed" for one in settled.findings)
