"""Notebooks are judged cell by cell in order, and findings stand in their cells and in the file."""

import json

import pytest

from dlgovern.cli.main import main
from dlgovern.report.formats import FORMATS

LOAD = "torch.load('a.pt', weights_only=False)"


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "dlgovern.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def save(project, *cells, name="a.ipynb", **options):
    made = [{"cell_type": "code", "source": one} for one in cells]
    (project / name).write_text(json.dumps({"cells": made, "nbformat": 4}, **options))
    return (project / name).read_text().split("\n")


def check(capsys, *words):
    code = main(["check", "--no-cache", "--output-format", "json", *words])
    said = json.loads(capsys.readouterr().out)
    found = [(one["rule"], one["state"], one["cell"], one["line"], one["column"]) for one in said["findings"] if "cell" in one]
    return code, found, said


def test_names_flow_from_cell_to_cell(project, capsys):
    lines = save(project, "import torch\n", ["!ls\n", LOAD], indent=1)
    code, ((rule, _state, cell, line, column),), _ = check(capsys, "a.ipynb")
    assert (1, "DLG502", 2) == (code, rule, cell)
    assert lines[line - 1][column - 1 :].startswith("torch.load(")


def test_people_read_the_cell(project, capsys):
    save(project, "import torch", f"\n{LOAD}")
    main(["check", "--no-cache", "a.ipynb"])
    assert capsys.readouterr().out.startswith("a.ipynb:cell 2:2:1 error DLG502 ")


def test_format_three_is_judged(project, capsys):
    cells = [{"cell_type": "code", "language": "python", "input": f"import torch\n{LOAD}"}]
    (project / "a.ipynb").write_text(json.dumps({"worksheets": [{"cells": cells}], "nbformat": 3}))
    _, found, _ = check(capsys, "a.ipynb")
    assert [("DLG502", 1)] == [(rule, cell) for rule, _, cell, _, _ in found]


def test_a_cell_that_does_not_parse_leaves_the_others_judged(project, capsys):
    save(project, "import torch", "x = (", LOAD)
    _, found, _ = check(capsys, "a.ipynb")
    assert [("DLG502", 3), ("DLG901", 2)] == sorted((rule, cell) for rule, _, cell, _, _ in found)


def test_an_excuse_covers_its_line_even_where_the_file_is_one_line(project, capsys):
    save(project, "import torch", f"{LOAD}  # dlgovern: ignore[DLG502] ours\n{LOAD}")
    _, found, _ = check(capsys, "a.ipynb")
    assert ["suppressed", "open"] == [state for _, state, _, _, _ in found]


def test_an_excuse_for_nothing_is_said_where_it_stands(project, capsys):
    save(project, "x = 1\n", "# dlgovern: ignore[DLG502] no\ny = 2", indent=1)
    _, ((rule, _, cell, _, _),), _ = check(capsys, "a.ipynb")
    assert ("DLG903", 2) == (rule, cell)


def test_the_verdict_is_the_same_from_the_cache(project, capsys):
    save(project, "import torch", LOAD, indent=1)
    words = ["check", "--cache-dir", str(project / "cache"), "--output-format", "json", "a.ipynb"]
    main(words)
    first = capsys.readouterr().out
    main(words)
    assert first == capsys.readouterr().out


def test_the_prefilter_reads_the_joined_cells(project, capsys):
    save(project, "from torch import load as l", "l('a', weights_only=False)")
    _, found, _ = check(capsys, "a.ipynb")
    assert ["DLG502"] == [rule for rule, *_ in found]


@pytest.mark.parametrize("data", (b"{", b"[]", b'{"cells": 5}', b"\xff", b""))
def test_a_broken_notebook_is_a_finding(project, capsys, data):
    (project / "a.ipynb").write_bytes(data)
    code, _, said = check(capsys, "a.ipynb")
    assert (1, ["DLG901"]) == (code, [one["rule"] for one in said["findings"]])


def test_a_notebook_that_is_too_large_is_not_judged(project, capsys):
    with (project / "a.ipynb").open("wb") as file:
        file.truncate(100_000_000)
    code, _, said = check(capsys, "a.ipynb")
    assert (3, ["a.ipynb"]) == (code, [one["path"] for one in said["not_judged"]])


def test_a_large_picture_is_no_hindrance(project, capsys):
    cell = {"cell_type": "code", "source": f"import torch\n{LOAD}", "outputs": [{"data": {"image/png": "A" * 20_000_000}}]}
    (project / "a.ipynb").write_text(json.dumps({"cells": [cell]}))
    _, found, _ = check(capsys, "a.ipynb")
    assert ["DLG502"] == [rule for rule, *_ in found]


def test_an_escaped_nul_is_a_finding(project, capsys):
    save(project, "x = '\0'")
    code, ((rule, _, cell, _, _),), _ = check(capsys, "a.ipynb")
    assert (1, "DLG901", 1) == (code, rule, cell)


def test_repairs_are_not_written_into_notebooks(project, capsys):
    save(project, "import torch", LOAD)
    before = (project / "a.ipynb").read_bytes()
    main(["fix", "--no-cache", "--unsafe-fixes", "a.ipynb"])
    assert "not repaired: a.ipynb: repairs are not written into notebooks" in capsys.readouterr().err
    assert before == (project / "a.ipynb").read_bytes()


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_every_format_can_say_it(project, capsys, name):
    save(project, "import torch", LOAD, indent=1)
    assert 1 == main(["check", "--no-cache", "--output-format", name, "a.ipynb"])
    assert "a.ipynb" in capsys.readouterr().out
