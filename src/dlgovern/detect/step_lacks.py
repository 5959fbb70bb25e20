"""See training steps in which, through all functions that they call, something that belongs to a step never happens."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.detect.events import Events
from dlgovern.finding import Hit
from dlgovern.flow.facts import Facts
from dlgovern.flow.paths import (
    Guard,
    assigned_in,
    called_name,
    contradict,
    guards,
    names_in,
    own_nodes,
    targets,
    written,
)
from dlgovern.flow.project import Function, called
from dlgovern.flow.steps import Step, calls, is_backward, repeated, steps
from dlgovern.policy import Rule
from dlgovern.source.tree import enclosing_class, function, parents

PARAMETERS = {
    "objects": Parameter("any", "kinds of objects: kind, made_by (names that make one), called (what such a name looks like)", required=True),
    "events": Parameter("any", "one event, as for `order`: what a step does", required=True),
    "lacks": Parameter("strings", "methods and functions of which the step calls none", required=True),
    "text": Parameter("strings", "text of which the file may have none: other ways to do the same", default=[]),
    "engines": Parameter("strings", "what an object looks like whose backward takes the loss and leaves the rest to the program", default=[]),
}
GUARDS = ("same-owner", "handed-on", "new-each-turn", "engine", "last-turn")
"""What the detector is silent under: another method of the class, or the function around a step that is no loop, does it; the object is given
to code that cannot be followed; it is made anew in every turn; an engine goes backward; the loop ends with it, and the function did it before."""

_DEPTH = 3


def triggers(parameters: dict[str, Any], _tables: dict[str, Any]) -> list[dict[str, Any]]:
    """The methods of the event."""
    return [{"all": [f".{method}"]} for event in parameters["events"] for method in event["calls"]]


def watch(rules: list[Rule], facts: Facts, _tables: dict[str, Any]) -> dict[type | None, Callable[[Any], Iterator[Hit]]]:
    """One handler for the whole file."""

    def see(_file: None) -> Iterator[Hit]:
        for rule in rules:
            if not any(text.encode() in facts.data for text in rule.parameters.get("text", ())):
                yield from _rule(rule, facts)

    return {None: see}


def _rule(rule: Rule, facts: Facts) -> Iterator[Hit]:
    said = rule.parameters
    events = Events(said, facts)
    if not events.anywhere(said["events"][0]["name"]):
        return
    seen: set[int] = set()
    lacks = frozenset(said["lacks"])
    off = said.get("without_guards", ())
    for step in steps(facts):
        if not step.loop and not repeated(facts, step.node):
            continue
        doing = _doing(facts, step, lacks)
        if doing is None or ("same-owner" not in off and _owner_does(facts, step, lacks)):
            continue
        if "engine" not in off and _by_engine(facts, step, said.get("engines", ())):
            continue
        found = [event for body in _bodies(facts, step) for event in events.among(body)]
        subjects = {event.subject for event in found}
        for event in found:
            done = {_receiver(call) for call in doing if not _switched_apart(step, call, event.node)}
            if not done <= subjects:
                continue  # what else is done to it may reach them all
            if id(event.node) in seen or event.subject in done or event.subject in _anew(step, off):
                continue
            if "last-turn" not in off and step.loop and _ends(step.node, event.node) and _does(facts, function(step.node), lacks):
                continue
            if "handed-on" not in off and _handed_on(facts, step, event.subject):
                continue
            seen.add(id(event.node))
            yield facts.hit(rule.id, event.node, event=event.written)


def _doing(facts: Facts, step: Step, lacks: frozenset[str]) -> list[ast.Call] | None:
    """The calls with which a step does it; None where not all are known: a function that it calls does it too."""
    if not calls(facts, step.node.body, lacks, _DEPTH):
        return []
    found = [node for node in own_nodes(step.node.body) if isinstance(node, ast.Call)]
    direct = [node for node in found if called_name(node.func) in lacks]
    if not step.loop or any(calls(facts, [node], lacks, _DEPTH) for node in found if node not in direct):
        return None
    return direct


def _receiver(call: ast.Call) -> str:
    return written(call.func.value) if isinstance(call.func, ast.Attribute) else ""


def _switched_apart(step: Step, one: ast.AST, other: ast.AST) -> bool:
    """Whether two nodes stand on the two sides of a switch that stays as it is while the program runs."""
    changed = assigned_in(step.node.body)

    def switches(node: ast.AST) -> list[Guard]:
        return [guard for guard in guards(node) if _SWITCH.match(guard.test) and not any(f"'{name}'" in guard.test for name in changed)]

    return contradict(switches(one), switches(other))


_SWITCH = re.compile(r"(Name|Attribute)\(")
"""The dump of a test that is a flag: a variable, or an attribute of one."""


def _bodies(facts: Facts, step: Step) -> Iterator[list[ast.stmt]]:
    """The body of a step, and those of the functions of this file that it calls."""
    todo = [(step.node.body, _DEPTH)]
    known: set[int] = set()
    while todo:
        body, depth = todo.pop()
        yield body
        for node in own_nodes(body) if depth else ():
            code = called(facts, node) if isinstance(node, ast.Call) else None
            if code is not None and code.facts is facts and isinstance(code.node, Function) and id(code.node) not in known:
                known.add(id(code.node))
                todo.append((code.node.body, depth - 1))


def _owner_does(facts: Facts, step: Step, lacks: frozenset[str]) -> bool:
    """Whether the function or the class around a step does it somewhere else; once around all turns of its loop is not enough."""
    owner, home = enclosing_class(step.node) or function(step.node), function(step.node)
    return owner is not None and any(
        isinstance(node, ast.Call) and called_name(node.func) in lacks and not (step.loop and function(node) is home)
        for node in ast.walk(owner)
    )


def _does(facts: Facts, owner: Function | None, lacks: frozenset[str]) -> bool:
    return owner is not None and any(isinstance(node, ast.Call) and called_name(node.func) in lacks for node in own_nodes(owner.body))


def _ends(loop: ast.AST, node: ast.AST) -> bool:
    """Whether a loop ends with what stands behind a node: it is left, or a flag is set that a later condition leaves it for."""
    leaving = [one.test for one in own_nodes(loop.body) if isinstance(one, ast.If) and isinstance(one.body[-1], ast.Break | ast.Return)]  # type: ignore[attr-defined]
    flags = {name for test in leaving for name in names_in(test)}
    child = node
    for parent in parents(node):
        for block in (getattr(parent, "body", None), getattr(parent, "orelse", None)):
            for behind in block[block.index(child) :] if isinstance(block, list) and child in block else ():
                if isinstance(behind, ast.Break | ast.Return):
                    return True
                if isinstance(behind, ast.Assign) and isinstance(behind.value, ast.Constant) and behind.value.value is True and targets(behind) & flags:
                    return True
        if parent is loop:
            return False
        child = parent
    return False


def _by_engine(facts: Facts, step: Step, engines: list[str]) -> bool:
    """Whether every backward of a step is given the loss, by an object that may do the rest itself."""
    found = [n for body in _bodies(facts, step) for n in own_nodes(body) if isinstance(n, ast.Call) and is_backward(n)]
    return bool(found) and all(
        call.args and not any(word in written(call.func).lower() for word in engines) for call in found
    )


def _anew(step: Step, off: Any) -> set[str]:
    return set() if "new-each-turn" in off else assigned_in(step.node.body)


def _handed_on(facts: Facts, step: Step, subject: str) -> bool:
    """Whether the object goes to a function that cannot be followed, or a method of an unknown base is called."""
    for node in own_nodes(step.node.body):
        if not isinstance(node, ast.Call) or called(facts, node) is not None:
            continue
        given = {written(arg) for arg in (*node.args, *(word.value for word in node.keywords))}
        if subject in given and (facts.names.origin(node.func) or "").partition(".")[0] not in ("torch", "print"):
            return True
        func = node.func
        if isinstance(func, ast.Attribute) and written(func.value) == "self" and not facts.names.attribute_bindings(func):
            owner = enclosing_class(func)
            if owner is not None and owner.bases:
                return True
    return False
