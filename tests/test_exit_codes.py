"""The table of exit codes, one test a row, through a real process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

LOAD = "import torch\nstate = torch.load('last.pt', weights_only=False)\n"
CLEAN = "import torch\nstate = torch.load('last.pt', weights_only=True)\n"

# DLG316 is of medium confidence.
UNSURE = """import torch
for x in loader:
    loss = model(x).sum()
    loss.backward(retain_graph=True)
    optimizer.step()
"""

# Runs the real door with one detector replaced by one that raises.
RAISING = """
import sys
from dlgovern.detect import call
def watch(rules, facts, tables):
    raise IndexError("tuple index out of range")
call.watch = watch
from dlgovern.cli.main import main
sys.exit(main(sys.argv[1:]))
"""

# Sends the signal from inside, where judging has begun.
INTERRUPTING = """
import os, signal, sys
from dlgovern.engine import walk
walk.Walk.judge = lambda *_: os.kill(os.getpid(), signal.SIGINT)
from dlgovern.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(autouse=True)
def _compiled(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The standard is compiled already."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "dlgovern.toml").write_text("")
    (tmp_path / "train.py").write_text(LOAD)
    return tmp_path


def run(project: Path, *words: str, program: str = "") -> subprocess.CompletedProcess[str]:
    """One run of the command, or of a program that stands for it."""
    start = ["-c", program] if program else ["-m", "dlgovern"]
    command = [sys.executable, "-P", *start, *words]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=120, check=False)


def test_0_where_nothing_is_open(project):
    (project / "train.py").write_text(CLEAN)
    assert run(project, "check").returncode == 0


def test_1_where_something_is_open_at_the_failing_level(project):
    assert run(project, "check").returncode == 1


def test_0_where_the_findings_are_below_the_failing_level(project):
    (project / "dlgovern.toml").write_text("levels = { DLG502 = 'warning' }\n")
    assert run(project, "check").returncode == 0


def test_1_where_fail_on_is_lowered_to_them(project):
    (project / "dlgovern.toml").write_text("levels = { DLG502 = 'warning' }\n")
    assert [1, 1] == [run(project, "check", "--fail-on", level).returncode for level in ("warning", "info")]


def test_min_confidence_is_the_second_bar(project):
    (project / "train.py").write_text(UNSURE)
    words = ("check", "--select", "DLG316", "--fail-on", "info", "--min-confidence")
    assert [0, 1, 1] == [run(project, *words, bar).returncode for bar in ("high", "medium", "low")]


def test_exit_zero_turns_1_into_0(project):
    assert run(project, "check", "--exit-zero").returncode == 0


@pytest.mark.parametrize(
    "words",
    [["check", "--no-such-flag"], ["chek"], [], ["check", "nowhere.py"], ["check", "--fail-on", "grave"]],
    ids=["flag", "command", "nothing", "path", "level"],
)
def test_2_for_bad_usage(project, words):
    assert run(project, *words).returncode == 2


def test_2_for_a_configuration_that_cannot_be_used(project):
    (project / "dlgovern.toml").write_text("selct = []\n")
    ran = run(project, "check", "--exit-zero")
    assert (2, True) == (ran.returncode, "no file was judged" in ran.stderr)


def test_2_for_a_standard_that_is_not_there(project):
    assert run(project, "check", "--standard", "nowhere", "--exit-zero").returncode == 2


def test_2_where_a_folder_holds_nothing_to_judge(tmp_path):
    (tmp_path / "picture.svg").write_text("nothing\n")
    assert [2, 2] == [run(tmp_path, "check", *words).returncode for words in ((), ("--exit-zero",))]


def test_0_where_force_exclude_left_nothing_of_what_was_named(project):
    assert run(project, "check", "--force-exclude", "--exclude", "train.py", "train.py").returncode == 0


def test_1_where_a_named_file_is_excluded_but_not_by_force(project):
    assert run(project, "check", "--exclude", "train.py", "train.py").returncode == 1


def test_1_for_an_input_that_does_not_parse(project):
    (project / "train.py").write_text("import torch\ntorch.load('last.pt', weights_only=False\n")
    ran = run(project, "check")
    assert (1, True) == (ran.returncode, "DLG901" in ran.stdout)


def test_3_where_a_detector_raises_and_3_beats_1_and_exit_zero(project):
    ran = [run(project, "check", *words, program=RAISING) for words in ((), ("--exit-zero",))]
    assert ([3, 3], True) == ([one.returncode for one in ran], "IndexError" in ran[0].stdout)


def test_3_where_a_file_cannot_be_read(project):
    (project / "large.py").write_text("#" * 1_000_001)
    assert [3, 3] == [run(project, "check", *words).returncode for words in ((), ("--exit-zero",))]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="needs permissions that hold")
def test_3_where_a_file_may_not_be_read(project):
    (project / "train.py").chmod(0)
    assert run(project, "check").returncode == 3


def test_3_for_an_own_bug_which_says_so(project):
    program = "import sys\nfrom dlgovern.cli import main, check\ncheck.run = lambda _: 1 // 0\nsys.exit(main.main(['check']))"
    ran = run(project, program=program)
    assert (3, True) == (ran.returncode, ran.stderr.startswith("This is a bug in dlgovern, not in your code."))


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_130_where_the_run_was_interrupted(project):
    ran = run(project, "check", "--no-cache", "--jobs", "1", program=INTERRUPTING)
    assert (130, "interrupted\n") == (ran.returncode, ran.stderr)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_130_where_the_signal_comes_from_outside(project):
    command = [sys.executable, "-P", "-m", "dlgovern", "check", "-", "--no-cache"]
    with subprocess.Popen(command, cwd=project, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as it:
        time.sleep(3)  # it waits for its standard input
        it.send_signal(signal.SIGINT)
        it.communicate(timeout=60)
    assert it.returncode == 130
