"""`dlgovern drift` and `dlgovern adopt`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import tomli

STANDARD = Path(__file__).resolve().parent / "standard"


def test_a_new_project_has_not_drifted(run, project):
    ran = run(project, "drift", "--strict")
    assert (0, "tiny 2026.1: 11 files, 0 differ, 0 of them should not\n") == (ran.returncode, ran.stdout)


def test_files_of_the_template_should_not_differ_and_others_may(run, project):
    with (project / "README.md").open("a") as file:
        file.write("more\n")
    assert 0 == run(project, "drift").returncode
    assert 1 == run(project, "drift", "--strict").returncode
    with (project / "launch/torchrun.sh").open("a") as file:
        file.write("# more\n")
    ran = run(project, "drift", "--output-format", "json")
    said = [(one["path"], one["state"], one["fails"]) for one in json.loads(ran.stdout)["drift"]]
    assert (1, [("README.md", "changed", False), ("launch/torchrun.sh", "changed", True)]) == (ran.returncode, said)


def test_what_is_seeded_is_nobody_s_business(run, project):
    (project / "src/one/model.py").write_text("x = 1\n")
    assert 0 == run(project, "drift", "--strict").returncode


def test_the_diff_shows_the_way_from_the_template_to_you(run, project):
    with (project / "README.md").open("a") as file:
        file.write("more\n")
    ran = run(project, "drift", "--diff")
    assert (True, True) == (ran.stdout.startswith("--- a/README.md\n+++ b/README.md\n"), "+more\n" in ran.stdout)


def test_a_template_that_was_changed_under_its_version_shows(run, project, law):
    (law / "templates/tiny/2026.1/project/data.txt").write_text("other\n")
    ran = run(project, "drift", "--standard", str(law))
    assert (1, True) == (ran.returncode, "data.txt: the lock names another content" in ran.stdout)


def test_a_version_that_is_gone(run, project, law):
    shutil.rmtree(law / "templates/tiny/2026.1")
    ran = run(project, "drift", "--standard", str(law))
    assert (2, True) == (ran.returncode, "there is: 2026.2" in ran.stderr)


@pytest.fixture
def old(tmp_path):
    """A repository that grew without a template."""
    folder = tmp_path / "old"
    (folder / "src/old").mkdir(parents=True)
    (folder / "README.md").write_text("# Mine\n")
    (folder / "src/old/model.py").write_text("WIDTH = 4\n")
    return folder


def adopt(run, old, *words):
    return run(old, "adopt", "--standard", str(STANDARD), "--template", "tiny/2026.1", "--yes", *words)


def test_adopting_adds_what_is_missing_and_changes_nothing(run, old):
    ran = adopt(run, old)
    assert (0, "# Mine\n", "WIDTH = 4\n") == (ran.returncode, (old / "README.md").read_text(), (old / "src/old/model.py").read_text())
    assert (True, True) == ((old / "src/old/train.py").is_file(), (old / "dlgovern.lock").is_file())
    assert "kept README.md: differs from the template\n" in ran.stdout


def test_an_adopted_repository_is_updated_like_any_other(run, old):
    adopt(run, old)
    assert 0 == run(old, "drift").returncode
    ran = run(old, "update", "--yes", "--allow-dirty")
    assert (1, True) == (ran.returncode, "range(20)" in (old / "src/old/train.py").read_text())  # README.md disagrees
    assert "# Mine\n" in (old / "README.md").read_text()


def test_what_is_left_out_is_not_brought_by_an_update_either(run, old):
    adopt(run, old, "--leave-out", "launch/", "--leave-out", "train.py")
    assert (False, False) == ((old / "launch").exists(), (old / "src/old/train.py").exists())
    run(old, "update", "--yes", "--allow-dirty")
    assert (False, False) == ((old / "launch").exists(), (old / "src/old/train.py").exists())


def test_a_dry_run_of_adopt_writes_nothing(run, old):
    ran = adopt(run, old, "--dry-run")
    assert (0, False, True) == (ran.returncode, (old / "dlgovern.lock").exists(), "would add src/old/train.py\n" in ran.stdout)


def test_a_repository_is_adopted_once(run, project):
    assert 2 == adopt(run, project).returncode


def test_the_lock_names_the_standard_as_the_project_sees_it(run, old, law):
    run(old, "adopt", "--standard", "../law", "--template", "tiny", "--yes")
    assert "../law" == tomli.loads((old / "dlgovern.lock").read_text())["standard"]["source"]
    assert "../law" == tomli.loads((old / "pyproject.toml").read_text())["tool"]["dlgovern"]["standard"]
    assert 0 == run(old, "drift").returncode
