"""Thirty opcodes at once: a tensor in the form in which `torch.save` writes all but the first few of a checkpoint."""

from __future__ import annotations

import re
from struct import Struct

from dlgovern.evidence.artifacts import calls
from dlgovern.evidence.artifacts.machine import MARKS, MEMO, NODES, Machine, Node

_GET = rb"(h.|j.{4})"
_INT = rb"(K.|M..|J.{4})"
_INTS = rb"((?:K.|M..|J.{4}){1,3})([\x85\x86\x87])"
_PUT = rb"r(.{4})"

TENSOR = re.compile(
    rb"\(\(" + _GET + _GET + rb"X(.)\0\0\0([0-9]{1,9})" + _PUT + _GET + _INT + rb"t" + _PUT + rb"Q" + _INT
    + _INTS + _PUT + _INTS + _PUT + rb"([\x88\x89])" + _GET + rb"\)R" + _PUT + rb"t" + _PUT + rb"R" + _PUT,
    re.DOTALL,
)
"""From the first mark to the memo of the result. Every alternative is told by its first byte, so it reads as the opcodes do."""

_PUTS = Struct("<7I").unpack


def tensor(m: Machine, position: int) -> int:
    """The position behind the tensor whose arguments begin at ``position``; -1, and nothing done, where it has another form.

    Tensors that differ in the names of their storages alone are made once: nothing in them can be changed unnoticed.
    """
    found = TENSOR.match(m.data, position)
    memo, base = m.memo, len(m.memo)
    if found is None or m.far or base + 7 > MEMO or m.nodes + 8 > NODES or len(m.marks) + 2 > MARKS or len(m.stack) <= m.fence:
        return -1
    word, kind, length, key, put, where, count, put1, start, size, sizes, put2, stride, strides, put3, grad, hooks, put4, put5, put6 = found.groups()
    if _PUTS(put + put1 + put2 + put3 + put4 + put5 + put6) != (base, base + 1, base + 2, base + 3, base + 4, base + 5, base + 6):
        return -1
    gets = [one[1] if len(one) == 2 else int.from_bytes(one[1:], "little") for one in (word, kind, where, hooks)]  # noqa: PLR2004
    shape, steps = _ints(size), _ints(stride)
    if max(gets) >= base or length[0] != len(key) or len(shape) != sizes[0] - 0x84 or len(steps) != strides[0] - 0x84:
        return -1
    name = m.text(key.decode())
    storage_id = m.tuple([memo[gets[0]], memo[gets[1]], name, memo[gets[2]], _int(count)])
    same = (m.stack[-1], *(memo[one] for one in gets), count, start, size, stride, grad)
    rest = m.alike.get(same)
    if rest is None:
        storage = calls.persistent(m, storage_id, m.base + found.end(8))
        nothing = calls.call(m, memo[gets[3]], (), m.base + found.start(18) - 2)
        arguments = m.tuple([storage, _int(start), shape, steps, grad == b"\x88", nothing])
        made = calls.call(m, m.stack[-1], arguments, m.base + found.start(20) - 2)
        rest = (shape, steps, nothing, arguments, made)
        if type(made) is Node and made.kind == "tensor":
            m.alike[same] = rest
    else:
        calls.keep(m, name, memo[gets[1]], storage_id[4], m.base + found.end(8))
    memo += (name, storage_id, *rest)
    m.stack[-1] = rest[-1]
    return found.end()


def _int(code: bytes) -> int:
    return code[1] if len(code) == 2 else int.from_bytes(code[1:], "little", signed=len(code) == 5)  # noqa: PLR2004 - J has a sign


def _ints(codes: bytes) -> tuple[int, ...]:
    if len(codes) == 4 and codes[0] == codes[2] == 0x4B:  # noqa: PLR2004 - two small ones
        return (codes[1], codes[3])
    found = []
    position = 0
    while position < len(codes):
        width = _WIDTHS[codes[position]]
        found.append(int.from_bytes(codes[position + 1 : position + 1 + width], "little", signed=width == 4))  # noqa: PLR2004
        position += 1 + width
    return tuple(found)


_WIDTHS = {0x4B: 1, 0x4D: 2, 0x4A: 4}
