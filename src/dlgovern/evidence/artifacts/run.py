"""Run through the opcodes of a pickle: those that pickles are mostly made of are done here, all others by their handlers.

A pickle of seven megabytes has two million opcodes; a call for each would take longer than everything else. What is done
here is what the handlers in the table would do; a test walks pickles by the table alone and compares.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dlgovern.evidence.artifacts import calls
from dlgovern.evidence.artifacts.machine import AHEAD, FLAT, MARKS, MEMO, NODES, OPCODES, Budget, Machine, Malformed
from dlgovern.evidence.artifacts.opcodes import Handler
from dlgovern.evidence.artifacts.opcodes.table import I32, U16, U32
from dlgovern.evidence.artifacts.shortcut import tensor


def run(m: Machine, table: Sequence[Handler], *, modern: bool) -> None:  # noqa: C901, PLR0912, PLR0915 - one loop, see above
    """Walk until STOP, which leaves by `Stopped`; anything that is wrong leaves by its own error.

    ``modern``: opcodes of protocol 4 are at home.
    """
    stack, memo, marks, far = m.stack, m.memo, m.marks, m.far
    flat = FLAT
    position = 0
    data = b""
    soft = -1
    item: Any
    try:
        for _ in range(OPCODES):
            if position > soft:
                if data is m.data or not data:
                    position = m.fill(position)
                data = m.data
                soft = len(data) if m.whole else len(data) - AHEAD
            code = data[position]
            position += 1
            if code == 0x72:  # LONG_BINPUT
                index = U32(data, position)[0]
                if index == len(memo) and index < MEMO and not far and len(stack) > m.fence:
                    memo.append(stack[-1])
                else:
                    m.put(index)
                position += 4
            elif code == 0x4B:  # BININT1
                stack.append(data[position])
                position += 1
            elif code == 0x68:  # BINGET
                index = data[position]
                if index < len(memo) and not far:
                    stack.append(memo[index])
                else:
                    m.get(index)
                position += 1
            elif code == 0x94 and modern:  # MEMOIZE
                if len(memo) < MEMO and not far and len(stack) > m.fence:
                    memo.append(stack[-1])
                else:
                    m.put(len(memo) + len(far))
            elif code == 0x28:  # MARK
                if data[position] == 0x28 and (after := tensor(m, position - 1)) > 0:
                    position = after
                    continue
                if len(marks) >= MARKS:
                    raise Budget(f"sets more than {MARKS:,} marks")
                m.fence = len(stack)
                marks.append(m.fence)
            elif code in (0x58, 0x8C) and (modern or code == 0x58):  # BINUNICODE, SHORT_BINUNICODE
                if code == 0x58:
                    length = U32(data, position)[0]
                    start = position + 4
                else:
                    length = data[position]
                    start = position + 1
                end = start + length
                if end > len(data):
                    position = table[code](m, position)
                    if m.data is not data:
                        soft = -1
                    continue
                try:
                    item = data[start:end].decode()
                except UnicodeDecodeError:
                    position = table[code](m, position)  # with surrogates it may still be one
                    continue
                stack.append(m.text(item))
                position = end
            elif code == 0x74:  # TUPLE
                items = m.pop_mark()
                if flat.issuperset(map(type, items)) and m.nodes < NODES:
                    m.nodes += 1
                    stack.append(tuple(items))
                else:
                    stack.append(m.tuple(items))
            elif code == 0x86:  # TUPLE2
                if len(stack) - m.fence < 2:  # noqa: PLR2004
                    raise Malformed("the stack is empty")
                item = stack.pop()
                if type(item) in flat and type(stack[-1]) in flat and m.nodes < NODES:
                    m.nodes += 1
                    stack[-1] = (stack[-1], item)
                else:
                    stack[-1] = m.tuple([stack[-1], item])
            elif code == 0x52:  # REDUCE
                if len(stack) - m.fence < 2:  # noqa: PLR2004
                    raise Malformed("the stack is empty")
                item = stack.pop()
                stack[-1] = calls.call(m, stack[-1], item, m.base + position - 1)
            elif code == 0x29:  # EMPTY_TUPLE
                stack.append(())
            elif code == 0x89:  # NEWFALSE
                stack.append(False)
            elif code == 0x51:  # BINPERSID
                if len(stack) <= m.fence:
                    raise Malformed("the stack is empty")
                stack[-1] = calls.persistent(m, stack[-1], m.base + position - 1)
            elif code == 0x4D:  # BININT2
                stack.append(U16(data, position)[0])
                position += 2
            elif code == 0x4A:  # BININT
                stack.append(I32(data, position)[0])
                position += 4
            elif code == 0x71:  # BINPUT
                index = data[position]
                if index == len(memo) and not far and len(stack) > m.fence:
                    memo.append(stack[-1])
                else:
                    m.put(index)
                position += 1
            elif code == 0x6A:  # LONG_BINGET
                index = U32(data, position)[0]
                if index < len(memo) and not far:
                    stack.append(memo[index])
                else:
                    m.get(index)
                position += 4
            elif code == 0x4E:  # NONE
                stack.append(None)
            elif code == 0x88:  # NEWTRUE
                stack.append(True)
            elif code == 0x5D:  # EMPTY_LIST
                stack.append(m.node("list"))
            elif code == 0x7D:  # EMPTY_DICT
                stack.append(m.node("dict"))
            else:
                position = table[code](m, position)
                if m.data is not data:
                    soft = -1
    finally:
        m.position = position - 1
    raise Budget(f"has more than {OPCODES:,} opcodes")
