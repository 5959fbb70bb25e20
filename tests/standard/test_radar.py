"""The technology selection: what is checked when it is read, and what the rules make of it."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest

from dlgovern import bundled
from dlgovern.detect.listing import Listing, judged
from dlgovern.engine.run import Job
from dlgovern.errors import StandardError
from dlgovern.judge.judgement import judge
from dlgovern.policy import Policy
from dlgovern.repository.window import Windows
from dlgovern.standard import radar
from dlgovern.standard.law import REFERENCE, load_policy
from dlgovern.standard.read import read_standard
from dlgovern.store import Store

ROW = {
    "id": "a", "name": "A", "quadrant": "libraries", "ring": "hold", "distributions": ["a-dist"], "imports": ["a"],
    "replaced_by": "b", "because": "it ended", "history": [{"date": "2026-01-01", "ring": "hold"}],
}  # fmt: skip


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy(REFERENCE, ".", "defects", Store(""))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"replaced_by": ""}, "a hold names what to use instead"),
        ({"ring": "adopt"}, "the last entry of history has the ring in force"),
        ({"sunset": "2027-13-01"}, "month must be in 1..12"),
        ({"ring": "adopt", "history": [{"date": "2026-01-01", "ring": "adopt"}], "sunset": "2027-01-01"}, "only a hold"),
        ({"versions": "new ones"}, "is no range of versions"),
        ({"colour": "red"}, "Extra inputs are not permitted"),
        ({"ring": "avoid"}, "Input should be"),
    ],
)
def test_a_mistake_in_a_row_is_said(change: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        radar.Selection.model_validate({"technology": [{**ROW, **change}]})


def test_a_mistake_is_said_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "standard.toml").write_text(
        'schema = 1\n[standard]\nname = "a"\nversion = "1"\n[tables]\nselection = "radar.toml"\n'
    )
    (tmp_path / "radar.toml").write_text('[[technology]]\nid = "a"\nname = "A"\nquadrant = "libraries"\nring = "red"\n')
    with pytest.raises(StandardError) as error:
        read_standard(str(tmp_path))
    assert ("radar.toml", 5) in [tuple(mistake)[:2] for mistake in error.value.mistakes]


def test_the_shipped_selection_is_large_and_gives_a_reason_for_each() -> None:
    table = read_standard(bundled.folder("rules")).tables["selection"]["technology"]
    assert (len(table) >= 80, [row["id"] for row in table if len(row["because"]) < 5]) == (True, [])


def test_a_row_of_a_company_replaces_the_one_of_its_id() -> None:
    table = radar.kept({"technology": [{**ROW, "ring": "adopt"}, ROW]})
    assert [row["ring"] for row in table["technology"]] == ["adopt"]


def test_versions_of_the_selection_are_windows_of_the_policy(policy: Policy) -> None:
    assert {name: policy.window[name] for name in ("torch", "lightning", "pytorch-lightning")} == {
        "torch": "<2.14", "lightning": "<2.7", "pytorch-lightning": "<2.7",
    }  # fmt: skip


@pytest.mark.parametrize(("path", "reported"), [("research/a.py", False), ("src/a.py", True)])
def test_what_is_assessed_is_silent_below_its_paths(path: str, reported: bool) -> None:
    entry = Listing({"technology": [{**ROW, "ring": "assess", "allowed_paths": ["research/**"]}]}).of_module("a")
    assert (judged({"rings": ["assess"]}, ("a-dist",), entry, path) is not None) == reported


@pytest.mark.parametrize(("parameters", "level"), [({}, None), ({"unlisted": True}, "info"), ({"closed": True}, "")])
def test_what_is_not_listed(parameters: dict[str, Any], level: str | None) -> None:
    verdict = judged(parameters, ("elsewhere",), None)
    assert (verdict.level if verdict else None) == level


@pytest.mark.parametrize(("today", "level"), [("2027-06-30", "warning"), ("2027-07-01", "error")])
def test_a_sunset_turns_a_warning_into_an_error_that_day(today: str, level: str, policy: Policy, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import torchtune\n")
    store = Store(str(tmp_path / ".cache"))
    for _ in ("first", "kept"):
        found = judge(
            Job(policy, str(tmp_path), Windows({}, {}), 1), ["a.py"], (), store, today=datetime.date.fromisoformat(today)
        )
        assert [(one.rule, one.level) for one in found.findings] == [("DLG101", level)]
