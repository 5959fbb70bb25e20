"""`dlgovern update`: what a user did stays, what the template did comes, and a disagreement is never passed over."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import tomli

from dlgovern.scaffold.migrations import migrate

STANDARD = Path(__file__).resolve().parent / "standard"


def edit(project: Path, path: str, old: str, new: str) -> None:
    text = (project / path).read_text()
    assert old in text
    (project / path).write_text(text.replace(old, new, 1))


def lock(project: Path) -> dict:
    return tomli.loads((project / "dlgovern.lock").read_text())


def version(project: Path) -> tuple[str, str]:
    return lock(project)["template"]["version"], lock(project)["state"]


EDITS = {
    "a dependency beside a bumped one": ("pyproject.toml", '"numpy>=1.26",\n', '"numpy>=1.26",\n    "einops>=0.8",\n'),
    "a comment behind a bumped one": ("pyproject.toml", '"torch>=2.12,<2.14",', '"torch>=2.12,<2.14",  # see our radar'),
    "a list in another form": ("pyproject.toml", '[\n    "numpy>=1.26",\n    "torch>=2.12,<2.14",\n]', '["numpy>=1.26", "torch>=2.12,<2.14"]'),
    "a table of your own": ("pyproject.toml", "[tool.dlgovern]", "[tool.mine]\nx = 1\n\n[tool.dlgovern]"),
    "another description": ("pyproject.toml", 'description = "A model"', 'description = "Ours"'),
    "an own index among the overrides": ("pyproject.toml", "[[tool.mypy.overrides]]\n", '[[tool.mypy.overrides]]\nmodule = "ours.*"\nstrict = true\n\n[[tool.mypy.overrides]]\n'),
    "a paragraph in the README": ("README.md", "A model\n", "It finds ships.\n\nA model\n"),
    "a function in train.py": ("src/one/train.py", "TITLE = ", "def seed() -> int:\n    return 3\n\n\nTITLE = "),
    "a file that is yours": ("src/one/model.py", "One layer.", "Our layer."),
    "a line in .gitignore": (".gitignore", "*.pt\n", "*.pt\nruns/\n"),
}  # fmt: skip
"""Edits that disagree with nothing in 2026.2."""


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_beside_the_template_s_change_stays_and_the_change_comes(run, project, name, commit):
    path, old, new = EDITS[name]
    edit(project, path, old, new)
    commit(project)
    ran = run(project, "update", "--yes")
    assert (0, ("2026.2", "current")) == (ran.returncode, version(project)), ran.stdout + ran.stderr
    wanted = new.strip().splitlines()[-1] if "numpy" in new and "[" in new else new
    assert "<<<<<<<" not in "".join(p.read_text() for p in project.rglob("*") if p.is_file() and ".git" not in p.parts)
    if path != "pyproject.toml":
        assert new in (project / path).read_text()
    elif "einops" in wanted or "radar" in wanted:
        assert wanted.split('"')[-2 if "einops" in wanted else -1].strip(", ") in (project / path).read_text()
    after = tomli.loads((project / "pyproject.toml").read_text())
    assert {"numpy>=2.0", "safetensors>=0.6", "torch>=2.13,<2.15"} <= set(after["project"]["dependencies"])
    assert (">=3.12", 110) == (after["project"]["requires-python"], after["tool"]["ruff"]["line-length"])
    assert "range(20)" in (project / "src/one/train.py").read_text()


def test_all_of_these_edits_together(run, project, commit):
    for name in EDITS:
        if name != "a list in another form":
            edit(project, *EDITS[name])
    commit(project)
    ran = run(project, "update", "--yes")
    after = tomli.loads((project / "pyproject.toml").read_text())
    assert (0, ("2026.2", "current")) == (ran.returncode, version(project)), ran.stdout
    assert ["numpy>=2.0", "safetensors>=0.6", "einops>=0.8", "torch>=2.13,<2.15"] == after["project"]["dependencies"]
    assert ("Ours", {"x": 1}) == (after["project"]["description"], after["tool"]["mine"])
    assert ["ours.*", "torch.*", "onnx.*"] == [one["module"] for one in after["tool"]["mypy"]["overrides"]]
    assert "# see our radar" in (project / "pyproject.toml").read_text()


def test_what_nobody_touched_becomes_what_new_would_make(run, project, tmp_path):
    run(project, "update", "--yes")
    (tmp_path / "fresh").mkdir()
    run(tmp_path, "new", "fresh/one", "--standard", str(STANDARD), "--template", "tiny", "--yes")
    fresh = tmp_path / "fresh/one"
    for folder in (project, fresh):
        shutil.rmtree(folder / ".git", ignore_errors=True)
        (folder / "src/one/model.py").unlink()  # seeded: no update touches it
    assert contents(fresh) == contents(project)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_second_update_has_nothing_to_do(run, project, commit):
    run(project, "update", "--yes")
    commit(project)
    before = contents(project)
    ran = run(project, "update", "--yes")
    assert (0, True, before) == (ran.returncode, "nothing to do" in ran.stdout, contents(project))


CONFLICTS = {
    "the same line of a source": ("src/one/train.py", "range(10)", "range(50)"),
    "the same line of a generated script": ("launch/torchrun.sh", "--standalone -m", "--standalone --max-restarts=3 -m"),
    "the same package": ("pyproject.toml", '"torch>=2.12,<2.14"', '"torch==2.12.1"'),
    "the same key": ("pyproject.toml", 'requires-python = ">=3.11"', 'requires-python = ">=3.11,<3.14"'),
}


@pytest.mark.parametrize("name", CONFLICTS)
def test_a_disagreement_leaves_the_lock_where_it_was_until_it_is_resolved(run, project, name, commit):
    path, old, new = CONFLICTS[name]
    edit(project, path, old, new)
    commit(project)
    ran = run(project, "update", "--yes")
    assert (1, ("2026.1", "pending")) == (ran.returncode, version(project)), ran.stdout
    assert f"CONFLICT {path}" in ran.stdout
    assert new in (project / path).read_text()
    if path.endswith(".toml"):
        tomli.loads((project / path).read_text())  # a note, no markers
    assert 1 == run(project, "update", "--continue").returncode
    lines = (project / path).read_text().splitlines(keepends=True)
    (project / path).write_text("".join(one for one in lines if not one.startswith(("<<<<<<<", "|||||||", "=======", ">>>>>>>")) and "dlgovern: conflict" not in one))
    assert (0, ("2026.2", "current")) == (run(project, "update", "--continue").returncode, version(project))


def test_an_update_is_refused_while_one_is_pending(run, project, commit):
    edit(project, *CONFLICTS["the same line of a source"])
    commit(project)
    run(project, "update", "--yes")
    assert (2, 1) == (run(project, "update", "--yes").returncode, run(project, "drift").returncode)


def test_abort_brings_back_every_byte(run, project, commit, git):
    edit(project, *CONFLICTS["the same line of a source"])
    (project / "data.txt").unlink()
    commit(project)
    before = contents(project)
    assert 1 == run(project, "update", "--yes").returncode
    assert (0, ".", "") == (run(project, "update", "--abort").returncode, ".", git(project, "status", "--porcelain"))
    assert {k: v for k, v in before.items() if not k.startswith(".git/")} == {k: v for k, v in contents(project).items() if not k.startswith(".git/")}


@pytest.mark.parametrize(("side", "kept"), [("ours", "range(50)"), ("theirs", "range(20)")])
def test_a_side_may_be_chosen_for_every_conflict(run, project, side, kept, commit):
    edit(project, *CONFLICTS["the same line of a source"])
    edit(project, *CONFLICTS["the same package"])
    commit(project)
    ran = run(project, "update", "--yes", "--conflict", side)
    package = {"ours": "torch==2.12.1", "theirs": "torch>=2.13,<2.15"}[side]
    assert (0, ("2026.2", "current")) == (ran.returncode, version(project))
    assert kept in (project / "src/one/train.py").read_text()
    assert package in tomli.loads((project / "pyproject.toml").read_text())["project"]["dependencies"]


def test_a_conflict_may_be_left_out_of_the_file_and_is_a_patch(run, project, commit):
    edit(project, *CONFLICTS["the same line of a source"])
    commit(project)
    before = (project / "src/one/train.py").read_bytes()
    ran = run(project, "update", "--yes", "--conflict", "patch")
    assert (1, before, True) == (ran.returncode, (project / "src/one/train.py").read_bytes(), "+    for _ in range(20):" in ran.stdout)
    assert (0, "2026.2") == (run(project, "update", "--continue").returncode, version(project)[0])


def test_what_was_deleted_stays_deleted(run, project, commit):
    (project / "README.md").unlink()
    (project / "launch/torchrun.sh").unlink()
    commit(project)
    ran = run(project, "update", "--yes")
    assert (0, False, False) == (ran.returncode, (project / "README.md").exists(), (project / "launch/torchrun.sh").exists())
    commit(project)
    run(project, "update", "--yes", "--set", "title=Another")
    assert not (project / "README.md").exists()


def test_what_the_template_removed_goes_unless_it_was_edited(run, project, commit):
    (project / "NOTES.md").write_text("mine\n")
    commit(project)
    ran = run(project, "update", "--yes")
    assert (False, True) == ((project / "src/one/legacy.py").exists(), (project / "NOTES.md").exists())
    assert "the template has removed it; you changed it, so it stays" in ran.stdout
    assert "NOTES.md" not in lock(project)["files"]


def test_other_answers_are_an_update_too(run, project):
    ran = run(project, "update", "--yes", "--to", "2026.1", "--set", "launchers=torchrun,slurm", "--set", "nodes=3")
    assert (0, True) == (ran.returncode, "--nodes=3" in (project / "launch/job.sbatch").read_text())
    assert (3, "2026.1") == (lock(project)["answers"]["nodes"], version(project)[0])


def test_check_says_so_in_json(run, project):
    ran = run(project, "update", "--check")
    said = json.loads(ran.stdout)["update"]
    assert (1, True, "2026.2") == (ran.returncode, said["available"], said["template"]["to"])
    run(project, "update", "--yes")
    ran = run(project, "update", "--check")
    assert (0, False) == (ran.returncode, json.loads(ran.stdout)["update"]["available"])


def test_a_dry_run_prints_a_patch_that_git_applies(run, project, git):
    before = contents(project)
    ran = run(project, "update", "--yes", "--dry-run")
    assert (1, before) == (ran.returncode, contents(project))
    (project / "../update.patch").write_text(ran.stdout)
    git(project, "apply", "--check", "../update.patch")


def test_uncommitted_work_is_not_mixed_with_an_update(run, project):
    edit(project, *EDITS["a paragraph in the README"])
    ran = run(project, "update", "--yes")
    assert (2, True) == (ran.returncode, "README.md is not committed" in ran.stderr)
    assert 0 == run(project, "update", "--yes", "--allow-dirty").returncode
    assert "It finds ships." in (project / "README.md").read_text()


def test_a_file_that_git_does_not_know_is_no_obstacle_unless_it_would_be_touched(run, project):
    (project / "scratch.txt").write_text("x")
    assert 0 == run(project, "update", "--yes").returncode


def test_a_base_that_cannot_be_rendered_again_is_found_in_the_history(run, project, law, commit):
    shutil.rmtree(law / "templates/tiny/2026.1")
    edit(project, *EDITS["a function in train.py"])
    commit(project)
    ran = run(project, "update", "--yes", "--standard", str(law))
    text = (project / "src/one/train.py").read_text()
    assert (0, True, True) == (ran.returncode, "def seed()" in text, "range(20)" in text), ran.stdout


def test_a_base_that_nobody_has_makes_every_difference_a_conflict(run, project, law, commit, git):
    shutil.rmtree(law / "templates/tiny/2026.1")
    edit(project, *EDITS["a function in train.py"])
    shutil.rmtree(project / ".git")
    git(project, "init", "-q")
    commit(project)
    ran = run(project, "update", "--yes", "--standard", str(law))
    assert (1, True) == (ran.returncode, "what the template once wrote is lost" in ran.stdout)
    assert "def seed()" in (project / "src/one/train.py").read_text()


def test_a_base_that_was_changed_under_its_version_is_not_taken(run, project, law, commit):
    """The lock's hash decides: with a false base the user's edit would look like the template's."""
    source = law / "templates/tiny/2026.1/project/src/__package__/train.py.jinja"
    source.write_text(source.read_text().replace("range(10)", "range(50)"))
    edit(project, *CONFLICTS["the same line of a source"])
    commit(project)
    assert 1 == run(project, "update", "--yes", "--standard", str(law)).returncode


STALE = "import torch\n\n\ndef load(path):\n    return torch.load(path)\n"


@pytest.mark.parametrize(
    ("version", "words", "repaired"), [("1.1", (), True), ("1.1", ("--no-fix",), False), ("1.0", (), False)],
)  # fmt: skip
def test_what_a_later_standard_finds_is_repaired_where_that_is_sure(run, project, law, commit, version, words, repaired):
    edit(law, "standard.toml", 'version = "1.0"', f'version = "{version}"')
    (project / "src/one/load.py").write_text(STALE)
    commit(project)
    ran = run(project, "update", "--yes", "--standard", str(law), *words)
    assert (0, repaired) == (ran.returncode, "weights_only=True" in (project / "src/one/load.py").read_text()), ran.stderr
    assert repaired == ("repaired src/one/load.py: DLG503\n" in ran.stderr)


def test_it_is_repaired_when_the_last_conflict_is_resolved(run, project, law, commit):
    edit(law, "standard.toml", 'version = "1.0"', 'version = "1.1"')
    (project / "src/one/load.py").write_text(STALE)
    edit(project, *CONFLICTS["the same line of a source"])
    commit(project)
    assert 1 == run(project, "update", "--yes", "--standard", str(law)).returncode
    assert STALE == (project / "src/one/load.py").read_text()
    assert 1 == run(project, "update", "--continue", "--standard", str(law)).returncode
    text = (project / "src/one/train.py").read_text()
    (project / "src/one/train.py").write_text(text.partition("<<<<<<<")[0])
    assert 0 == run(project, "update", "--continue", "--standard", str(law)).returncode
    assert "weights_only=True" in (project / "src/one/load.py").read_text()


def test_a_link_out_of_the_project_is_not_followed(run, project, tmp_path, commit):
    (tmp_path / "outside.md").write_text("theirs\n")
    (project / "README.md").unlink()
    (project / "README.md").symlink_to("../outside.md")
    commit(project)
    ran = run(project, "update", "--yes")
    assert (0, "theirs\n") == (ran.returncode, (tmp_path / "outside.md").read_text()), ran.stdout
    assert "leads out of the project by a symbolic link" in ran.stdout


def test_an_older_version_is_no_update(run, project, commit):
    run(project, "update", "--yes")
    commit(project)
    ran = run(project, "update", "--yes", "--to", "2026.1")
    assert (2, True) == (ran.returncode, "older" in ran.stderr)


def test_a_folder_that_no_template_made(run, tmp_path):
    for verb in ("update", "drift"):
        ran = run(tmp_path, verb)
        assert (2, True) == (ran.returncode, "no dlgovern.lock" in ran.stderr)


@pytest.mark.parametrize("text", ["schema = 2\n", "not toml", "schema = 1\nstate='current'\ndlgovern='0'\ntemplate = 3\n", "", "\xff"])
def test_a_lock_that_cannot_be_used(run, project, text):
    (project / "dlgovern.lock").write_text(text, encoding="latin-1")
    assert [2, 2] == [run(project, verb).returncode for verb in ("update", "drift")]


def test_answers_move_with_the_versions_in_order():
    migrations = {
        ("t", "2026.2"): lambda answers: {"tracker": answers.pop("tracking"), **answers},
        ("t", "2026.10"): lambda answers: {**answers, "tracker": "wandb" if answers["tracker"] == "wb" else answers["tracker"]},
        ("u", "2026.2"): lambda _answers: {},
    }
    given = {"tracking": "wb", "name": "x"}
    assert {"name": "x", "tracker": "wandb"} == migrate("t", "2026.1", "2026.10", given, migrations)
    assert {"name": "x", "tracker": "wb"} == migrate("t", "2026.1", "2026.9", given, migrations)
    assert given == migrate("t", "2026.10", "2026.11", given, migrations)
