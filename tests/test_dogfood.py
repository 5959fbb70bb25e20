"""Our own repository, judged by our own standard, with no excuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Exit code and report of `dlgovern check .`, every finding failing."""
    env = {**os.environ, "XDG_CACHE_HOME": str(tmp_path_factory.mktemp("cache"))}
    words = ["check", ".", "--fail-on", "info", "--min-confidence", "low", "--output-format", "json"]
    command = [sys.executable, "-P", "-m", "dlgovern", *words]
    ran = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=300, check=False)
    return ran.returncode, json.loads(ran.stdout)


def test_nothing_is_found(report):
    code, said = report
    found = [f"{one['path']}:{one['line']} {one['rule']} {one['message']}" for one in said["findings"]]
    assert ([], [], 0) == (found, said["not_judged"], code)


def test_enough_is_judged(report):
    _, said = report
    assert said["summary"]["files_judged"] >= 100


def test_the_corpus_is_not_ours(report):
    listed = subprocess.run(
        [sys.executable, "-P", "-m", "dlgovern", "check", ".", "--show-files"], cwd=ROOT, capture_output=True, text=True
    ).stdout
    assert [] == [line for line in listed.splitlines() if line.startswith(("tests/corpus/", "templates/"))]
