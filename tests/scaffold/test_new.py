"""`dlgovern new`: what is written, what is refused, and that a refusal writes nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import tomli

from dlgovern.cli.main import main

STANDARD = Path(__file__).resolve().parent / "standard"


@pytest.fixture
def new(run):
    """The command with the example standard."""

    def making(folder: Path, *words: str, template: str = "tiny/2026.1"):
        return run(folder, "new", "--standard", str(STANDARD), "--yes", *(["--template", template] if template else []), *words)

    return making


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_project_with_defaults(new, tmp_path):
    ran = new(tmp_path, "segmenter")
    assert (0, "") == (ran.returncode, ran.stderr)
    assert files(tmp_path / "segmenter") == [
        ".gitignore", "NOTES.md", "README.md", "data.txt", "dlgovern.lock", "launch/torchrun.sh", "old.toml", "pyproject.toml",
        "src/segmenter/__init__.py", "src/segmenter/legacy.py", "src/segmenter/model.py", "src/segmenter/train.py",
    ]  # fmt: skip
    assert ["segmenter"] == os.listdir(tmp_path)


def test_its_answers_are_in_its_files_and_in_its_lock(new, tmp_path):
    new(tmp_path, "one", "--set", 'title=A "quoted" one', "--set", "launchers=slurm", "--set", "nodes=4")
    project = tomli.loads((tmp_path / "one/pyproject.toml").read_text())["project"]
    lock = tomli.loads((tmp_path / "one/dlgovern.lock").read_text())
    assert ('A "quoted" one', ["slurm"], 4) == (project["description"], lock["answers"]["launchers"], lock["answers"]["nodes"])
    assert ("tiny", "2026.1", "example") == (lock["template"]["id"], lock["template"]["version"], lock["standard"]["name"])
    assert {"merged", "generated", "seeded"} == {one["owner"] for one in lock["files"].values()}
    assert "launch/job.sbatch" in files(tmp_path / "one")
    assert "launch/torchrun.sh" not in files(tmp_path / "one")


@pytest.mark.skipif(os.name == "nt", reason="no such bit")
def test_a_script_can_be_run(new, tmp_path):
    new(tmp_path, "one")
    assert os.access(tmp_path / "one/launch/torchrun.sh", os.X_OK)
    assert not os.access(tmp_path / "one/README.md", os.X_OK)


def test_a_dry_run_writes_nothing(new, tmp_path):
    ran = new(tmp_path, "one", "--dry-run")
    assert (0, True, []) == (ran.returncode, "src/one/train.py" in ran.stdout, os.listdir(tmp_path))


def test_every_answer_that_does_not_fit_is_named_and_nothing_is_written(new, tmp_path):
    ran = new(tmp_path, "one", "--set", "precision=fp64", "--set", "titel=x", "--set", "nodes=3")
    assert 2 == ran.returncode
    assert ['error: titel: nobody asks this; did you mean "title"?', "nothing was written"] == [ran.stderr.splitlines()[i] for i in (0, -1)]
    assert "precision: 'fp64' is none of bf16, fp32\n" in ran.stderr
    assert "nodes: means nothing here: it is asked only when 'slurm' in launchers\n" in ran.stderr
    assert [] == os.listdir(tmp_path)


def test_answers_that_do_not_go_together_are_refused(new, tmp_path):
    ran = new(tmp_path, "one", "--set", "precision=fp32", "--set", "launchers=slurm")
    assert (2, True) == (ran.returncode, "the slurm partition of the example takes bf16 only" in ran.stderr)


def test_answers_from_a_file_and_the_command_line_has_the_last_word(new, tmp_path):
    (tmp_path / "answers.toml").write_text('title = "From a file"\nprecision = "fp32"\n')
    new(tmp_path, "one", "--answers", "answers.toml", "--set", "precision=bf16")
    answers = tomli.loads((tmp_path / "one/dlgovern.lock").read_text())["answers"]
    assert ("From a file", "bf16") == (answers["title"], answers["precision"])


def test_the_lock_of_one_project_answers_for_the_next(new, tmp_path):
    new(tmp_path, "one", "--set", "title=The same")
    ran = new(tmp_path, "two", "--answers", "one/dlgovern.lock", "--set", "name=two", "--set", "package=two")
    assert (0, "The same") == (ran.returncode, tomli.loads((tmp_path / "two/dlgovern.lock").read_text())["answers"]["title"])


@pytest.mark.parametrize("what", ["file", "full folder", "link"])
def test_what_is_there_already_is_left_alone(new, tmp_path, what):
    if what == "file":
        (tmp_path / "one").write_text("mine")
    elif what == "link":
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "one").symlink_to("elsewhere")
    else:
        (tmp_path / "one").mkdir()
        (tmp_path / "one/notes.txt").write_text("mine")
    before = files(tmp_path)
    assert (2, before) == (new(tmp_path, "one").returncode, files(tmp_path))


def test_an_empty_folder_is_taken(new, tmp_path):
    (tmp_path / "one").mkdir()
    assert (0, True) == (new(tmp_path, "one").returncode, (tmp_path / "one/dlgovern.lock").is_file())


@pytest.mark.parametrize("name", ["torch", "json", "con", "-x-", ".hidden", "a b", "../up", "x" * 80, "class", "tests", "ß", "a\nb", ""])
def test_names_that_no_project_may_have(new, tmp_path, name):
    ran = new(tmp_path, "--", name)
    assert (2, []) == (ran.returncode, os.listdir(tmp_path)), ran.stderr


def test_a_standard_lists_its_templates(new, tmp_path):
    ran = new(tmp_path, "--list", template="")
    assert (0, True) == (ran.returncode, "\ntiny         2026.2   A small project for the tests of the engine\n" in "\n" + ran.stdout), ran.stdout
    assert "_common" not in ran.stdout


def test_a_template_lists_its_questions(new, tmp_path):
    assert "precision  number format of the forward pass: bf16 | fp32; default bf16" in new(tmp_path, "--list").stdout


def test_a_template_that_does_not_exist(new, tmp_path):
    ran = new(tmp_path, "one", template="tinny")
    assert (2, True) == (ran.returncode, 'there is no template \'tinny\'; did you mean "tiny"?' in ran.stderr)


def test_a_new_project_has_no_finding(new, tmp_path, capsys):
    new(tmp_path, "one")
    code = main(["check", "one", "--no-cache", "--fail-on", "info", "--min-confidence", "low"])
    assert 0 == code, capsys.readouterr().out
