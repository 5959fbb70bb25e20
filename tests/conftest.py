"""What every test runs under, however the run itself was started."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # started in the background of a shell: children would inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("loaded", suppress_health_check=[HealthCheck.too_slow])  # others may use the machine, too
settings.load_profile("loaded")

LEFT: Counter[str] = Counter()
"""Tests that ``-m`` or ``-k`` left out, by file; workers tell the process that started them."""


def pytest_collection_finish() -> None:
    """What is loaded now stays: looking for rubbish among it at every syntax tree takes a third of the time."""
    gc.collect()
    gc.freeze()


def pytest_deselected(items: list[pytest.Item]) -> None:
    """Count what is left out."""
    LEFT.update(item.location[0] for item in items)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker says what it left out."""
    said: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if said is not None:
        said["left"] = dict(LEFT)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """All workers leave out the same tests."""
    for name, count in getattr(node, "workeroutput", {}).get("left", {}).items():
        LEFT[name] = count


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say what `-m` or `-k` left out, and how much of each file."""
    if LEFT:
        listed = ", ".join(f"{count} of {name.removeprefix('tests/')}" for name, count in sorted(LEFT.items()))
        terminalreporter.write_line(f"left out: {LEFT.total()} tests: {listed}")


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder in which a run of the program left the compiled standard, and what it judged: an empty file."""
    folder = tmp_path_factory.mktemp("compiled")
    (folder / "project").mkdir()
    (folder / "project" / "nothing.py").write_text("import torch\n")
    env = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}
    for words in ([], ["--profile", "all"]):
        command = [sys.executable, "-P", "-m", "dlgovern", "check", ".", "--isolated", "--exit-zero", *words]
        subprocess.run(command, cwd=folder / "project", env=env, check=True, capture_output=True, timeout=120)
    return folder / "cache"


@pytest.fixture
def cache(compiled: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache folder of the test's own, with the standard compiled in it: a run then takes a tenth of its time."""
    folder = tmp_path_factory.mktemp("cache")
    shutil.copytree(compiled, folder, dirs_exist_ok=True)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
