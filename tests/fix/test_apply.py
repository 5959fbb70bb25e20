"""Findings become a plan of proven changes, and the plan becomes files."""

from __future__ import annotations

from hashlib import sha256

import pytest

from dlgovern.finding import Edit, Finding, Fix, Place
from dlgovern.fix.apply import plan, write
from dlgovern.fix.write import Written


@pytest.fixture
def root(tmp_path):
    (tmp_path / "a.py").write_bytes(b"x = 1\ny = 2\nz = 3\n")
    (tmp_path / "b.py").write_bytes(b"w = 4\n")
    return tmp_path


def swap(root, path: str, old: str, new: str) -> Edit:
    data = (root / path).read_bytes()
    start = data.index(old.encode())
    return Edit(path, sha256(data).hexdigest(), start, start + len(old.encode()), new)


def finding(rule: str, *edits: Edit, safe: bool = True, state: str = "open") -> Finding:
    return Finding(Place("a.py"), rule, rule, "error", "high", "", fix=Fix(safe, edits), state=state)


def left(planned) -> list[tuple[str, str]]:
    return [(one.finding.rule, one.why) for one in planned.left]


def test_safe_repairs_of_open_findings_are_planned_and_written(root):
    findings = [finding("A", swap(root, "a.py", "1", "10")), finding("B", swap(root, "b.py", "4", "40"))]
    planned = plan(str(root), findings)
    assert [(change.path, change.after) for change in planned.changes] == [
        ("a.py", b"x = 10\ny = 2\nz = 3\n"),
        ("b.py", b"w = 40\n"),
    ]
    assert planned.left == ()
    assert (root / "a.py").read_bytes() == b"x = 1\ny = 2\nz = 3\n"
    assert write(str(root), planned.changes) == [Written("a.py", ""), Written("b.py", "")]
    assert (root / "a.py").read_bytes() == b"x = 10\ny = 2\nz = 3\n"


def test_repairs_that_may_change_the_meaning_wait_to_be_asked_for(root):
    findings = [finding("A", swap(root, "a.py", "1", "10"), safe=False)]
    assert plan(str(root), findings).changes == ()
    assert len(plan(str(root), findings, unsafe=True).changes) == 1


@pytest.mark.parametrize("state", ["suppressed", "waived", "baselined"])
def test_a_finding_that_is_excused_is_not_repaired(root, state):
    assert plan(str(root), [finding("A", swap(root, "a.py", "1", "10"), state=state)]) == ((), ())


def test_a_repair_that_breaks_the_file_is_left_and_the_others_are_made(root):
    findings = [
        finding("A", swap(root, "a.py", "1", "10")),
        finding("B", swap(root, "a.py", "2", "(")),
        finding("C", swap(root, "a.py", "3", "30")),
    ]
    planned = plan(str(root), findings)
    assert planned.changes[0].after == b"x = 10\ny = 2\nz = 30\n"
    assert left(planned) == [("B", "a.py does not parse afterwards (line 2: '(' was never closed)")]


def test_a_repair_of_two_files_of_which_one_breaks_is_left_in_both(root):
    findings = [
        finding("A", swap(root, "a.py", "1", "10"), swap(root, "b.py", "4", "(")),
        finding("B", swap(root, "b.py", "w", "v")),
    ]
    planned = plan(str(root), findings)
    assert [(change.path, change.after) for change in planned.changes] == [("b.py", b"v = 4\n")]
    assert [rule for rule, _ in left(planned)] == ["A"]


def test_what_overlapped_a_broken_repair_gets_its_chance(root):
    findings = [finding("A", swap(root, "a.py", "y = 2", "y = (")), finding("B", swap(root, "a.py", "2", "20"))]
    planned = plan(str(root), findings)
    assert planned.changes[0].after == b"x = 1\ny = 20\nz = 3\n"
    assert [rule for rule, _ in left(planned)] == ["A"]


def test_a_repair_for_a_file_that_changed_is_left(root):
    findings = [finding("A", swap(root, "a.py", "1", "10")), finding("B", swap(root, "b.py", "4", "40"))]
    (root / "a.py").write_bytes(b"x = 1\n")
    (root / "b.py").unlink()
    assert left(plan(str(root), findings)) == [("A", "a.py changed on disk"), ("B", "b.py does not exist any more")]


def test_a_file_that_changes_between_plan_and_write_is_skipped_with_its_partner(root):
    both = finding("A", swap(root, "a.py", "1", "10"), swap(root, "b.py", "4", "40"))
    changes = plan(str(root), [both]).changes
    (root / "b.py").write_bytes(b"own\n")
    assert write(str(root), changes) == [
        Written("a.py", "is left because b.py changed on disk"),
        Written("b.py", "changed on disk"),
    ]


def test_files_are_joined_through_a_chain_of_repairs(root):
    (root / "c.py").write_bytes(b"v = 5\n")
    findings = [
        finding("A", swap(root, "a.py", "1", "10"), swap(root, "b.py", "4", "40")),
        finding("B", swap(root, "b.py", "w", "u"), swap(root, "c.py", "5", "50")),
    ]
    changes = plan(str(root), findings).changes
    (root / "c.py").write_bytes(b"own\n")
    assert [one.why for one in write(str(root), changes)] == [
        "is left because c.py changed on disk",
        "is left because c.py changed on disk",
        "changed on disk",
    ]


def test_a_file_is_created(root):
    planned = plan(str(root), [finding("A", Edit("new/c.toml", "", 0, 0, "a = 1\n"))])
    assert write(str(root), planned.changes) == [Written("new/c.toml", "")]
    assert (root / "new/c.toml").read_bytes() == b"a = 1\n"


def test_a_file_that_exists_is_not_created_again(root):
    planned = plan(str(root), [finding("A", Edit("a.py", "", 0, 0, "a = 1\n"))])
    assert left(planned) == [("A", "a.py exists already")]


def test_a_place_outside_the_project_is_left(root):
    planned = plan(str(root / "x"), [finding("A", Edit("../a.py", "d", 0, 1, ""))])
    assert left(planned) == [("A", "../a.py is no path inside the project")]


def test_text_that_the_file_cannot_hold_is_left(root):
    (root / "l.py").write_bytes("# coding: latin-1\nx = 'é'\n".encode("latin-1"))
    data = (root / "l.py").read_bytes()
    edits = [Edit("l.py", sha256(data).hexdigest(), 18, 19, text) for text in ("日", "ö")]
    assert left(plan(str(root), [finding("A", edits[0])]))[0][1].startswith("l.py cannot be changed: ")
    assert plan(str(root), [finding("A", edits[1])]).changes[0].after == data[:18] + b"\xf6" + data[19:]


def test_a_second_round_takes_what_overlapped(root):
    findings = [finding("A", swap(root, "a.py", "x = 1", "x = 10")), finding("B", swap(root, "a.py", "1", "11"))]
    planned = plan(str(root), findings)
    assert left(planned) == [("B", "overlaps another repair")]
    write(str(root), planned.changes)
    again = plan(str(root), [finding("B", swap(root, "a.py", "10", "11"))])
    assert again.changes[0].after == b"x = 11\ny = 2\nz = 3\n"
