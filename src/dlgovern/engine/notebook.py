"""Judge a notebook as the Python source that its code cells are together, and keep where each place is in the file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dlgovern.engine.result import FileResult
from dlgovern.source.notebook import Notebook, read_notebook
from dlgovern.source.parse import Unparsable, parse

if TYPE_CHECKING:
    from dlgovern.engine.walk import Walk
    from dlgovern.finding import Hit


def judge_notebook(walk: Walk, path: str, data: bytes, digest: str) -> FileResult:
    """The raw hits of a notebook, at lines of its joined code; ``places`` says where these are.

    Cells that do not parse are findings of their own; the others are judged without them.
    """
    from dlgovern.engine.walk import reason  # it loads this module when a notebook comes

    try:
        book = read_notebook(data)
    except Unparsable as error:
        if error.kind == "limits":
            return FileResult(path, digest, not_judged=error.why)
        places = tuple((error.line, column, 0, 0, 0, error.line, column) for column in (error.column, error.column + 1))
        return FileResult(path, digest, walk.unread(path, error.line, error.column, error.why), places=places)
    result = walk.judge_code(path, book.code, digest)
    broken = dict(_broken(book)) if result.hits and not result.parsed else {}
    if broken:
        rest = walk.judge_code(path, book.without(set(broken)), digest)
        hits = [hit for e in broken.values() for hit in walk.unread(path, e.line, e.column, reason(e))]
        result = rest._replace(hits=tuple(sorted([*rest.hits, *hits], key=lambda hit: (hit.line, hit.column, hit.rule))))
    return result._replace(places=_places(book, path, result))


def _broken(book: Notebook) -> Iterator[tuple[int, Unparsable]]:
    """The cells that do not parse by themselves, by index, with the place in the joined code."""
    for index, (first, _last) in enumerate(book.spans):
        try:
            parse(book.cell(index))
        except Unparsable as error:
            yield index, Unparsable(first + error.line - 1, error.column, error.why, error.kind)


def _places(book: Notebook, path: str, result: FileResult) -> tuple[tuple[int, ...], ...]:
    wanted = {place for hit in result.hits for place in _of_hit(hit, path)}
    for excuse in result.excuses:
        wanted |= {(excuse.line, excuse.column), (excuse.line, excuse.end_column)}
    return tuple((line, column, *book.spot(line, column)) for line, column in sorted(wanted))


def _of_hit(hit: Hit, path: str) -> Iterator[tuple[int, int]]:
    yield hit.line, hit.column
    yield hit.end_line, hit.end_column
    for other, line, column, _message in hit.related:
        if other == path:
            yield line, column
