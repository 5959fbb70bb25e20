"""See files that several ranks of a distributed program write under one name, by the classes of ranks that reach the write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.finding import Hit
from dlgovern.flow.facts import Facts
from dlgovern.flow.ranks.tables import tables_of
from dlgovern.flow.ranks.values import FIRST, NODE_FIRST, OTHER
from dlgovern.flow.ranks.writes import Write, writes
from dlgovern.policy import Rule

WRITERS = ("all", "node")
"""Every rank writes, or one rank of every node."""

PARAMETERS = {"writers": Parameter("string", f"who writes: {', '.join(WRITERS)}", required=True)}


def triggers(_parameters: dict[str, Any], tables: dict[str, Any]) -> list[dict[str, Any]]:
    """The file writes, and starts a process group or wraps a model."""
    known = tables_of(tables).functions
    starts = [name for name, one in known.items() if one.starts or one.kind == "wrap"]
    return [{"name": write, "and": start} for write, one in known.items() if one.kind == "write" for start in starts]


def watch(rules: list[Rule], facts: Facts, tables: dict[str, Any]) -> dict[type | None, Callable[[Any], Iterator[Hit]]]:
    """One handler for the whole file."""

    def see(_file: None) -> Iterator[Hit]:
        for one in writes(facts, tables_of(tables)):
            for rule in rules:
                if _means(rule.parameters["writers"], one) and one.step.node is not None:
                    hit = facts.hit(rule.id, one.step.node, call=f"{one.step.op}()")  # type: ignore[arg-type]
                    yield hit._replace(related=tuple((*spot, "reached from here") for spot in one.calls))

    return {None: see}


def _means(writers: str, one: Write) -> bool:
    if writers == "all":
        return OTHER in one.classes and len(one.classes) > 1
    return {FIRST, NODE_FIRST} == set(one.classes)
