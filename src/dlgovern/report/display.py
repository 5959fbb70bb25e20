"""Make untrusted text safe to print: nothing in it can move a cursor, break a line or command a build server."""

from __future__ import annotations

import re

from dlgovern.source.patterns import lazy

_NAMED = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}

# Printable for Python, yet without ink: joiners, fillers and variation selectors. Searches that follow the rules of a
# language skip them, so a command marker with one inside would still be a command.
_BLANK = lazy("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")

_SURROGATE = lazy("[\ud800-\udfff]")

# GitHub's runner takes "##[" for a command anywhere in a line, "::" only at its start.
_COMMAND = "##["
_HARMLESS_COMMAND = "#\\x23["


def display(text: str) -> str:
    """``text`` as one line of printable characters.

    Control, format, bidi, line-separator, blank and surrogate characters become escapes such as ``\\x1b``, and so do
    the exotic spaces. A byte of a file name that is not UTF-8 becomes the escape of that byte. ``##[``, which
    commands GitHub's runner wherever it stands, is broken up; for ``::`` at the start of a line see `lead`.
    """
    if not text.isprintable():
        text = "".join([char if char.isprintable() else _escape(char) for char in text])
    if not text.isascii():
        text = _BLANK.sub(lambda match: _escape(match[0]), text)
    return text.replace(_COMMAND, _HARMLESS_COMMAND) if _COMMAND in text else text


def display_line(text: str) -> str:
    """A source line for a frame: as `display`, with tabs kept as four spaces."""
    return display(text.replace("\t", "    "))


def whole(text: str) -> str:
    """``text`` without lone surrogates, which no encoding can carry; the rest stays as it is."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub(lambda match: _escape(match[0]), _as_bytes_say(text))
    return text


def _as_bytes_say(text: str) -> str:
    """``text`` with a file's name read as UTF-8, where the locale of the process could not: any machine shows one name."""
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a surrogate that stands for no byte
        return text


def lead(text: str) -> str:
    """`display` of a path or name that begins a line, with a colon perhaps behind it.

    A line of our output never begins with blanks and ``::``.
    """
    shown = display(text)
    return f"./{shown}" if shown.lstrip().startswith(":") else shown


def markdown(text: str) -> str:
    """``text`` as Markdown that shows it literally: no markup, HTML, link, border of a cell, mention, issue number."""
    return _MENTION.sub("\\1\u200b", _MARKUP.sub(_literal, display(text)))


_MARKUP = lazy(r"[\\`*_{}\[\]()<>&|~!$#]|://|(?i:www)(?=\.)|^[ ]*(?:[-+=]|\d+[.)](?=\s|$))")
_MENTION = lazy(r"([@#])(?=\w)")
_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}


def _literal(match: re.Match[str]) -> str:
    found = match[0]
    if found in _ENTITIES:
        return _ENTITIES[found]
    if found == "://":
        return ":\\//"  # a bare address would become a link
    if found.lower() == "www":
        return f"{found}\u200b"
    return f"{found[:-1]}\\{found[-1]}"


def _escape(char: str) -> str:
    code = ord(char)
    if char in _NAMED:
        return _NAMED[char]
    if "\udc80" <= char <= "\udcff":
        return f"\\x{code - 0xDC00:02x}"  # how Python keeps an undecodable byte in a file name
    if char <= "\xff":
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if char <= "\uffff" else f"\\U{code:08x}"
