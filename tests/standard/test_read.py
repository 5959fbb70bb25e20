"""Every mistake in a standard is told at once, with file and line, and with the word that was meant."""

from __future__ import annotations

import pytest

from dlgovern.errors import StandardError
from dlgovern.standard.read import read_standard


def mistakes(path) -> list[str]:
    with pytest.raises(StandardError) as caught:
        read_standard(str(path))
    return caught.value.lines()[:-1]


def test_a_standard_is_read_with_its_rules(standard):
    assert ["ACM501", "ACM502"] == [rule.rule.id for rule in standard().rules]


def test_mistakes_of_all_files_come_at_once(folder, rule, head):
    path = folder(
        head.replace("version", "verison"),
        **{"ACM501_loud-load": rule().replace("summary", "sumary"), "ACM502_loud-save": "id = "},
    )

    found = mistakes(path)

    assert {"standard.toml", "ACM501-loud-load.toml", "ACM502-loud-save.toml"} == {line.partition(":")[0] for line in found}


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ('summary = "', 'sumary = "', 'ACM501-loud-load.toml:4: sumary is unknown; did you mean "summary"?'),
        ('at = [2]', 'att = [2]', 'ACM501-loud-load.toml:22: example.0.att is unknown; did you mean "at"?'),
        ('names = ["lib.load"]', 'names = ["lib.load"]\nwhree = []', 'ACM501-loud-load.toml:15: [call] has no \'whree\'; did you mean "where"?'),
        (
            'names = ["lib.load"]', 'names = ["lib.load"]\nwhere = [{ argumnt = "x", is = 1 }]',
            'ACM501-loud-load.toml:15: where: \'argumnt\' is unknown; did you mean "argument"?',
        ),
        ('detect = "call"', 'detect = "cal"', "ACM501-loud-load.toml:11: there is no detector 'cal'"),
        ('names = ["lib.load"]', '', "ACM501-loud-load.toml:13: [call] needs 'names'"),
        ('names = ["lib.load"]', 'names = "lib.load"', "ACM501-loud-load.toml:14: names: expected a list of strings"),
        ('confidence = "high"', 'confidence = "sure"', "ACM501-loud-load.toml:9: confidence: "),
        ("at = [2]", "", "ACM501-loud-load.toml:16: example.0: a bad example says at which lines it is bad"),
    ],
)
def test_a_mistake_in_a_rule_names_its_line_and_what_was_meant(old, new, line, folder, rule):
    found = mistakes(folder(**{"ACM501_loud-load": rule().replace(old, new, 1)}))

    assert any(said.startswith(line) for said in found), found


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("version =", "verion =", 'standard.toml:4: standard.verion is unknown; did you mean "version"?'),
        ("description =", "desription =", 'standard.toml:6: profiles.defects.desription is unknown; did you mean "description"?'),
        ("schema = 1", "schema = 2", "standard.toml:1: schema"),
        ('ACM = "error"', 'ACM = "eror"', "standard.toml:8: profiles.defects.levels.ACM: "),
        ("schema = 1", "schema = 1\nlokced = []", 'standard.toml:2: lokced is unknown; did you mean "locked"?'),
    ],
)
def test_a_mistake_in_the_head_names_its_line_and_what_was_meant(old, new, line, folder, head):
    found = mistakes(folder(head.replace(old, new, 1)))

    assert any(said.startswith(line) for said in found), found


def test_an_id_or_name_used_twice_is_a_mistake(folder, rule):
    found = mistakes(folder(**{"ACM501_loud-load": rule(), "ACM501_loud-save": rule(name="loud-save")}))

    assert ["ACM501-loud-save.toml:1: ACM501 is also used by ACM501-loud-load.toml"] == found


def test_a_retired_id_stays_retired(folder, rule, head):
    found = mistakes(folder(head + '[retired]\nACM501 = "it was wrong"\n', **{"ACM501_loud-load": rule()}))

    assert ["ACM501-loud-load.toml:1: ACM501 is retired: it was wrong"] == found


def test_a_file_is_called_after_its_rule(folder, rule):
    found = mistakes(folder(**{"ACM501_quiet-load": rule()}))

    assert ["ACM501-quiet-load.toml: the file should be called ACM501-loud-load.toml"] == found


def test_a_folder_without_a_head_says_so(tmp_path):
    assert ["standard.toml: there is no such file"] == mistakes(tmp_path)
