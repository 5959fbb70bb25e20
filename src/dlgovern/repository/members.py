"""What the classes of a file give their attributes, told from its text."""

from __future__ import annotations

from dlgovern.source.patterns import lazy
from dlgovern.source.words import dotted_words

_CLASS = lazy(rb"(?:[ \t]*@[^\n]*\n)*[ \t]*class\b")
_GIVEN = lazy(rb"\bself\.(\w+)[ \t]*(?::[^=\n]*)?=(?!=)([^\n]*)")
_MADE = lazy(rb"\bself\.(\w+)[ \t]*(?::[^=\n]*)?\+?=[ \t]*[\[(]?[ \t\n]*([A-Za-z_][\w.]*)\(")


def is_class(text: bytes) -> bool:
    """Whether a text begins with a class and its decorators."""
    return _CLASS.match(text) is not None


def given(text: bytes, words: frozenset[str]) -> set[str]:
    """The attributes that a text gives a value on a line in which one of the words stands."""
    found: set[str] = set()
    for line in _GIVEN.finditer(text):
        said = {part for word in dotted_words(line.group(2)) for part in word.decode("utf-8", "replace").split(".")}
        if not words.isdisjoint(said):
            found.add(line.group(1).decode("utf-8", "replace"))
    return found


def made(data: bytes) -> dict[str, set[str]]:
    """The attributes of the classes of a file, each with what is called to make its objects, or the first of a list of them."""
    found: dict[str, set[str]] = {}
    for match in _MADE.finditer(data):
        found.setdefault(match.group(1).decode("utf-8", "replace"), set()).add(match.group(2).decode("utf-8", "replace"))
    return found
