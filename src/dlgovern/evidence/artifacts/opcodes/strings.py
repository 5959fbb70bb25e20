"""Opcodes that push a text or bytes."""

from __future__ import annotations

from dlgovern.evidence.artifacts.machine import TEXT, Budget, Machine, Malformed
from dlgovern.evidence.artifacts.opcodes.table import I32, U32, U64, does, line


def _measured(m: Machine, position: int, length: int) -> int:
    if length > TEXT:
        raise Budget(f"declares a string of {length:,} bytes")
    return position


def _text_of(m: Machine, position: int, length: int) -> int:
    end = position + length
    if end <= len(m.data):
        try:
            m.stack.append(m.text(m.data[position:end].decode("utf-8", "surrogatepass")))
        except UnicodeDecodeError:
            raise Malformed("a string is not UTF-8") from None
        return end
    _measured(m, position, length)
    m.stack.append(m.node("text", None, length))
    return m.skip(position, length)


def _bytes_of(m: Machine, position: int, length: int) -> int:
    head = m.data[position : position + min(length, 4096)]
    _look_inside(m, position, head, length)
    made = m.node("bytes", None, length)
    if length <= 4096 and len(head) == length:  # noqa: PLR2004 - a name, a key: what a later opcode may need
        made.what = head
    m.stack.append(made)
    return m.skip(position, length)


def _look_inside(m: Machine, position: int, head: bytes, length: int) -> None:
    """Bytes that are a pickle themselves: nothing runs them, until somebody does."""
    if length > 8 and head[:1] == b"\x80" and head[1:2] in b"\x02\x03\x04\x05" and (len(head) < length or head[-1:] == b"."):  # noqa: PLR2004
        m.findings.note("holds bytes that look like another pickle", m.member, m.at(position))


@does(b"X")
def _binunicode(m: Machine, position: int) -> int:
    return _text_of(m, position + 4, U32(m.data, position)[0])


@does(b"\x8c")
def _short_binunicode(m: Machine, position: int) -> int:
    return _text_of(m, position + 1, m.data[position])


@does(b"\x8d")
def _binunicode8(m: Machine, position: int) -> int:
    return _text_of(m, position + 8, U64(m.data, position)[0])


@does(b"V")
def _unicode(m: Machine, position: int) -> int:
    text, after = line(m, position)
    try:
        plain = text.decode("ascii") if b"\\" not in text else None
    except UnicodeDecodeError:
        plain = None
    m.stack.append(m.node("text", None, len(text)) if plain is None else m.text(plain))
    return after


@does(b"S")
def _string(m: Machine, position: int) -> int:
    text, after = line(m, position)
    text = text.strip()
    if len(text) < 2 or text[:1] != text[-1:] or text[:1] not in b"'\"":  # noqa: PLR2004 - two quotes
        raise Malformed("a string has no quotes")
    inner = text[1:-1]
    if b"\\" in inner or not inner.isascii():
        m.stack.append(m.node("text", None, len(inner)))
    else:
        m.stack.append(m.text(inner.decode()))
    return after


def _old_string(m: Machine, position: int, length: int) -> int:
    """The str of Python 2: text where it is ASCII, else bytes."""
    data = m.data[position : position + length]
    if len(data) == length and length <= 4096 and data.isascii():  # noqa: PLR2004 - as `_bytes_of`
        m.stack.append(m.text(data.decode()))
        return position + length
    return _bytes_of(m, position, length)


@does(b"U")
def _short_binstring(m: Machine, position: int) -> int:
    return _old_string(m, position + 1, m.data[position])


@does(b"T")
def _binstring(m: Machine, position: int) -> int:
    length = I32(m.data, position)[0]
    if length < 0:
        raise Malformed("a string has a negative length")
    return _old_string(m, position + 4, length)


@does(b"C")
def _short_binbytes(m: Machine, position: int) -> int:
    return _bytes_of(m, position + 1, m.data[position])


@does(b"B")
def _binbytes(m: Machine, position: int) -> int:
    return _bytes_of(m, position + 4, U32(m.data, position)[0])


@does(b"\x8e")
@does(b"\x96")
def _binbytes8(m: Machine, position: int) -> int:
    return _bytes_of(m, position + 8, U64(m.data, position)[0])
