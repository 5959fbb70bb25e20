"""Settings: each way to set a variable or a switch is seen, and looks only are not."""

from __future__ import annotations

from typing import Any

import pytest

from dlgovern.engine.walk import see
from dlgovern.flow.facts import Facts
from dlgovern.policy import Rule
from dlgovern.repository.exports import Repository
from dlgovern.repository.window import Windows
from dlgovern.source.parse import parse

SWITCH = "torch.backends.cudnn.benchmark"


def found(tmp_path: Any, source: str, **parameters: Any) -> list[int]:
    said = {"environment": ["X"], "attributes": [SWITCH], "default": True, **parameters}
    rule = Rule(
        "ABC100", "a", "", "", "", "", "", "high", (), (), {}, "setting", said, (), {}, "python", "", "", {}, None
    )
    data = source.encode()
    facts = Facts("a.py", data, parse(data), Repository(str(tmp_path)), Windows({}, {}))
    hits, failed = see([rule], facts, {})
    assert failed == []
    return sorted(hit.line for hit in hits)


@pytest.mark.parametrize(
    "line",
    [
        'os.environ["X"] = "1"',
        'os.environ.setdefault("X", "1")',
        'os.putenv("X", "1")',
        'os.environ.update({"X": "1"})',
        'os.environ.update(X="1")',
        'os.environ |= {"X": "1"}',
        'env = {**os.environ, "X": "1"}',
        'env = dict(os.environ, X="1")',
        "torch.backends.cudnn.benchmark = True",
    ],
)
def test_a_setting_is_seen(tmp_path: Any, line: str) -> None:
    assert found(tmp_path, f"import os, torch\n{line}\n") == [2]


@pytest.mark.parametrize(
    "line",
    [
        'os.environ["Y"] = "1"',
        'value = os.environ["X"]',
        'env = {}; env["X"] = "1"',
        'env = dict(a=1); env["X"] = "1"',
        "value = torch.backends.cudnn.benchmark",
        'os.environ.pop("X", None)',
    ],
)
def test_what_sets_nothing_is_not_seen(tmp_path: Any, line: str) -> None:
    assert found(tmp_path, f"import os, torch\n{line}\n") == []


@pytest.mark.parametrize("copy", ["os.environ.copy()", "dict(os.environ)", "copy.deepcopy(os.environ)"])
def test_a_copy_for_a_child_counts(tmp_path: Any, copy: str) -> None:
    assert found(tmp_path, f'import os, copy\nenv = {copy}\nenv["X"] = "1"\n') == [3]


@pytest.mark.parametrize(
    "source",
    [
        'import os\nos.environ.setdefault("X", "1")\n',
        'import os\nif "X" not in os.environ:\n    os.environ["X"] = "1"\n',
        'import os\nif os.environ.get("X") is None:\n    os.environ["X"] = "1"\n',
    ],
)
def test_a_value_from_outside_is_kept(tmp_path: Any, source: str) -> None:
    assert found(tmp_path, source, default=False) == []


def test_the_value_narrows(tmp_path: Any) -> None:
    source = 'import os\nos.environ["X"] = "1"\nos.environ["X"] = "0"\n'
    assert found(tmp_path, source, where=[{"argument": "value", "is": "1"}]) == [2]
