"""Compare two trees of one source, before and after edits, without recursion."""

from __future__ import annotations

import ast
import warnings
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any

from dlgovern.finding import Edit
from dlgovern.source.encoding import byte_offset, codec_of, line_starts

_UNDER = (ast.stmt, ast.ExceptHandler, ast.match_case)


def compiles(data: bytes, path: str) -> bool:
    """Whether CPython would run this source; nothing is run here."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(data, path.encode("utf-8", "backslashreplace").decode(), "exec", dont_inherit=True)
    except (SyntaxError, ValueError, LookupError, RecursionError, MemoryError, OverflowError, SystemError):
        return False
    return True


def changed_outside(old: ast.Module, before: bytes, new: ast.Module, after: bytes, edits: Sequence[Edit]) -> int:
    """The first line of ``before`` with a statement that no edit touches and that is not in ``after`` as it was.

    0 where there is none. A statement must be found again at its old bytes, moved by what the edits before it
    added; one at the top must stay at the top. Of a touched statement those below it are compared.
    """
    codec = codec_of(before)
    begins = [edit.start for edit in edits]
    grown = [0, *accumulate(len(edit.text.encode(codec)) - (edit.end - edit.start) for edit in edits)]
    spans_before, spans_after = _Spans(before), _Spans(after)
    at_top: dict[tuple[int, int], Any] = {spans_after.of(node): node for node in new.body}
    below: dict[tuple[int, int], Any] = {}
    for node in new.body:
        below.update((spans_after.of(inner), inner) for inner in _statements(node))
    if _docstring_moved(old, new, edits, spans_before):
        return 1
    todo: list[tuple[Any, dict[tuple[int, int], Any]]] = [(node, at_top) for node in reversed(old.body)]
    while todo:
        node, candidates = todo.pop()
        start, end = spans_before.of(node)
        first = bisect_right(begins, start - 1)  # the edits before this one begin before the statement
        while first < len(edits) and edits[first].end <= start:
            first += 1  # and these insert right before it
        ahead = edits[first - 1].end if first else -1
        behind = edits[first].start if first < len(edits) else len(before) + 1
        if ahead <= start and end <= behind:
            moved = candidates.get((start + grown[first], end + grown[first]))
            if moved is not None and equal(node, moved):
                continue
            if ahead != start and end != behind:  # text put right before or after may have become a part of it
                return int(node.lineno)
        todo.extend((inner, below) for inner in reversed(list(_inner(node))))
    return 0


def equal(one: ast.AST, other: ast.AST) -> bool:
    """Whether two trees are the same, positions aside."""
    todo: list[tuple[Any, Any]] = [(one, other)]
    while todo:
        left, right = todo.pop()
        if type(left) is not type(right):
            return False
        if isinstance(left, ast.AST):
            todo.extend((getattr(left, name, None), getattr(right, name, None)) for name in left._fields)
        elif isinstance(left, list):
            if len(left) != len(right):
                return False
            todo.extend(zip(left, right, strict=True))
        elif left != right:
            return False
    return True


class _Spans:
    """Byte spans of the statements of one source."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._starts = line_starts(data)

    def of(self, node: Any) -> tuple[int, int]:
        """First byte, decorators included, and the byte after the last."""
        first = node.decorator_list[0] if getattr(node, "decorator_list", None) else node
        start = byte_offset(self._data, self._starts, first.lineno, first.col_offset)
        if first is not node:
            start = self._data.rfind(b"@", 0, start)
        return start, byte_offset(self._data, self._starts, node.end_lineno, node.end_col_offset)


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """A statement and all below it."""
    todo = [node]
    while todo:
        node = todo.pop()
        yield node
        todo.extend(_inner(node))


def _inner(node: ast.AST) -> Iterator[ast.AST]:
    """The statements right below one, those in handlers and cases included."""
    for inner in ast.iter_child_nodes(node):
        if isinstance(inner, ast.stmt):
            yield inner
        elif isinstance(inner, _UNDER):
            yield from _inner(inner)


def _docstring_moved(old: ast.Module, new: ast.Module, edits: Sequence[Edit], spans: _Spans) -> bool:
    """Whether the text that documents the module no longer does, although no edit touches it."""
    first = old.body[0] if old.body else None
    if not isinstance(first, ast.Expr) or not isinstance(first.value, ast.Constant):
        return False
    text = first.value.value
    if not isinstance(text, str) or ast.get_docstring(new, clean=False) == text:
        return False
    start, end = spans.of(first)
    return not any(edit.start < end and start < edit.end for edit in edits)
