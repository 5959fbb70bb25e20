"""Fill in the variables of a script as far as they are known without running it."""

from __future__ import annotations

from typing import NamedTuple

from dlgovern.evidence.words import Piece, Token

LONGEST = 20_000
"""Characters of one expanded value; what grows beyond is not known."""

_DEEPEST = 6  # variables inside variables


class Value(NamedTuple):
    """One assignment: its words, several for an array, and how many conditions and loops stand around it."""

    words: tuple[tuple[Piece, ...], ...]  # several for an array
    branch: int


class Variables:
    """The variables of one script. One is known that is set once, outside of every condition, or always alike."""

    def __init__(self, known: dict[str, str]) -> None:
        self.values: dict[str, list[Value]] = {
            name: [Value(((Piece("lit", value, True),),), 0)] for name, value in known.items()
        }

    def add(self, name: str, value: Value) -> None:
        """One more assignment."""
        self.values.setdefault(name, []).append(value)

    def _known(self, name: str) -> Value | None:
        values = self.values.get(name, ())
        first = next(iter(values), None)
        if first is None or first.branch or any(value.words != first.words for value in values):
            return None
        return first

    def one(self, name: str, depth: int = 0) -> tuple[str, bool]:
        """The text of a variable, and whether it is known."""
        value = self._known(name)
        if value is None or depth > _DEEPEST or len(value.words) > 1:
            return f"${name}", False
        words = self.expand(value.words[0], depth + 1, split=False) if value.words else [("", True)]
        return words[0] if words else ("", True)

    def expand(self, pieces: tuple[Piece, ...], depth: int = 0, *, split: bool = True) -> list[tuple[str, bool]]:
        """The words that one written word becomes: a variable without quotes is split at blanks."""
        done: list[tuple[str, bool]] = []
        text, sure, begun = "", True, False
        for piece in pieces:
            if piece.kind == "lit":
                text, begun = text + piece.text, begun or bool(piece.text) or piece.quoted
                continue
            parts = self._filled(piece, depth, split and not piece.quoted)
            for number, (part, known) in enumerate(parts):
                if number:
                    done.append((text, sure))
                    text, sure = "", True
                text, sure, begun = text + part, sure and known, True
            if len(text) > LONGEST:
                return [*done, (text[:80], False)]
        return [*done, (text, sure)] if begun or done else []

    def _filled(self, piece: Piece, depth: int, split: bool) -> list[tuple[str, bool]]:
        if piece.kind == "opaque":
            return [(piece.text, False)]
        value = self._known(piece.text)
        if value is None or depth > _DEEPEST:
            return [(f"${piece.text}", False)]
        if len(value.words) != 1:
            return [w for word in value.words for w in self.expand(word, depth + 1)] if split or piece.quoted else []
        if not split:
            return [self.one(piece.text, depth)]
        words: list[tuple[str, bool]] = []
        glue = False
        for inner in value.words[0]:
            if inner.kind == "lit":
                parts = [(part, True) for part in inner.text.split()]
                lead = inner.text[:1].isspace()
                trail = inner.text[-1:].isspace()
            else:
                parts = self._filled(inner, depth + 1, True)
                lead = trail = False
            if parts and words and glue and not lead:
                words[-1] = (words[-1][0] + parts[0][0], words[-1][1] and parts[0][1])
                parts = parts[1:]
            words += parts
            glue = bool(words) and not trail if inner.text or inner.kind != "lit" else glue
            if len(words) > LONGEST // 10:
                return [(f"${piece.text}", False)]
        return words


def behind(token: Token, count: int) -> tuple[Piece, ...]:
    """The pieces of a word without its first ``count`` characters, which are plain."""
    left = count
    rest: list[Piece] = []
    for piece in token.pieces:
        if left and piece.kind == "lit" and not piece.quoted:
            taken = min(left, len(piece.text))
            left -= taken
            if taken < len(piece.text):
                rest.append(piece._replace(text=piece.text[taken:]))
        else:
            rest.append(piece)
    return tuple(rest)
