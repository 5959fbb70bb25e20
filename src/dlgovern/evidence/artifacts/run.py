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
from dlgovern.evidence.artifacts.opcodes.containers import append, appends, setitem, setitems
from dlgovern.evidence.artifacts.opcodes.table import I32, U16, U32
from dlgovern.evidence.artifacts.shortcut import tensor


def run(m: Machine, table: Sequence[Handler], *, modern: bool) -> None:  # noqa: C901, PLR0912, PLR0915 - one loop, see above
    """Walk until STOP, which leaves by `Stopped`; anything that is wrong leaves by its own error.

    ``modern``: all opcodes are at home, those of protocol 0 and 4 too.
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
            if code > 0x71:  # noqa: PLR2004 - in three groups the way to each is short
                if code == 0x72:  # LONG_BINPUT
                    index = U32(data, position)[0]
                    if index == len(memo) and index < MEMO and not far and len(stack) > m.fence:
                        memo.append(stack[-1])
                    else:
                        m.put(index)
                    position += 4
                    continue
                if code == 0x94 and modern:  # MEMOIZE
                    if len(memo) < MEMO and not far and len(stack) > m.fence:
                        memo.append(stack[-1])
                    else:
                        m.put(len(memo) + len(far))
                    continue
                if code == 0x8C and modern:  # SHORT_BINUNICODE
                    start = position + 1
                    end = start + data[position]
                    if end <= len(data) and (item := _text(data[start:end])) is not None:
                        item = m.text(item)
                        stack.append(item)
                        position = end
                        if data[position] == 0x94 and len(memo) < MEMO and not far:
                            memo.append(item)
                            position += 1
                        continue
                elif code == 0x75:  # SETITEMS
                    setitems(m, position)
                    continue
                elif code == 0x74:  # TUPLE
                    items = m.pop_mark()
                    if flat.issuperset(map(type, items)) and m.nodes < NODES:
                        m.nodes += 1
                        stack.append(tuple(items))
                    else:
                        stack.append(m.tuple(items))
                    continue
                elif code == 0x86:  # TUPLE2
                    if len(stack) - m.fence < 2:  # noqa: PLR2004
                        raise Malformed("the stack is empty")
                    item = stack.pop()
                    if type(item) in flat and type(stack[-1]) in flat and m.nodes < NODES:
                        m.nodes += 1
                        stack[-1] = (stack[-1], item)
                    else:
                        stack[-1] = m.tuple([stack[-1], item])
                    continue
                elif code == 0x73:  # SETITEM
                    setitem(m, position)
                    continue
                elif code == 0x7D:  # EMPTY_DICT
                    item = m.node("dict")
                    stack.append(item)
                    if modern and data[position] == 0x94 and len(memo) < MEMO and not far:
                        memo.append(item)
                        position += 1
                    continue
                elif code == 0x89:  # NEWFALSE
                    stack.append(False)
                    continue
                elif code == 0x88:  # NEWTRUE
                    stack.append(True)
                    continue
            elif code > 0x57:  # noqa: PLR2004
                if code == 0x68:  # BINGET
                    index = data[position]
                    if index < len(memo) and not far:
                        stack.append(memo[index])
                    else:
                        m.get(index)
                    position += 1
                    continue
                if code == 0x58:  # BINUNICODE
                    start = position + 4
                    end = start + U32(data, position)[0]
                    if end <= len(data) and (item := _text(data[start:end])) is not None:
                        stack.append(m.text(item))
                        position = end
                        continue
                elif code == 0x65:  # APPENDS
                    appends(m, position)
                    continue
                elif code == 0x71:  # BINPUT
                    index = data[position]
                    if index == len(memo) and not far and len(stack) > m.fence:
                        memo.append(stack[-1])
                    else:
                        m.put(index)
                    position += 1
                    continue
                elif code == 0x5D:  # EMPTY_LIST
                    item = m.node("list")
                    stack.append(item)
                    if modern and data[position] == 0x94 and len(memo) < MEMO and not far:
                        memo.append(item)
                        position += 1
                    continue
                elif code == 0x61:  # APPEND
                    append(m, position)
                    continue
                elif code == 0x6A:  # LONG_BINGET
                    index = U32(data, position)[0]
                    if index < len(memo) and not far:
                        stack.append(memo[index])
                    else:
                        m.get(index)
                    position += 4
                    continue
                elif code in (0x67, 0x70) and modern:  # GET, PUT: torch does not know them
                    end = data.find(b"\n", position, position + 10)
                    if end > 0 and (line := data[position:end]).isdigit():
                        index = int(line)
                        position = end + 1
                        if code == 0x70:
                            if index == len(memo) and index < MEMO and not far and len(stack) > m.fence:
                                memo.append(stack[-1])
                            else:
                                m.put(index)
                        elif index < len(memo) and not far:
                            stack.append(memo[index])
                        else:
                            m.get(index)
                        continue
            else:
                if code == 0x4B:  # BININT1
                    stack.append(data[position])
                    position += 1
                    continue
                if code == 0x28:  # MARK
                    if data[position] == 0x28 and (after := tensor(m, position - 1)) > 0:
                        position = after
                        continue
                    if len(marks) >= MARKS:
                        raise Budget(f"sets more than {MARKS:,} marks")
                    m.fence = len(stack)
                    marks.append(m.fence)
                    continue
                if code == 0x4D:  # BININT2
                    stack.append(U16(data, position)[0])
                    position += 2
                    continue
                if code == 0x4A:  # BININT
                    stack.append(I32(data, position)[0])
                    position += 4
                    continue
                if code == 0x4E:  # NONE
                    stack.append(None)
                    continue
                if code == 0x49 and modern:  # INT
                    end = data.find(b"\n", position, position + 10)
                    if end > 0 and (line := data[position:end]).isdigit() and line[0] != 0x30:
                        stack.append(int(line))
                        position = end + 1
                        continue
                elif code == 0x29:  # EMPTY_TUPLE
                    stack.append(())
                    continue
                elif code == 0x52:  # REDUCE
                    if len(stack) - m.fence < 2:  # noqa: PLR2004
                        raise Malformed("the stack is empty")
                    item = stack.pop()
                    stack[-1] = calls.call(m, stack[-1], item, m.base + position - 1)
                    continue
                elif code == 0x51:  # BINPERSID
                    if len(stack) <= m.fence:
                        raise Malformed("the stack is empty")
                    stack[-1] = calls.persistent(m, stack[-1], m.base + position - 1)
                    continue
            position = table[code](m, position)
            if m.data is not data:
                soft = -1
    finally:
        m.position = position - 1
    raise Budget(f"has more than {OPCODES:,} opcodes")


def _text(data: bytes) -> str | None:
    """A string; None where it is no UTF-8, though with surrogates it may still be one."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None
