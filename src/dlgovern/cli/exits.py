"""The exit codes, in one place."""

from __future__ import annotations

from dlgovern.finding import Report, fails

CLEAN = 0
FINDINGS = 1
NOT_STARTED = 2
NOT_FINISHED = 3
INTERRUPTED = 130


def of_report(report: Report, *, exit_zero: bool = False) -> int:
    """3 when something in scope was not judged or a rule failed, 1 for findings at the bar, else 0."""
    if report.not_judged or report.failed:
        return NOT_FINISHED
    if any(fails(one, report.fail_on, report.min_confidence) for one in report.findings):
        return CLEAN if exit_zero else FINDINGS
    return CLEAN
