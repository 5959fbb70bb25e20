"""The table of formats, and what saying a report may cost."""

from __future__ import annotations

import subprocess
import sys

import pytest

from dlgovern.errors import UsageError
from dlgovern.finding import Place
from dlgovern.report import frame
from dlgovern.report.formats import FORMATS, render, step_summary
from dlgovern.report.options import Options

COLD = {
    "pydantic", "libcst", "jinja2", "rich", "yaml", "torch", "tomlkit", "packaging", "importlib.metadata",
    "concurrent.futures", "multiprocessing", "inspect", "dataclasses",
}  # fmt: skip
PROBE = """
import argparse, sys
before = set(sys.modules)
from dlgovern.finding import Finding, Place, Report
from dlgovern.report import frame
from dlgovern.report.formats import render
from dlgovern.report.options import Options
finding = Finding(Place("größe\\t.py", 1, 1, 1, 2), "DLG201", "n", "error", "high", "größe", "instead")
report = Report("0", {}, "defects", (finding,), (), (), (), 1, 1, 0, {}, ".", "error", "high")
render(sys.argv[1], report, Options(color=True))
print(*sorted(set(sys.modules) - before))
"""


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_says_every_report(name, full_report):
    assert render(name, full_report, Options()).endswith("\n")


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_says_the_same_twice(name, full_report):
    assert render(name, full_report, Options()) == render(name, full_report, Options())


def test_only_github_has_a_step_summary(full_report):
    assert [name for name in FORMATS if step_summary(name, full_report, Options())] == ["github"]


def test_an_unknown_format_is_the_users_mistake(make_report):
    with pytest.raises(UsageError) as caught:
        render("jsn", make_report(), Options())
    assert caught.value.lines() == ["there is no output format 'jsn'", "  choose one of text, json, sarif, github"]


@pytest.mark.parametrize("name", ["text", "json"])
def test_the_formats_of_every_commit_load_nothing_heavy(name, tmp_path):
    probe = subprocess.run(
        [sys.executable, "-c", PROBE, name],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env=_environment(),
    )
    loaded = set(probe.stdout.split())
    assert (loaded & COLD, "dlgovern.report.sarif" in loaded) == (set(), False)


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_is_read_once_however_many_findings_it_has(name, make_report, make_finding, monkeypatch):
    report = make_report(*(make_finding(place=Place("src/train.py", line, 1, line, 2)) for line in range(1, 14)))
    opened = []
    open_file = frame.os.open
    monkeypatch.setattr(frame.os, "open", lambda path, *flags: opened.append(path) or open_file(path, *flags))
    render(name, report, Options())
    assert len(opened) == (name in ("text", "sarif"))


def _environment():
    return {"PYTHONPATH": ":".join(path for path in sys.path if path)}
