"""Methods that write on every rank beside others of their class that see to it themselves that one rank writes."""

from __future__ import annotations

import ast
import re

from dlgovern.flow.facts import Facts
from dlgovern.flow.paths import called_name, own_nodes
from dlgovern.flow.ranks.callers import kept_to_the_first
from dlgovern.flow.ranks.frame import GaveUp, Meter
from dlgovern.flow.ranks.meets import renamed
from dlgovern.flow.ranks.project import Target
from dlgovern.flow.ranks.reached import reached
from dlgovern.flow.ranks.summaries import Summaries, start
from dlgovern.flow.ranks.tables import Tables
from dlgovern.flow.ranks.values import FIRST, OTHER


def unguarded(facts: Facts, targets: list[Target], summaries: Summaries, tables: Tables) -> list[Target]:
    """Methods that anybody may call, and that write where their object says, beside one that lets only one rank write."""
    writing = [target for target in targets if target.owner is not None and _may_write(target, tables)]
    found: list[Target] = []
    for owner in {id(target.owner): target.owner for target in writing}.values():
        mine = [target for target in writing if target.owner is owner]
        open_ones = [target for target in mine if _is_open(target) and not kept_to_the_first(facts, target, summaries)]
        if len(mine) > 1 and open_ones and any(_guards(facts, target, summaries, tables) for target in mine):
            found += open_ones
    return found


def _is_open(target: Target) -> bool:
    """Whether a method is for everybody, and is not told where to write."""
    arguments = target.node.args
    names = [arg.arg for arg in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    return not target.node.name.startswith("_") and not any(_PATH.search(name) for name in names)


_PATH = re.compile(r"path|dir|folder|file|name|root|out|ckpt|checkpoint|dest|prefix|where|^f$|^to$", re.I)
"""Names of parameters that say where to write."""


def _may_write(target: Target, tables: Tables) -> bool:
    names = (called_name(node.func) for node in own_nodes(target.node.body) if isinstance(node, ast.Call))
    return any(name in renamed(target.facts) or tables.writes(name.encode()) for name in names if name)


def _guards(facts: Facts, target: Target, summaries: Summaries, tables: Tables) -> bool:
    """Whether a function lets the first rank write and not the others."""
    first_line = min([target.node.lineno, *(one.lineno for one in target.node.decorator_list)])
    text = "\n".join(facts.lines[first_line - 1 : target.node.end_lineno])
    if not tables.parts(text.encode()) and not any(name in text for name in renamed(facts)):
        return False
    try:
        traces = {cls: start(summaries, target, cls, {}, Meter()).steps for cls in (FIRST, OTHER)}
    except GaveUp:
        return False
    first, other = ({step.spot for step, _ in led if step.kind == "write" and step.spot[0] == facts.path} for led in reached(traces, facts).values())
    return bool(first - other)
