"""A company's own templates, and its overlays on those that it extends."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import tomli


def head(law: Path, identity: str, version: str) -> Path:
    return law / "templates" / identity / version / "template.toml"


def new(run, folder, template, *words):
    return run(folder, "new", "one", "--standard", "law", "--template", template, "--yes", *words)


def test_an_overlay_has_the_files_of_what_it_extends_and_its_own(run, tmp_path, law):
    ran = new(run, tmp_path, "tiny-batch")
    job = (tmp_path / "one/launch/job.sbatch").read_text()
    assert (0, "") == (ran.returncode, ran.stderr)
    assert "#!/usr/bin/env bash\n# For the cluster of ml-platform\n#SBATCH --nodes=8\n#SBATCH --partition=night\n" in job
    assert (True, False) == ((tmp_path / "one/src/one/train.py").exists(), (tmp_path / "one/data.txt").exists())
    assert "tiny-batch 2026.1" in (tmp_path / "one/README.md").read_text()


def test_what_an_overlay_fixes_is_not_asked_and_not_taken(run, tmp_path, law):
    ran = new(run, tmp_path, "tiny-batch", "--set", "precision=fp32")
    assert (2, True) == (ran.returncode, "precision: the template fixes this" in ran.stderr)


def test_the_standard_is_named_as_the_project_sees_it(run, tmp_path, law):
    new(run, tmp_path, "tiny-batch")
    named = {
        tomli.loads((tmp_path / "one/dlgovern.lock").read_text())["standard"]["source"],
        tomli.loads((tmp_path / "one/pyproject.toml").read_text())["tool"]["dlgovern"]["standard"],
    }
    assert {"../law"} == named
    assert [0, 0] == [run(tmp_path / "one", *words).returncode for words in (("check", "."), ("drift",))]


def test_a_company_s_version_hides_one_of_the_same_name_below_it(run, tmp_path, law):
    above = tmp_path / "above"
    above.mkdir()
    (above / "standard.toml").write_text('schema = 1\n[standard]\nname = "above"\nversion = "2"\nextends = "../law"\n')
    shutil.copytree(law / "templates/tiny/2026.2", above / "templates/tiny/2026.2")
    (above / "templates/tiny/2026.2/project/data.txt").write_text("from above\n")
    run(tmp_path, "new", "one", "--standard", "above", "--template", "tiny", "--yes")
    assert "from above\n" == (tmp_path / "one/data.txt").read_text()
    assert "above" == tomli.loads((tmp_path / "one/dlgovern.lock").read_text())["standard"]["name"]


def test_an_update_follows_the_company_s_standard(run, tmp_path, law, git, commit):
    new(run, tmp_path, "tiny-batch")
    git(tmp_path / "one", "init", "-q")
    commit(tmp_path / "one")
    shutil.copytree(law / "templates/tiny-batch/2026.1", law / "templates/tiny-batch/2026.2")
    text = head(law, "tiny-batch", "2026.2").read_text()
    head(law, "tiny-batch", "2026.2").write_text(text.replace("2026.1", "2026.2"))
    (law / "templates/tiny-batch/2026.2/parts/head.sh").write_text("#!/bin/bash\n")
    ran = run(tmp_path / "one", "update", "--yes")
    assert (0, True) == (ran.returncode, (tmp_path / "one/launch/job.sbatch").read_text().startswith("#!/bin/bash\n#SBATCH")), ran.stderr


def test_a_library_on_hold_strikes_a_template_out(run, tmp_path, law):
    ran = run(tmp_path, "new", "--list", "--standard", "law")
    assert "~~tiny-apex~~ 2026.1   Built on a library that is on hold\n" in ran.stdout
    assert "not for new projects: apex is on hold in example" in ran.stdout
    refused = new(run, tmp_path, "tiny-apex")
    assert (2, True) == (refused.returncode, "built on apex, which the standard example has on hold" in refused.stderr)


def test_a_reason_against_a_hold_is_kept(run, tmp_path, law):
    ran = new(run, tmp_path, "tiny-apex", "--override", "the old model still runs on it")
    assert (0, "the old model still runs on it") == (ran.returncode, tomli.loads((tmp_path / "one/dlgovern.lock").read_text())["override"])


WRONG = {
    "an unknown key": ("template.toml", 'title = "', 'titel = "x"\ntitle = "', 'titel is unknown; did you mean "title"?'),
    "a choice without choices": ("template.toml", 'choices = ["day", "night"]', "", "choice and multi have choices"),
    "an unknown base": ("template.toml", '"tiny/2026.2"', '"tiny/2025.9"', "extends 'tiny/2025.9', which is no ID/VERSION of a template"),
    "itself": ("template.toml", '"tiny/2026.2"', '"tiny-batch/2026.1"', "extends itself"),
    "another version than the folder's": ("template.toml", 'version = "2026.1"', 'version = "2026.7"', "its folder is tiny-batch/2026.1"),
    "an answer that nobody asks for": ("template.toml", "nodes = 8", "noodles = 8", 'noodles; did you mean "nodes"?'),
    "a default that does not fit": ("template.toml", "nodes = 8", "nodes = 800", "must lie between 1 and 64"),
    "no TOML": ("template.toml", "[defaults]", "[defaults", "not valid TOML"),
    "an unknown name": ("project/x.py.jinja", "", "a\n<@ nobody @>\n", "project/x.py.jinja:2: 'nobody' is undefined"),
    "two files in one place": ("project/README.md", "", "x", "makes README.md, and README.md is made already"),
    "names that differ in case": ("project/readme.MD", "", "x", "makes readme.MD, and README.md is made already"),
    "the lock": ("project/dlgovern.lock", "", "x", "makes dlgovern.lock"),
    "git's folder": ("project/.git/config", "", "x", "lies in git's own folder"),
    "a name of Windows": ("project/con.txt", "", "x", "no name for a file everywhere"),
    "a file that is a folder elsewhere": ("project/src", "", "x", "makes both src and"),
    "a syntax error": ("project/x.txt.jinja", "", "<% if %>", "x.txt.jinja:1: Expected an expression"),
    "a large file": ("project/large.bin", "", "x" * (1 << 20) + "y", "too large, for a template"),
}
"""A file of the template, what is replaced in it ("": the file is new), by what, and what is said then."""


@pytest.mark.parametrize("name", WRONG)
def test_a_template_with_a_mistake_says_so_and_leaves_no_half_project(run, tmp_path, law, name):
    path, old, other, said = WRONG[name]
    target = law / "templates/tiny-batch/2026.1" / path
    target.parent.mkdir(parents=True, exist_ok=True)
    text = target.read_text() if old else ""
    assert old in text
    target.write_text(text.replace(old, other) if old else other)
    ran = new(run, tmp_path, "tiny-batch")
    assert (2, True, ["law"]) == (ran.returncode, said in ran.stderr, sorted(p.name for p in tmp_path.iterdir())), ran.stderr


@pytest.mark.parametrize("target", ["/etc/hostname", "../../../standard.toml", "nowhere"])
def test_a_link_is_no_part_of_a_template(run, tmp_path, law, target):
    (law / "templates/tiny-batch/2026.1/project/link").symlink_to(target)
    ran = new(run, tmp_path, "tiny-batch")
    assert (2, True) == (ran.returncode, "is a link or a special file" in ran.stderr)


def test_names_of_files_may_hold_answers(run, tmp_path, law):
    folder = law / "templates/tiny-batch/2026.1/project/queues"
    folder.mkdir()
    (folder / "__queue__.txt").write_text("x")
    (folder / "__init__.py").write_text("")
    new(run, tmp_path, "tiny-batch", "--set", "queue=day")
    assert ["__init__.py", "day.txt"] == sorted(path.name for path in (tmp_path / "one/queues").iterdir())
