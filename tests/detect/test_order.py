"""The order detector: what counts as forbidden order, and what is spared."""

from __future__ import annotations

import ast
import textwrap
from typing import Any

from dlgovern.detect import order
from dlgovern.flow.facts import Facts
from dlgovern.policy import Rule
from dlgovern.repository.exports import Repository
from dlgovern.repository.window import Windows

DOOR = {
    "objects": [{"kind": "door", "made_by": ["house.Door"], "called": "door$"}],
    "events": [
        {"name": "open", "on": "door", "calls": ["open"]},
        {"name": "close", "on": "door", "calls": ["close"]},
        {"name": "leave", "names": ["house.leave"]},
        {"name": "lock", "on": "door", "calls": ["lock"]},
    ],
    "forbid": [{"event": "leave", "after": "open", "without": ["close"]}],
}


def lines(text: str, **changes: Any) -> list[int]:
    """The lines at which a rule with these parameters sees something."""
    parameters = {**DOOR, **changes}
    data = textwrap.dedent(text).encode()
    facts = Facts("a.py", data, ast.parse(data), Repository("/nowhere"), Windows({}, {}))
    fields = dict.fromkeys(Rule._fields, "")
    rule = Rule(**{**fields, "id": "XXX100", "parameters": parameters, "levels": {}})  # type: ignore[arg-type]
    return [hit.line for handler in order.watch([rule], facts, {}).values() for hit in handler(None)]


def test_an_event_in_the_forbidden_span_is_seen() -> None:
    assert lines("import house\ndef f(door):\n    door.open()\n    house.leave()\n") == [4]


def test_an_event_after_the_span_is_fine() -> None:
    assert lines("import house\ndef f(door):\n    door.open()\n    door.close()\n    house.leave()\n") == []


def test_what_ends_the_span_of_one_object_does_not_end_that_of_another() -> None:
    assert lines("import house\ndef f(door, back_door):\n    door.open()\n    back_door.close()\n    house.leave()\n") == [5]


def test_cleared_on_one_path_is_cleared() -> None:
    text = "import house\ndef f(door, x):\n    door.open()\n    if x:\n        door.close()\n    house.leave()\n"
    assert lines(text) == []


def test_a_path_that_ends_early_clears_nothing_for_the_others() -> None:
    text = """\
    import house
    def f(door, x):
        door.open()
        if x:
            door.close()
            return
        house.leave()
    """
    assert lines(text) == [7]


def test_opened_on_one_path_is_open() -> None:
    text = "import house\ndef f(door, x):\n    if x:\n        door.open()\n    house.leave()\n"
    assert lines(text) == [5]


def test_opposite_conditions_are_spared_when_the_rule_says_so() -> None:
    text = """\
    import house
    def f(door, x):
        if x is None:
            door.open()
        if x is not None:
            house.leave()
    """
    assert (lines(text), lines(text, spare=["opposite-branch"])) == ([6], [])


def test_an_object_given_away_is_spared_when_the_rule_says_so() -> None:
    text = "import house\ndef f(door):\n    door.open()\n    slam(door)\n    house.leave()\n"
    assert (lines(text), lines(text, spare=["handed-on"])) == ([5], [])


def test_a_helper_of_the_file_that_clears_is_spared_when_the_rule_says_so() -> None:
    text = """\
    import house
    class Home:
        def shut(self):
            self.door.close()
        def go(self):
            self.door.open()
            self.shut()
            house.leave()
    """
    assert (lines(text), lines(text, spare=["helper"])) == ([8], [])


def test_an_object_that_gets_a_new_value_starts_anew() -> None:
    text = "import house\ndef f(door):\n    door.open()\n    door = house.Door()\n    house.leave()\n"
    assert lines(text) == []


def test_an_object_of_another_name_is_known_by_its_class() -> None:
    assert lines("import house\nx = house.Door()\nx.open()\nhouse.leave()\n") == [4]


def test_an_object_of_another_name_and_class_is_not_meant() -> None:
    assert lines("import house\nx = house.Window()\nx.open()\nhouse.leave()\n") == []


def test_with_before_the_event_counts_only_when_the_other_follows() -> None:
    relation = [{"event": "leave", "after": "open", "before": "lock"}]
    text = "import house\ndef f(door):\n    door.open()\n    house.leave()\n"
    assert (lines(text, forbid=relation), lines(text + "    door.lock()\n", forbid=relation)) == ([], [4])


def test_the_handler_of_a_try_is_a_path_of_its_own() -> None:
    text = """\
    import house
    def f(door):
        try:
            door.open()
            door.close()
        except OSError:
            door.open()
        house.leave()
    """
    assert lines(text) == []  # closed on one path


def test_nested_functions_are_judged_by_themselves() -> None:
    text = "import house\ndef f(door):\n    door.open()\n    def g():\n        house.leave()\n    return g\n"
    assert lines(text) == []
