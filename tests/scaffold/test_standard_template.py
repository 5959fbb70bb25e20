"""The template for a platform team: a repository with a standard that works from the first minute."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
import tomli
import yaml

pytestmark = pytest.mark.once

TITLE = 'The "best" standard: 100% \\ <b> of `it` #1'


@pytest.mark.parametrize(("ci", "governance"), list(itertools.product(["github", "gitlab", "none"], ["yes", "no"])))
def test_its_files_parse_and_its_standard_has_no_mistake(run, tmp_path, ci, governance):
    ran = run(
        tmp_path, "new", "law", "--template", "standard", "--yes", "--set", f"ci={ci}", "--set", f"governance={governance}",
        "--set", f"title={TITLE}", "--set", "prefix=XYZ",
    )  # fmt: skip
    law = tmp_path / "law"
    assert (0, "") == (ran.returncode, ran.stderr)
    assert [ci == "github", ci == "gitlab"] == [(law / name).exists() for name in (".github/workflows/ci.yml", ".gitlab-ci.yml")]
    for path in law.rglob("*.yml"):
        assert yaml.safe_load(path.read_text())
    head = tomli.loads((law / "standard.toml").read_text())
    assert (TITLE, governance == "yes") == (head["standard"]["title"], "parameters" in head)
    assert (0, "law 1.0.0: 1 rule, no mistake\n") == run(law, "standard", "check", ".")[:2]
    assert "xyz-ddp      2026.1" in run(law, "new", "--list", "--standard", ".").stdout


@pytest.mark.parametrize("words", [("--set", "prefix=DLG"), ("--set", "prefix=abc"), ("--set", "name=Big.Name")])
def test_what_is_dlgovern_s_own_is_not_given_away(run, tmp_path, words):
    assert (2, []) == (run(tmp_path, "new", "law", "--template", "standard", "--yes", *words).returncode, list(Path(tmp_path).iterdir()))


@pytest.mark.slow
def test_it_keeps_what_it_promises(run, tmp_path):
    run(tmp_path, "new", "law", "--template", "standard", "--yes")
    ran = run(tmp_path / "law", "verify", "--yes")
    said = json.loads((tmp_path / "law/evidence.json").read_text())["evidence"]
    assert (0, True) == (ran.returncode, said["kept"]), ran.stdout
    assert ["standard", "rules", "template", "project"] == [one["name"] for one in said["promises"]]
