"""Say a report to GitHub Actions: annotations in the log, the rest as Markdown for the step's summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlgovern.report.display import display, markdown
from dlgovern.report.facts import advice, count, many, span, worst_first
from dlgovern.report.options import hosted
from dlgovern.report.text import header

if TYPE_CHECKING:
    from dlgovern.finding import Finding, Report
    from dlgovern.report.options import Options

MOST_EACH = 10
"""Annotations of one level that GitHub shows for one step; it drops the others without a word."""

MOST_BYTES = 1_000_000
"""A summary of more than 1 MiB is dropped as a whole."""

_COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}


def render(report: Report, options: Options) -> str:
    """Workflow commands for the first ten findings of each level, plain lines for the others, then the counts.

    The first are those in the change under review. A file that was not judged takes the place of an error.
    """
    annotated, others = _split(report, options)
    lines = [
        _command("error", {"file": hosted(path, options), "title": "not judged"}, why)
        for path, why in report.not_judged[:MOST_EACH]
    ]
    lines += [_annotation(finding, options) for finding in annotated]
    lines += [header(finding, options) for finding in others]
    lines += [
        f"Not judged: {display(options.shown(path))}: {display(why)}" for path, why in report.not_judged[MOST_EACH:]
    ]
    lines += [f"Rule failed: {display(rule)}: {display(why)}" for rule, why in report.failed]
    return "\n".join([*lines, _counts(report)]) + "\n"


def step_summary(report: Report, options: Options) -> str:
    """Markdown: the counts, what was not judged, and the findings that did not become annotations."""
    _, others = _split(report, options)
    lines = ["### dlgovern", "", markdown(_counts(report)), ""]
    lines += _table(("Not judged", "Why"), [(path, why) for path, why in report.not_judged])
    lines += _table(("Rule that failed", "Why"), [(rule, why) for rule, why in report.failed])
    if others:
        lines += [f"{many(len(others), 'finding')} without an annotation:", ""]
    lines += _table(
        ("Level", "Rule", "Place", "Message"),
        [(finding.level, finding.rule, _where(finding, options), finding.message) for finding in others],
    )
    return _bounded(lines)


def _split(report: Report, options: Options) -> tuple[list[Finding], list[Finding]]:
    left = dict.fromkeys(_COMMANDS, MOST_EACH)
    left["error"] -= min(len(report.not_judged), MOST_EACH)
    annotated: list[Finding] = []
    others: list[Finding] = []
    open_ = (finding for finding in report.findings if finding.state == "open")
    for finding in worst_first(open_, options.changed):
        left[finding.level] -= 1
        (annotated if left[finding.level] >= 0 else others).append(finding)
    return annotated, others


def _annotation(finding: Finding, options: Options) -> str:
    line, column, end_line, end_column = span(finding.place)
    properties: dict[str, str | int] = {"file": hosted(finding.place.path, options), "line": line, "endLine": end_line}
    if line == end_line:  # GitHub refuses columns for a range over several lines
        properties |= {"col": column, "endColumn": end_column}
    properties["title"] = f"{finding.rule} {finding.name}".strip()
    lines = [finding.message, *advice(finding.instead)]
    if finding.confidence != "high":
        lines[0] += f" ({finding.confidence} confidence)"
    return _command(_COMMANDS[finding.level], properties, *lines)


def _command(name: str, properties: dict[str, str | int], *lines: str) -> str:
    """One workflow command; a percent sign and ends of lines are escaped everywhere, ``:`` and ``,`` in properties."""
    words = ",".join(f"{key}={_property(display(str(value)))}" for key, value in properties.items())
    return f"::{name} {words}::{'%0A'.join(_data(display(line)) for line in lines)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _counts(report: Report) -> str:
    counts = count(report)
    found = ", ".join(many(number, noun) for noun, number in counts.levels.items()) or "nothing"
    excused = ", ".join(f"{number} {state}" for state, number in counts.states.items() if number)
    judged = f"{report.files_judged} of {many(report.files_seen, 'file')} judged"
    standard = f"{report.standard.get('name', '')} {report.standard.get('version', '')}, profile {report.profile}"
    parts = [f"open: {found}", judged, *([excused] if excused else []), f"standard {standard}"]
    return display(f"dlgovern {report.version}: {'; '.join(parts)}")


def _where(finding: Finding, options: Options) -> str:
    return f"{hosted(finding.place.path, options)}:{span(finding.place)[0]}"


def _table(titles: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    if not rows:
        return []
    body = [f"| {' | '.join(map(markdown, row))} |" for row in rows]
    return [f"| {' | '.join(titles)} |", "|" + " --- |" * len(titles), *body, ""]


def _bounded(lines: list[str]) -> str:
    size = 0
    for position, line in enumerate(lines):
        size += len(line.encode()) + 1
        if size > MOST_BYTES:
            return "\n".join([*lines[:position], "", f"... (truncated: {len(lines) - position} more lines)", ""])
    return "\n".join(lines) + "\n"
