"""The prefilter may let too much through, never too little."""

import ast
import itertools
import random

import pytest

from dlgovern.source.names import Names
from dlgovern.source.prefilter import Prefilter
from dlgovern.source.tree import Tree

RULE = [("R", [{"name": "torch.load"}])]

USES = [
    "import torch\ntorch.load(p)",
    "import torch as t\nt.load(p)",
    "import torch\ntorch . load(p)",
    "import torch\n(torch\n  .load(p))",
    "import torch\n(torch # why\n .load(p))",
    "import torch\ntorch \\\n .load(p)",
    "from torch import load\nload(p)",
    "from torch import (\n  save,\n  load as tload,  # kept\n)\ntload(p)",
    "from torch import \\\n  load as tload\ntload(p)",
    "import os; import torch as T\nT.load(p)",
    "if x: import torch as T\nif y: T.load(p)",
    "import torch\nT = torch\nT.load(p)",
    "import torch\nclass A:\n  def __init__(self):\n    self.t = torch\n  def f(self):\n    self.t.load(p)",
    "import torch\nT = U = torch\nU.load(p)",
    "import torch\nT: object = torch\nT.load(p)",
    "import torch\n(T := torch).load(p)",
    "import torch\n(torch).load(p)",
    "import torch\ngetattr(torch, 'load')(p)",
    "import importlib\nm = importlib.import_module('torch')\nm.load(p)",
    "from torch import *\nload(p)",
    "\ufeffimport torch\ntorch.load(p)",
    "import torch\ntorch.\N{MATHEMATICAL BOLD SMALL L}oad(p)",
    "import torch\na = torch\nb = a\nc = b\nc.load(p)",
    "from functools import partial\nimport torch as t\nl = partial(t.load)\nl(p)",
]


def fires(code: str) -> bool:
    """Whether the prefilter lets the rule look at the source."""
    return bool(Prefilter(RULE).rules(code.encode(), None))


@pytest.mark.parametrize("code", USES)
def test_every_way_to_mean_a_name_passes_the_prefilter(code: str) -> None:
    """What the parsed file resolves, the bytes must promise."""
    tree = Tree(ast.parse(code.encode()))
    names = Names(tree)
    assert "torch.load" in {names.origin(node) for node in tree.of(ast.Attribute, ast.Name, ast.Call)}
    assert fires(code)


@pytest.mark.parametrize(
    "code",
    [
        "import torch\nmodel.load(p)",
        "import torch\nimport json\njson.load(p)",
        "from torch import save\nself.load(p)",
        "import torch\nx = torch.zeros(1)\nx.load(p)",
        "import numpy as torch_like\ntorch_like.load(p)",
        "def load(p): pass\nload(p)",
    ],
)
def test_a_file_that_only_has_the_words_is_not_parsed(code: str) -> None:
    """The file's own imports sharpen loose words such as `load`."""
    assert not fires(code)


def test_random_programs_never_mean_a_name_that_the_prefilter_missed() -> None:
    """Imports, assignments and uses shuffled together, seeded."""
    imports = ["import torch", "import torch as t", "from torch import load as k", "from torch import nn as t"]
    binds = ["a = torch", "b = t", "a = t.load", "c = a", "self.q = torch", "a = b = torch", "d = getattr(torch, 'load')"]
    uses = ["torch.load(1)", "t.load(1)", "k(1)", "a.load(1)", "b.load(1)", "c(1)", "c.load(1)", "self.q.load(1)", "d(1)"]
    dice = random.Random(20260)
    missed = []
    seen = 0
    for _ in range(600):
        lines = dice.sample(imports, 2) + dice.sample(binds, 3) + dice.sample(uses, 3)
        code = "\n".join(lines)
        tree = Tree(ast.parse(code))
        names = Names(tree)
        if "torch.load" in {names.origin(node) for node in tree.of(ast.Attribute, ast.Name, ast.Call)}:
            seen += 1
            if not fires(code):
                missed.append(code)
    assert missed == []
    assert seen > 100


def test_words_alone_can_be_a_trigger() -> None:
    """All of the words of an alternative are wanted."""
    rule = [("R", [{"all": ["launch", "distributed"]}])]
    results = [
        bool(Prefilter(rule).rules(text, None)) for text in (b"x = 'torch.distributed.launch'", b"launch()", b"undistributed launch")
    ]
    assert results == [True, False, False]


def test_a_rule_without_triggers_sees_every_file() -> None:
    """None means always."""
    assert frozenset({"R"}) == Prefilter([("R", None)]).rules(b"x = 1", None)


def test_names_below_a_star_are_meant_too() -> None:
    """``apex.*`` is met by ``apex.amp.initialize``."""
    rule = [("R", [{"name": "apex.*"}])]
    codes = [b"import apex\napex.amp.initialize()", b"from apex import amp\namp.initialize()", b"import apexlike\napexlike.amp()"]
    assert [bool(Prefilter(rule).rules(code, None)) for code in codes] == [True, True, False]


def test_order_of_statements_does_not_matter() -> None:
    """A use may stand before the assignment that explains it."""
    lines = ["import torch", "T = torch", "T.load(p)"]
    assert all(fires("\n".join(order)) for order in itertools.permutations(lines))
