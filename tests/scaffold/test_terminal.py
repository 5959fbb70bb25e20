"""Questions on a terminal: asked in order, asked again where an answer does not fit, never without a person."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import tomli

pty = pytest.importorskip("pty")

STANDARD = Path(__file__).resolve().parent / "standard"


def typed(folder: Path, lines: list[str], *words: str, verb: str = "new") -> subprocess.CompletedProcess[str]:
    """A command whose standard input is a terminal into which a person types these lines."""
    ours, theirs = pty.openpty()
    try:
        os.write(ours, "".join(f"{line}\n" for line in lines).encode() + b"\x04")
        env = {**os.environ, "DLGOVERN_NO_CACHE": "1"}
        command = [sys.executable, "-P", "-m", "dlgovern", verb, *words]
        return subprocess.run(command, cwd=folder, env=env, stdin=theirs, capture_output=True, text=True, timeout=120, check=False)
    finally:
        os.close(ours)
        os.close(theirs)


def new(folder: Path, lines: list[str], *words: str) -> subprocess.CompletedProcess[str]:
    return typed(folder, lines, "one", "--standard", str(STANDARD), "--template", "tiny/2026.1", *words)


def test_an_empty_line_takes_the_default_and_a_question_that_means_nothing_is_not_asked(tmp_path):
    ran = new(tmp_path, ["", "", "Ours", "fp32", "", ""])
    answers = tomli.loads((tmp_path / "one/dlgovern.lock").read_text())["answers"]
    assert (0, "one", "Ours", "fp32") == (ran.returncode, answers["package"], answers["title"], answers["precision"]), ran.stderr
    assert "number format of the forward pass\n  one of: bf16, fp32\n  precision [bf16]: " in ran.stderr
    assert "nodes of a job" not in ran.stderr


def test_an_answer_that_does_not_fit_is_asked_again(tmp_path):
    ran = new(tmp_path, ["", "", "", "fp8", "bf16", "torchrun, slurm", "many", "4", ""])
    answers = tomli.loads((tmp_path / "one/dlgovern.lock").read_text())["answers"]
    assert (0, 4, ["torchrun", "slurm"]) == (ran.returncode, answers["nodes"], answers["launchers"])
    assert "('fp8' is none of bf16, fp32)" in ran.stderr
    assert "(expected a whole number)" in ran.stderr


def test_what_is_set_is_not_asked(tmp_path):
    ran = new(tmp_path, ["", "", "", "", ""], "--set", "title=Set")
    assert (0, False) == (ran.returncode, "what the project is, in one line" in ran.stderr)


def test_an_input_that_ends_early_writes_nothing(tmp_path):
    ran = new(tmp_path, ["", ""])
    assert (2, True, []) == (ran.returncode, "the input ended before every question was answered" in ran.stderr, os.listdir(tmp_path))


def test_with_yes_nothing_is_asked(tmp_path):
    ran = new(tmp_path, [], "--yes")
    assert (0, "") == (ran.returncode, ran.stderr)


@pytest.mark.parametrize(("line", "code"), [("n", 2), ("", 2), ("y", 0)])
def test_verify_asks_before_it_runs_a_project_s_code(tmp_path, line, code):
    typed(tmp_path, [], "one", "--standard", str(STANDARD), "--template", "tiny", "--yes")
    ran = typed(tmp_path / "one", [line], "--only", "train", verb="verify")
    assert (code, True, code == 0) == (ran.returncode, "run it? [y/N] " in ran.stderr, (tmp_path / "one/evidence.json").exists())
