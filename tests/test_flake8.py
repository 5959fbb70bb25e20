"""flake8 shows our rules: real runs in a subprocess."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

LOAD = "import torch\n\nstate = torch.load('last.pt', weights_only=False){comment}\n"
MESSAGE = "DLG502 torch.load is given weights_only=False: the file may run any code"

COMPANY = """schema = 1
[standard]
name = "acme"
version = "1.0"
title = "Acme"
owner = "platform"
extends = "reference"
[profiles.defects]
description = "ours"
[profiles.defects.levels]
ACM1 = "error"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "dlgovern.toml").write_text("")
    return tmp_path


def flake8(project: Path, *words: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    """A run of flake8 in a folder, our codes only."""
    command = [sys.executable, "-m", "flake8", "--isolated", "--select", "DLG", *words]
    return subprocess.run(command, cwd=project, input=text, capture_output=True, text=True, timeout=120, check=False)


def test_flake8_says_what_check_says(project):
    (project / "train.py").write_text(LOAD.format(comment=""))
    ran = flake8(project, "train.py")
    assert ("", f"train.py:3:9: {MESSAGE}\n", 1) == (ran.stderr, ran.stdout, ran.returncode)


def test_its_noqa_hides_and_its_switch_shows_again(project):
    (project / "train.py").write_text(LOAD.format(comment="  # noqa: DLG502"))
    assert ("", f"train.py:3:9: {MESSAGE}\n") == (
        flake8(project, "train.py").stdout,
        flake8(project, "--disable-noqa", "train.py").stdout,
    )


def test_our_own_comment_hides_too(project):
    (project / "train.py").write_text(LOAD.format(comment="  # dlgovern: ignore[DLG502] written by this job"))
    assert flake8(project, "train.py").stdout == ""


def test_a_noqa_for_another_code_hides_nothing(project):
    (project / "train.py").write_text(LOAD.format(comment="  # noqa: DLG503"))
    assert flake8(project, "train.py").stdout == f"train.py:3:9: {MESSAGE}\n"


def test_standard_input_is_judged(project):
    ran = flake8(project, "-", text=LOAD.format(comment=""))
    assert ran.stdout == f"stdin:3:9: {MESSAGE}\n"


def test_the_level_of_the_folder_counts(project):
    (project / "tests").mkdir()
    (project / "tests" / "test_load.py").write_text(LOAD.format(comment=""))
    assert flake8(project, "tests").stdout == ""


def test_a_configuration_that_cannot_be_used_is_said_not_raised(project):
    (project / "dlgovern.toml").write_text("selct = ['DLG5']\n")
    (project / "train.py").write_text(LOAD.format(comment=""))
    ran = flake8(project, "train.py")
    assert (1, "train.py:1:1: DLG000", "") == (ran.returncode, ran.stdout[:20], ran.stderr)


def test_a_company_prefix_is_said_once(project):
    rules = project / "law" / "rules" / "exports"
    rules.mkdir(parents=True)
    (project / "law" / "standard.toml").write_text(COMPANY)
    shipped = (Path(__file__).parent.parent / "rules/exports/DLG502-unsafe-torch-load.toml").read_text()
    ours = shipped.replace("DLG502", "ACM102").replace('name = "unsafe-torch-load"', 'name = "acme-load"')
    (rules.parent.parent / "rules" / "exports" / "ACM102-acme-load.toml").write_text(ours)
    (project / "dlgovern.toml").write_text('standard = "law"\n')
    for name in ("one.py", "two.py", "three.py"):
        (project / name).write_text(LOAD.format(comment=""))
    ran = flake8(project, "--jobs", "2", ".")
    assert (["ACM"], 3) == ([word for word in ran.stderr.split() if word == "ACM"], ran.stdout.count(MESSAGE))


def test_a_configuration_is_read_once_a_process(project, monkeypatch):
    from dlgovern import flake8 as plugin

    read: list[str] = []
    real = plugin.load_policy
    monkeypatch.setattr(plugin, "load_policy", lambda *words: read.append(words[0]) or real(*words))
    for folder in ("a", "b"):
        (project / folder).mkdir()
        for name in ("one.py", "two.py"):
            made = plugin.Plugin(None, str(project / folder / name), LOAD.format(comment="").splitlines(keepends=True))
            assert [MESSAGE] == [text for _, _, text, _ in made.run()]
    assert read == ["reference"]
