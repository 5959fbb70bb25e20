"""What GitHub Actions reads: workflow commands, and Markdown for the step's summary."""

from __future__ import annotations

import pytest

from dlgovern.finding import NotJudged, Place, RuleNotRun
from dlgovern.report.github import render, step_summary
from dlgovern.report.options import Options


def lines_of(report, **options):
    return render(report, Options(**options)).split("\n")


def test_a_finding_is_a_command(make_report, make_finding):
    assert lines_of(make_report(make_finding())) == [
        "::error file=src/train.py,line=7,endLine=7,col=9,endColumn=30,title=DLG201 collective-on-some-ranks"
        "::`dist.all_reduce` is reached by rank 0 only%0AMove the collective out of the branch.",
        "dlgovern 0.1.0: open: 1 error; 3 of 3 files judged; standard reference 1.0.0, profile defects",
        "",
    ]


@pytest.mark.parametrize(("level", "command"), [("error", "error"), ("warning", "warning"), ("info", "notice")])
def test_a_level_has_its_command(make_report, make_finding, level, command):
    assert lines_of(make_report(make_finding(level=level)))[0].startswith(f"::{command} ")


def test_a_range_over_lines_has_no_columns(make_report, make_finding):
    (line, *_) = lines_of(make_report(make_finding(place=Place("a.py", 7, 9, 8, 2))))
    assert line.startswith("::error file=a.py,line=7,endLine=8,title=")


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("100%", "100%25"),
        ("%0A", "%250A"),
        ("a\nb", "a\\nb"),
        ("a\rb", "a\\rb"),
        ("a:b,c", "a:b,c"),
        ("a::b", "a::b"),
        ("##[error]x", "#\\x23[error]x"),
    ],
)
def test_a_message_is_escaped_as_data(make_report, make_finding, text, data):
    (line, *_) = lines_of(make_report(make_finding(message=text, instead="")))
    assert line.split("::", 2)[2] == data


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("a:b.py", "a%3Ab.py"),
        ("a,line=1.py", "a%2Cline=1.py"),
        ("100%.py", "100%25.py"),
        ("%3A.py", "%253A.py"),
        ("a::error::.py", "a%3A%3Aerror%3A%3A.py"),
        ("a\n::error::b.py", "a\\n%3A%3Aerror%3A%3Ab.py"),
        ("a;b=c.py", "a;b=c.py"),
    ],
)
def test_a_path_is_escaped_as_a_property(make_report, make_finding, path, value):
    (line, *_) = lines_of(make_report(make_finding(path)))
    assert line.split(",line=7,")[0] == f"::error file={value}"


def test_paths_count_from_the_repository(make_report, make_finding):
    (line, *_) = lines_of(make_report(make_finding()), prefix="team/")
    assert line.startswith("::error file=team/src/train.py,")


def test_only_the_first_ten_of_each_level_are_commands(make_report, make_finding):
    findings = [make_finding(f"{number:02}.py", level=level) for number in range(12) for level in ("error", "warning")]
    lines = lines_of(make_report(*findings))
    assert [sum(line.startswith(f"::{name} ") for line in lines) for name in ("error", "warning")] == [10, 10]
    assert [line.split(" ", 1)[0] for line in lines[20:24]] == ["10.py:7:9", "11.py:7:9", "10.py:7:9", "11.py:7:9"]


def test_findings_in_the_change_come_first(make_report, make_finding):
    findings = [make_finding(f"{number:02}.py") for number in range(12)]
    changed = {"11.py": {7}, "10.py": {8}, "09.py": range(1, 99)}
    first, second, third, *_ = lines_of(make_report(*findings), changed=changed)
    assert [line.split(",")[0] for line in (first, second, third)] == [
        "::error file=09.py",
        "::error file=11.py",
        "::error file=00.py",
    ]


def test_severity_goes_before_the_change(make_report, make_finding):
    findings = (make_finding("a.py", level="warning"), make_finding("b.py"))
    assert lines_of(make_report(*findings), changed={"a.py": {7}})[0].startswith("::error file=b.py")


def test_excused_findings_are_only_counted(make_report, make_finding):
    report = make_report(make_finding(state="waived", because="W-7"))
    assert lines_of(report)[0] == (
        "dlgovern 0.1.0: open: nothing; 3 of 3 files judged; 1 waived; standard reference 1.0.0, profile defects"
    )


def test_what_was_not_judged_is_an_error(make_report):
    report = make_report(not_judged=(NotJudged("a.py", "time limit"),), failed=(RuleNotRun("DLG227", "IndexError: x"),))
    assert lines_of(report)[:2] == [
        "::error file=a.py,title=not judged::time limit",
        "Rule failed: DLG227: IndexError: x",
    ]


def test_the_summary_lists_what_has_no_annotation(make_report, make_finding):
    findings = [make_finding(f"{number:02}.py", message="a|b <i>") for number in range(11)]
    report = make_report(*findings, not_judged=(NotJudged("z.py", "time limit"),))
    assert step_summary(report, Options()).split("\n") == [
        "### dlgovern",
        "",
        "dlgovern 0.1.0: open: 11 errors; 3 of 3 files judged; standard reference 1.0.0, profile defects",
        "",
        "| Not judged | Why |",
        "| --- | --- |",
        "| z.py | time limit |",
        "",
        "2 findings without an annotation:",
        "",
        "| Level | Rule | Place | Message |",
        "| --- | --- | --- | --- |",
        "| error | DLG201 | 09.py:7 | a\\|b &lt;i&gt; |",
        "| error | DLG201 | 10.py:7 | a\\|b &lt;i&gt; |",
        "",
        "",
    ]


def test_the_summary_fits_and_says_what_it_left_out(make_report, make_finding):
    text = step_summary(make_report(*[make_finding(message="x" * 500)] * 3000), Options())
    assert len(text.encode()) < 1024 * 1024
    assert text.split("\n")[-2].startswith("... (truncated: ")
