"""Opcode -> what it does to the state of a pickle that is read but not run."""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct

from dlgovern.evidence.artifacts.machine import AHEAD, Machine, Malformed

Handler = Callable[[Machine, int], int]
"""Takes the machine and the position behind the opcode; gives the position of the next one."""

TABLE: dict[int, Handler] = {}
"""Opcode -> what it does."""

U16, I32, U32, U64, F64 = (Struct(form).unpack_from for form in ("<H", "<i", "<I", "<Q", ">d"))
_LINE = AHEAD // 2 - 16


def does(code: bytes) -> Callable[[Handler], Handler]:
    """Put a handler into the table."""

    def keep(handler: Handler) -> Handler:
        TABLE[code[0]] = handler
        return handler

    return keep


def line(m: Machine, position: int) -> tuple[bytes, int]:
    """A text argument and the position behind its newline."""
    end = m.data.find(b"\n", position, position + _LINE)
    if end < 0:
        raise Malformed("a line of text does not end")
    return m.data[position:end], end + 1
