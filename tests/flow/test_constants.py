"""A value counts only where it is sure to be the one."""

import ast

import pytest

from dlgovern.flow.constants import UNKNOWN, constant
from dlgovern.flow.facts import Facts
from dlgovern.repository.exports import Repository
from dlgovern.repository.window import Windows


def _value(source, tmp_path):
    facts = Facts("train.py", source.encode(), ast.parse(source), Repository(str(tmp_path)), Windows({}, {}))
    calls = [n for n in facts.tree.of(ast.Call) if isinstance(n.func, ast.Name) and n.func.id == "seen"]
    return constant(facts, calls[-1].args[0])


@pytest.mark.parametrize(
    "source",
    [
        "x = False\nseen(x)",
        "x = True\nx = False\nseen(x)",
        "def f(x=True):\n    x = False\n    if f:\n        seen(x)",
        "def f(x=True):\n    if f:\n        x = False\n        seen(x)",
    ],
)
def test_the_last_value_before_the_use_counts(source, tmp_path):
    assert constant_is_false(_value(source, tmp_path))


@pytest.mark.parametrize(
    "source",
    [
        "def f(x=True):\n    if f:\n        x = False\n    seen(x)",
        "def f():\n    x = True\n    for _ in f():\n        x = False\n    seen(x)",
        "def f(x=True):\n    if f:\n        x = False\n    else:\n        seen(x)",
    ],
)
def test_a_value_of_one_branch_is_not_certain_after_it(source, tmp_path):
    assert UNKNOWN is _value(source, tmp_path)


def constant_is_false(value):
    return value is False
