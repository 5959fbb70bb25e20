"""Opcodes that make and fill tuples, lists, dicts and sets."""

from __future__ import annotations

from dlgovern.evidence.artifacts import calls
from dlgovern.evidence.artifacts.machine import MARKS, Budget, Machine, Malformed, Node
from dlgovern.evidence.artifacts.opcodes.table import TABLE, Handler, does


@does(b"(")
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


for _code, _kind in ((b"]", "list"), (b"}", "dict"), (b"\x8f", "set")):
    TABLE[_code[0]] = _empty(_kind)


@does(b")")
def _empty_tuple(m: Machine, position: int) -> int:
    m.stack.append(())
    return position


def _fixed_tuple(count: int) -> Handler:
    def handle(m: Machine, position: int) -> int:
        stack = m.stack
        if len(stack) - m.fence < count:
            raise Malformed("the stack is empty")
        items = stack[-count:]
        stack[-count:] = [m.tuple(items)]
        return position

    return handle


for _count in (1, 2, 3):
    TABLE[0x84 + _count] = _fixed_tuple(_count)


@does(b"t")
def _tuple(m: Machine, position: int) -> int:
    m.stack.append(m.tuple(m.pop_mark()))
    return position


def _gather(kind: str) -> Handler:
    def handle(m: Machine, position: int) -> int:
        items = m.pop_mark()
        if kind == "dict" and len(items) % 2:
            raise Malformed("a dict has a key without a value")
        m.stack.append(m.node(kind, items))
        return position

    return handle


for _code, _kind in ((b"l", "list"), (b"d", "dict"), (b"\x91", "set")):
    TABLE[_code[0]] = _gather(_kind)


@does(b"a")
def append(m: Machine, position: int) -> int:
    """APPEND: the position stays."""
    stack = m.stack
    if len(stack) - m.fence < 2:  # noqa: PLR2004 - a list and its new value
        raise Malformed("the stack is empty")
    _into(m, position, "list", [stack.pop()])
    return position


@does(b"s")
def setitem(m: Machine, position: int) -> int:
    """SETITEM: the position stays."""
    stack = m.stack
    if len(stack) - m.fence < 3:  # noqa: PLR2004 - a dict, a key and its value
        raise Malformed("the stack is empty")
    items = stack[-2:]
    del stack[-2:]
    _into(m, position, "dict", items)
    return position


def _add(kind: str) -> Handler:
    def handle(m: Machine, position: int) -> int:
        stack, marks = m.stack, m.marks
        if not marks:
            raise Malformed("there is no mark")
        start = marks.pop()
        m.fence = marks[-1] if marks else 0
        if start <= m.fence:
            raise Malformed("the stack is empty")
        items = stack[start:]
        del stack[start:]
        if kind == "dict" and len(items) & 1:
            raise Malformed("a dict has a key without a value")
        _into(m, position, kind, items)
        return position

    return handle


appends = TABLE[0x65] = _add("list")
setitems = TABLE[0x75] = _add("dict")
TABLE[0x90] = _add("set")  # ADDITEMS


def _into(m: Machine, position: int, kind: str, items: list[object]) -> None:
    """Add to the container on top of the stack; on anything else a pickle would call a method of it."""
    owner = m.stack[-1]
    if type(owner) is Node and owner.kind == kind:
        m.extend(owner, items, m.base + position - 1)
        return
    calls.into_something_else(m, owner, kind, m.at(position))
