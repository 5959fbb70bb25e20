"""A chain of standards becomes one policy: the longest word decides, later standards go before earlier ones."""

from __future__ import annotations

import pytest

from dlgovern.errors import StandardError, UsageError
from dlgovern.standard.compile import ALL, compile_policy, profiles


def level(policy, rule_id, scope=""):
    return policy.rule(rule_id).levels.get(scope)


def test_the_longest_beginning_of_an_id_decides_its_level(standard, head):
    policy = compile_policy([standard(head + 'ACM50 = "info"\nACM502 = "off"\n')], "defects")

    assert ("info", "off") == (level(policy, "ACM501"), level(policy, "ACM502"))


def test_a_scope_has_its_own_levels_only_for_rules_that_are_on(standard, head):
    said = 'ACM502 = "off"\n[[scope]]\nname = "test"\nkinds = ["test"]\n[scope.levels]\nACM5 = "warning"\n'

    policy = compile_policy([standard(head + said)], "defects")

    assert ("warning", None) == (level(policy, "ACM501", "test"), level(policy, "ACM502", "test"))


def test_a_scope_may_make_rules_less_sure(standard, head):
    said = '[[scope]]\nname = "test"\nkinds = ["test"]\n[scope.confidence]\nACM501 = "medium"\n'

    policy = compile_policy([standard(head + said)], "defects")

    assert ({"test": "medium"}, {}) == (policy.rule("ACM501").most, policy.rule("ACM502").most)


def test_a_standard_that_extends_another_has_both_rules_and_the_last_word(standard, head, rule):
    base = standard(head)
    ours = standard(
        head.replace("acme", "ours").replace('ACM = "error"', 'ACM501 = "info"\nOUR = "warning"'), "ours",
        **{"OUR501_own-load": rule("OUR501", "own-load")},
    )

    policy = compile_policy([base, ours], "defects")

    assert {"ACM501": "info", "ACM502": "error", "OUR501": "warning"} == {r.id: r.levels[""] for r in policy.rules}
    assert "ours" == policy.name


def test_all_means_every_profile_at_its_highest(standard, head):
    more = '[profiles.more]\ndescription = "more"\n[profiles.more.levels]\nACM501 = "info"\nACM502 = "error"\n'
    source = standard(head.replace('ACM = "error"', 'ACM501 = "warning"') + more)

    policy = compile_policy([source], ALL)

    assert ("warning", "error") == (level(policy, "ACM501"), level(policy, "ACM502"))
    assert ["defects", "more", ALL] == list(profiles([source]))


def test_locked_retired_and_window_come_from_the_whole_chain(standard, head, rule):
    base = standard(head.replace("[standard]", 'locked = ["ACM501"]\n[standard]') + '[retired]\nACM599 = "gone"\n[window]\ntorch = "<3"\n')
    ours = standard(
        head.replace("acme", "ours").replace("[standard]", 'locked = ["ACM502"]\n[standard]') + '[window]\ntorch = ">=2"\n',
        "ours", **{"OUR501_own-load": rule("OUR501", "own-load")},
    )

    policy = compile_policy([base, ours], "defects")

    assert (("ACM501", "ACM502"), {"ACM599": "gone"}, {"torch": ">=2"}) == (policy.locked, policy.retired, policy.window)


def test_a_level_for_no_rule_is_a_mistake_with_a_suggestion(standard, head):
    with pytest.raises(StandardError) as caught:
        compile_policy([standard(head + 'ACM51 = "error"\n')], "defects")

    assert "no rule begins with 'ACM51'; did you mean \"ACM501\"?" in caught.value.lines()[0]


def test_an_unknown_profile_is_told_with_the_known_ones(standard):
    with pytest.raises(UsageError, match="did you mean \"defects\""):
        compile_policy([standard()], "defect")


def test_a_policy_has_the_same_fingerprint_twice_and_another_after_a_change(standard, head):
    one, same = (compile_policy([standard()], "defects") for _ in range(2))
    other = compile_policy([standard(head + 'ACM501 = "info"\n')], "defects")

    assert one.fingerprint == same.fingerprint
    assert one.fingerprint != other.fingerprint
