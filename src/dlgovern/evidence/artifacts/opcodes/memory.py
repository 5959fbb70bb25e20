"""Opcodes of the stack and the memo."""

from __future__ import annotations

import re

from dlgovern.evidence.artifacts.machine import MEMO, Machine, Malformed
from dlgovern.evidence.artifacts.opcodes.table import U32, does, line

_INDEX = re.compile(rb"[0-9]{1,10}\Z")


@does(b"q")
def _binput(m: Machine, position: int) -> int:
    m.put(m.data[position])
    return position + 1


@does(b"r")
def _long_binput(m: Machine, position: int) -> int:
    index = U32(m.data, position)[0]
    if index == len(m.memo) and not m.far and index < MEMO and len(m.stack) > m.fence:
        m.memo.append(m.stack[-1])  # what every pickler does, put first
    else:
        m.put(index)
    return position + 4


@does(b"p")
def _put(m: Machine, position: int) -> int:
    text, after = line(m, position)
    m.put(_index(text))
    return after


@does(b"\x94")
def _memoize(m: Machine, position: int) -> int:
    m.put(len(m.memo) + len(m.far))
    return position


@does(b"h")
def _binget(m: Machine, position: int) -> int:
    m.get(m.data[position])
    return position + 1


@does(b"j")
def _long_binget(m: Machine, position: int) -> int:
    m.get(U32(m.data, position)[0])
    return position + 4


@does(b"g")
def _get(m: Machine, position: int) -> int:
    text, after = line(m, position)
    m.get(_index(text))
    return after


def _index(text: bytes) -> int:
    if not _INDEX.match(text):
        raise Malformed("a number of the memo is not written as pickle writes it")
    return int(text)


@does(b"0")
def _pop(m: Machine, position: int) -> int:
    if m.marks and m.fence == len(m.stack):  # as C pickle does: the mark itself goes
        m.pop_mark()
    else:
        m.pop()
    return position


@does(b"1")
def _pop_mark(m: Machine, position: int) -> int:
    m.pop_mark()
    return position


@does(b"2")
def _dup(m: Machine, position: int) -> int:
    m.stack.append(m.top())
    return position
