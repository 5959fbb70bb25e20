"""Which files of a repository run together, kept from run to run."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlgovern.engine import stamps
from dlgovern.judge.programs import Programs
from dlgovern.repository.exports import Repository
from dlgovern.store import Store

WORDS = ("destroy", "teardown")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(stamps, "_TICK", -(10**18))
    made = tmp_path / "project"
    made.mkdir()
    for name, text in {"main": "import work\n", "work": "import helper\n", "helper": "x = 1\n", "lonely": "destroy()\n"}.items():
        (made / f"{name}.py").write_text(text)
    return made


def holding(project: Path, path: str = "main.py") -> list[str]:
    programs = Programs(str(project), [WORDS], Store(str(project.parent / "cache")))
    found = programs.holding(path, WORDS, beside=False)
    programs.save()
    return found


def test_a_word_in_an_imported_file_is_found_once_it_is_there(project):
    assert [] == holding(project)
    (project / "helper.py").write_text("teardown()\n")
    assert (["helper.py"], ["helper.py"]) == (holding(project), holding(project))


def test_an_import_that_goes_takes_the_file_out_of_the_program(project):
    (project / "helper.py").write_text("destroy()\n")
    assert ["helper.py"] == holding(project)
    (project / "work.py").write_text("x = 1\n")
    assert [] == holding(project)


def test_a_file_that_comes_joins_the_program(project):
    (project / "work.py").write_text("import later\n")
    assert [] == holding(project)
    (project / "later.py").write_text("destroy()\n")
    assert ["later.py"] == holding(project)


def test_a_notebook_belongs_to_what_it_imports(project):
    (project / "helper.py").write_text("destroy()\n")
    (project / "book.ipynb").write_text("import work\n")
    assert ["helper.py"] == holding(project, "book.ipynb")


def test_nothing_is_read_again_while_nothing_changes(project, monkeypatch):
    first = holding(project)
    monkeypatch.setattr(Repository, "data", lambda self, path: pytest.fail(f"{path} was read"))
    assert first == holding(project)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"layout": 1}', '{"layout": "x", "rows": [[]]}'])
def test_damage_is_a_miss(project, text):
    (project / "helper.py").write_text("destroy()\n")
    before = holding(project)
    for path in (project.parent / "cache").iterdir():
        path.write_text(text)
    assert before == holding(project)
