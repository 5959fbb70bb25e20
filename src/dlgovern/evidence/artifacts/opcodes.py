"""What each pickle opcode does to the state of a pickle that is read but not run."""

from __future__ import annotations

import re
from collections.abc import Callable
from struct import Struct

from dlgovern.evidence.artifacts import calls
from dlgovern.evidence.artifacts.machine import (
    AHEAD,
    DIGITS,
    MARKS,
    MEMO,
    TEXT,
    Budget,
    Global,
    Machine,
    Malformed,
    Node,
    Stopped,
)

Handler = Callable[[Machine, int], int]
"""Takes the machine and the position behind the opcode; gives the position of the next one."""

_U16, _I32, _U32, _U64, _F64 = (Struct(form).unpack_from for form in ("<H", "<i", "<I", "<Q", ">d"))
_INDEX = re.compile(rb"[0-9]{1,10}\Z")
_NUMBER = re.compile(rb"-?[0-9]+L?\Z")
_REAL = re.compile(rb"-?(?:[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,4})?|inf|nan)\Z")
_LINE = AHEAD // 2 - 16

TABLE: dict[int, Handler] = {}
"""Opcode -> what it does."""


def _does(code: bytes) -> Callable[[Handler], Handler]:
    def keep(handler: Handler) -> Handler:
        TABLE[code[0]] = handler
        return handler

    return keep


def _line(m: Machine, position: int) -> tuple[bytes, int]:
    """A text argument and the position behind its newline."""
    end = m.data.find(b"\n", position, position + _LINE)
    if end < 0:
        raise Malformed("a line of text does not end")
    return m.data[position:end], end + 1


# -- numbers and constants


@_does(b"K")
def _binint1(m: Machine, position: int) -> int:
    m.stack.append(m.data[position])
    return position + 1


@_does(b"M")
def _binint2(m: Machine, position: int) -> int:
    m.stack.append(_U16(m.data, position)[0])
    return position + 2


@_does(b"J")
def _binint(m: Machine, position: int) -> int:
    m.stack.append(_I32(m.data, position)[0])
    return position + 4


@_does(b"G")
def _binfloat(m: Machine, position: int) -> int:
    _F64(m.data, position)  # there are eight bytes; which number they are does not matter
    m.stack.append(0.0)
    return position + 8


@_does(b"N")
def _none(m: Machine, position: int) -> int:
    m.stack.append(None)
    return position


@_does(b"\x88")
def _true(m: Machine, position: int) -> int:
    m.stack.append(True)
    return position


@_does(b"\x89")
def _false(m: Machine, position: int) -> int:
    m.stack.append(False)
    return position


@_does(b"\x8a")
def _long1(m: Machine, position: int) -> int:
    length = m.data[position]
    end = position + 1 + length
    if end > len(m.data):
        raise Malformed("a number reaches past the end")
    whole = length <= 8  # noqa: PLR2004 - a size; a larger number is only a number
    m.stack.append(int.from_bytes(m.data[position + 1 : end], "little", signed=True) if whole else m.node("number"))
    return end


@_does(b"\x8b")
def _long4(m: Machine, position: int) -> int:
    length = _I32(m.data, position)[0]
    if length < 0:
        raise Malformed("a number has a negative length")
    if length > DIGITS * 0.4153:  # bytes a decimal digit
        raise Budget(f"holds a number of more than {DIGITS} digits")
    m.stack.append(m.node("number"))
    return m.skip(position + 4, length)


@_does(b"I")
@_does(b"L")
def _int(m: Machine, position: int) -> int:
    text, after = _line(m, position)
    if text in (b"00", b"01"):
        m.stack.append(text == b"01")
        return after
    if not _NUMBER.match(text):
        raise Malformed("a number is not written as pickle writes it")
    if len(text) > DIGITS:
        raise Budget(f"holds a number of more than {DIGITS} digits")
    m.stack.append(int(text.rstrip(b"L")) if len(text) < 20 else m.node("number"))  # noqa: PLR2004 - as long as a word
    return after


@_does(b"F")
def _float(m: Machine, position: int) -> int:
    text, after = _line(m, position)
    if not _REAL.match(text):
        raise Malformed("a number is not written as pickle writes it")
    m.stack.append(float(text))
    return after


# -- strings and bytes


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


@_does(b"X")
def _binunicode(m: Machine, position: int) -> int:
    return _text_of(m, position + 4, _U32(m.data, position)[0])


@_does(b"\x8c")
def _short_binunicode(m: Machine, position: int) -> int:
    return _text_of(m, position + 1, m.data[position])


@_does(b"\x8d")
def _binunicode8(m: Machine, position: int) -> int:
    return _text_of(m, position + 8, _U64(m.data, position)[0])


@_does(b"V")
def _unicode(m: Machine, position: int) -> int:
    text, after = _line(m, position)
    try:
        plain = text.decode("ascii") if b"\\" not in text else None
    except UnicodeDecodeError:
        plain = None
    m.stack.append(m.node("text", None, len(text)) if plain is None else m.text(plain))
    return after


@_does(b"S")
def _string(m: Machine, position: int) -> int:
    text, after = _line(m, position)
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


@_does(b"U")
def _short_binstring(m: Machine, position: int) -> int:
    return _old_string(m, position + 1, m.data[position])


@_does(b"T")
def _binstring(m: Machine, position: int) -> int:
    length = _I32(m.data, position)[0]
    if length < 0:
        raise Malformed("a string has a negative length")
    return _old_string(m, position + 4, length)


@_does(b"C")
def _short_binbytes(m: Machine, position: int) -> int:
    return _bytes_of(m, position + 1, m.data[position])


@_does(b"B")
def _binbytes(m: Machine, position: int) -> int:
    return _bytes_of(m, position + 4, _U32(m.data, position)[0])


@_does(b"\x8e")
@_does(b"\x96")
def _binbytes8(m: Machine, position: int) -> int:
    return _bytes_of(m, position + 8, _U64(m.data, position)[0])


# -- containers


@_does(b"(")
def _mark(m: Machine, position: int) -> int:
    if len(m.marks) >= MARKS:
        raise Budget(f"sets more than {MARKS:,} marks")
    m.marks.append(len(m.stack))
    m.fence = len(m.stack)
    return position


def _empty(kind: str) -> Handler:
    def handle(m: Machine, position: int) -> int:
        m.stack.append(m.node(kind))
        return position

    return handle


for _code, _kind in ((b")", "tuple"), (b"]", "list"), (b"}", "dict"), (b"\x8f", "set")):
    TABLE[_code[0]] = _empty(_kind)


def _fixed_tuple(count: int) -> Handler:
    def handle(m: Machine, position: int) -> int:
        stack = m.stack
        if len(stack) - m.fence < count:
            raise Malformed("the stack is empty")
        items = stack[-count:]
        stack[-count:] = [m.node("tuple", items)]
        return position

    return handle


for _count in (1, 2, 3):
    TABLE[0x84 + _count] = _fixed_tuple(_count)


def _gather(kind: str) -> Handler:
    def handle(m: Machine, position: int) -> int:
        items = m.pop_mark()
        if kind == "dict" and len(items) % 2:
            raise Malformed("a dict has a key without a value")
        m.stack.append(m.node(kind, items))
        return position

    return handle


for _code, _kind in ((b"t", "tuple"), (b"l", "list"), (b"d", "dict"), (b"\x91", "set")):
    TABLE[_code[0]] = _gather(_kind)


@_does(b"a")
def _append(m: Machine, position: int) -> int:
    item = m.pop()
    _into(m, position, "list", [item])
    return position


@_does(b"e")
def _appends(m: Machine, position: int) -> int:
    _into(m, position, "list", m.pop_mark())
    return position


@_does(b"s")
def _setitem(m: Machine, position: int) -> int:
    value = m.pop()
    key = m.pop()
    _into(m, position, "dict", [key, value])
    return position


@_does(b"u")
def _setitems(m: Machine, position: int) -> int:
    items = m.pop_mark()
    if len(items) % 2:
        raise Malformed("a dict has a key without a value")
    _into(m, position, "dict", items)
    return position


@_does(b"\x90")
def _additems(m: Machine, position: int) -> int:
    _into(m, position, "set", m.pop_mark())
    return position


def _into(m: Machine, position: int, kind: str, items: list[object]) -> None:
    """Add to a container; on anything else a pickle would call a method of it."""
    owner = m.top()
    if type(owner) is Node and owner.kind == kind:
        m.extend(owner, items, m.at(position))
        return
    calls.into_something_else(m, owner, kind, m.at(position))


# -- stack and memo


@_does(b"q")
def _binput(m: Machine, position: int) -> int:
    m.put(m.data[position])
    return position + 1


@_does(b"r")
def _long_binput(m: Machine, position: int) -> int:
    index = _U32(m.data, position)[0]
    if index == len(m.memo) and not m.far and index < MEMO and len(m.stack) > m.fence:
        m.memo.append(m.stack[-1])  # what every pickler does, put first
    else:
        m.put(index)
    return position + 4


@_does(b"p")
def _put(m: Machine, position: int) -> int:
    text, after = _line(m, position)
    m.put(_index(text))
    return after


@_does(b"\x94")
def _memoize(m: Machine, position: int) -> int:
    m.put(len(m.memo) + len(m.far))
    return position


@_does(b"h")
def _binget(m: Machine, position: int) -> int:
    m.get(m.data[position])
    return position + 1


@_does(b"j")
def _long_binget(m: Machine, position: int) -> int:
    m.get(_U32(m.data, position)[0])
    return position + 4


@_does(b"g")
def _get(m: Machine, position: int) -> int:
    text, after = _line(m, position)
    m.get(_index(text))
    return after


def _index(text: bytes) -> int:
    if not _INDEX.match(text):
        raise Malformed("a number of the memo is not written as pickle writes it")
    return int(text)


@_does(b"0")
def _pop(m: Machine, position: int) -> int:
    if m.marks and m.fence == len(m.stack):  # as C pickle does: the mark itself goes
        m.pop_mark()
    else:
        m.pop()
    return position


@_does(b"1")
def _pop_mark(m: Machine, position: int) -> int:
    m.pop_mark()
    return position


@_does(b"2")
def _dup(m: Machine, position: int) -> int:
    m.stack.append(m.top())
    return position


# -- names and calls


@_does(b"c")
def _global(m: Machine, position: int) -> int:
    module, name, after = _two_lines(m, position)
    m.stack.append(m.name(module, name, m.at(position), translate=True))
    return after


def _two_lines(m: Machine, position: int) -> tuple[str, str, int]:
    module, middle = _line(m, position)
    name, after = _line(m, middle)
    try:
        return module.decode(), name.decode(), after
    except UnicodeDecodeError:
        raise Malformed("a name is not UTF-8") from None


@_does(b"\x93")
def _stack_global(m: Machine, position: int) -> int:
    name = m.pop()
    module = m.pop()
    m.stack.append(m.name(module, name, m.at(position), translate=False))
    return position


@_does(b"R")
def _reduce(m: Machine, position: int) -> int:
    arguments = m.pop()
    function = m.pop()
    m.stack.append(calls.call(m, function, arguments, m.at(position)))
    return position


@_does(b"\x81")
def _newobj(m: Machine, position: int) -> int:
    arguments = m.pop()
    made = m.pop()
    m.stack.append(calls.call(m, made, arguments, m.at(position), new=True))
    return position


@_does(b"\x92")
def _newobj_ex(m: Machine, position: int) -> int:
    m.pop()
    arguments = m.pop()
    made = m.pop()
    m.findings.undecided("creates an object with keywords (NEWOBJ_EX)", m.member, m.at(position))
    m.stack.append(calls.call(m, made, arguments, m.at(position), new=True))
    return position


@_does(b"i")
def _inst(m: Machine, position: int) -> int:
    module, name, after = _two_lines(m, position)
    items = m.pop_mark()
    m.findings.undecided("creates an object in a way no torch writes (INST)", m.member, m.at(position))
    made = m.name(module, name, m.at(position), translate=True)
    m.stack.append(calls.call(m, made, m.node("tuple", items), m.at(position), new=True))
    return after


@_does(b"o")
def _obj(m: Machine, position: int) -> int:
    items = m.pop_mark()
    if not items:
        raise Malformed("the stack is empty")
    m.findings.undecided("creates an object in a way no torch writes (OBJ)", m.member, m.at(position))
    m.stack.append(calls.call(m, items[0], m.node("tuple", items[1:]), m.at(position), new=True))
    return position


@_does(b"b")
def _build(m: Machine, position: int) -> int:
    state = m.pop()
    owner = m.top()
    calls.build(m, owner, state, m.at(position))
    if m.profile.after_build is not None and type(owner) is Node:
        return m.profile.after_build(m, owner, position)
    return position


def _extension(length: int) -> Handler:
    def handle(m: Machine, position: int) -> int:
        m.findings.unsafe("would import what the extension registry says (EXT)", m.member, m.at(position), "copyreg")
        if position + length > len(m.data):
            raise Malformed("a code reaches past the end")
        m.stack.append(Global("an entry of the extension registry", ""))
        return position + length

    return handle


for _code_number, _length in ((0x82, 1), (0x83, 2), (0x84, 4)):
    TABLE[_code_number] = _extension(_length)


@_does(b"Q")
def _binpersid(m: Machine, position: int) -> int:
    m.stack.append(calls.persistent(m, m.pop(), m.at(position)))
    return position


@_does(b"P")
def _persid(m: Machine, position: int) -> int:
    text, after = _line(m, position)
    m.findings.undecided("asks its loader for an object by a text (PERSID)", m.member, m.at(position))
    m.stack.append(m.node("unknown", None, f"what persistent id {text[:40]!r} stands for"))
    return after


# -- the stream


@_does(b"\x80")
def _proto(m: Machine, position: int) -> int:
    protocol = m.data[position]
    if m.at(position) != m.start:
        m.findings.undecided("says its protocol in the middle", m.member, m.at(position))
    if protocol > 5:  # noqa: PLR2004 - the newest
        raise Malformed(f"protocol {protocol} does not exist")
    m.protocol = protocol
    return position + 1


@_does(b"\x95")
def _frame(m: Machine, position: int) -> int:
    length = _U64(m.data, position)[0]
    if m.at(position) < m.frame_end:
        m.findings.undecided("has a frame in a frame", m.member, m.at(position))
    m.frame_end = m.at(position) + 9 + length
    if m.frame_end > m.blob.size:
        raise Malformed("a frame reaches past the end")
    return position + 8


@_does(b"\x97")
@_does(b"\x98")
def _buffer(m: Machine, position: int) -> int:
    m.findings.undecided("takes data from outside the file (NEXT_BUFFER)", m.member, m.at(position))
    if m.data[position - 1] == 0x97:  # noqa: PLR2004 - NEXT_BUFFER pushes, READONLY_BUFFER changes the top
        m.stack.append(m.node("unknown", None, "a buffer"))
    else:
        m.top()
    return position


@_does(b".")
def _stop(m: Machine, position: int) -> int:
    m.top()
    if m.marks or len(m.stack) != 1:
        m.findings.undecided("leaves values behind", m.member, m.at(position))
    if m.frame_end > m.base + position:
        m.findings.undecided("stops inside a frame", m.member, m.at(position))
    m.done = True
    raise Stopped(position)
