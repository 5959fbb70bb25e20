"""Projects made from the example standard, and the commands run on them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from dlgovern.cli.main import main

STANDARD = Path(__file__).resolve().parent / "standard"


class Ran(NamedTuple):
    """What one run of a command left behind."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Ran]


@pytest.fixture
def run(capsys, monkeypatch) -> Run:
    """A command of dlgovern, run in a folder."""

    def running(folder: Path, *words: str) -> Ran:
        monkeypatch.chdir(folder)
        capsys.readouterr()
        return Ran(main(list(words)), *capsys.readouterr())

    return running


def _git(folder: Path, *words: str) -> str:
    env = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    who = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.com", "-c", "init.defaultBranch=main")
    done = subprocess.run(["git", *who, *words], cwd=folder, env=env, check=True, capture_output=True, text=True)
    return done.stdout


def _commit(folder: Path) -> None:
    _git(folder, "add", "-A")
    _git(folder, "commit", "-q", "--allow-empty", "-m", "state")


@pytest.fixture
def git() -> Callable[..., str]:
    """Git in a folder, as somebody."""
    return _git


@pytest.fixture
def commit() -> Callable[[Path], None]:
    """Put everything in a folder into one commit."""
    return _commit


@pytest.fixture
def law(tmp_path) -> Path:
    """A copy of the example standard, to be changed: ``law`` beside the projects."""
    return Path(shutil.copytree(STANDARD, tmp_path / "law"))


@pytest.fixture
def project(run, tmp_path) -> Path:
    """A committed project of the template tiny in the version 2026.1."""
    made = run(tmp_path, "new", "one", "--standard", str(STANDARD), "--template", "tiny/2026.1", "--yes")
    assert 0 == made.returncode, made.stderr
    _git(tmp_path / "one", "init", "-q")
    _commit(tmp_path / "one")
    return tmp_path / "one"
