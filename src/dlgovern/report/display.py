"""Make untrusted text safe to print: no control, bidi or line-breaking character survives raw."""

from __future__ import annotations

_BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_LINES = "\u0085\u2028\u2029"
_TABLE = {code: f"\\x{code:02x}" for code in [*range(0x20), *range(0x7F, 0xA0)]}
_TABLE |= {ord(char): f"\\u{ord(char):04x}" for char in _BIDI + _LINES}
_TABLE |= {ord("\t"): "\\t", ord("\n"): "\\n", ord("\r"): "\\r"}


def display(text: str) -> str:
    """``text`` with every control, bidi, line-separator and surrogate character escaped."""
    if text.isascii() and text.isprintable():
        return text
    escaped = text.translate(_TABLE)
    return escaped.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def display_line(text: str) -> str:
    """A source line for a frame: as `display`, with tabs kept as four spaces."""
    return display(text.replace("\t", "    "))
