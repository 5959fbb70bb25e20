"""Which class of the repository an object is of, by what makes it, gives it, annotates it or holds it."""

import ast

import pytest

from dlgovern.flow.facts import Facts
from dlgovern.flow.ranks.objects import kinds
from dlgovern.flow.ranks.project import Project
from dlgovern.repository.exports import Repository
from dlgovern.repository.window import Windows
from dlgovern.source.parse import parse

PARALLEL = """
class Ranks:
    @classmethod
    def get_instance(cls):
        global known
        if known is None:
            known = cls()
        return known
    @classmethod
    def of(cls) -> "Self":
        return cls.known
    @classmethod
    def named(cls) -> "Ranks":
        return everywhere[cls]
    def first(self):
        return self.number == 0
class Single(Ranks):
    def first(self): ...
known = None
current = Ranks()
def ranks() -> "Ranks | None":
    return known
def shown():
    return current
"""


def named(source, folder) -> list[str]:
    """The names of the classes that the argument of ``seen(...)`` may be of."""
    (folder / "parallel.py").write_text(PARALLEL, encoding="utf-8")
    data = ("from typing import Optional\nimport parallel\nfrom parallel import *\nfrom parallel import Ranks, Single, current, ranks, shown\n" + source).encode()
    (folder / "train.py").write_bytes(data)
    facts = Facts("train.py", data, parse(data), Repository(str(folder)), Windows({}, {}))
    calls = [node for node in facts.tree.of(ast.Call) if isinstance(node.func, ast.Name) and node.func.id == "seen"]
    return [kind.node.name for kind in kinds(Project(facts), facts, calls[-1].args[0])]


@pytest.mark.parametrize(
    "source",
    [
        "seen(Ranks())",
        "seen(parallel.Ranks())",
        "one = Ranks()\nseen(one)",
        "seen(Ranks.get_instance())",
        "seen(Ranks.of())",
        "seen(Ranks.named())",
        "seen(ranks())",
        "seen(shown())",
        "seen(current)",
        "def f(one: Ranks):\n    seen(one)",
        "def f(one: 'Ranks'):\n    seen(one)",
        "def f(one: Ranks | None = None):\n    seen(one)",
        "def f(one: Optional[Ranks] = None):\n    seen(one)",
        "def f(one=None):\n    two = one or Ranks()\n    seen(two)",
        "class T:\n    def __init__(self, one: Ranks):\n        self.one = one\n    def f(self):\n        seen(self.one)",
        "class T:\n    one: Ranks\n    def f(self):\n        seen(self.one)",
        "class T:\n    def __init__(self):\n        self.one = None\n    def g(self):\n        self.one = ranks()\n    def f(self):\n        seen(self.one)",
        "class A:\n    def __init__(self):\n        self.one = Ranks()\nclass T(A):\n    def f(self):\n        seen(self.one)",
        "class A:\n    def __init__(self):\n        self.one = Ranks()\ndef f(a: A):\n    seen(a.one)",
    ],
)
def test_an_object_of_one_class_is_known(source, tmp_path):
    assert named(source, tmp_path) == ["Ranks"]


@pytest.mark.parametrize(
    "source",
    [
        "def f(one):\n    seen(one)",
        "def f(one: Ranks | Single):\n    seen(one)",
        "def f(one: list[Ranks]):\n    seen(one)",
        "class T:\n    def __init__(self, fast):\n        self.one = Ranks()\n        if fast:\n            self.one = Single()\n    def f(self):\n        seen(self.one)",
        "class T:\n    def __init__(self):\n        self.one = Ranks()\n    def f(self):\n        seen(self.one.other)",
        "one = one.next()\nseen(one)",
    ],
)
def test_an_object_that_may_be_of_others_is_not(source, tmp_path):
    assert named(source, tmp_path) == []


def test_what_a_loop_takes_from_a_list_may_be_of_each_class_in_it(tmp_path):
    source = "class T:\n    def __init__(self):\n        self.all = [Ranks(), Single()]\n    def f(self):\n        for one in self.all:\n            seen(one)"
    assert named(source, tmp_path) == ["Ranks", "Single"]


def test_a_method_that_a_class_below_fills_in_is_not_followed(tmp_path):
    (tmp_path / "parallel.py").write_text(PARALLEL, encoding="utf-8")
    data = b"from parallel import Single\ndef f(one: Single):\n    one.first()\n"
    facts = Facts("train.py", data, parse(data), Repository(str(tmp_path)), Windows({}, {}))
    call = next(iter(facts.tree.of(ast.Call)))
    assert Project(facts).function(facts, call.func) is None
