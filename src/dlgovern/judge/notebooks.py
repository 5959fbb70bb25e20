"""Put findings in notebooks where they are: in the cell for people, at the line of the file for machines."""

from __future__ import annotations

from collections.abc import Iterable

from dlgovern.engine.result import FileResult
from dlgovern.finding import Finding, Place

_Spots = dict[tuple[int, int], tuple[int, ...]]


def relocate(findings: list[Finding], results: Iterable[FileResult]) -> list[Finding]:
    """The findings, those of notebooks at the places that their results give; all were at lines of joined code."""
    known = {result.path: {(p[0], p[1]): p[2:] for p in result.places} for result in results if result.places}
    if not known:
        return findings
    return [_finding(one, known) for one in findings]


def _finding(one: Finding, known: dict[str, _Spots]) -> Finding:
    related = tuple(other._replace(place=_place(other.place, known)) for other in one.related)
    return one._replace(place=_place(one.place, known), related=related)


def _place(place: Place, known: dict[str, _Spots]) -> Place:
    spots = known.get(place.path)
    start = spots.get((place.line, place.column)) if spots else None
    if spots is None or start is None:
        return place
    cell, cell_line, cell_column, line, column = start
    *_, end_line, end_column = spots.get((place.end_line, place.end_column), (line, column))
    if (end_line, end_column) < (line, column):
        end_line, end_column = line, column
    return place._replace(
        line=line, column=column, end_line=end_line, end_column=end_column, cell=cell, cell_line=cell_line,
        cell_column=cell_column,
    )
