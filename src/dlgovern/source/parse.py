"""Turn the bytes of a Python source into a syntax tree, or say in one value why that cannot be done."""

from __future__ import annotations

import ast
import re
import sys
import warnings
from itertools import accumulate
from typing import Any

from dlgovern.source.encoding import decode
from dlgovern.source.patterns import lazy

DEPTH = 400
"""Levels of a syntax tree. The deepest in Python 3.13's library has 87; recursive readers fail from about 500."""

_SMALL = 60_000  # bytes; below, nothing can be large enough to hurt
_MARKS = 300_000  # characters that are neither of a word nor blank; each can become a node of up to 2 kB
_FIELDS = 30_000  # of f-strings: Python 3.11 needs time quadratic in them, one second for this many

_WORDS = bytes(range(0x30, 0x3A)) + bytes(range(0x41, 0x5B)) + bytes(range(0x61, 0x7B)) + bytes(range(0x80, 0x100))
_QUIET = _WORDS + b"_ \t\f\r#\\"
_FORMATTED = lazy(rb"\b(?:f|fr|rf|t|tr|rt)['\"]", re.IGNORECASE)

_TOO_COMPLEX = (RecursionError, MemoryError, OverflowError, SystemError)
_TOO_COMPLEX_WORDS = ("too many nested", "too many levels", "too complex", "Exceeds the limit")

_ONE = ("body",)
_TWO = ("body", "orelse")
_TRY = ("body", "handlers", "orelse", "finalbody")
_BLOCKS: dict[type, tuple[str, ...]] = {  # where each kind of block keeps its statements
    **dict.fromkeys((ast.Module, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.With, ast.AsyncWith), _ONE),
    **dict.fromkeys((ast.ExceptHandler, ast.match_case), _ONE),
    **dict.fromkeys((ast.If, ast.For, ast.AsyncFor, ast.While), _TWO),
    **dict.fromkeys((ast.Try, ast.TryStar), _TRY),
    ast.Match: ("cases",),
}
_BLOCK_PARTS = (ast.stmt, ast.ExceptHandler, ast.match_case)


class Unparsable(Exception):
    """A source without a tree: where, why, and of which kind.

    ``kind`` is "syntax", "newer" (syntax that a later Python reads) or "limits" (too deep or too large to be
    parsed in bounded time and memory). Lines and columns count from 1, columns in characters.
    """

    def __init__(self, line: int, column: int, why: str, kind: str) -> None:
        super().__init__(why)
        self.line = line
        self.column = column
        self.why = why
        self.kind = kind


def parse(data: bytes) -> ast.Module:
    """The tree of a source in which `encoding.problem` found nothing. Raises `Unparsable`, and nothing else.

    To be called on a main thread: a thread with a small stack can crash where this raises.
    """
    demand_bounded(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(data)
    except _TOO_COMPLEX:
        raise Unparsable(1, 1, "is nested too deeply to be parsed", "limits") from None
    except SyntaxError as error:
        raise _unparsable(error, data) from None
    except (ValueError, LookupError) as error:
        raise Unparsable(1, 1, f"cannot be parsed: {error}", "syntax") from None
    _demand_shallow(tree, data)
    return tree


def demand_bounded(data: bytes) -> None:
    """Refuse what would need seconds or gigabytes, by counts that cost less than a hundredth of parsing. Raises `Unparsable`."""
    if len(data) <= _SMALL:
        return
    if len(data) > _MARKS and len(data.translate(None, _QUIET)) > _MARKS:
        raise Unparsable(1, 1, f"has more than {_MARKS:,} operators, brackets and line ends", "limits")
    if data.count(b"{") > _FIELDS and _FORMATTED.search(data):
        raise Unparsable(1, 1, f"has more than {_FIELDS:,} opening braces and a formatted string", "limits")


def _demand_shallow(tree: ast.Module, data: bytes) -> None:
    """Refuse a tree deeper than `DEPTH`.

    A level takes a byte at least, so a statement of fewer bytes needs no look; of a block only the header counts
    as its own. That leaves the few long statements of a file to be measured.
    """
    ends = [0, *accumulate(map(len, data.splitlines(keepends=True)))]
    level: list[Any] = [tree]
    for depth in range(DEPTH):
        below: list[Any] = []
        for block in level:
            for name in _BLOCKS[type(block)]:
                for inner in getattr(block, name):
                    if type(inner) in _BLOCKS:
                        below.append(inner)
                    elif ends[inner.end_lineno] - ends[inner.lineno - 1] > DEPTH:
                        _measure([(inner, depth)])
        if not below:
            return
        for block in below:
            _measure_header(block, depth, ends)
        level = below
    raise _too_deep(level[0])


def _measure_header(block: Any, depth: int, ends: list[int]) -> None:
    """Look into a block's own expressions, where they are long: conditions, bases, decorators, defaults."""
    kind = type(block)
    if kind is ast.Match:
        first, last = block.lineno, block.cases[0].pattern.lineno
    elif kind is ast.match_case:
        first, last = block.pattern.lineno, block.body[0].lineno
    else:
        decorators = getattr(block, "decorator_list", None)
        first, last = decorators[0].lineno if decorators else block.lineno, block.body[0].lineno
    if ends[last] - ends[first - 1] > DEPTH:
        own = (inner for inner in ast.iter_child_nodes(block) if not isinstance(inner, _BLOCK_PARTS))
        _measure([(inner, depth) for inner in own])


def _measure(todo: list[tuple[Any, int]]) -> None:
    """Raise where a node lies deeper than `DEPTH`; each node comes with its own depth."""
    while todo:
        node, depth = todo.pop()
        if depth > DEPTH:
            raise _too_deep(node)
        for name in node._fields:
            held = getattr(node, name, None)
            for inner in held if isinstance(held, list) else (held,):
                if not isinstance(inner, ast.AST) or isinstance(inner, ast.expr_context):
                    continue
                at: Any = inner
                # What fits in the bytes that are left needs no look.
                if (
                    getattr(at, "lineno", None) is None
                    or at.lineno != at.end_lineno
                    or at.end_col_offset - at.col_offset > DEPTH - depth
                ):
                    todo.append((inner, depth + 1))


def _too_deep(node: ast.AST) -> Unparsable:
    line = getattr(node, "lineno", 1)
    return Unparsable(line, 1, f"nests more than {DEPTH} levels deep", "limits")


def _unparsable(error: SyntaxError, data: bytes) -> Unparsable:
    """What CPython's message means for a reader of this source."""
    from dlgovern.source.dialect import explain  # only for broken files

    line = max(error.lineno or 1, 1)
    column = max(_column(error, data), 1)
    message = error.msg or "invalid syntax"
    if any(words in message for words in _TOO_COMPLEX_WORDS):
        return Unparsable(line, column, message, "limits")
    why, newer = explain(message, line, column, data, sys.version_info[:2])
    return Unparsable(line, column, why, "newer" if newer else "syntax")


def _column(error: SyntaxError, data: bytes) -> int:
    """The column in characters. Before Python 3.13 some errors of a parse from bytes, not from text, give bytes."""
    if data.isascii() or sys.version_info >= (3, 13):
        return error.offset or 1
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(decode(data))
    except SyntaxError as again:
        return (again.offset if again.lineno == error.lineno else error.offset) or 1
    except (*_TOO_COMPLEX, ValueError, LookupError):
        pass
    return error.offset or 1
