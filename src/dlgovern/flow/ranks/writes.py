"""Files that ranks of a distributed program write: which classes of ranks reach each write of a file's functions."""

from __future__ import annotations

import ast
import re
from typing import NamedTuple

from dlgovern.flow.facts import Facts
from dlgovern.flow.paths import own_nodes
from dlgovern.flow.ranks.frame import GaveUp, Meter
from dlgovern.flow.ranks.project import Target, functions, module_body
from dlgovern.flow.ranks.summaries import Summaries, start
from dlgovern.flow.ranks.tables import Tables
from dlgovern.flow.ranks.trace import Node, Spot
from dlgovern.flow.ranks.values import CLASSES


class Write(NamedTuple):
    """A write and the classes of ranks that reach it; ``guard`` is the condition that decides, None when none does."""

    step: Node
    classes: frozenset[int]
    calls: tuple[Spot, ...]  # how a starting point of the program leads there


def writes(facts: Facts, tables: Tables) -> list[Write]:
    """The writes that the parts of a file reach of which it is sure that every rank runs them."""
    return facts.once(Write, lambda: _find(facts, tables))


def _find(facts: Facts, tables: Tables) -> list[Write]:
    targets = [module_body(facts), *functions(facts)]
    starts = [target for target in targets if _starts(facts, target, tables)]
    owners = {id(target.owner) for target in starts if target.owner is not None}
    called = {call.func.attr for call in facts.tree.of(ast.Call) if isinstance(call.func, ast.Attribute)}  # type: ignore[attr-defined]
    inner = {target.node.name for target in targets if target.owner is not None} & _own_calls(facts)
    starts += [
        target for target in targets
        if target.owner is not None and id(target.owner) in owners and target not in starts and target.node.name in called - inner
    ]
    summaries = Summaries(facts, tables)
    summaries.writes = True
    found: dict[Spot, Write] = {}
    for target in starts:
        meter = Meter()
        try:
            for cls in range(len(CLASSES)):
                for step, calls in _reached(start(summaries, target, cls, {}, meter).steps):
                    if step.kind == "write" and step.spot[0] == facts.path:
                        old = found.get(step.spot, Write(step, frozenset(), calls))
                        found[step.spot] = old._replace(classes=old.classes | {cls})
        except GaveUp:
            continue
    facts.reads |= summaries.project.reads
    return list(found.values())


def _own_calls(facts: Facts) -> set[str]:
    """Methods that are called on self: who calls them is known."""
    return {
        node.attr for node in facts.tree.of(ast.Attribute)  # type: ignore[attr-defined]
        if isinstance(node.value, ast.Name) and node.value.id == "self"  # type: ignore[attr-defined]
    }


def _reached(steps: tuple[Node, ...], calls: tuple[Spot, ...] = ()) -> list[tuple[Node, tuple[Spot, ...]]]:
    """The events below, each with the call of the starting point that leads to it; what may be one rank's is left out."""
    found: list[tuple[Node, tuple[Spot, ...]]] = []
    for step in steps:
        if step.is_event:
            found.append((step, calls))
        elif step.kind != "choice" or not _ONE.search(step.op):
            for branch in step.branches:
                found += _reached(branch, calls or ((step.spot,) if step.kind == "call" else ()))
    return found


_ONE = re.compile(r"^[\w.@#]+ Eq const:0$|main|master|rank_?zero|primary|leader|chief|save_logs|save_to_disk|stand_?alone|single_?(gpu|proc|device)", re.I)
"""Conditions that may choose one rank although no rank is seen in them: a number that is 0, a word for the first or for the only one."""


def _starts(facts: Facts, target: Target, tables: Tables) -> bool:
    """Whether a body itself starts a process group or wraps a model: then every rank runs it."""
    for node in own_nodes(target.node.body):
        if isinstance(node, ast.Call):
            operation = tables.functions.get(facts.names.origin(node.func) or "")
            if operation is not None and (operation.kind == "wrap" or operation.starts):
                return True
    return False
