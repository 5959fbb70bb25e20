"""Files that ranks of a distributed program write: which classes of ranks reach each write that a file's functions lead to."""

from __future__ import annotations

import ast
import re
from typing import NamedTuple

from dlgovern.flow.facts import Facts
from dlgovern.flow.leads import elsewhere, imported, reaches
from dlgovern.flow.paths import called_name, own_nodes, written
from dlgovern.flow.ranks.beside import lead_to_writes, unguarded
from dlgovern.flow.ranks.frame import GaveUp, Meter
from dlgovern.flow.ranks.meets import meets, renamed
from dlgovern.flow.ranks.own_paths import is_given_temporary
from dlgovern.flow.ranks.parted import alone
from dlgovern.flow.ranks.project import Target, functions, module_body
from dlgovern.flow.ranks.reached import reached
from dlgovern.flow.ranks.summaries import Summaries, start
from dlgovern.flow.ranks.tables import Tables
from dlgovern.flow.ranks.trace import Node, Spot, events
from dlgovern.flow.ranks.values import FIRST, NODE_FIRST, OTHER
from dlgovern.repository.outline import outlines
from dlgovern.source.tree import function
from dlgovern.source.words import words

_BEGUN = tuple(f"{one}_{two}" for what in ("torch", "env", "process") for verb in ("init", "setup") for one, two in ((what, verb), (verb, what)))

STARTERS = (
    r"(?:[Ii]nit|[Ss]et_?[Uu]p|[Ss]tart)\w*(?:[Dd]ist|[Dd]dp|DDP|process_group|[Pp]arallel)"
    rf"|(?:[Dd]ist|[Dd]dp|DDP|process_group)\w*(?:[Ii]nit|[Ss]et_?[Uu]p)|{'|'.join(_BEGUN)}"
)
"""What is in the names of functions of other files that are asked whether they start the process group; ``setup`` alone is one too."""

STARTS = ("ist", "dp", "DP", "process_group", "arallel", *_BEGUN)
"""Parts of which every such name has one."""


class Write(NamedTuple):
    """A write and the classes of ranks that reach it."""

    step: Node
    classes: frozenset[int]
    site: Node  # the write itself, or the call in the judged file that leads to it
    calls: tuple[Spot, ...]  # how a starting point of the program leads to the site
    sure: str  # how sure it is that every rank runs the starting point, and that one path is written


class _Start(NamedTuple):
    """A function that every rank runs, and how sure that is."""

    target: Target
    sure: str
    told: bool = True  # whether something says that it starts the program; else only what all ranks write in this file counts


def writes(facts: Facts, tables: Tables) -> list[Write]:
    """The writes that the parts of a file reach of which it is sure that every rank runs them."""
    return facts.once(Write, lambda: _find(facts, tables))


def _find(facts: Facts, tables: Tables) -> list[Write]:
    if not _may_write(facts, tables):
        return []
    summaries = Summaries(facts, tables)
    summaries.writes = True
    found: dict[tuple[Spot, Spot], Write] = {}
    for one in _starts(facts, summaries, tables):
        if not _leads_to_write(facts, one.target, tables):
            continue
        try:
            led = _of_start(facts, one, summaries)
        except GaveUp:
            continue
        for key, write in led.items():
            if one.told or (key not in found and write.step.spot[0] == facts.path and OTHER in write.classes):
                old = found.get(key, write)
                found[key] = old._replace(classes=old.classes | write.classes, sure=max(old.sure, write.sure))
    facts.reads |= summaries.project.reads
    return list(found.values())


def _of_start(facts: Facts, one: _Start, summaries: Summaries) -> dict[tuple[Spot, Spot], Write]:
    """The writes that a function leads to, by the places of the write and of its site. Raises GaveUp."""
    meter = Meter()
    traces = {NODE_FIRST: start(summaries, one.target, NODE_FIRST, {}, meter).steps}
    if not any(step.kind == "write" for step in events(traces[NODE_FIRST])):
        return {}  # who writes on every rank, or once on every node, writes here too
    for cls in (FIRST, OTHER):
        traces[cls] = start(summaries, one.target, cls, {}, meter).steps
    found: dict[tuple[Spot, Spot], Write] = {}
    for cls, led in reached(traces, facts).items():
        for step, chain in led:
            here = step.spot[0] == facts.path
            site = step if here else next((call for call in reversed(chain) if call.spot[0] == facts.path and call.node is not None), None)
            temporary = not here and any(_is_temporary(facts, call) for call in chain)
            if step.kind == "write" and site is not None and not temporary and not _is_alone(facts, (site, *chain), summaries.tables):
                sure = max(one.sure, step.sure if here else "medium")  # medium where one of them is
                calls = (chain[0].spot,) if chain and chain[0] is not site else ()
                old = found.get((step.spot, site.spot), Write(step, frozenset(), site, calls, sure))
                found[step.spot, site.spot] = old._replace(classes=old.classes | {cls})
    return found


def _leads_to_write(facts: Facts, target: Target, tables: Tables) -> bool:
    """Whether a write stands in a function or in what it leads to, as far as the text tells."""
    name = f"{target.owner.name}.{target.node.name}" if target.owner is not None else target.node.name
    return name not in outlines(facts.repository).of(facts.path) or reaches(facts, facts.path, name, tables.writing)


def _is_alone(facts: Facts, steps: tuple[Node, ...], tables: Tables) -> bool:
    """Whether a write, or a call that leads to it, runs only where the program is one process."""
    return any(step.spot[0] == facts.path and isinstance(step.node, ast.AST) and alone(facts, step.node, tables) for step in steps)


def _is_temporary(facts: Facts, call: Node) -> bool:
    """Whether a call in the judged file hands on something temporary."""
    return call.spot[0] == facts.path and isinstance(call.node, ast.Call) and is_given_temporary(facts, call.node)


def _may_write(facts: Facts, tables: Tables) -> bool:
    """Whether a write stands in a file, or in what it imports from the repository, as far as the text tells."""
    if tables.writes(facts.data):
        return True
    return any(not name or reaches(facts, path, name, tables.writing) for path, name in imported(facts).values())


def _starts(facts: Facts, summaries: Summaries, tables: Tables) -> list[_Start]:
    """The functions of a file that every rank runs."""
    targets = [module_body(facts), *functions(facts)]
    found = _told(facts, targets, summaries, tables) if _may_start(facts.data, tables) else []
    if not tables.writes(facts.data):
        return found
    known = {one.target.key for one in found}
    rest = [target for target in targets if target.key not in known]
    if meeting := [target for target in rest if meets(facts, target, tables)]:
        leading = lead_to_writes(targets, tables)
        found += [_Start(target, "medium", told=False) for target in meeting if target.key in leading]
    if tables.parts(facts.data):
        known = {one.target.key for one in found}
        rest = [target for target in rest if target.key not in known]
        found += [_Start(target, "medium", told=False) for target in unguarded(facts, rest, summaries, tables)]
    return found


def _may_start(data: bytes, tables: Tables) -> bool:
    """Whether a file has a word of what starts a program, or a name that sounds like it."""
    return not tables.start_words.isdisjoint(words(data)) or tables.wraps(data) or _STARTERS.search(data) is not None


_STARTERS = re.compile(STARTERS.encode() + rb"|\bsetup[ \t]*\(")


def _told(facts: Facts, targets: list[Target], summaries: Summaries, tables: Tables) -> list[_Start]:
    """The functions that start a process group, wrap a model or call what starts the group, and what objects with such a method do."""
    found = [_Start(target, "high") for target in targets if _is_start(facts, target, tables)]
    names = {one.target.node.name for one in found if one.target.node.name}
    direct = {one.target.key for one in found}
    others = [target for target in targets if target.key not in direct]
    found += [_Start(target, "medium") for target in others if _calls_start(facts, target, names, summaries, tables)]
    owners = {id(one.target.owner): one.sure for one in reversed(found) if one.target.owner is not None}
    found += [_Start(target, "medium") for target in others if _is_program(facts, target, tables) or _is_hook(facts, target, tables)]
    known = {one.target.key for one in found}
    called = {call.func.attr for call in facts.tree.of(ast.Call) if isinstance(call.func, ast.Attribute)}  # type: ignore[attr-defined]
    inner = {target.node.name for target in targets if target.owner is not None} & _own_calls(facts)
    return found + [
        _Start(target, owners[id(target.owner)]) for target in targets
        if target.owner is not None and id(target.owner) in owners and target.key not in known and target.node.name in called - inner
    ]


def _own_calls(facts: Facts) -> set[str]:
    """Methods that are called on self: who calls them is known."""
    return {
        node.attr for node in facts.tree.of(ast.Attribute)  # type: ignore[attr-defined]
        if isinstance(node.value, ast.Name) and node.value.id == "self"  # type: ignore[attr-defined]
    }


def _is_start(facts: Facts, target: Target, tables: Tables) -> bool:
    """Whether a body itself starts a process group or wraps a model: then every rank runs it."""
    return (id(target.node) if target.node.name else 0) in facts.once(_is_start, lambda: _starting(facts, tables))


def _starting(facts: Facts, tables: Tables) -> frozenset[int]:
    """The functions in whose own code something starts the program, 0 for the module."""
    others = renamed(facts) | _aliases(facts)
    inner = imported(facts)  # what a file of the repository gives on may have another name there
    found = set()
    for node in facts.tree.of(ast.Call):
        name = called_name(node.func)  # type: ignore[attr-defined]
        root = written(node.func).partition(".")[0]  # type: ignore[attr-defined]
        if name in others or root in inner or name.encode() in tables.start_words or not name:
            origin = facts.names.origin(node.func) or ""  # type: ignore[attr-defined]
            operation = tables.functions.get(origin)
            if origin in tables.program_calls or (operation is not None and (operation.kind == "wrap" or operation.starts)):
                owner = function(node)
                found.add(id(owner) if owner is not None else 0)
    return frozenset(found)


def _aliases(facts: Facts) -> frozenset[str]:
    """Names and attributes that are assigned, which may be given what starts a program."""
    nodes = facts.tree.of(ast.Assign, ast.AnnAssign, ast.NamedExpr)
    targets = (target for node in nodes for target in getattr(node, "targets", None) or [node.target])  # type: ignore[attr-defined]
    return frozenset(called_name(target) for target in targets)


def _calls_start(facts: Facts, target: Target, names: set[str], summaries: Summaries, tables: Tables) -> bool:
    """Whether a body calls what starts the process group, here or in another file, and starts no processes itself."""
    calls = [node for node in own_nodes(target.node.body) if isinstance(node, ast.Call)]
    if any(called_name(call.func) in _LAUNCHES for call in calls):
        return False
    for call in calls:
        name = called_name(call.func)
        place = elsewhere(facts, call.func) if name not in names and (name == "setup" or re.search(STARTERS, name)) else None
        if name not in names and (place is None or not reaches(facts, *place, tables.starting)):
            continue
        made = summaries.project.function(facts, call.func)
        if made is not None and any(_starts_group(made.facts, node, tables) for node in own_nodes(made.node.body)):
            return True
    return False


def _is_program(facts: Facts, target: Target, tables: Tables) -> bool:
    """Whether a body makes the object of a distributed program and hands it the model."""
    calls = [node.func for node in own_nodes(target.node.body) if isinstance(node, ast.Call)]
    wraps = any(one.kind == "wrap" for func in calls for one in tables.methods.get(called_name(func), ()))
    return wraps and any(facts.names.origin(func) in tables.program_objects for func in calls)


def _is_hook(facts: Facts, target: Target, tables: Tables) -> bool:
    """Whether a framework calls a function on every rank: a method of one of its classes, or what is registered with it."""
    if target.owner is None:
        return target.node.name in facts.once(_is_hook, lambda: _registered(facts, tables))
    return target.node.name in tables.hooks and any(not _called(facts, base).isdisjoint(tables.hook_classes) for base in target.owner.bases)


def _called(facts: Facts, base: ast.expr) -> set[str]:
    """The full names of a class: as it is imported, and by its place in the repository."""
    path, name = elsewhere(facts, base) or ("", "")
    inside = path.removeprefix("src/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return {facts.names.origin(base) or "", f"{inside}.{name}"}


def _registered(facts: Facts, tables: Tables) -> set[str]:
    """Names of functions that are handed to a framework."""
    calls = (node for node in facts.tree.of(ast.Call) if called_name(node.func) in tables.hook_registers)  # type: ignore[attr-defined]
    return {one.id for call in calls for one in call.args if isinstance(one, ast.Name)}  # type: ignore[attr-defined]


def _starts_group(facts: Facts, node: ast.AST, tables: Tables) -> bool:
    operation = tables.functions.get(facts.names.origin(node.func) or "") if isinstance(node, ast.Call) else None
    return operation is not None and operation.starts


_LAUNCHES = frozenset("spawn start_processes Process Popen run_tests launch elastic_launch notebook_launcher".split())
"""Calls in a function of which others are run in processes of their own."""
