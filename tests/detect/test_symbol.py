"""Names of a table: the nearest row speaks, an import is reported once, code for several versions is left alone."""

from __future__ import annotations

from typing import Any

import pytest

from dlgovern.detect.tables import Names
from dlgovern.engine.walk import see
from dlgovern.flow.facts import Facts
from dlgovern.policy import Rule
from dlgovern.repository.exports import Repository
from dlgovern.repository.window import Window, Windows
from dlgovern.source.parse import parse

ROWS = [
    ["torch.old", "", "2.0", "", "torch.new", "rename", "2.0", "general", "warns", "Old."],
    ["torch.old.fine", "", "", "", "", "none", "", "general", "resolves", ""],
    ["torch.gone", "", "", "2.0", "", "none", "", "general", "gone", "Gone."],
    ["torch.young", "2.6", "", "", "", "none", "", "general", "resolves", "New."],
    ["torch.Tensor.align", "", "", "2.0", "", "none", "", "general", "gone", "Gone."],
    ["torch.quiet", "", "2.0", "", "", "none", "", "general", "documented", "Quiet."],
]
TABLES = {"names": ROWS}


FROM_2_1 = Window((2, 1), (), "requirements.txt:1")


def seen(tmp_path: Any, source: str, state: str, window: Window = FROM_2_1) -> list[Any]:
    rule = Rule(
        "ABC100", "a", "", "", "", "", "", "high", (), (), {}, "symbol",
        {"table": "names", "state": state, "library": "torch"}, (), {}, "python", "", "", {}, None,
    )
    data = source.encode()
    facts = Facts("a.py", data, parse(data), Repository(str(tmp_path)), Windows({"": {"torch": window}}, {}))
    hits, failed = see([rule], facts, TABLES)
    assert failed == []
    return sorted(hits, key=lambda hit: (hit.line, hit.column))


def lines(*arguments: Any) -> list[int]:
    return [hit.line for hit in seen(*arguments)]


def test_a_row_speaks_for_what_lies_below_it() -> None:
    assert Names(ROWS).nearest("torch.old.part.of").name == "torch.old"  # type: ignore[union-attr]


def test_a_longer_row_is_nearer() -> None:
    assert Names(ROWS).nearest("torch.old.fine.more").name == "torch.old.fine"  # type: ignore[union-attr]


def test_what_is_made_on_the_way_has_no_row() -> None:
    assert Names(ROWS).nearest("torch.old().step") is None


def test_a_method_of_an_instance_is_the_row_of_its_class() -> None:
    assert Names(ROWS).nearest("torch.Tensor().align").name == "torch.Tensor.align"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import torch\ntorch.old.part()\n", [2]),
        ("import torch\ntorch.old.fine()\n", []),
        ("import torch\nf = getattr(torch, 'old')\n", [2]),
        ("import torch\nf = getattr(torch, 'old', None)\n", []),
        ("from torch import old\nold()\n", [2]),
        ("from torch import old\n", [1]),
        ("if x:\n    from torch.npu import old\nelse:\n    from torch import old\nold()\n", [4]),
        ("import torch\nif hasattr(torch, 'new'):\n    f = torch.new\nelse:\n    f = torch.old\n", []),
        ("import torch\nf = torch.old\nif hasattr(torch, 'new'):\n    f = torch.new\n", []),
        ("import torch\nif torch.cuda.is_available():\n    f = torch.old\n", [3]),
        ("from __future__ import annotations\nimport torch\ndef f(x: torch.old) -> None: ...\n", []),
        ("import torch\ndef f(x: torch.old) -> None: ...\n", [2]),
    ],
)
def test_uses_of_a_deprecated_name(tmp_path: Any, source: str, expected: list[int]) -> None:
    assert lines(tmp_path, source, "deprecated") == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("from torch import gone\ngone()\ngone.part()\n", [1]),
        ("import torch.gone\ntorch.gone.part()\n", [1]),
        ("import torch\ntorch.gone.part()\n", [2]),
        ("from torch.gone import *\n", [1]),
        ("import torch\ndef f(x: torch.Tensor):\n    return x.align()\n", [3]),
        ("try:\n    from torch import gone\nexcept ImportError:\n    gone = None\n", []),
    ],
)
def test_a_name_that_is_gone_is_reported_where_it_comes_in(tmp_path: Any, source: str, expected: list[int]) -> None:
    assert lines(tmp_path, source, "removed") == expected


def test_a_name_is_new_only_where_the_repository_states_a_floor(tmp_path: Any) -> None:
    source = "import torch\ntorch.young()\n"
    assert lines(tmp_path, source, "added") == [2]
    assert lines(tmp_path, source, "added", Window((2, 1), (), "the standard")) == []


def test_a_new_name_that_is_imported_on_demand_is_less_sure(tmp_path: Any) -> None:
    hits = seen(tmp_path, "from torch import young\ndef f():\n    from torch import young\n", "added")
    assert [hit.confidence for hit in hits] == ["", "medium"]


def test_a_name_that_is_only_documented_as_deprecated_is_info(tmp_path: Any) -> None:
    assert [hit.level for hit in seen(tmp_path, "import torch\ntorch.quiet()\n", "deprecated")] == ["info"]
