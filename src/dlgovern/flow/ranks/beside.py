"""Methods that write on every rank beside others of their class that see to it themselves that one rank writes."""

from __future__ import annotations

import ast
import re

from dlgovern.flow.facts import Facts
from dlgovern.flow.paths import called_name
from dlgovern.flow.ranks.callers import kept_to_the_first
from dlgovern.flow.ranks.frame import GaveUp, Meter
from dlgovern.flow.ranks.meets import renamed
from dlgovern.flow.ranks.project import Target
from dlgovern.flow.ranks.reached import reached
from dlgovern.flow.ranks.summaries import Summaries, start
from dlgovern.flow.ranks.tables import Tables
from dlgovern.flow.ranks.values import FIRST, OTHER
from dlgovern.source.tree import function


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


def lead_to_writes(targets: list[Target], tables: Tables) -> set[tuple[str, int, int]]:
    """Functions of a file that write themselves, or through others of the file."""
    found = {target.key for target in targets if _may_write(target, tables)}
    names = {target.node.name for target in targets if target.key in found}
    for _ in range(_DEEP if names else 0):
        more = [target for target in targets if target.key not in found and not names.isdisjoint(_called(target))]
        found |= {target.key for target in more}
        names |= {target.node.name for target in more}
    return found


_DEEP = 3  # functions behind one another


def _called(target: Target) -> set[str]:
    """The names of what a function calls, functions inside of it left out."""
    known = target.facts.once(_called, lambda: _calls(target.facts))
    return known.get(id(target.node) if target.node.name else 0, set())


def _calls(facts: Facts) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    for call in facts.tree.of(ast.Call):
        if name := called_name(call.func):  # type: ignore[attr-defined]
            owner = function(call)
            found.setdefault(id(owner) if owner is not None else 0, set()).add(name)
    return found


def _is_open(target: Target) -> bool:
    """Whether a method is for everybody, and is not told where to write."""
    arguments = target.node.args
    names = [arg.arg for arg in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    return not target.node.name.startswith("_") and not any(_PATH.search(name) for name in names)


_PATH = re.compile(r"path|dir|folder|file|name|root|out|ckpt|checkpoint|dest|prefix|where|^f$|^to$", re.I)
"""Names of parameters that say where to write."""


def _may_write(target: Target, tables: Tables) -> bool:
    others = renamed(target.facts)
    return any(name in others or tables.writes(name.encode()) for name in _called(target) if name)


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
