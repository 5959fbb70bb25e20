"""Each action changes what it says, and leaves every other byte as it was."""

from __future__ import annotations

import ast

import pytest

from dlgovern.edits import ACTIONS, compute, repair
from dlgovern.finding import Hit
from dlgovern.flow.facts import Facts
from dlgovern.policy import Rule
from dlgovern.repository.exports import Repository
from dlgovern.repository.window import Window, Windows
from dlgovern.source.parse import parse

CALL = {"span": ast.Call}


def facts_of(data: bytes, floor: tuple[int, ...] | None = None) -> Facts:
    standard = {} if floor is None else {"torch": Window(floor, (), "requirements.txt:1")}
    return Facts("a.py", data, parse(data), Repository("", frozenset({"torch"})), Windows({}, standard))


def rule(fix: dict[str, object], parameters: dict[str, object] | None = None) -> Rule:
    return Rule(
        "TST001", "a", "", "", "", "", "", "high", (), (), {}, "call", parameters or {}, (), fix, "python", "0.1", "t", {}, None
    )


def hit_at(facts: Facts, text: str, **slots: str) -> Hit:
    """A hit on the first node, outermost first, that is written so."""
    for node in ast.walk(facts.tree.module):
        if hasattr(node, "lineno") and not isinstance(node, ast.stmt):
            if ast.get_source_segment(facts.data.decode("utf-8-sig"), node) == text:
                return facts.hit("TST001", node, **slots)
    raise LookupError(text)


def fixed(source: str | bytes, at: str, fix: dict[str, object], **slots: str) -> str | None:
    data = source if isinstance(source, bytes) else source.encode()
    facts = facts_of(data)
    edits = compute(rule(fix), hit_at(facts, at, **slots), facts)
    if edits is None:
        return None
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end), reverse=True):
        data = data[: edit.start] + edit.text.encode() + data[edit.end :]
    ast.parse(data)
    return data.decode("utf-8")


SAFE = {"action": "set-argument", "argument": "safe", "value": "True"}
GONE = {"action": "delete-argument", "argument": "old"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("f()", "f(safe=True)"),
        ("f(x)", "f(x, safe=True)"),
        ("f(x,)", "f(x, safe=True,)"),
        ("f((x))", "f((x), safe=True)"),
        ("f(x, safe=(False))", "f(x, safe=True)"),
        ("f(x, safe = False)  # why", "f(x, safe = True)  # why"),
        ("f(*x)", "f(*x, safe=True)"),
        ('f("é", safe=False)', 'f("é", safe=True)'),
        ("f(\n    x,  # c\n)", "f(\n    x,  # c\n    safe=True,\n)"),
        ("f(\n    x  # c\n)", "f(\n    x,  # c\n    safe=True\n)"),
        ("f(\r\n\tx,\r\n)", "f(\r\n\tx,\r\n\tsafe=True,\r\n)"),
        ("f(x, \\\n  y)", "f(x, \\\n  y, safe=True)"),
    ],
)
def test_an_argument_is_set_where_it_stands_or_added_in_the_style_of_the_call(before, after):
    call = ast.get_source_segment(before.replace("\r\n", "\n"), ast.parse(before).body[0].value).replace("\n", "\n")
    facts = facts_of(before.encode())
    found = facts.hit("TST001", next(facts.tree.of(ast.Call)))
    assert call
    edits = compute(rule(SAFE), found, facts)
    data = before.encode()
    for edit in sorted(edits or (), key=lambda edit: edit.start, reverse=True):
        data = data[: edit.start] + edit.text.encode() + data[edit.end :]
    assert data.decode() == after


@pytest.mark.parametrize("call", ["f(**options)", "f(x for x in y)"])
def test_an_argument_that_may_be_given_already_or_has_no_place_is_not_added(call):
    assert fixed(f"{call}\n", call, SAFE) is None


def test_an_argument_is_not_set_beside_one_that_forbids_it():
    assert fixed("f(x, loader=y)\n", "f(x, loader=y)", {**SAFE, "not_with": {"loader": 1}}) is None


def test_the_value_of_a_parameter_is_left_to_its_function():
    source = "def g(safe=False):\n    return f(safe=safe)\n"
    assert fixed(source, "f(safe=safe)", SAFE) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("f(old=1)", "f()"),
        ("f(old=1,)", "f()"),
        ("f(x, old=1)", "f(x)"),
        ("f(x, old=1,)", "f(x,)"),
        ("f(old=1, x=2)", "f(x=2)"),
        ("f(\n    x,\n    old=1,\n)", "f(\n    x,\n)"),
        ("f(\n    x,\n    old=1\n)", "f(\n    x,\n)"),
        ("f(\n    x,\n    old=1,  # why\n)", "f(\n    x,  # why\n)"),
        ("f(old=g())", None),
    ],
)
def test_an_argument_goes_with_its_comma_and_its_comment_stays(before, after):
    found = fixed(f"{before}\n", before, GONE)
    plain = found and found.rstrip("\n").replace("    x,\n      # why", "    x,  # why").replace("    x,\n    # why", "    x,  # why")
    assert plain == after


TO_NEW = {"action": "rename", "to": "torch.new.name"}


@pytest.mark.parametrize(
    ("before", "at", "after"),
    [
        ("import torch\ntorch.old.name(x)  # é\n", "torch.old.name", "import torch\ntorch.new.name(x)  # é\n"),
        ("import torch as th\nth.old.name\n", "th.old.name", "import torch as th\nth.new.name\n"),
        ("from torch.old import name\nname(x)\n", "name", "from torch.new import name\nname(x)\n"),
        ("from torch.old import other\nother(x)\n", "other", "from torch.new import name as other\nother(x)\n"),
        (
            "from torch.old import name, rest\nname(rest)\n",
            "name",
            "from torch.new import name\nfrom torch.old import rest\nname(rest)\n",
        ),
        (
            "def f():\n\tfrom torch.old import (\n\t\trest,\n\t\tname,  # c\n\t)\n\treturn name\n",
            "name",
            "def f():\n\tfrom torch.new import name\n\tfrom torch.old import (\n\t\trest,  # c\n\t)\n\treturn name\n",
        ),
        ("from torch import old\nold.name\n", "old.name", None),
        ("import torch\nprint(f'{torch.old.name}')\n", "torch.old.name", None),
        ("import torch\nx = torch.old.name\ntorch.old.name = wrap(x)\n", "torch.old.name", None),
    ],
)
def test_a_name_is_renamed_at_its_use_or_in_its_import(before, at, after):
    assert fixed(before, at, TO_NEW) == after


TO_DEVICE = {"action": "insert", "to": 'torch.amp.autocast("cuda")'}


@pytest.mark.parametrize(
    ("before", "at", "after"),
    [
        ("import torch\ntorch.old()\n", "torch.old", 'import torch\ntorch.amp.autocast("cuda")\n'),
        ("import torch\ntorch.old(on=1)\n", "torch.old", 'import torch\ntorch.amp.autocast("cuda", on=1)\n'),
        (
            "import torch\n@torch.old\ndef f(): ...\n",
            "torch.old",
            'import torch\n@torch.amp.autocast("cuda")\ndef f(): ...\n',
        ),
        (
            "from torch.old import autocast\nautocast()\nautocast(on=1)\n",
            "autocast",
            'from torch.amp import autocast\nautocast("cuda")\nautocast("cuda", on=1)\n',
        ),
        ("from torch.old import autocast\nautocast()\nautocast(True)\n", "autocast", None),
        ("import torch\ntorch.old(True)\n", "torch.old", None),
        ("import torch\ng(torch.old)\n", "torch.old", None),
    ],
)
def test_an_argument_goes_in_front_where_the_call_has_keywords_only(before, at, after):
    assert fixed(before, at, TO_DEVICE) == after


@pytest.mark.parametrize(
    ("fix", "before", "at", "after"),
    [
        ({"action": "wrap", "call": "sorted"}, "x = f(y)  # c\n", "f(y)", "x = sorted(f(y))  # c\n"),
        ({"action": "wrap", "call": "sorted"}, "sorted = 1\nx = f(y)\n", "f(y)", None),
        ({"action": "drop-target"}, "x = f(x, 1)\n", "f(x, 1)", "f(x, 1)\n"),
        ({"action": "drop-target"}, "x = (f(x))\n", "f(x)", "(f(x))\n"),
        ({"action": "drop-target"}, "y = f(x)\n", "f(x)", None),
        ({"action": "drop-target"}, "x = z = f(x)\n", "f(x)", None),
        ({"action": "comprehension"}, "y = [g(x)] * (n + 1)\n", "[g(x)] * (n + 1)", "y = [g(x) for _ in range((n + 1))]\n"),
        ({"action": "comprehension"}, "y = n * [g(_)]\n", "n * [g(_)]", "y = [g(_) for _index in range(n)]\n"),
        ({"action": "comprehension"}, "y = [x] * n\n", "[x] * n", None),
        ({"action": "comprehension"}, "y = [g(x)  # c\n] * n\n", "[g(x)  # c\n] * n", None),
        ({"action": "add-alias", "old": "--a_b", "new": "--a-b"}, "f('--a_b')\n", "f('--a_b')", "f('--a-b', '--a_b')\n"),
        ({"action": "add-alias", "old": "--a_b", "new": "--a-b"}, "f('--a-b', '--a_b')\n", "f('--a-b', '--a_b')", None),
        ({"action": "replace-text", "old": "OLD", "new": "NEW"}, 'é["OLD"] = 1\n', '"OLD"', 'é["NEW"] = 1\n'),
        ({"action": "replace-text", "old": "OLD", "new": "NEW"}, 'f("OLD", "OLD")\n', 'f("OLD", "OLD")', None),
        ({"action": "replace-text", "old": "OLD", "new": "NEW"}, 'f("\\x4fLD")\n', 'f("\\x4fLD")', None),
        ({"action": "delete-statement"}, "a\nf(x)\nb\n", "f(x)", "a\nb\n"),
        ({"action": "delete-statement"}, "if a:\n    f(x)  # c\n", "f(x)", "if a:\n    pass  # c\n"),
        ({"action": "delete-statement"}, "a; f(x)\n", "f(x)", None),
        ({"action": "insert-before", "text": "m.eval()"}, "if a:\n\tf(m)\r\n", "f(m)", "if a:\n\tm.eval()\r\n\tf(m)\r\n"),
        ({"action": "insert-before", "text": "m.eval()"}, "if a: f(m)\n", "f(m)", None),
        ({"action": "insert-before", "text": "m.eval()"}, "while f(m):\n    pass\n", "f(m)", None),
        ({"action": "insert-before", "text": "m.eval()"}, "g = lambda: f(m)\n", "f(m)", None),
        ({"action": "rename-argument", "argument": "old", "to": "new"}, "f(old = 1)\n", "f(old = 1)", "f(new = 1)\n"),
        ({"action": "rename-argument", "argument": "old", "to": "new"}, "f(old=1, new=2)\n", "f(old=1, new=2)", None),
    ],
)
def test_an_action_changes_what_it_says_or_nothing(fix, before, at, after):
    assert fixed(before, at, fix) == after


def test_a_byte_order_mark_and_columns_in_characters_are_kept():
    assert fixed(b"\xef\xbb\xbfx = ['\xc3\xa9\xc3\xa9', f(y)]\n", "f(y)", {"action": "wrap", "call": "sorted"}) == (
        "\ufeffx = ['éé', sorted(f(y))]\n"
    )


@pytest.mark.parametrize(
    ("floor", "key", "expected"),
    [
        ((2, 6), "since", True),
        (None, "since", False),
        ((2, 5), "since", None),
        ((2, 6), "safe_since", True),
        (None, "safe_since", False),
        ((2, 5), "safe_since", False),
    ],
)
def test_a_repair_is_safe_only_where_every_version_is_known_to_bear_it(floor, key, expected):
    facts = facts_of(b"f(x)\n", floor)
    found = repair(rule({**SAFE, "safe": True, key: {"torch": "2.6"}}), hit_at(facts, "f(x)"), facts)
    assert (found.safe if found else None) == expected


def test_an_unknown_action_repairs_nothing():
    assert fixed("f(x)\n", "f(x)", {"action": "dance"}) is None


def test_actions_are_listed_in_order():
    assert list(ACTIONS) == sorted(ACTIONS)


def test_a_function_in_a_module_of_its_own_name_is_left():
    source = "from torch.old.shard.shard import shard\nshard(x)\n"
    assert fixed(source, "shard", {"action": "rename", "to": "torch.new.shard.shard"}) is None
