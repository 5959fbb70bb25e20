"""Split text in the language of a shell into words and operators, each with its place; nothing is ever run."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

MOST = 200_000
"""Tokens that are read of one text."""

_MOST_NESTED = 40


class Line(NamedTuple):
    """One line of a text that may lie inside another file, and where it begins there."""

    text: str
    line: int
    column: int = 1


class Piece(NamedTuple):
    """Part of a word: ``lit`` text, ``var`` a variable by its name, ``opaque`` what only a run would tell."""

    kind: str
    text: str
    quoted: bool = False
    default: str | None = None  # of ${NAME:-default}


class Token(NamedTuple):
    """A word (kind ``word``, with pieces), an operator (``op``), the end of a line (``end``) or a ``comment``."""

    kind: str
    text: str
    start: int
    end: int
    pieces: tuple[Piece, ...] = ()


class Body(NamedTuple):
    """A here-document: its lines, and the offset of the operator that asked for it."""

    at: int
    start: int
    end: int


class Text:
    """Lines joined to one text, and the way back from an offset to a place in the file."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self.lines: Sequence[Line] = list(lines)
        self.text = "\n".join(line.text for line in self.lines)
        self._starts = []
        at = 0
        for line in self.lines:
            self._starts.append(at)
            at += len(line.text) + 1

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column, from 1, of an offset."""
        index = max(bisect_right(self._starts, offset) - 1, 0)
        if not self.lines:
            return 1, 1
        line = self.lines[index]
        return line.line, line.column + min(offset - self._starts[index], len(line.text))

    def part(self, start: int, end: int) -> list[Line]:
        """The lines of a range that begins and ends at line borders."""
        first = max(bisect_right(self._starts, start) - 1, 0)
        last = max(bisect_right(self._starts, end - 1) - 1, 0)
        return list(self.lines[first : last + 1]) if end > start else []


def lines_of(text: str, line: int = 1, column: int = 1) -> list[Line]:
    """The lines of a whole file."""
    return [Line(one, number, column) for number, one in enumerate(text.split("\n"), line)]


_PLAIN = re.compile(r"[^\s'\"\\$`;&|()<>{#\n]+")
_BLANK = re.compile(r"[ \t\r\f\v]+")
_OPERATOR = re.compile(r";;&|;;|;&|&&|\|\||\|&|<<<|<<-|<<|>>|>&|<&|&>>|&>|>\||<>|[;&|()<>]")
_NAME = re.compile(r"[A-Za-z_]\w*")
_SIMPLE = re.compile(r"\$\{([A-Za-z_]\w*)(?:(?::?[-=])([^{}$`'\"]*))?(\[[@*]\])?\}")
_QUOTED_STOP = re.compile(r'["\\$`{]')


def tokens(text: str, *, make: bool = False) -> tuple[list[Token], list[Body]]:
    """The tokens of a text and its here-documents. Anything that is not closed ends with the text."""
    return _Lexer(text, make).run()


class _Lexer:
    def __init__(self, text: str, make: bool) -> None:
        self.text = text
        self.make = make
        self.at = 0
        self.found: list[Token] = []
        self.bodies: list[Body] = []
        self.wanted: list[tuple[int, str, bool]] = []  # here-documents whose bodies begin at the next line

    def run(self) -> tuple[list[Token], list[Body]]:
        text, size = self.text, len(self.text)
        heredoc: tuple[int, bool] | None = None
        while self.at < size and len(self.found) < MOST:
            char = text[self.at]
            if char == "\n":
                self.found.append(Token("end", "\n", self.at, self.at + 1))
                self.at += 1
                self._take_bodies()
                heredoc = None
            elif match := _BLANK.match(text, self.at):
                self.at = match.end()
            elif char == "\\" and text.startswith("\n", self.at + 1):
                self.at += 2
            elif char == "#":
                end = text.find("\n", self.at)
                end = size if end < 0 else end
                self.found.append(Token("comment", text[self.at : end], self.at, end))
                self.at = end
            elif (match := _OPERATOR.match(text, self.at)) and not text.startswith(("<(", ">("), self.at):
                self.found.append(Token("op", match.group(), self.at, match.end()))
                if match.group() in ("<<", "<<-"):
                    heredoc = (self.at, match.group() == "<<-")
                self.at = match.end()
            else:
                word = self._word()
                self.found.append(word)
                if heredoc is not None:
                    delimiter = "".join(piece.text for piece in word.pieces if piece.kind == "lit")
                    self.wanted.append((heredoc[0], delimiter, heredoc[1]))
                    heredoc = None
        return self.found, self.bodies

    def _take_bodies(self) -> None:
        for at, delimiter, dashed in self.wanted:
            start = self.at
            while self.at < len(self.text):
                end = self.text.find("\n", self.at)
                end = len(self.text) if end < 0 else end
                line = self.text[self.at : end]
                begin, self.at = self.at, end + 1
                if (line.lstrip("\t") if dashed else line).rstrip("\r") == delimiter or line.strip() == delimiter:
                    self.bodies.append(Body(at, start, begin))
                    break
            else:
                self.bodies.append(Body(at, start, len(self.text)))
        self.wanted = []
        self.at = min(self.at, len(self.text))

    def _word(self) -> Token:
        start = self.at
        text, size = self.text, len(self.text)
        pieces: list[Piece] = []
        while self.at < size:
            char = text[self.at]
            if char in " \t\r\f\v\n;&|()" or (char in "<>" and not (self.at == start and text.startswith("(", self.at + 1))):
                break
            if match := _PLAIN.match(text, self.at):
                pieces.append(Piece("lit", match.group()))
                self.at = match.end()
            elif char == "\\":
                if text.startswith("\n", self.at + 1):
                    self.at += 2
                    continue
                pieces.append(Piece("lit", text[self.at + 1 : self.at + 2], True))
                self.at += 2
            elif char == "'":
                end = text.find("'", self.at + 1)
                end = size if end < 0 else end
                pieces.append(Piece("lit", text[self.at + 1 : end], True))
                self.at = end + 1
            elif char == '"':
                self.at += 1
                self._quoted(pieces)
            elif text.startswith("{{", self.at):
                pieces.append(self._until("}}", False))
            elif char in "$`<>":
                pieces.append(self._expansion(False))
            else:
                pieces.append(Piece("lit", char))
                self.at += 1
        self.at = min(max(self.at, start + 1), size)
        return Token("word", text[start : self.at], start, self.at, tuple(pieces))

    def _quoted(self, pieces: list[Piece]) -> None:
        """Inside double quotes, up to and with the closing one."""
        text, size = self.text, len(self.text)
        pieces.append(Piece("lit", "", True))
        while self.at < size:
            match = _QUOTED_STOP.search(text, self.at)
            stop = match.start() if match else size
            if stop > self.at:
                pieces.append(Piece("lit", text[self.at : stop], True))
            self.at = stop
            if stop >= size:
                return
            char = text[stop]
            if char == '"':
                self.at += 1
                return
            if char == "\\":
                after = text[stop + 1 : stop + 2]
                if after != "\n":
                    pieces.append(Piece("lit", after if after in '"\\$`' else "\\" + after, True))
                self.at += 2
            elif text.startswith("{{", stop):
                pieces.append(self._until("}}", True))
            elif char == "{":
                pieces.append(Piece("lit", "{", True))
                self.at += 1
            else:
                pieces.append(self._expansion(True))

    def _until(self, closing: str, quoted: bool) -> Piece:
        end = self.text.find(closing, self.at)
        line = self.text.find("\n", self.at)
        if end < 0 or (0 <= line < end):
            self.at += 1
            return Piece("lit", self.text[self.at - 1], quoted)
        start, self.at = self.at, end + len(closing)
        return Piece("opaque", self.text[start : self.at], quoted)

    def _expansion(self, quoted: bool) -> Piece:
        """What begins with ``$``, a backquote, ``<(`` or ``>(``."""
        text, start = self.text, self.at
        if self.make and text.startswith("$$", start):
            start += 1
            self.at += 1
        if text.startswith("${{", start):
            return self._until("}}", quoted)
        if match := _SIMPLE.match(text, start):
            self.at = match.end()
            return Piece("var", match.group(1), quoted, match.group(2))
        if self.make and text.startswith("$(", start) and (match := _NAME.match(text, start + 2)):
            if text.startswith(")", match.end()):
                self.at = match.end() + 1
                return Piece("var", match.group(), quoted)
        if text[start] == "$":
            if match := _NAME.match(text, start + 1):
                self.at = match.end()
                return Piece("var", match.group(), quoted)
            if not text.startswith(("$(", "${", "$'", '$"'), start):
                self.at = start + 2 if text[start + 1 : start + 2] in "0123456789@*#?$!-" and start + 1 < len(text) else start + 1
                return Piece("opaque" if self.at > start + 1 else "lit", text[start : self.at], quoted)
            if text.startswith(("$'", '$"'), start):
                self.at = start + 1
                return Piece("lit", "", quoted)
        if text[start] == "`":
            end = text.find("`", start + 1)
            self.at = len(text) if end < 0 else end + 1
        else:
            self.at = _closed(text, start + 1)
        return Piece("opaque", text[start : self.at], quoted)


_BRACKETS = re.compile(r"[(){}'\"\\\n]")


def _closed(text: str, start: int) -> int:
    """The offset behind the bracket that closes the one at ``start``; quotes inside are passed over."""
    stack = [text[start]]
    at = start + 1
    while match := _BRACKETS.search(text, at):
        char, at = match.group(), match.end()
        if char == "\\":
            at += 1
        elif char == "'" and '"' not in stack:
            end = text.find("'", at)
            at = len(text) if end < 0 else end + 1
        elif char == '"':
            if stack[-1] == '"':
                stack.pop()
            else:
                stack.append('"')
        elif char in "({":
            if stack[-1] != '"' or text[match.start() - 1 : match.start()] == "$":
                stack.append(char)
        elif char in ")}" and stack[-1] == {")": "(", "}": "{"}[char]:
            stack.pop()
        if not stack:
            return at
        if len(stack) > _MOST_NESTED:
            break
    return len(text)
