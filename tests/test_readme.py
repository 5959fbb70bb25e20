"""What the README shows is what there is."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import tomli

from dlgovern.cli import exits
from dlgovern.cli.settings import find_settings
from dlgovern.store import Store

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^ *```(\w+)\n(.*?)^ *```$", re.S | re.M)


def section(title: str) -> str:
    """The text below a heading of the second order."""
    return README.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def blocks(title: str, language: str) -> list[str]:
    return [text for kind, text in BLOCK.findall(section(title)) if kind == language]


def dlgovern(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "DLGOVERN_NO_CACHE": "1"}
    command = [sys.executable, "-P", "-m", "dlgovern", *words]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False)


def test_start_comes_first_and_holds_two_blocks():
    assert ("# dlgovern", "## Start") == tuple(re.findall(r"^#.*$", README, re.M)[:2])
    assert ["sh", "sh"] == [kind for kind, _ in BLOCK.findall(section("Start"))]


def test_the_first_block_ends_with_the_main_job():
    last = blocks("Start", "sh")[0].splitlines()[-1]
    assert last == "dlgovern check tests/corpus/legacy-training --exit-zero"


def test_the_main_job_shows_something_worth_having():
    ran = dlgovern(ROOT, "check", "tests/corpus/legacy-training", "--exit-zero", "--output-format", "json")
    found = {one["rule"] for one in json.loads(ran.stdout)["findings"]}
    assert (0, True) == (ran.returncode, len(found) >= 10)


def test_the_second_block_ends_with_the_test_runner():
    assert blocks("Start", "sh")[1].splitlines()[-1] == "python -m pytest"


def test_the_finding_it_shows_is_a_real_one():
    ran = dlgovern(
        ROOT / "tests/corpus/legacy-training", "check", "train.py", "--isolated", "--color", "never", "--select", "DLG301"
    )
    assert blocks("What a finding looks like", "text")[0] in ran.stdout


def test_the_configuration_it_shows_is_accepted(tmp_path):
    (tmp_path / "pyproject.toml").write_text(blocks("Configuration", "toml")[0])
    (tmp_path / "a.py").write_text("")
    assert "defects" == find_settings(str(tmp_path), Store("")).values["profile"]
    assert (0, "") == (lambda ran: (ran.returncode, ran.stderr))(dlgovern(tmp_path, "check", "."))


def test_the_suppression_it_shows_suppresses(tmp_path):
    (tmp_path / "dlgovern.toml").write_text("")
    (tmp_path / "a.py").write_text("import torch\n" + blocks("Suppression", "python")[0].replace("2027-", "2999-"))
    report = json.loads(dlgovern(tmp_path, "check", ".", "--output-format", "json").stdout)
    assert [("DLG502", "suppressed")] == [(one["rule"], one["state"]) for one in report["findings"]]


def test_the_standard_and_the_rule_it_shows_work(tmp_path):
    law = tmp_path / "law"
    (law / "rules" / "training").mkdir(parents=True)
    text = blocks("Adopting it in a company", "toml")[0]
    (law / "standard.toml").write_text(re.sub(r"^   ", "", text, flags=re.M))
    (law / "rules" / "training" / "ACM301-loader-without-workers.toml").write_text(blocks("Writing a rule", "toml")[0])
    (tmp_path / "dlgovern.toml").write_text('standard = "law"\nselect = ["ACM"]\n')
    (tmp_path / "a.py").write_text("from torch.utils.data import DataLoader\nloader = DataLoader(x, num_workers=0)\n")
    report = json.loads(dlgovern(tmp_path, "check", "a.py", "--output-format", "json").stdout)
    assert 0 == (ran := dlgovern(tmp_path, "rule", "test", "law")).returncode, ran.stdout + ran.stderr
    assert [("ACM301", "warning", 2)] == [(one["rule"], one["level"], one["line"]) for one in report["findings"]]


def test_the_exit_codes_are_those_of_the_door():
    listed = [int(code) for code in re.findall(r"^\| (\d+) \|", section("Exit codes"), re.M)]
    assert sorted(listed) == sorted(value for name, value in vars(exits).items() if name.isupper())


@pytest.mark.parametrize("name", ["run", "nightly"])
def test_the_scripts_of_ci_are_bash(name):
    assert 0 == subprocess.run(["bash", "-n", ROOT / ".ci" / name], check=False).returncode


def test_pyproject_and_the_first_line_agree_on_python():
    project = tomli.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert (">=3.11", True) == (project["requires-python"], "Python 3.11" in section("Start"))
