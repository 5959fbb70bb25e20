"""What happens on one class of ranks, as a sequence: events, choices that all ranks take together, loops, exits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

Spot = tuple[str, int, int]
"""A place: path, line, column."""


class Guard(NamedTuple):
    """A condition that ranks decide, and where it stands."""

    spot: Spot
    text: str
    handed: bool = False  # it asks for what some ranks alone have changed in an earlier turn of the loop


class Node:
    """One step of a trace. Steps with the same ``shape`` are the same for all that ranks agree on."""

    __slots__ = ("branches", "exits", "group", "guard", "kind", "node", "op", "shape", "size", "spot", "sure")

    def __init__(
        self, kind: str, op: str = "", *, spot: Spot = ("", 0, 0), guard: Guard | None = None, node: object = None,
        branches: tuple[tuple[Node, ...], ...] = (), group: str = "", sure: str = "high",
    ) -> None:
        """``kind`` is an event's kind, or choice, loop, call, exit, yield.

        ``op`` is what is called, the key of a choice, the kind of an exit; ``node`` the syntax node in the
        function that is judged.
        """
        self.kind = kind
        self.op = op
        self.spot = spot
        self.guard = guard
        self.node = node
        self.branches = branches
        self.group = group
        self.sure = sure
        self.exits: bool = kind == "exit" or any(step.exits for branch in branches for step in branch)
        if kind in ("call", "loop"):  # a return ends the callee only, a break its loop
            ends = {"call": ("return",), "loop": ("break", "continue")}[kind]
            self.exits = any(_leaves(step, ends) for step in branches[0])
        self.size: int = 1 + sum(step.size for branch in branches for step in branch)
        inner = tuple(tuple(step.shape for step in branch) for branch in branches)
        self.shape: int = _shape(((kind in _PLAIN and kind) or "event", op if kind != "call" else "", group, inner))

    @property
    def is_event(self) -> bool:
        """Whether this is an event itself."""
        return self.kind not in _PLAIN


_PLAIN = frozenset({"choice", "loop", "call", "exit", "yield"})
_SHAPES: dict[object, int] = {}


def _shape(key: object) -> int:
    """A small number for a shape: equal shapes are equal numbers, whatever their size."""
    return _SHAPES.setdefault(key, len(_SHAPES))


_ROWS: dict[str, tuple[str, tuple[str, ...]]] = {}  # the key of a row of conditions -> and or or, and their keys


def row(word: str, keys: list[str]) -> str:
    """The key of ``a and b`` or ``a or b``."""
    text = "(" + f" {word} ".join(keys) + ")"
    _ROWS[text] = (word, tuple(keys))
    return text


def rows_of(key: str, depth: int = 8) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The rows of conditions that a key means, as ``and`` or ``or`` with their keys."""
    while key.startswith("not "):
        key = key[4:]
    if key in _ROWS and depth:
        yield _ROWS[key]
        for inner in _ROWS[key][1]:
            yield from rows_of(inner, depth - 1)


def holds(key: str, known: dict[str, bool], depth: int = 8) -> bool | None:
    """Whether a condition is true where others are known, None when they do not tell."""
    if key in known:
        return known[key]
    if key.startswith("not "):
        inner = holds(key[4:], known, depth)
        return None if inner is None else not inner
    if key not in _ROWS or depth == 0:
        return None
    word, keys = _ROWS[key]
    said = [holds(one, known, depth - 1) for one in keys]
    ends = word == "or"
    if ends in said:
        return ends
    return None if None in said else not ends


def assume(key: str, true: bool, known: dict[str, bool], depth: int = 8) -> dict[str, bool]:
    """What is known when a condition is true, or false, too."""
    found = {**known, key: true}
    if key.startswith("not "):
        return assume(key[4:], not true, found, depth)
    if key in _ROWS and depth and (_ROWS[key][0] == "and") is true:
        for one in _ROWS[key][1]:
            found = assume(one, true, found, depth - 1)
    return found


def _leaves(step: Node, ends: tuple[str, ...]) -> bool:
    if step.kind == "exit":
        return step.op not in ends
    if not step.exits:
        return False
    return any(_leaves(inner, ends) for branch in step.branches for inner in branch) if step.kind != "call" else step.exits


def events(steps: Iterable[Node]) -> Iterator[Node]:
    """All events below, in order, both sides of every choice."""
    todo = list(steps)[::-1]
    while todo:
        step = todo.pop()
        if step.is_event:
            yield step
        for branch in reversed(step.branches):
            todo.extend(reversed(branch))


def has_events(steps: Iterable[Node]) -> bool:
    """Whether anything happens in these steps."""
    return next(events(steps), None) is not None


def trains_alone(steps: Iterable[Node]) -> bool:
    """Whether these steps go backward and ranks meet nowhere else: what comes out is about the rank's own batch."""
    kinds = {step.kind for step in events(steps)}
    return "backward" in kinds and kinds <= {"backward", "forward"}


def choice(key: str, taken: list[Node], other: list[Node], guard: Guard | None, node: object, spot: Spot) -> list[Node]:
    """The steps of a condition that ranks share: nothing where nothing depends on it."""
    yes, no = tuple(taken), tuple(other)
    if [step.shape for step in yes] == [step.shape for step in no] and not key.startswith("~"):
        return list(yes)
    if key.startswith("not "):
        key, yes, no = key[4:], no, yes
    return [Node("choice", key, branches=(yes, no), guard=guard, node=node, spot=spot)]
