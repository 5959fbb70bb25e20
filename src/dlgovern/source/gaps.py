"""Chains of names that no dotted word shows, because blanks, line ends or comments stand around a dot."""

from __future__ import annotations

from collections.abc import Iterator

from dlgovern.source.patterns import lazy

_FAR = 300  # bytes between a dot and the word before it
_LONE = lazy(rb"\.(?=[ \t\r\n\f\\#])(?<=[ \t\r\n\f\\]\.)")
_ON = lazy(rb"(?:(?:[ \t\r\n\f\\]|#[^\n]*\n)*\.(?:[ \t\r\n\f\\]|#[^\n]*\n)*[A-Za-z_\x80-\xff][\w\x80-\xff]*)+")
_GAP = lazy(rb"#[^\n]*\n|[ \t\r\n\f\\]+")
_IN_WORD = frozenset(c for c in range(256) if chr(c).isalnum() or c in b"_." or c >= 0x80)  # noqa: PLR2004


def joined(data: bytes, dotted: bytes, names: set[bytes], parts: set[bytes]) -> Iterator[str]:
    """The chains with blanks, line ends or comments around a dot that begin at one of ``names``.

    ``dotted`` are the dotted words of the file in lines; ``parts`` are the words that may follow in a chain.
    """
    dots = [match.start() for match in _LONE.finditer(data)] if b"\n.\n" in dotted else []
    for part in parts:
        if b"\n.%b" % part in dotted:
            dots += _gaps_before(data, b".%b" % part)
    for dot in dots:
        for end in _ends(data, dot):
            yield from _read_on(data, end, names)
    for name in names | parts:
        if name + b".\n" in dotted:
            at = data.find(name + b".")
            while at >= 0:
                yield from _read_on(data, at + len(name), names)
                at = data.find(name + b".", at + 1)


def _gaps_before(data: bytes, piece: bytes) -> Iterator[int]:
    at = data.find(piece)
    while at >= 0:
        if at and data[at - 1] in b" \t\r\n\f\\":
            yield at
        at = data.find(piece, at + 1)


def _ends(data: bytes, dot: int) -> list[int]:
    """Where the words end that may stand before a dot with blanks, line ends or comments between."""
    start = max(0, dot - _FAR)
    text = data[start:dot].rstrip(b" \t\r\n\f\\")
    found = [start + len(text)]
    while b"#" in (line := text.rpartition(b"\n")[2]):
        at = line.find(b"#")
        while at >= 0:
            found.append(start + len(text) - len(line) + len(line[:at].rstrip(b" \t\f\\")))
            at = line.find(b"#", at + 1)
        if line.lstrip()[:1] != b"#":
            break
        text = text[: len(text) - len(line)].rstrip(b" \t\r\n\f\\")
        found.append(start + len(text))
    return found


def _read_on(data: bytes, end: int, names: set[bytes]) -> Iterator[str]:
    start = end
    while start and data[start - 1] in _IN_WORD:
        start -= 1
    word = data[start:end]
    if names.isdisjoint(word.split(b".")):
        return
    rest = _ON.match(data, end)
    if rest is not None:
        yield (word + _GAP.sub(b"", rest.group())).decode("utf-8", "replace")
