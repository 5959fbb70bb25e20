"""A finding is as sure as its rule, or less where a detector or the scope of its file says so."""

import pytest

from dlgovern.finding import Hit
from dlgovern.judge.grade import finding
from dlgovern.policy import Rule

RULE = Rule(
    "DLG201", "some-rule", "", "", "", "", "", "high", (), (), {}, "call", {}, (), {}, "python", "0.1", "", {"": "error"}, [],
    most={"test": "medium"},
)


@pytest.mark.parametrize(("expected", "said", "scopes"), [
    ("high", "", ("",)),
    ("medium", "", ("", "test")),
    ("low", "low", ("", "test")),
    ("high", "", ("", "library")),
])
def test_a_scope_makes_a_finding_less_sure_and_never_surer(expected, said, scopes):
    hit = Hit(RULE.id, 1, 1, 1, 2, confidence=said)

    assert expected == finding(RULE, hit, "a.py", scopes).confidence
