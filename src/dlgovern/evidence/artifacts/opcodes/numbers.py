"""Opcodes that push a number or a constant."""

from __future__ import annotations

import re

from dlgovern.evidence.artifacts.machine import DIGITS, Budget, Machine, Malformed
from dlgovern.evidence.artifacts.opcodes.table import F64, I32, U16, does, line

_NUMBER = re.compile(rb"-?[0-9]+L?\Z")
_REAL = re.compile(rb"-?(?:[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,4})?|inf|nan)\Z")


@does(b"K")
def _binint1(m: Machine, position: int) -> int:
    m.stack.append(m.data[position])
    return position + 1


@does(b"M")
def _binint2(m: Machine, position: int) -> int:
    m.stack.append(U16(m.data, position)[0])
    return position + 2


@does(b"J")
def _binint(m: Machine, position: int) -> int:
    m.stack.append(I32(m.data, position)[0])
    return position + 4


@does(b"G")
def _binfloat(m: Machine, position: int) -> int:
    F64(m.data, position)  # there are eight bytes; which number they are does not matter
    m.stack.append(0.0)
    return position + 8


@does(b"N")
def _none(m: Machine, position: int) -> int:
    m.stack.append(None)
    return position


@does(b"\x88")
def _true(m: Machine, position: int) -> int:
    m.stack.append(True)
    return position


@does(b"\x89")
def _false(m: Machine, position: int) -> int:
    m.stack.append(False)
    return position


@does(b"\x8a")
def _long1(m: Machine, position: int) -> int:
    length = m.data[position]
    end = position + 1 + length
    if end > len(m.data):
        raise Malformed("a number reaches past the end")
    whole = length <= 8  # noqa: PLR2004 - a size; a larger number is only a number
    m.stack.append(int.from_bytes(m.data[position + 1 : end], "little", signed=True) if whole else m.node("number"))
    return end


@does(b"\x8b")
def _long4(m: Machine, position: int) -> int:
    length = I32(m.data, position)[0]
    if length < 0:
        raise Malformed("a number has a negative length")
    if length > DIGITS * 0.4153:  # bytes a decimal digit
        raise Budget(f"holds a number of more than {DIGITS} digits")
    m.stack.append(m.node("number"))
    return m.skip(position + 4, length)


@does(b"I")
@does(b"L")
def _int(m: Machine, position: int) -> int:
    text, after = line(m, position)
    if text in (b"00", b"01"):
        m.stack.append(text == b"01")
        return after
    if not _NUMBER.match(text):
        raise Malformed("a number is not written as pickle writes it")
    if len(text) > DIGITS:
        raise Budget(f"holds a number of more than {DIGITS} digits")
    m.stack.append(int(text.rstrip(b"L")) if len(text) < 20 else m.node("number"))  # noqa: PLR2004 - as long as a word
    return after


@does(b"F")
def _float(m: Machine, position: int) -> int:
    text, after = line(m, position)
    if not _REAL.match(text):
        raise Malformed("a number is not written as pickle writes it")
    m.stack.append(float(text))
    return after
