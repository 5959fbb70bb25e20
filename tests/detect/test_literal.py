"""Literals: commands written as one text or as a list, prose left alone, random text told from placeholders."""

from __future__ import annotations

from typing import Any

import pytest

from dlgovern.detect.literal import entropy
from dlgovern.engine.walk import see
from dlgovern.flow.facts import Facts
from dlgovern.policy import Rule
from dlgovern.repository.exports import Repository
from dlgovern.repository.window import Windows
from dlgovern.source.parse import parse

LAUNCH = {"pattern": r"python -m old\.launch(?:\s|$)", "parts": ["old.launch"], "joined": True, "except_inside": ["print"]}


def found(tmp_path: Any, source: str, parameters: dict[str, Any]) -> list[int]:
    rule = Rule(
        "ABC100", "a", "", "", "", "", "", "high", (), (), {}, "literal", parameters, (), {}, "python", "", "", {}, None
    )
    data = source.encode()
    facts = Facts("a.py", data, parse(data), Repository(str(tmp_path)), Windows({}, {}))
    hits, failed = see([rule], facts, {})
    assert failed == []
    return sorted(hit.line for hit in hits)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('run("python -m old.launch a.py")\n', [1]),
        ('run(f"python -m old.launch {a}")\n', [1]),
        ('run(["python", "-m", "old.launch", "a.py"])\n', [1]),
        ('run("python", "-m",\n    "old.launch")\n', [2]),
        ('import sys\nrun([sys.executable, "-m", "old.launch"])\n', [2]),
        ('from sys import executable as me\nrun([me, "-m", "old.launch"])\n', [2]),
        ('run(["python", "-m", "old.launcher"])\n', []),
        ('run(["python", "-m", name, "old.launch"])\n', []),
        ('"""python -m old.launch a.py"""\n', []),
        ('print("python -m old.launch a.py")\n', []),
        ("# python -m old.launch a.py\nx = 'old.launch'\n", []),
    ],
)
def test_a_command(tmp_path: Any, source: str, expected: list[int]) -> None:
    assert found(tmp_path, source, LAUNCH) == expected


def test_a_list_is_one_text_only_where_the_rule_says_so(tmp_path: Any) -> None:
    assert found(tmp_path, 'run(["python", "-m", "old.launch"])\n', {**LAUNCH, "joined": False}) == []


def test_only_in_what_is_given_to_some_calls(tmp_path: Any) -> None:
    source = 'import os\nos.system("python -m old.launch")\nlog("python -m old.launch")\n'
    assert found(tmp_path, source, {**LAUNCH, "inside": ["os.system"]}) == [2]


def test_a_placeholder_is_less_random_than_a_token() -> None:
    assert entropy("xxxxxxxx") == 0 < 3 == entropy("abcdefgh")


def test_random_text_is_wanted(tmp_path: Any) -> None:
    parameters = {"pattern": "k_[a-z]{8}", "parts": ["k_"], "bits": 3}
    assert found(tmp_path, 'a = "k_abcdefgh"\nb = "k_aaaaaaaa"\n', parameters) == [1]
