"""The contract that programs read."""

from __future__ import annotations

import copy
import json

import jsonschema
import pytest

from dlgovern.finding import Edit, Fix, Place
from dlgovern.report.json_ import render
from dlgovern.report.options import Options


def said(report):
    return json.loads(render(report, Options()))


def test_the_schema_is_a_schema(json_schema):
    jsonschema.Draft202012Validator.check_schema(json_schema.schema)


def test_a_full_report_is_what_the_schema_says(full_report, json_schema):
    assert list(json_schema.iter_errors(said(full_report))) == []


def test_an_empty_report_is_what_the_schema_says(make_report, json_schema):
    assert list(json_schema.iter_errors(said(make_report()))) == []


def test_every_member_is_required(full_report, json_schema):
    document = said(full_report)
    document["findings"] = document["findings"][3:4]
    document["findings"][0]["related"] = [{"path": "a", "line": 1, "message": ""}]
    optional = [
        (type(parent).__name__, key)
        for path, parent in parents(document)
        for key in parent
        if not list(json_schema.iter_errors(without(document, path, key)))
    ]
    assert optional == []


def parents(value, path=()):
    if isinstance(value, dict):
        yield path, value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from parents(item, (*path, key))


def without(document, path, key):
    changed = target = copy.deepcopy(document)
    for step in path:
        target = target[step]
    del target[key]
    return changed


def test_a_finding_says_everything(full_report):
    assert said(full_report)["findings"][3] == {
        "rule": "DLG503",
        "name": "implicit-weights-only",
        "level": "error",
        "confidence": "high",
        "state": "open",
        "because": "",
        "path": "src/train.py",
        "line": 8,
        "column": 10,
        "end_line": 8,
        "end_column": 51,
        "symbol": "train",
        "message": "`torch.load` may run code from the file",
        "instead": "Say what the file may hold:\n\n    torch.load(path, weights_only=True)\n\nOr use safetensors.",
        "related": [],
        "fix": {"safe": True, "edits": [{"start": 175, "end": 175, "text": ", weights_only=True"}]},
    }


def test_the_rest_says_what_was_judged_and_how(full_report):
    document = said(full_report)
    del document["findings"]
    assert document == {
        "schema": "dlgovern/1",
        "version": "0.1.0",
        "standard": {"name": "reference", "version": "1.0.0", "fingerprint": "f00d"},
        "not_judged": [{"path": "notebooks/huge.ipynb", "why": "larger than 1 MB (41 MB)"}],
        "rules_not_run": [
            {"rule": "DLG227", "why": "failed: IndexError: tuple index out of range"},
            {"rule": "DLG804", "why": "its parameter `licences` is not set"},
        ],
        "summary": {
            "files_seen": 412,
            "files_judged": 411,
            "open": 5,
            "suppressed": 1,
            "waived": 1,
            "baselined": 1,
        },
    }


def test_only_a_notebook_finding_has_a_cell(make_report, make_finding):
    report = make_report(make_finding(place=Place("a.ipynb", 9, 1, 9, 2, "", 2)), make_finding())
    assert [finding.get("cell") for finding in said(report)["findings"]] == [2, None]


def test_an_edit_of_another_file_names_it(make_report, make_finding):
    edits = (Edit("src/train.py", "", 0, 1, "a"), Edit("pyproject.toml", "", 2, 3, "b"))
    (finding,) = said(make_report(make_finding(fix=Fix(safe=False, edits=edits))))["findings"]
    assert finding["fix"]["edits"] == [
        {"start": 0, "end": 1, "text": "a"},
        {"start": 2, "end": 3, "text": "b", "path": "pyproject.toml"},
    ]


def test_text_comes_back_as_it_was(make_report, make_finding):
    hostile = 'a\x1b\x00\x7f\u202e\n\u2028"\\##[error]🙂'
    (finding,) = said(make_report(make_finding(message=hostile)))["findings"]
    assert finding["message"] == hostile


def test_a_lone_surrogate_becomes_an_escape_and_its_neighbours_stay(make_report, make_finding):
    (finding,) = said(make_report(make_finding("a\udcff🙂\ud800.py")))["findings"]
    assert finding["path"] == "a\\xff🙂\\ud800.py"


def test_the_output_is_printable_ascii_lines(make_report, make_finding):
    text = render(make_report(make_finding("größe\x7f\x9b.py", message="\x1b]0;x\x07")), Options())
    assert [line for line in text.split("\n") if not (line.isascii() and (line.isprintable() or not line))] == []


def test_each_finding_is_one_line(full_report):
    lines = render(full_report, Options()).split("\n")
    assert sum(line.startswith('{"rule": "DLG') for line in lines) == len(full_report.findings) + 2


@pytest.mark.parametrize("place", [Place("a.py", 5, 3), Place("a.py", 0, 0, 0, 0), Place("a.py", 5, 3, 5, 1)])
def test_an_end_never_precedes_its_start(make_report, make_finding, place):
    (finding,) = said(make_report(make_finding(place=place)))["findings"]
    start = (max(place.line, 1), max(place.column, 1))
    assert (finding["end_line"], finding["end_column"]) == start
