"""Whether a file that no rule needs may not parse: signs that are plain in its bytes, so that few files are parsed for them."""

from __future__ import annotations

from dlgovern.source.patterns import lazy

_STATEMENTS = (b"print", b"exec")
_BEHIND = frozenset(b"'\"`%>{") | frozenset(code for code in range(256) if chr(code).isalnum() or code == 0x5F or code >= 0x80)  # noqa: PLR2004

_COMMAS = (
    (b"except", lazy(rb"except[ \t][^\n:]*,[ \t]*\w+[ \t]*:")),
    (b"raise", lazy(rb"raise[ \t]+[\w.]+[ \t]*,")),
    (b"lambda", lazy(rb"lambda[ \t]*\([\w, ]*\)[ \t]*:")),
)
"""Statements of Python 2 with the word that they begin with: a search that begins with plain letters is fast."""

_UNEQUAL = lazy(rb"[\w)\]'\"][ \t]*<>[ \t]*[\w(\"'-]")
_RESERVED = lazy(rb"[(,][ \t\r\n]*async[ \t]*=")
_FOREIGN = (b"\n<<<<<<< ", b"\n>>>>>>> ", b"\n!", b"{%")
"""Marks of an unsolved merge, commands of a notebook, tags of a template."""


def may_be(data: bytes) -> bool:
    """Whether a source shows signs of Python 2, of a merge left unsolved, of a template or of mixed indentation.

    Only the parser can say that it is broken. What has none of these signs can still be.
    """
    if any(_stands_first(data, word) for word in _STATEMENTS) or any(mark in data for mark in _FOREIGN) or data.startswith(b"<<<<<<< "):
        return True
    if b"\n\t" in data and b"\n    " in data:
        return True
    if any(word in data and pattern.search(data) for word, pattern in _COMMAS) or (b"<>" in data and _UNEQUAL.search(data)):
        return True
    return b"async" in data and _RESERVED.search(data) is not None


def _stands_first(data: bytes, word: bytes) -> bool:
    """Whether a line begins with this word and goes on, behind blanks, as no call and no assignment does."""
    for blank in (b" ", b"\t"):
        at = data.find(word + blank)
        while at >= 0:
            rest = data[at + len(word) : at + len(word) + 40].lstrip(b" \t")
            if data[data.rfind(b"\n", 0, at) + 1 : at].strip(b" \t;") == b"" and rest[:1] and rest[0] in _BEHIND:
                return True
            at = data.find(word + blank, at + 1)
    return False
