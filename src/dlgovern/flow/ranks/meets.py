"""Functions in which all ranks meet: who calls one on some ranks only would wait for ever, so every rank runs it."""

from __future__ import annotations

import ast
import re

from dlgovern.flow.facts import Facts
from dlgovern.flow.leads import elsewhere, reaches
from dlgovern.flow.paths import called_name, own_nodes, written
from dlgovern.flow.ranks.project import Function, Target
from dlgovern.flow.ranks.tables import Operation, Tables
from dlgovern.source.tree import function

MEETINGS = "barrier synchronize wait_for_everyone".split()
"""Names of functions of the repository that are asked whether all ranks meet in them."""

MODULES = "comm dist distributed".split()
"""Names of modules in which such a function is looked for."""

_KINDS = frozenset({"collective", "save"})


def meets(facts: Facts, target: Target, tables: Tables) -> bool:
    """Whether all ranks of the world meet in a function's own code, or in a method of its class that it calls."""
    known = facts.once(meets, lambda: _places(facts, tables))
    if not known or target.owner is None or id(target.node) in known:
        return id(target.node) in known if target.node.name else id(None) in known
    owner = target.owner
    names = facts.once((meets, id(owner)), lambda: {one.name for one in owner.body if isinstance(one, Function) and id(one) in known})
    return bool(names) and any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in names and written(node.func.value) == "self"
        for node in own_nodes(target.node.body)
    )


def _places(facts: Facts, tables: Tables) -> frozenset[int]:
    """The functions of a file in whose own code all ranks meet, None for the module's."""
    others = renamed(facts)
    calls = (node for node in facts.tree.of(ast.Call) if (name := called_name(node.func)) in others or _may_meet(name, tables))  # type: ignore[attr-defined]
    return frozenset(id(function(call)) for call in calls if isinstance(call, ast.Call) and is_meeting(facts, call, tables))


def renamed(facts: Facts) -> frozenset[str]:
    """Names that an import gives to what is called otherwise."""
    nodes = facts.tree.of(ast.ImportFrom)
    return facts.once(renamed, lambda: frozenset(one.asname for node in nodes for one in node.names if one.asname))  # type: ignore[attr-defined]


def _may_meet(name: str, tables: Tables) -> bool:
    return name in tables.lasts or name in tables.methods or name in MEETINGS


def is_meeting(facts: Facts, call: ast.Call, tables: Tables) -> bool:
    """Whether all ranks of the world meet in a call."""
    operation = tables.functions.get((facts.names.origin(call.func) or "").replace(".distributed_c10d.", "."))
    if operation is not None:
        return operation.kind in _KINDS and not (operation.starts or operation.one_writes) and _applies(call, operation) and (operation.kind == "save" or _is_of_all(call, operation))
    name = called_name(call.func)
    if isinstance(call.func, ast.Attribute) and name in tables.methods:
        text = written(call.func.value)
        known = {text, text.rpartition(".")[2].lstrip("_")} - {""}
        return any(one.kind in _KINDS and not known.isdisjoint(one.on) for one in tables.methods[name])
    near = isinstance(call.func, ast.Name) or (isinstance(call.func, ast.Attribute) and called_name(call.func.value) in MODULES)
    place = elsewhere(facts, call.func) if near and name in MEETINGS and not call.args else None
    return place is not None and reaches(facts, *place, tables.acting)


def _applies(call: ast.Call, operation: Operation) -> bool:
    """Whether the keywords of a call are those with which ranks meet in it."""
    said = {word.arg for word in call.keywords if not (isinstance(word.value, ast.Constant) and not word.value.value)}
    return not (operation.unless and operation.unless in said) and (not operation.where or operation.where in said)


def _is_of_all(call: ast.Call, operation: Operation) -> bool:
    """Whether a collective is given no group of its own."""
    given = [word.value for word in call.keywords if word.arg in ("group", "process_group", None)]
    if 0 <= operation.group < len(call.args):
        given.append(call.args[operation.group])
    return all((isinstance(one, ast.Constant) and one.value is None) or re.search(r"WORLD$", written(one)) for one in given)
