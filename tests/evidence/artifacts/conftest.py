"""What the tests of model files share: the allow-list, and the verdict on bytes."""

from __future__ import annotations

import base64
import importlib.util
import sys
import zlib
from pathlib import Path
from types import ModuleType

import pytest

from dlgovern.evidence.artifacts.allowed import Allowed, newest
from dlgovern.evidence.artifacts.blob import Held
from dlgovern.evidence.artifacts.read import read_artifact

ROOT = Path(__file__).resolve().parents[3]
ROWS = [line.split("\t") for line in (ROOT / "rules/exports/weights-only.tsv").read_text().splitlines() if line[:1] != "#"]


@pytest.fixture(scope="session")
def rows() -> list[list[str]]:
    """The table of what torch allows."""
    return ROWS


@pytest.fixture(scope="session")
def allowed() -> Allowed:
    return newest(ROWS)


@pytest.fixture(scope="session")
def judged(allowed):
    """Reads bytes under a name."""
    return lambda data, name="a.pkl": read_artifact(Held(data), name, allowed)


@pytest.fixture(scope="session")
def hostile() -> ModuleType:
    """The generator of files that must not be clean."""
    path = Path(__file__).with_name("hostile.py")
    spec = importlib.util.spec_from_file_location("hostile_artifacts", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["hostile_artifacts"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def written() -> dict[str, bytes]:
    """Files that libraries wrote which the tests do without, by name."""
    rows = [line.split("\t") for line in Path(__file__).with_name("written.tsv").read_text().splitlines() if line[:1] != "#"]
    return {name: zlib.decompress(base64.b85decode(text)) for name, text in rows}
