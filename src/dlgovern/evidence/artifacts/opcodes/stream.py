"""Opcodes about the pickle itself: protocol, frames, buffers, its end."""

from __future__ import annotations

from dlgovern.evidence.artifacts.machine import Machine, Malformed, Stopped
from dlgovern.evidence.artifacts.opcodes.table import U64, does


@does(b"\x80")
def _proto(m: Machine, position: int) -> int:
    protocol = m.data[position]
    if m.at(position) != m.start:
        m.findings.undecided("says its protocol in the middle", m.member, m.at(position))
    if protocol > 5:  # noqa: PLR2004 - the newest
        raise Malformed(f"protocol {protocol} does not exist")
    m.protocol = protocol
    return position + 1


@does(b"\x95")
def _frame(m: Machine, position: int) -> int:
    length = U64(m.data, position)[0]
    if m.at(position) < m.frame_end:
        m.findings.undecided("has a frame in a frame", m.member, m.at(position))
    m.frame_end = m.at(position) + 9 + length
    if m.frame_end > m.blob.size:
        raise Malformed("a frame reaches past the end")
    return position + 8


@does(b"\x97")
@does(b"\x98")
def _buffer(m: Machine, position: int) -> int:
    m.findings.undecided("takes data from outside the file (NEXT_BUFFER)", m.member, m.at(position))
    if m.data[position - 1] == 0x97:  # noqa: PLR2004 - NEXT_BUFFER pushes, READONLY_BUFFER changes the top
        m.stack.append(m.node("unknown", None, "a buffer"))
    else:
        m.top()
    return position


@does(b".")
def _stop(m: Machine, position: int) -> int:
    m.top()
    if m.marks or len(m.stack) != 1:
        m.findings.undecided("leaves values behind", m.member, m.at(position))
    if m.frame_end > m.base + position:
        m.findings.undecided("stops inside a frame", m.member, m.at(position))
    m.done = True
    raise Stopped(position)
