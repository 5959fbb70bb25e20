"""Walk pickles without running them: say what they would call, and what tensors they hold."""

from __future__ import annotations

import gc
import struct
from typing import Any, NamedTuple

from dlgovern.evidence.artifacts.allowed import Allowed
from dlgovern.evidence.artifacts.blob import Blob
from dlgovern.evidence.artifacts.machine import (
    Budget,
    Global,
    Machine,
    Malformed,
    Node,
    Profile,
    Stopped,
)
from dlgovern.evidence.artifacts.opcodes import TABLE, Handler
from dlgovern.evidence.artifacts.run import run
from dlgovern.evidence.artifacts.values import Findings

_TORCH = b"cRbaesu(t\x85\x86\x87N\x89\x88)]}\x8fJKMGXUQhjqr\x8a\x80.\x81"
"""What torch's own unpickler knows; everything else it refuses."""

_MEMOIZE = 0x94  # the commonest opcode of protocol 4
_FOREIGN_TO_TORCH = frozenset(TABLE) - frozenset(_TORCH) - frozenset(b"PQio\x82\x83\x84\x97\x98\x92")  # the latter speak for themselves

TORCH = Profile("torch", _FOREIGN_TO_TORCH, renames=True, persistent=True)
"""data.pkl of a torch archive, and the pickles of its legacy format."""

PLAIN = Profile("plain", frozenset(), renames=False, persistent=False)
"""A pickle by itself."""

ARRAYS = Profile("numpy", frozenset(), renames=False, persistent=False, data=True)
"""A pickle inside an array of objects."""


class Walked(NamedTuple):
    """What one pickle holds."""

    value: Any  # tagged, see `machine.Node`; None where it was not understood
    end: int  # offset behind STOP; -1 where there is none
    storages: dict[str, tuple[str, int]]
    names: set[str]
    protocol: int


def walk(blob: Blob, start: int, profile: Profile, allowed: Allowed, findings: Findings, member: str = "") -> Walked:
    """Walk the one pickle that begins at ``start``; what follows its STOP is not looked at."""
    m = Machine(blob, start, profile, allowed, findings, member)
    if allowed.version:
        findings.facts["allow-list"] = f"torch {allowed.version}"
    collecting = gc.isenabled()
    gc.disable()  # half a million values without a cycle among them: looking for cycles takes longer than the walk
    end = -1
    try:
        run(m, _table(profile), modern=_MEMOIZE not in profile.foreign)
    except Stopped as at:
        end = m.base + at.args[0]
    except (IndexError, struct.error):
        findings.undecided("ends before its pickle does", member, m.base + len(m.data))
    except Malformed as error:
        findings.undecided(f"is no pickle that a pickler writes: {error}", member, m.base + m.position)
    except Budget as error:
        findings.undecided(f"is not decided: this pickle {error}", member, m.base + m.position)
    finally:
        if collecting:
            gc.enable()
    value = m.stack[-1] if m.done else None
    return Walked(value, end, m.storages, m.names, m.protocol)


def _table(profile: Profile) -> list[Handler]:
    found = _TABLES.get(profile.name)
    if found is None:
        found = [_unknown] * 256
        for code, handler in TABLE.items():
            found[code] = _foreign(code, handler) if code in profile.foreign else handler
        _TABLES[profile.name] = found
    return found


_TABLES: dict[str, list[Handler]] = {}


def _unknown(m: Machine, position: int) -> int:
    raise Malformed(f"there is no opcode {m.data[position - 1]:#04x}")


def _foreign(code: int, handler: Handler) -> Handler:
    name = _NAMES.get(code, f"{code:#04x}")

    def handle(m: Machine, position: int) -> int:
        m.findings.undecided(f"uses opcode {name}, which torch.load(weights_only=True) refuses", m.member, m.at(position))
        return handler(m, position)

    return handle


_NAMES = {
    0x93: "STACK_GLOBAL", 0x94: "MEMOIZE", 0x95: "FRAME", 0x8C: "SHORT_BINUNICODE", 0x8D: "BINUNICODE8",
    ord("B"): "BINBYTES", ord("C"): "SHORT_BINBYTES", 0x8E: "BINBYTES8", 0x96: "BYTEARRAY8", 0x90: "ADDITEMS",
    0x91: "FROZENSET", ord("0"): "POP", ord("1"): "POP_MARK", ord("2"): "DUP", 0x8B: "LONG4",
    ord("p"): "PUT", ord("g"): "GET", ord("I"): "INT", ord("L"): "LONG", ord("F"): "FLOAT", ord("S"): "STRING",
    ord("V"): "UNICODE", ord("T"): "BINSTRING", ord("l"): "LIST", ord("d"): "DICT",
}


def tensors(value: Any, findings: Findings, most: int = 200_000) -> None:
    """Add the tensors of a walked value under the dotted names that lead to them."""
    todo: list[tuple[str, Any, int]] = [("", value, 0)]
    seen: set[int] = set()
    while todo and len(findings.tensors) < most:
        name, node, depth = todo.pop()
        if type(node) is not Node:
            continue
        if node.kind == "tensor":
            dtype, shape = node.what
            findings.tensor(name, dtype, shape)
        elif node.kind == "numpy" and node.what[0] == "array" and len(node.what) == 3:  # noqa: PLR2004
            findings.tensor(name, node.what[1], node.what[2])
        elif depth < 8 and id(node) not in seen:  # noqa: PLR2004 - deeper than any checkpoint
            seen.add(id(node))
            items = node.items or []
            if node.kind == "dict":
                pairs = range(0, len(items) - 1, 2)
                inner = [(_joined(name, items[i]), items[i + 1], depth + 1) for i in pairs if type(items[i + 1]) is Node]
            elif node.kind in ("list", "tuple"):
                inner = [(_joined(name, i), item, depth + 1) for i, item in enumerate(items) if type(item) is Node]
            else:
                continue
            todo += reversed(inner)


def _joined(name: str, key: Any) -> str:
    last = key if type(key) is str else str(key) if type(key) is int else "?"
    return f"{name}.{last}" if name else last


__all__ = ["ARRAYS", "PLAIN", "TORCH", "Global", "Walked", "tensors", "walk"]
