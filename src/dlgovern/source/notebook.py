"""Turn a Jupyter notebook into one Python source, and know for each of its lines where in the file it stands.

Formats 2, 3 and 4 are read. Cells count from 1, those without code included, as a reader counts them.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from typing import Any, NamedTuple

from dlgovern.source.magics import Said, plain
from dlgovern.source.parse import Unparsable
from dlgovern.source.read import LIMIT as MOST_CODE

_MARKS = 4_000_000  # commas and brackets, of which each can become a value of many bytes
_HEADER = "# coding: utf-8"  # the joined source is UTF-8, whatever a comment in the first cell says
_TOKEN = re.compile(r'("(?:[^"\\]++|\\.)*+")(\s*+:)?|[\[\]{}]', re.S)
_UNIT = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|[^\\]", re.S)
_LINE_END = re.compile(r"\r\n|\r|\n")
_WANTED = ("source", "input", "cell_type", "language")


class Spot(NamedTuple):
    """One place twice: in its cell, and in the file. All from 1; columns in characters."""

    cell: int
    line: int
    column: int
    raw_line: int
    raw_column: int


class Command(NamedTuple):
    """Something a notebook says to a shell or to a magic; see `magics.Said` for ``kind``."""

    kind: str
    text: str
    spot: Spot


class _Piece(NamedTuple):
    """A part of one string of the file that gives a part of a line: the number of characters, and where they begin."""

    length: int
    literal: int  # offset of the string's first character in the file
    skip: int  # decoded characters of the string before this piece


class _Line(NamedTuple):
    cell: int
    number: int
    cut: int
    pieces: tuple[_Piece, ...]


class Notebook(NamedTuple):
    """The code of a notebook. ``spans`` has the first and the last line, from 1, of each cell in ``code``."""

    code: bytes
    lines: tuple[_Line, ...]
    spans: tuple[tuple[int, int], ...]
    commands: tuple[Command, ...]
    text: str
    starts: tuple[int, ...]

    def spot(self, line: int, column: int) -> Spot:
        """Where a place of ``code`` is."""
        if not self.lines:
            return Spot(1, 1, 1, 1, 1)
        at = self.lines[min(max(line, 1), len(self.lines)) - 1]
        inner = max(column - 1, 0) + at.cut
        return Spot(at.cell, at.number, inner + 1, *self._raw(at.pieces, inner))

    def without(self, cells: set[int]) -> bytes:
        """The code with the cells at these indices of ``spans`` emptied, line by line."""
        lines = self.code.split(b"\n")
        for index in cells:
            first, last = self.spans[index]
            lines[first - 1 : last] = [b""] * (last - first + 1)
        return b"\n".join(lines)

    def cell(self, index: int) -> bytes:
        """The code of one cell, by its index in ``spans``."""
        first, last = self.spans[index]
        return b"\n".join(self.code.split(b"\n")[first - 1 : last]) + b"\n"

    def _raw(self, pieces: tuple[_Piece, ...], inner: int) -> tuple[int, int]:
        if not pieces:
            return 1, 1
        for piece in pieces:
            if inner < piece.length or piece is pieces[-1]:
                break
            inner -= piece.length
        offset = piece.literal
        for _ in range(piece.skip + min(inner, piece.length)):
            unit = _UNIT.match(self.text, offset)
            if unit is None:
                break
            offset = unit.end()
        line = bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1] + 1


def read_notebook(data: bytes) -> Notebook:
    """The code of a notebook. Raises `Unparsable` with a place in the file; of kind "limits" where it is too large."""
    text = _decoded(data)
    if data.count(b",") + data.count(b"[") + data.count(b"{") > _MARKS:
        raise Unparsable(1, 1, f"has more than {_MARKS:,} commas and brackets", "limits")
    whole = _loaded(text)
    if wrong := _wrong(whole):
        raise Unparsable(1, 1, f"is not a notebook: {wrong}", "syntax")
    starts = (0, *(match.end() for match in re.finditer("\n", text)))
    if not _is_python(whole):
        return Notebook(b"", (), (), (), text, starts)
    return _joined(text, starts, _cells(text))


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unparsable(data.count(b"\n", 0, error.start) + 1, 1, "is not UTF-8", "syntax") from None


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise Unparsable(error.lineno, error.colno, f"is not valid JSON: {error.msg}", "syntax") from None
    except RecursionError:
        raise Unparsable(1, 1, "nests too deeply to be read", "limits") from None
    except (ValueError, MemoryError) as error:  # a number of thousands of digits
        raise Unparsable(1, 1, f"is not valid JSON: {error}", "syntax") from None


def _wrong(whole: Any) -> str:
    """What keeps this JSON from being a notebook, "" when nothing does."""
    if not isinstance(whole, dict):
        return "it is no object"
    sheets = whole.get("worksheets", ()) if "cells" not in whole else [whole]
    if "cells" not in whole and "worksheets" not in whole:
        return "it has no cells"
    if not isinstance(sheets, list) or not all(isinstance(sheet, dict) for sheet in sheets):
        return "its worksheets are no objects"
    number = 0
    for cells in (sheet.get("cells", []) for sheet in sheets):
        if not isinstance(cells, list):
            return "its cells are no list"
        for cell in cells:
            number += 1
            if not isinstance(cell, dict):
                return f"cell {number} is no object"
            source = cell.get("source", cell.get("input", ""))
            parts = source if isinstance(source, list) else [source]
            if cell.get("cell_type") == "code" and not all(isinstance(part, str) for part in parts):
                return f"the source of cell {number} is no text"
    return ""


def _is_python(whole: dict[str, Any]) -> bool:
    """Whether the kernel runs Python; a notebook that does not say is taken to."""
    about = whole.get("metadata")
    if not isinstance(about, dict):
        return True
    for key, name in (("language_info", "name"), ("kernelspec", "language")):
        said = about.get(key)
        if isinstance(said, dict) and isinstance(said.get(name), str) and said[name]:
            return "python" in said[name].lower()
    return True


class _Cell(NamedTuple):
    """The strings of a cell as they stand in the file: the text between the quotes, and its offset."""

    values: dict[str, list[tuple[str, int]]]


def _cells(text: str) -> list[_Cell]:
    """Every cell, in order. The text is valid JSON; of a key that comes twice the last one counts."""
    found: list[_Cell] = []
    roles: list[str] = []
    keys: list[str] = []
    for token in _TOKEN.finditer(text):
        literal, colon = token.group(1), token.group(2)
        role = roles[-1] if roles else "none"
        if literal is not None:
            if colon is not None:
                keys[-1] = _value(literal[1:-1])
                if role == "cell" and keys[-1] in _WANTED:
                    found[-1].values[keys[-1]] = []
            elif role == "source" or (role == "cell" and keys[-1] in _WANTED):
                key = keys[-1] if role == "cell" else keys[-2]
                found[-1].values[key].append((literal[1:-1], token.start(1) + 1))
        elif token.group() in ("[", "{"):
            inner = _role(role, keys[-1] if keys else "", token.group())
            if inner == "cell":
                found.append(_Cell({}))
            roles.append(inner)
            keys.append("")
        else:
            roles.pop()
            keys.pop()
    return found


def _role(role: str, key: str, mark: str) -> str:
    if role == "none":
        return "root"
    if mark == "[" and key == "cells" and role in ("root", "worksheet"):
        return "cells"
    if mark == "[" and key == "worksheets" and role == "root":
        return "worksheets"
    if mark == "{" and role in ("worksheets", "cells"):
        return "worksheet" if role == "worksheets" else "cell"
    return "source" if mark == "[" and role == "cell" and key in ("source", "input") else ""


def _joined(text: str, starts: tuple[int, ...], cells: list[_Cell]) -> Notebook:
    code = [_HEADER]
    lines = [_Line(1, 1, 0, ())]
    spans: list[tuple[int, int]] = []
    said: list[tuple[Said, list[_Line]]] = []
    for number, cell in enumerate(cells, 1):
        if "".join(part for part, _ in cell.values.get("cell_type", ())) != "code":
            continue
        language = "".join(part for part, _ in cell.values.get("language", ()))
        if language and "python" not in language.lower():
            continue
        strings = cell.values.get("source") or cell.values.get("input") or []
        written, pieces = _written(strings)
        made = plain(written)
        own = [_Line(number, at, cut, found) for at, (cut, found) in enumerate(zip(made.cut, pieces, strict=True), 1)]
        spans.append((len(code) + 1, len(code) + len(own)))
        code += made.lines
        lines += own
        said += [(one, [line._replace(cut=0) for line in own]) for one in made.said]
    data = "\n".join([*code, ""]).encode("utf-8", "surrogatepass")
    if len(data) > MOST_CODE:
        raise Unparsable(1, 1, f"has more than {MOST_CODE:,} bytes of code", "limits")
    book = Notebook(data, tuple(lines), tuple(spans), (), text, starts)
    commands = [
        Command(one.kind, one.text, book._replace(lines=tuple(own)).spot(one.line, one.column)) for one, own in said
    ]
    return book._replace(commands=tuple(commands))


def _written(strings: list[tuple[str, int]]) -> tuple[list[str], list[tuple[_Piece, ...]]]:
    """The lines of a cell, and the pieces of the file that each is made of."""
    lines: list[str] = []
    pieces: list[tuple[_Piece, ...]] = []
    current, held = "", []
    for literal, offset in strings:
        value = _value(literal)
        at = 0
        for match in _LINE_END.finditer(value):
            current += value[at : match.start()]
            held.append(_Piece(match.start() - at, offset, at))
            lines.append(current)
            pieces.append(tuple(held))
            current, held, at = "", [], match.end()
        current += value[at:]
        held.append(_Piece(len(value) - at, offset, at))
    if current or not lines:
        lines.append(current)
        pieces.append(tuple(held))
    return lines, pieces


def _value(literal: str) -> str:
    if "\\" not in literal:
        return literal
    found: str = json.loads(f'"{literal}"')
    return found
