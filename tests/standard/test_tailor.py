"""A project fits the policy to itself, within what the standard locks."""

from __future__ import annotations

import pytest

from dlgovern.errors import ConfigurationError
from dlgovern.standard.compile import compile_policy
from dlgovern.standard.tailor import tailor


@pytest.fixture
def policy(standard):
    return compile_policy([standard()], "defects")


def ids(found):
    return [rule.id for rule in found[0].rules]


@pytest.mark.parametrize(
    ("values", "left"),
    [
        ({}, ["ACM501", "ACM502"]),
        ({"select": ["ACM501"]}, ["ACM501"]),
        ({"ignore": ["ACM5"]}, []),
        ({"select": ["ACM5"], "ignore": ["ACM502"]}, ["ACM501"]),
        ({"ignore": ["ACM5"], "extend-select": ["ACM502"]}, ["ACM502"]),
        ({"select": ["ACM501"], "ignore": ["ACM501"]}, []),
        ({"levels": {"ACM501": "off"}}, ["ACM502"]),
        ({"ignore": ["loud-save"]}, ["ACM501"]),
    ],
)
def test_the_longest_word_that_means_a_rule_decides(values, left, policy):
    assert left == ids(tailor(policy, values))


def test_a_policy_is_whole_when_nothing_was_deselected(policy):
    assert (True, False) == (tailor(policy, {"levels": {"ACM501": "info"}})[2], tailor(policy, {"ignore": ["ACM501"]})[2])


def test_a_word_that_means_no_rule_is_told_with_a_suggestion(policy):
    with pytest.raises(ConfigurationError, match='no rule is called \'loud-laod\'; did you mean "loud-load"'):
        tailor(policy, {"ignore": ["loud-laod"]})


def test_a_rule_that_needs_a_parameter_waits_for_it(policy):
    waiting = policy._replace(rules=(policy.rules[0]._replace(needs=("unless",)), policy.rules[1]))

    found, not_run, _ = tailor(waiting, {})
    after, none, _ = tailor(waiting, {"parameters": {"ACM501": {"unless": [{"argument": "x", "given": True}]}}})

    assert (["ACM502"], ["its parameter unless is not set"]) == ([r.id for r in found.rules], [one.why for one in not_run])
    assert (["ACM501", "ACM502"], []) == ([r.id for r in after.rules], none)


def test_an_unknown_parameter_is_refused(policy):
    with pytest.raises(ConfigurationError, match="ACM501 has no parameter 'nams'"):
        tailor(policy, {"parameters": {"ACM501": {"nams": []}}})


@pytest.mark.parametrize(
    "values", [{"levels": {"ACM501": "warning"}}, {"ignore": ["ACM501"]}, {"parameters": {"ACM501": {"names": ["a.b"]}}}],
)
def test_a_locked_rule_is_not_loosened(values, policy):
    with pytest.raises(ConfigurationError, match="ACM501 is locked"):
        tailor(policy._replace(locked=("ACM501",)), values)


def test_a_locked_rule_may_be_tightened(policy):
    mild = policy._replace(rules=tuple(r._replace(levels={"": "info"}) for r in policy.rules), locked=("ACM",))

    found, _, _ = tailor(mild, {"levels": {"ACM501": "error"}})

    assert ["error", "info"] == [rule.levels[""] for rule in found.rules]
