"""The state of one function while it is interpreted for one class of ranks."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING

from dlgovern.flow.facts import Facts
from dlgovern.flow.ranks.project import Project, Target
from dlgovern.flow.ranks.signals import set_by_signals
from dlgovern.flow.ranks.tables import ASKS, NOTHING, Tables
from dlgovern.flow.ranks.trace import Guard, Node, Spot
from dlgovern.flow.ranks.values import Value, source, unknown

if TYPE_CHECKING:
    from dlgovern.flow.ranks.summaries import Summaries

BUDGET = 60_000
"""Steps that one function of the judged file may take, everything that it calls included."""

DEEPEST = 60  # levels of nested expressions and statements; what lies deeper is unknown


Quiet = Callable[[ast.stmt, Target], "frozenset[str] | None"]
_TELLING = frozenset({"rank", "text", "many", "last", "wrapped", "callee"})


_ASKS_HOME = "as home says of "
"""How the sureness of a step begins that the judged file decides: whether its models make ranks meet in what wraps them."""


class GaveUp(Exception):
    """A function took more steps than its budget."""


class Meter:
    """Counts the steps of one function of the judged file."""

    def __init__(self, left: int = BUDGET) -> None:
        self.left = left
        self.deep = False  # something that may matter lies deeper in the function itself than is read

    def step(self, cost: int = 1) -> None:
        """Count; raises GaveUp."""
        self.left -= cost
        if self.left < 0:
            raise GaveUp


class Frame:
    """Variables, the trace so far, and the conditions around the current statement."""

    def __init__(self, summaries: Summaries, facts: Facts, target: Target | None, cls: int, meter: Meter, depth: int) -> None:
        self.summaries = summaries
        self.facts = facts
        self.target = target
        self.cls = cls
        self.meter = meter
        self.depth = depth  # calls above this one
        self.env: dict[str, Value] = {}
        self.quiet: Quiet | None = None  # tells which statements need not be interpreted; None: every one is
        self.signalled = set_by_signals(facts)
        self.parted: set[str] = set()  # variables that some ranks alone may have given a value in the turn of a loop that goes on
        self.handed: frozenset[str] = frozenset()  # those with which this turn began
        self.telling: set[str] = set()  # variables that are a rank, a truth about ranks or a wrapped model here
        self.out: list[Node] = []
        self.guards: list[Guard] = []
        self.returned: list[Value] = []
        self.finals: list[list[ast.stmt]] = []
        self.deep = 0
        self.static = 0  # levels of values looked up outside the function
        self.cut: frozenset[Spot] = frozenset()  # calls that were not followed although ranks may meet there

    @property
    def tables(self) -> Tables:
        """The tables of the standard."""
        return self.summaries.tables

    @property
    def project(self) -> Project:
        """The functions of the repository."""
        return self.summaries.project

    def source(self, kind: str, text: str) -> Value:
        """The value of a source of the tables here; of most kinds it depends on the class of ranks, which counts as asked for."""
        self.summaries.memo.ask(ASKS.get(kind, NOTHING))
        return source(kind, self.cls, text)

    def give(self, name: str, found: Value) -> None:
        """Give a variable, or an attribute that is written with its object, a value."""
        self.env[name] = found
        if found.ranked or found.taint or found.kind in _TELLING:
            self.telling.add(name.rpartition(".")[2])

    def spot(self, node: ast.AST) -> Spot:
        """Where a node stands."""
        return (self.facts.path, node.lineno, node.col_offset + 1)  # type: ignore[attr-defined]

    def emit(self, kind: str, op: str, node: ast.AST, **more: object) -> None:
        """Append a step."""
        guard = self.guards[-1] if self.guards else None
        self.out.append(Node(kind, op, spot=self.spot(node), guard=guard, node=node, **more))  # type: ignore[arg-type]

    def forward(self, model: Value, op: str, node: ast.AST) -> Value:
        """Append the forward pass of a wrapped model, as sure as its wrapper makes ranks meet there; its result."""
        how = str(model.data)
        if self.tables.meets.get(how) != ():
            self.emit("forward", op, node, sure="high" if self.tables.meets_in(how, self.facts.data) else f"{_ASKS_HOME}{how}")
        return unknown(f"forward@{node.lineno}")  # type: ignore[attr-defined]

    def outside(self, facts: Facts | None = None) -> Frame:
        """A frame for an expression that stands elsewhere, in this file or another one; what it does is not part of the trace."""
        other = Frame(self.summaries, facts or self.facts, self.target, self.cls, self.meter, self.depth)
        other.static = self.static + 1
        return other


def surely(step: Node, home: Facts, tables: Tables) -> str:
    """How sure a step is that some function of the project takes, seen from the judged file."""
    if not step.sure.startswith(_ASKS_HOME):
        return step.sure
    return "high" if tables.meets_in(step.sure.removeprefix(_ASKS_HOME), home.data) else "low"
