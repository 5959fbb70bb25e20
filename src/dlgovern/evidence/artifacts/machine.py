"""The state of a pickle that is read but not run: tagged values on a stack, a memo, budgets."""

from __future__ import annotations

from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from dlgovern.evidence.artifacts.allowed import Allowed
from dlgovern.evidence.artifacts.blob import Blob, Broken
from dlgovern.evidence.artifacts.values import Findings

OPCODES = 4_200_000
NODES = 700_000  # values with parts; each takes a hundred bytes here
MEMO = 2_000_000
STACK = 1_000_000  # asked once a window
MARKS = 20_000
FEW = 16  # parts that are kept as a tuple, which takes half as much as a list of them
DEPTH = 500  # what reads the value later recurses
EXPANSION = 10_000_000  # values if every alias were written out
TEXT = 64 * 1024 * 1024  # bytes of one string
KEPT = 48 * 1024 * 1024  # bytes of all strings whose text is remembered
DIGITS = 4300  # what Python itself parses at most
SHORT = 4096  # characters; a longer string is never a name
WINDOW = 1 << 20
AHEAD = 1 << 17  # bytes that are at hand beyond the current opcode; text lines may be half as long


class Malformed(Exception):
    """Opcodes that no pickler writes; what follows them is not understood."""


class Budget(Exception):
    """More than will be looked at; the message completes the sentence "this pickle …"."""


class Stopped(Exception):
    """STOP was met; carries the position behind it."""


class Global:
    """A module's attribute by its name; ``kind`` is what the allow-list says it is, "" for one that is not on it."""

    __slots__ = ("kind", "name")

    def __init__(self, name: str, kind: str) -> None:
        self.name = name
        self.kind = kind


class Node:
    """A value with parts, beside the numbers, texts and names that have none, and tuples of only these, which are tuples here.

    ``depth`` and ``cost`` are those of everything below it, aliases written out.
    """

    __slots__ = ("cost", "depth", "held", "items", "kind", "what")

    def __init__(self, kind: str, items: Sequence[Any] | None = None, what: Any = "") -> None:
        self.kind = kind  # tuple list dict set bytes text number storage tensor instance unknown
        self.items = items
        self.what = what
        self.depth = 1
        self.cost = 1
        self.held = False  # in another value; no pickler changes it then


FLAT = frozenset((int, float, complex, bool, str, type(None), Global))
"""Types of values without parts."""


def parts(value: Any) -> Sequence[Any] | None:
    """What is in a tuple; None for everything else."""
    if type(value) is tuple:
        return value
    return value.items or () if type(value) is Node and value.kind == "tuple" else None


def whole(value: Any) -> tuple[int, ...] | None:
    """A tuple of sizes; None for everything else."""
    sizes = type(value) is tuple and all(type(item) is int and item >= 0 for item in value)
    return value if sizes else None


class Profile(NamedTuple):
    """Which opcodes are at home in a kind of pickle."""

    name: str
    foreign: frozenset[int]  # opcodes that its loader refuses, or that no writer of it uses
    renames: bool  # Python 2 names are translated whatever the protocol
    persistent: bool  # ids of storages
    data: bool = False  # what Python and numpy write for data that torch does not load
    after_build: Callable[[Machine, Node, int], int] | None = None  # bytes that follow an object in the stream


class Machine:
    """One pickle while it is walked. `opcodes` holds what each opcode does to it."""

    def __init__(self, blob: Blob, start: int, profile: Profile, allowed: Allowed, findings: Findings, member: str) -> None:
        self.blob = blob
        self.profile = profile
        self.allowed = allowed
        self.findings = findings
        self.member = member
        self.data = b""
        self.base = self.start = start  # offset of data in the blob; of the pickle
        self.position = 0  # in data, of the opcode that is being done
        self.whole = False  # data reaches to the end of the blob
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.fence = 0
        self.memo: list[Any] = []
        self.far: dict[int, Any] = {}
        self.nodes = 0
        self.kept = 0
        self.protocol = 0
        self.frame_end = 0
        self.done = False
        self.looked_up: dict[tuple[Any, ...], Global] = {}  # of a pickle in which nothing was found so far
        self.alike: dict[tuple[Any, ...], tuple[Any, ...]] = {}  # see `shortcut`
        self.storages: dict[str, tuple[str, int]] = {}  # key -> (kind, bytes)
        self.names: set[str] = set()

    def fill(self, position: int) -> int:
        """Move the window so that it starts at ``position`` of the present one; the new position, 0."""
        self.base += position
        self.position -= position
        self.data = self.blob.read(self.base, WINDOW)
        self.whole = self.base + len(self.data) >= self.blob.size
        if len(self.stack) > STACK:
            raise Budget(f"piles up more than {STACK:,} values")
        if self.findings.late:
            raise Budget("would take too long")
        return 0

    def skip(self, position: int, length: int) -> int:
        """The position behind ``length`` bytes that are not looked at. Raises Malformed where there are not so many."""
        if self.base + position + length > self.blob.size:
            raise Malformed("a string reaches past the end")
        if position + length <= len(self.data):
            return position + length
        return self.fill(position + length)

    def at(self, position: int) -> int:
        """The offset in the member of the opcode whose argument starts at ``position``."""
        return self.base + position - 1

    # -- the stack

    def pop(self) -> Any:
        """The top of the stack."""
        if len(self.stack) <= self.fence:
            raise Malformed("the stack is empty")
        return self.stack.pop()

    def top(self) -> Any:
        """The top of the stack, which stays."""
        if len(self.stack) <= self.fence:
            raise Malformed("the stack is empty")
        return self.stack[-1]

    def pop_mark(self) -> list[Any]:
        """Everything above the last mark."""
        if not self.marks:
            raise Malformed("there is no mark")
        start = self.marks.pop()
        self.fence = self.marks[-1] if self.marks else 0
        items = self.stack[start:]
        del self.stack[start:]
        return items

    def put(self, index: int) -> None:
        """Remember the top of the stack."""
        value = self.top()
        memo = self.memo
        if index < len(memo):
            memo[index] = value
        elif index == len(memo) and index < MEMO and index not in self.far:
            memo.append(value)
        else:
            self.far[index] = value
            if index >= MEMO or len(self.far) > MEMO // 20:
                raise Budget(f"has a memo of more than {MEMO:,} values, or one full of gaps")

    def get(self, index: int) -> None:
        """Push what was remembered."""
        if index in self.far:
            self.stack.append(self.far[index])
        elif index < len(self.memo):
            self.stack.append(self.memo[index])
        else:
            raise Malformed("nothing was remembered under that number")

    # -- values

    def node(self, kind: str, items: Sequence[Any] | None = None, what: Any = "") -> Node:
        """A new value."""
        self.nodes += 1
        if self.nodes > NODES:
            raise Budget(f"makes more than {NODES:,} values")
        made = Node(kind, items, what)
        if items:
            self.hold(made, items)
        return made

    def tuple(self, items: list[Any]) -> Any:
        """A new tuple: one of Python where nothing in it has parts, else a node."""
        if not FLAT.issuperset(map(type, items)):
            return self.node("tuple", tuple(items))
        self.nodes += 1
        if self.nodes > NODES:
            raise Budget(f"makes more than {NODES:,} values")
        return tuple(items)

    def hold(self, owner: Node, items: Sequence[Any]) -> None:
        """Account for ``items`` that ``owner`` now holds."""
        cost = owner.cost + len(items)
        depth = owner.depth
        if not FLAT.issuperset(map(type, items)):
            for item in items:
                if type(item) is Node:
                    cost += item.cost - 1
                    if item.depth >= depth:
                        depth = item.depth + 1
                    item.held = True
                elif type(item) is tuple:
                    cost += len(item)
                    if depth == 1:
                        depth = 2
        if depth > DEPTH:
            raise Budget(f"nests values more than {DEPTH} deep")
        if cost > EXPANSION:
            raise Budget(f"stands for more than {EXPANSION:,} values")
        owner.cost = cost
        owner.depth = depth

    def extend(self, owner: Node, items: list[Any], offset: int) -> None:
        """Add ``items`` to a list, set or dict."""
        plain = FLAT.issuperset(map(type, items))
        if owner.held or (not plain and owner in items):
            self.findings.undecided("changes a value that another one already holds", self.member, offset)
        held = owner.items
        if held is None:
            owner.items = tuple(items) if len(items) < FEW else items
        else:
            owner.items = held if type(held) is list else [*held]
            owner.items += items
        if not plain or owner.cost + len(items) > EXPANSION:
            self.hold(owner, items)
        else:
            owner.cost += len(items)

    def text(self, value: str) -> Any:
        """A string as a value: its text where that is short, else only that it is one."""
        if len(value) > SHORT:
            return self.node("text", None, len(value))
        self.kept += len(value) + 56
        if self.kept > KEPT:
            return self.node("text", None, len(value))
        return value

    def name(self, module: Any, name: Any, offset: int, *, translate: bool) -> Global:
        """What GLOBAL, STACK_GLOBAL and INST look up."""
        key = (module, name, translate, self.protocol)
        if type(module) is str and key in self.looked_up:
            return self.looked_up[key]
        if type(module) is not str or type(name) is not str:
            self.findings.unsafe("looks up a name that is computed, not written", self.member, offset)
            return Global("a computed name", "")
        if translate and (self.profile.renames or self.protocol < 3):  # noqa: PLR2004 - as pickle does
            before = (module, name)
            module, name = NAME_MAPPING.get(before, (IMPORT_MAPPING.get(module, module), name))
            if self.protocol >= 3 and before != (module, name):  # noqa: PLR2004 - torch translates it, pickle does not
                self.findings.undecided("has a name of Python 2 that not every loader translates", self.member, offset)
        full = f"{module}.{name}"
        kind = self.allowed.kind(module, name, data=self.profile.data)
        if len(self.names) < 10_000:  # noqa: PLR2004 - a file of names alone
            self.names.add(full[:300])
        if not kind and full in self.allowed.elsewhere:
            self.findings.undecided(f"names {full}, which the allow-list does not have", self.member, offset)
            kind = self.allowed.elsewhere[full]
        if not kind:
            hint = self.allowed.hint(full)
            self.findings.unsafe(f"would import {full}{hint}", self.member, offset, full)
        made = Global(full if kind else full[:300], kind)
        if kind and not self.findings.reasons:
            self.looked_up[key] = made
        return made


def told(value: Any) -> str:
    """What a value is, in a message."""
    if isinstance(value, Global):
        return value.name
    if isinstance(value, Node):
        return str(value.what) if value.kind in ("unknown", "instance") and value.what else f"a {value.kind}"
    return f"a {type(value).__name__}"


__all__ = ["Broken", "Budget", "Global", "Machine", "Malformed", "Node", "Profile", "Stopped", "parts", "told", "whole"]
