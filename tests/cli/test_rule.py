"""The commands about rules and standards say what they do, and leave with the code that the table gives."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dlgovern import bundled
from dlgovern.cli.main import main
from dlgovern.standard.read import read_rule
from dlgovern.standard.skeleton import create, detectors

HEAD = 'schema = 1\n[standard]\nname = "acme"\nversion = "1"\n'


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_explain_says_why_and_what_to_write_and_how_to_suppress(here, capsys):
    code = main(["explain", "DLG502"])

    out = capsys.readouterr().out
    assert 0 == code
    assert out.startswith("DLG502 unsafe-torch-load\n")
    for word in ("Why", "Instead", "Limits", "Bad: switched off", "Level", "# dlgovern: ignore[DLG502] the reason", "https://"):
        assert word in out


def test_a_rule_is_explained_by_name_id_in_any_case_and_through_rule(here, capsys):
    said = []
    for words in (["explain", "unsafe-torch-load"], ["explain", "dlg502"], ["rule", "explain", "DLG502"]):
        main(words)
        said.append(capsys.readouterr().out)

    assert 1 == len(set(said))


def test_an_unknown_rule_is_told_with_the_one_that_was_meant(here, capsys):
    assert 2 == main(["explain", "unsafe-torch-laod"])
    assert 'did you mean "unsafe-torch-load"?' in capsys.readouterr().err


def test_colour_only_where_it_is_wanted(here, capsys):
    main(["explain", "DLG502"])
    plain = capsys.readouterr().out
    main(["explain", "DLG502", "--color", "always"])
    coloured = capsys.readouterr().out

    assert "\033" not in plain
    assert plain == coloured.replace("\033[1m", "").replace("\033[0m", "")


def test_the_list_as_json_has_every_rule_with_its_levels(here, capsys):
    assert 0 == main(["rule", "list", "--output-format", "json"])

    rows = json.loads(capsys.readouterr().out)["rules"]
    assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)
    assert {"defects": "error", "governance": "off"} == next(row["levels"] for row in rows if row["id"] == "DLG502")


def test_the_list_can_be_narrowed(here, capsys):
    assert 0 == main(["rule", "list", "--select", "DLG502"])
    assert ["id", "DLG502"] == [line.split()[0] for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("detector", detectors())
def test_a_new_rule_of_every_detector_validates(detector, here):
    path = create("ACM501", "new-rule", detector, "rules")

    assert "ACM501" == read_rule(path, path).rule.id


def test_a_new_rule_says_todo_and_breaks_the_laws_until_it_is_written(here, capsys):
    (here / "rules").mkdir()
    (here / "rules" / "standard.toml").write_text(HEAD)

    assert 0 == main(["rule", "new", "ACM501", "new-rule"])
    assert 1 == main(["rule", "test", "rules"])
    assert "`why` says TODO" in capsys.readouterr().out


def test_a_new_rule_overwrites_nothing(here, capsys):
    main(["rule", "new", "ACM501", "new-rule"])
    before = (here / "rules/exports/ACM501-new-rule.toml").read_text()

    assert 2 == main(["rule", "new", "ACM501", "other-name"])
    assert 2 == main(["rule", "new", "ACM501", "new-rule"])
    assert before == (here / "rules/exports/ACM501-new-rule.toml").read_text()
    assert ["ACM501-new-rule.toml"] == [path.name for path in (here / "rules/exports").iterdir()]


@pytest.mark.parametrize(
    "words", [["ACM50", "x"], ["acm501", "x"], ["ACM001", "x"], ["ACM501", "Not A Name"], ["ACM501", "x", "--detect", "nothing"]]
)
def test_a_new_rule_with_a_wrong_id_name_or_detector_is_refused(words, here):
    assert 2 == main(["rule", "new", *words])
    assert not (here / "rules").exists()


def test_one_rule_file_is_tested_alone(here, capsys):
    (here / "rules").mkdir()
    (here / "rules" / "standard.toml").write_text(HEAD)
    main(["rule", "new", "ACM501", "new-rule"])
    main(["rule", "new", "ACM502", "other-rule"])
    capsys.readouterr()

    assert 1 == main(["rule", "test", "rules/exports/ACM501-new-rule.toml"])
    out = capsys.readouterr().out
    assert "\n1 rule, 1 of them breaks a law" in out
    assert "ACM502" not in out


def test_a_path_that_is_no_standard_is_told(here, capsys):
    (here / "empty").mkdir()

    assert [2, 2] == [main(["rule", "test", "empty"]), main(["rule", "test", "absent"])]


def test_the_pages_are_written_checked_and_told_stale(here, capsys):
    (here / "README.md").write_text("# x\n<!-- rules -->\nold\n<!-- /rules -->\nend\n")
    (here / "docs" / "rules").mkdir(parents=True)
    (here / "docs" / "rules" / "DLG000.md").write_text("of a rule that is gone")
    words = ["rule", "docs", "--standard", bundled.folder("rules")]

    assert [1, 0, 0] == [main([*words, "--check"]), main(words), main([*words, "--check"])]
    readme = (here / "README.md").read_text()
    assert "[DLG502](docs/rules/DLG502.md)" in readme
    assert readme.endswith("<!-- /rules -->\nend\n")
    assert not (here / "docs" / "rules" / "DLG000.md").exists()
    (here / "docs/rules/DLG502.md").write_text("edited by hand")
    assert 1 == main([*words, "--check"])


def test_a_standard_is_shown_with_its_profiles(here, capsys):
    assert 0 == main(["standard", "show"])
    out = capsys.readouterr().out
    assert out.startswith("reference ")
    for word in ("profiles:", "  defects", "  governance", "scopes:", "versions:", "rules: "):
        assert word in out


def test_a_standard_is_checked_and_every_mistake_is_told(here, capsys):
    (here / "standard.toml").write_text(HEAD.replace("version", "verion"))
    (here / "ACM501-x.toml").write_text("id = 3\n")

    assert 0 == main(["standard", "check", bundled.folder("rules")])
    assert 0 == main(["standard", "check"])  # that of the project, here the shipped one
    assert capsys.readouterr().out.endswith("no mistake\n")
    assert 2 == main(["standard", "check", "."])
    out = capsys.readouterr().out
    assert 'standard.toml:4: standard.verion is unknown; did you mean "version"?' in out
    assert "ACM501-x.toml:1: id: " in out


@pytest.mark.parametrize(
    "words",
    [["explain"], ["rule"], ["rule", "list"], ["rule", "test"], ["rule", "new"], ["rule", "docs"], ["rule", "explain"],
     ["standard"], ["standard", "show"], ["standard", "check"]],
    ids=" ".join,
)
def test_help_shows_two_examples(words, here, capsys):
    assert 0 == main([*words, "--help"])
    assert 2 == capsys.readouterr().out.partition("examples:")[2].count("  dlgovern ")


@pytest.mark.parametrize(("words", "meant"), [(["rule", "lst"], "list"), (["standard", "shw"], "show")])
def test_a_misspelt_verb_is_told_with_the_one_that_was_meant(words, meant, here, capsys):
    assert 2 == main(words)
    assert f'did you mean "{meant}"?' in capsys.readouterr().err
