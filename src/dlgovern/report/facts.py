"""Answers to what several formats ask of a report."""

from collections.abc import Container, Iterable, Mapping
from typing import NamedTuple

from dlgovern.finding import LEVELS, Finding, Place, Report, fails, rank, sure

_MOST_LINES = 1000  # of a span that are compared with a change


class Counts(NamedTuple):
    """How many findings there are, by level where they are open, else by what became of them."""

    levels: dict[str, int]  # worst level first, only those that occur
    states: dict[str, int]  # suppressed, waived, baselined
    failing: int
    fixable: int  # by safe repairs
    unsafe: int  # by unsafe ones only

    @property
    def open(self) -> int:
        """Open findings of all levels."""
        return sum(self.levels.values())


def count(report: Report) -> Counts:
    """Count the findings of ``report``."""
    levels = dict.fromkeys(reversed(LEVELS), 0)
    states = {"suppressed": 0, "waived": 0, "baselined": 0}
    failing = fixable = unsafe = 0
    for finding in report.findings:
        if finding.state != "open":
            states[finding.state] += 1
            continue
        levels[finding.level] += 1
        failing += fails(finding, report.fail_on, report.min_confidence)
        if finding.fix is not None:
            fixable += finding.fix.safe
            unsafe += not finding.fix.safe
    return Counts({level: many for level, many in levels.items() if many}, states, failing, fixable, unsafe)


def span(place: Place) -> tuple[int, int, int, int]:
    """Line, column, end line and exclusive end column of ``place``, with an end that does not precede the start."""
    line, column = max(place.line, 1), max(place.column, 1)
    if (place.end_line, place.end_column) < (line, column):
        return line, column, line, column
    return line, column, place.end_line, max(place.end_column, 1)


def where(place: Place) -> str:
    """Where in its file a place is, as people read it: ``line:column``, in a notebook ``cell N:line:column``."""
    if place.cell and place.cell_line:
        return f"cell {place.cell}:{place.cell_line}:{max(place.cell_column, 1)}"
    line, column, _, _ = span(place)
    return f"{line}:{column}"


def worst_first(findings: Iterable[Finding], changed: Mapping[str, Container[int]] | None) -> list[Finding]:
    """``findings`` by falling level, then those in the change, then by falling confidence, then as they came."""
    return sorted(
        findings,
        key=lambda finding: (-rank(finding.level), not _touched(finding.place, changed), -sure(finding.confidence)),
    )


def advice(instead: str) -> list[str]:
    """The first paragraph of ``instead`` as lines; with the next one if it ends in a colon, which announces code."""
    paragraphs = instead.strip("\n").split("\n\n")
    chosen = paragraphs[:2] if paragraphs[0].rstrip().endswith(":") else paragraphs[:1]
    return [line.rstrip() for paragraph in chosen for line in paragraph.split("\n") if line.strip()]


def many(number: int, noun: str) -> str:
    """``3 files``, ``1 file``; ``3 info``, a level whose name has no plural."""
    return f"{number} {noun}" if number == 1 or noun == "info" else f"{number} {noun}s"


def _touched(place: Place, changed: Mapping[str, Container[int]] | None) -> bool:
    lines = changed.get(place.path) if changed else None
    if lines is None:
        return False
    first, _, last, _ = span(place)
    return any(line in lines for line in range(first, min(last, first + _MOST_LINES) + 1))
