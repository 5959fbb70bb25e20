"""See optimizers that hold the parameters of a model from before the model got others."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.finding import Hit
from dlgovern.flow.facts import Facts
from dlgovern.flow.lifecycle import Moment, mentions, moments
from dlgovern.flow.paths import contradict, written
from dlgovern.policy import Rule
from dlgovern.source.tree import FUNCTIONS, function, parents

PARAMETERS = {
    "objects": Parameter("table", "table of what makes and changes models and optimizers", required=True),
    "holds": Parameter("string", "entry of the table: what holds parameters", required=True),
    "changes": Parameter("string", "entry of the table: what replaces them", required=True),
    "unless_text": Parameter("strings", "text of a function that repairs what the optimizer holds", default=[]),
}
GUARDS = ("made-again", "opposite-branch", "handed-on")
"""What the detector is silent under: the optimizer is made again afterwards; the two never run together; the function
that changes the model is given the optimizer too."""


def triggers(parameters: dict[str, Any], tables: dict[str, Any]) -> list[dict[str, Any]] | None:
    """What changes the parameters, by name or as a method: a helper of another file is told by the optimizer."""
    table = tables.get(parameters["objects"], {})
    changes, holds = table.get(parameters["changes"], {}), table.get(parameters["holds"], {})
    found: list[dict[str, Any]] = [{"name": name} for name in (*changes.get("names", ()), *holds.get("names", ()))]
    found += [{"all": [method]} for method in changes.get("methods", ())]
    return found or [{"all": ["parameters"]}]


def watch(rules: list[Rule], facts: Facts, tables: dict[str, Any]) -> dict[type | None, Callable[[Any], Iterator[Hit]]]:
    """One handler for the whole file."""

    def see(_file: None) -> Iterator[Hit]:
        for rule in rules:
            yield from _rule(rule, facts, tables)

    return {None: see}


def _rule(rule: Rule, facts: Facts, tables: dict[str, Any]) -> Iterator[Hit]:
    said = rule.parameters
    table = tables.get(said["objects"], {})
    kinds = (said["holds"], said["changes"])
    off = said.get("without_guards", ())
    direct = [node for node in facts.tree.of(ast.Call) if mentions(facts, node, table, kinds)]
    if not direct:
        return  # both happen in functions of other files: those are told by their own files
    for body in _bodies(facts, direct):
        found = moments(facts, body, table, kinds)
        for index, one in enumerate(found):
            if one.kind != said["holds"]:
                continue
            later = next((two for two in found[index + 1 :] if _changes(one, two, said, off)), None)
            if later is None or later.node is one.node or _repaired(facts, body, said):
                continue
            if any(_is_given(two.node, one.subject) for two in found[:index] if _changes(two._replace(kind=one.kind), one._replace(kind=two.kind), said, off)):
                continue  # the whole model had been changed before
            if "handed-on" not in off and _is_given(later.node, one.gets):
                continue
            if "made-again" not in off and any(_again(one, two, later) for two in found):
                continue
            line, column, _, _ = facts.span(later.node)
            hit = facts.hit(rule.id, one.node, model=one.subject, change=later.text, optimizer=one.gets or "the optimizer")
            yield hit._replace(related=((facts.path, line, column, f"{later.text} replaces the parameters"),))


def _bodies(facts: Facts, direct: list[ast.AST]) -> Iterator[list[ast.stmt]]:
    """The bodies in which one of these calls stands, or a call of a function of this file in which one does."""
    owners = [function(node) for node in direct]
    wanted = {id(owner) for owner in owners}
    names = {owner.name for owner in owners if owner is not None}
    for node in facts.tree.of(ast.Call):
        called = node.func  # type: ignore[attr-defined]
        if (called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")) in names:
            wanted.add(id(function(node)))
    if id(None) in wanted:
        yield facts.tree.module.body
    for owner in facts.tree.of(ast.FunctionDef, ast.AsyncFunctionDef):
        if id(owner) in wanted:
            yield owner.body  # type: ignore[attr-defined]


def _changes(one: Moment, two: Moment, said: dict[str, Any], off: Any) -> bool:
    if two.kind != said["changes"] or two.subject != one.subject or _position(two) <= _position(one):
        return False
    return "opposite-branch" in off or not (contradict(one.guards, two.guards) or _apart(one.node, two.node))


def _is_given(node: ast.AST, name: str) -> bool:
    """Whether a call is given the object of a name."""
    given = [*node.args, *(word.value for word in node.keywords)] if isinstance(node, ast.Call) else []
    return bool(name) and any(written(arg) == name for arg in given)


def _again(one: Moment, two: Moment, change: Moment) -> bool:
    """Whether the same name gets an optimizer after the change."""
    return two.kind == one.kind and two.gets == one.gets and _position(two) > _position(change)


def _apart(one: ast.AST, two: ast.AST) -> bool:
    """Whether the block of the first leaves the function before the second is reached."""
    child: ast.AST = one
    for parent in parents(one):
        if isinstance(parent, FUNCTIONS):
            return False
        for part in ("body", "orelse"):
            block = getattr(parent, part, None)
            if isinstance(block, list) and child in block and isinstance(parent, ast.If):
                leaves = any(isinstance(s, ast.Return | ast.Raise) for s in block[block.index(child) :])
                if leaves and not any(two is inner for inner in ast.walk(parent)):
                    return True
        child = parent
    return False


def _repaired(facts: Facts, body: list[ast.stmt], said: dict[str, Any]) -> bool:
    first, last = body[0].lineno, body[-1].end_lineno or body[-1].lineno
    text = "\n".join(facts.lines[first - 1 : last])
    return any(word in text for word in said.get("unless_text", ()))


def _position(one: Moment) -> tuple[int, int]:
    return (one.node.lineno, one.node.col_offset)  # type: ignore[attr-defined]
