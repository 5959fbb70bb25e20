"""Opcodes that look up a name, call it or set the state of an object."""

from __future__ import annotations

from dlgovern.evidence.artifacts import calls
from dlgovern.evidence.artifacts.machine import Global, Machine, Malformed, Node
from dlgovern.evidence.artifacts.opcodes.table import TABLE, Handler, does, line


@does(b"c")
def _global(m: Machine, position: int) -> int:
    module, name, after = _two_lines(m, position)
    m.stack.append(m.name(module, name, m.at(position), translate=True))
    return after


def _two_lines(m: Machine, position: int) -> tuple[str, str, int]:
    module, middle = line(m, position)
    name, after = line(m, middle)
    try:
        return module.decode(), name.decode(), after
    except UnicodeDecodeError:
        raise Malformed("a name is not UTF-8") from None


@does(b"\x93")
def _stack_global(m: Machine, position: int) -> int:
    name = m.pop()
    module = m.pop()
    m.stack.append(m.name(module, name, m.at(position), translate=False))
    return position


@does(b"R")
def _reduce(m: Machine, position: int) -> int:
    arguments = m.pop()
    function = m.pop()
    m.stack.append(calls.call(m, function, arguments, m.at(position)))
    return position


@does(b"\x81")
def _newobj(m: Machine, position: int) -> int:
    arguments = m.pop()
    made = m.pop()
    m.stack.append(calls.call(m, made, arguments, m.at(position), new=True))
    return position


@does(b"\x92")
def _newobj_ex(m: Machine, position: int) -> int:
    m.pop()
    arguments = m.pop()
    made = m.pop()
    m.findings.undecided("creates an object with keywords (NEWOBJ_EX)", m.member, m.at(position))
    m.stack.append(calls.call(m, made, arguments, m.at(position), new=True))
    return position


@does(b"i")
def _inst(m: Machine, position: int) -> int:
    module, name, after = _two_lines(m, position)
    items = m.pop_mark()
    m.findings.undecided("creates an object in a way no torch writes (INST)", m.member, m.at(position))
    made = m.name(module, name, m.at(position), translate=True)
    m.stack.append(calls.call(m, made, m.tuple(items), m.at(position), new=True))
    return after


@does(b"o")
def _obj(m: Machine, position: int) -> int:
    items = m.pop_mark()
    if not items:
        raise Malformed("the stack is empty")
    m.findings.undecided("creates an object in a way no torch writes (OBJ)", m.member, m.at(position))
    m.stack.append(calls.call(m, items[0], m.tuple(items[1:]), m.at(position), new=True))
    return position


@does(b"b")
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


@does(b"Q")
def _binpersid(m: Machine, position: int) -> int:
    m.stack.append(calls.persistent(m, m.pop(), m.at(position)))
    return position


@does(b"P")
def _persid(m: Machine, position: int) -> int:
    text, after = line(m, position)
    m.findings.undecided("asks its loader for an object by a text (PERSID)", m.member, m.at(position))
    m.stack.append(m.node("unknown", None, f"what persistent id {text[:40]!r} stands for"))
    return after
