"""What a name means."""

import ast

import pytest

from dlgovern.source.names import Names
from dlgovern.source.tree import Tree


def origin_of_last(code: str) -> str | None:
    """The origin of the callee of the last call in the source."""
    tree = Tree(ast.parse(code))
    calls = sorted(tree.of(ast.Call), key=lambda node: (node.lineno, node.col_offset))
    return Names(tree).origin(calls[-1].func)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import torch\ntorch.load(p)", "torch.load"),
        ("import torch as t\nt.load(p)", "torch.load"),
        ("import torch.nn.functional as F\nF.pad(x)", "torch.nn.functional.pad"),
        ("import torch.nn\ntorch.nn.Linear(1)", "torch.nn.Linear"),
        ("from torch import load as tload\ntload(p)", "torch.load"),
        ("import torch\nload = torch.load\nload(p)", "torch.load"),
        ("from functools import partial\nimport torch\nload = partial(torch.load)\nload(p)", "torch.load"),
        ("import importlib\nt = importlib.import_module('torch')\nt.load(p)", "torch.load"),
        ("import torch\ngetattr(torch, 'load')\nx = getattr(torch, 'load')\nx(p)", "torch.load"),
        ("from torch.cuda.amp import GradScaler\ns = GradScaler()\ns.step(o)", "torch.cuda.amp.GradScaler().step"),
        ("import torch.nn as nn\ndef f(m: nn.Module):\n    m.eval()", "torch.nn.Module().eval"),
        ("try:\n    from a import x\nexcept ImportError:\n    from b import x\nx()", "a.x"),
        ("try:\n    import a\nexcept ImportError:\n    a = None\na.f()", "a.f"),
        ("from torch import *\nload(p)", "torch.load"),
        ("import torch\nif (t := torch): t.load(p)", "torch.load"),
        ("import torch\nwith torch.profiler.profile() as p:\n    p.step()", "torch.profiler.profile().step"),
    ],
)
def test_an_origin_is_what_the_reader_would_write_in_full(code: str, expected: str) -> None:
    """Imports, aliases, assignments, partials, annotations and fallbacks are seen through."""
    assert expected == origin_of_last(code)


@pytest.mark.parametrize(
    "code",
    [
        "import torch\ndef f(torch):\n    torch.load(p)",
        "import torch\nfor torch in xs:\n    torch.load(p)",
        "import torch\ntorch = other()\ntorch.load(p)",
        "import torch\nx = torch if flag else other\nx.load(p)",
        "import torch\nx = torch\nx = make()\nx.load(p)",
        "load(p)",
    ],
)
def test_a_name_that_something_else_rebinds_has_no_origin(code: str) -> None:
    """Shadowing by parameters, loops and assignments ends what an import said."""
    assert origin_of_last(code) not in ("torch.load", "load")


def test_an_attribute_of_self_means_what_the_class_assigns_to_it() -> None:
    """``self.scaler`` is followed through ``__init__``."""
    code = "import torch\nclass T:\n    def __init__(self):\n        self.d = torch.distributed\n    def f(self):\n        self.d.barrier()"
    assert origin_of_last(code) == "torch.distributed.barrier"


def test_an_attribute_assigned_twice_with_different_meaning_has_no_origin() -> None:
    """Two assignments that disagree say nothing."""
    code = "import a, b\nclass T:\n    def f(self):\n        self.d = a.x\n    def g(self):\n        self.d = b.x\n        self.d.barrier()"
    assert origin_of_last(code) is None
