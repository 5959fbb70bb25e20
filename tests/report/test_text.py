"""What a person reads at a terminal."""

from __future__ import annotations

import re

import pytest

from dlgovern.finding import Fix, NotJudged, Place, Related, RuleNotRun
from dlgovern.report.options import Options
from dlgovern.report.text import render

SNAPSHOT = """\
data/table.py:1:485 warning DLG503 `torch.load` may run code from the file (medium confidence)
    1 | ..."0053", "0054", "0055", "0056", "0057", "0058", "0059", torch.load("late.pt"), "after"
      |                                                            ^^^^^^^^^^^^^^^^^^^^^
      = instead: Say what the file may hold:
      |     torch.load(path, weights_only=True)

pyproject.toml:1:1 error DLG101 torch has no upper bound
      = instead: Write `torch>=2.11,<2.16`.

src/train.py:7:9 error DLG201 `dist.all_reduce` is reached by rank 0 only
    7 |         dist.all_reduce(loss)
      |         ^^^^^^^^^^^^^^^^^^^^^
      = see src/train.py:6:5 only rank 0 comes here
    6 |     if rank == 0:
      = instead: Move the collective out of the branch.

src/train.py:8:10 error DLG503 `torch.load` may run code from the file [fix]
    8 |     state = torch.load("last.pt", map_location="cpu")
      |             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      = instead: Say what the file may hold:
      |     torch.load(path, weights_only=True)

src/train.py:9:17 info DLG310 `AdamW` runs one kernel per tensor [unsafe fix]
    9 |     optimizer = torch.optim.AdamW(
      |                 ^^^^^^^^^^^^^^^^^^ ... to line 12
      = instead: Pass `fused=True` on CUDA.

Not judged: 1 file
  notebooks/huge.ipynb: larger than 1 MB (41 MB)
Crashed: 1 rule, not the fault of your code
  DLG227: IndexError: tuple index out of range
Did not run: 1 rule (-v names them)
Judged: 411 of 412 files by reference 1.0.0, profile defects, dlgovern 0.1.0
Excused: 1 suppressed (1 by noqa, without a reason), 1 waived, 1 baselined
Fixable: 1 with --fix, 1 more with --unsafe-fixes
Open: 3 errors, 1 warning, 1 info; 3 at or above the failing bar (level error, confidence high)
Not everything was judged.
"""


def test_a_report_looks_like_this(full_report):
    assert render(full_report, Options(width=100)) == SNAPSHOT


def test_colour_changes_nothing_but_colour(full_report):
    plain, painted = (render(full_report, Options(color=color, width=100)) for color in (False, True))
    assert re.sub(r"\x1b\[[\d;]*m", "", painted) == plain
    assert "\x1b[1;31merror\x1b[0m" in painted


def test_every_colour_ends_on_its_line(full_report):
    painted = render(full_report, Options(color=True))
    unended = [line for line in painted.split("\n") if line.count("\x1b[") != 2 * line.count("\x1b[0m")]
    assert unended == []


def test_quiet_is_one_line_a_finding_and_what_was_not_judged(full_report):
    assert render(full_report, Options(verbosity=-1)).split("\n") == [
        "data/table.py:1:485 warning DLG503 `torch.load` may run code from the file (medium confidence)",
        "pyproject.toml:1:1 error DLG101 torch has no upper bound",
        "src/train.py:7:9 error DLG201 `dist.all_reduce` is reached by rank 0 only",
        "src/train.py:8:10 error DLG503 `torch.load` may run code from the file [fix]",
        "src/train.py:9:17 info DLG310 `AdamW` runs one kernel per tensor [unsafe fix]",
        "notebooks/huge.ipynb: not judged: larger than 1 MB (41 MB)",
        "DLG227: failed: IndexError: tuple index out of range",
        "",
    ]


def test_quiet_says_nothing_of_a_clean_run(make_report):
    assert render(make_report(), Options(verbosity=-1)) == ""


def test_a_clean_run_says_what_was_judged(make_report):
    assert render(make_report(), Options()) == (
        "Judged: 3 of 3 files by reference 1.0.0, profile defects, dlgovern 0.1.0\nOpen: nothing\n"
    )


def test_a_clean_run_that_left_something_out_does_not_look_clean(make_report):
    text = render(make_report(not_judged=(NotJudged("a.py", "time limit"),)), Options())
    assert text.endswith("Open: nothing, but not everything was judged\n")


def test_verbose_names_the_excused_with_their_reason(make_report, make_finding):
    report = make_report(make_finding(state="waived", because="W-7, until 2027-01-31"))
    line = "src/train.py:7:9 error DLG201 `dist.all_reduce` is reached by rank 0 only (waived: W-7, until 2027-01-31)"
    shown = [render(report, Options(verbosity=verbosity)).split("\n")[0] for verbosity in (0, 1)]
    assert shown == ["Judged: 3 of 3 files by reference 1.0.0, profile defects, dlgovern 0.1.0", line]


def test_verbose_names_the_rules_that_did_not_run(make_report):
    report = make_report(rules_not_run=(RuleNotRun("DLG804", "its parameter `licences` is not set"),))
    assert render(report, Options(verbosity=1)).split("\n")[:2] == [
        "Did not run: 1 rule",
        "  DLG804: its parameter `licences` is not set",
    ]


def test_verbose_shows_the_whole_advice(make_report, make_finding):
    text = render(make_report(make_finding()), Options(verbosity=1))
    assert (
        "      = instead: Move the collective out of the branch.\n      |\n      | Every rank must call it.\n" in text
    )


def test_an_open_finding_says_who_let_its_waiver_expire(make_report, make_finding):
    report = make_report(make_finding(because="its waiver expired on 2026-11-01 (owner: vision)"))
    assert "      = its waiver expired on 2026-11-01 (owner: vision)\n" in render(report, Options())


def test_a_file_is_not_framed_as_a_whole(make_report, make_finding):
    text = render(make_report(make_finding(place=Place("src/train.py"), instead="")), Options())
    assert text.split("\n")[1] == ""


def test_a_first_character_is_framed(make_report, make_finding):
    text = render(make_report(make_finding(place=Place("src/train.py", 1, 1, 1, 2), instead="")), Options())
    assert text.split("\n")[1:3] == ["    1 | import torch", "      | ^"]


def test_a_notebook_finding_names_its_cell(make_report, make_finding):
    text = render(make_report(make_finding(place=Place("a.ipynb", 40, 10, 40, 12, "", 3, 2, 5))), Options(verbosity=-1))
    assert text.startswith("a.ipynb:cell 3:2:5 error DLG201 ")


def test_paths_are_shown_from_where_the_person_stands(make_report, make_finding):
    finding = make_finding(related=(Related(Place("src/model.py", 2, 1), "defined here"),))
    report = make_report(finding, not_judged=(NotJudged("src/x.py", "unreadable"),))
    text = render(report, Options(shown=lambda path: f"../{path}"))
    assert re.findall(r"\S*src/\S*", text) == ["../src/train.py:7:9", "../src/model.py:2:1", "../src/x.py:"]


def test_many_related_places_are_counted(make_report, make_finding):
    related = tuple(Related(Place("gone.py", line), "also here") for line in range(1, 9))
    text = render(make_report(make_finding(related=related)), Options())
    assert (text.count("also here"), "      = and 3 places more (-v shows them)\n" in text) == (5, True)


def test_many_unjudged_files_are_counted(make_report):
    report = make_report(not_judged=tuple(NotJudged(f"{number:02}.py", "time limit") for number in range(23)))
    assert "  19.py: time limit\n  and 3 files more (-v names them)\n" in render(report, Options())


def test_findings_below_the_failing_bar_do_not_count_as_failing(make_report, make_finding):
    report = make_report(make_finding(level="warning"), make_finding(confidence="medium"))
    assert render(report, Options()).endswith(
        "Open: 1 error, 1 warning; none at or above the failing bar (level error, confidence high)\n"
    )


@pytest.mark.parametrize(("safe", "marker"), [(True, " [fix]"), (False, " [unsafe fix]")])
def test_a_repairable_finding_is_marked(make_report, make_finding, safe, marker):
    text = render(make_report(make_finding(fix=Fix(safe=safe, edits=()))), Options(verbosity=-1))
    assert text.endswith(f"{marker}\n")
