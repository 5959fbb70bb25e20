"""Turn the byte offsets of repairs into lines and columns."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlgovern.finding import Edit
    from dlgovern.report.frame import Sources

_MARK = b"\xef\xbb\xbf"


class Regions:
    """Knows where the lines of a file begin and what its digest is, each found once."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._starts: dict[str, list[int]] = {}
        self._digests: dict[str, str] = {}

    def fits(self, edit: Edit) -> bool:
        """Whether the file is still the one that ``edit`` was made for; a file to create must not be there yet."""
        data = self._sources.data(edit.path)
        if not edit.digest:
            return not data and edit.start == edit.end == 0
        if edit.path not in self._digests:
            self._digests[edit.path] = hashlib.sha256(data).hexdigest()
        return self._digests[edit.path] == edit.digest and edit.start <= edit.end <= len(data)

    def region(self, path: str, start: int, end: int) -> dict[str, int]:
        """Bytes ``start:end`` as a region of SARIF: lines and columns from 1, columns in characters, end exclusive."""
        line, column = self._point(path, start)
        end_line, end_column = self._point(path, end)
        return {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column}

    def _point(self, path: str, offset: int) -> tuple[int, int]:
        data = self._sources.data(path)
        starts = self._starts.get(path)
        if starts is None:
            starts = [0, *accumulate(map(len, data.splitlines(keepends=True)))]
            if not data.endswith((b"\n", b"\r")) and len(starts) > 1:
                starts.pop()  # the last line has no end, so no line begins behind it
            self._starts[path] = starts
        line = bisect_right(starts, offset)
        before = data[starts[line - 1] : offset]
        if line == 1:
            before = before.removeprefix(_MARK)  # a byte order mark takes no column
        return line, len(before.decode("utf-8", "replace")) + 1
