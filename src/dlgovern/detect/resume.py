"""See checkpoints that restore the position of a training run and not the state of an object that the run needs."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.finding import Hit
from dlgovern.flow.calls import callee
from dlgovern.flow.facts import Facts
from dlgovern.flow.paths import written
from dlgovern.policy import Rule
from dlgovern.source.tree import scope, up

PARAMETERS = {
    "names": Parameter("names", "functions that save a dictionary", required=True),
    "loads": Parameter("names", "functions that load it", required=True),
    "position": Parameter("string", "regular expression of the keys that say where the run is", required=True),
    "objects": Parameter(
        "any",
        "objects with a state: made_by (dotted names), word (text in keys and names of one that is kept), absent (attributes and arguments by which it is"
        " brought forward otherwise), stepped (as by `step(epoch)` or several calls), level",
        required=True,
    ),
}

GUARDS = ("kept-by-name", "brought-forward", "handed-on")
"""Nothing is said where the object's state is taken under whatever word, where the object is set or stepped to the position, or where
another call is given the dictionary too."""


def triggers(parameters: dict[str, Any], _tables: dict[str, Any]) -> list[dict[str, Any]]:
    """One alternative for each way to save and to make the object."""
    made_by = [name for kind in parameters["objects"] for name in kind["made_by"]]
    return [{"name": save, "and": made} for save in parameters["names"] for made in made_by]


def watch(rules: list[Rule], facts: Facts, _tables: dict[str, Any]) -> dict[type | None, Callable[[Any], Iterator[Hit]]]:
    """One handler for the whole file."""

    def see(_file: None) -> Iterator[Hit]:
        for rule in rules:
            saved = list(_saved(rule, facts))
            if not saved or not _is_resumed(rule, facts):
                continue
            lost = [(made, kind) for kind in rule.parameters["objects"] if (made := _made(kind, facts)) and not _is_kept(rule, kind, facts, made)]
            for call, key in saved if lost else ():
                yield _hit(rule, facts, call, key, lost)

    return {None: see}


def _saved(rule: Rule, facts: Facts) -> Iterator[tuple[ast.Call, str]]:
    """The calls that save a dictionary with a state and a position, each with the key of the position."""
    for call in facts.tree.of(ast.Call):
        assert isinstance(call, ast.Call)
        if not call.args or callee(facts, call) not in rule.parameters["names"]:
            continue
        value: ast.AST = call.args[0]
        if isinstance(value, ast.Name) and (binding := facts.names.binding(value)) is not None and binding.kind == "value":
            if _is_handed_on(rule, facts, value):
                continue
            value = binding.value or value
        if not isinstance(value, ast.Dict):
            continue
        keys = [key.value for key in value.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]
        found = next((key for key in keys if re.search(rule.parameters["position"], key)), "")
        states = any(isinstance(v, ast.Call) and isinstance(v.func, ast.Attribute) and v.func.attr == "state_dict" for v in value.values)
        if found and states and len(keys) == len(value.keys):
            yield call, found


def _is_handed_on(rule: Rule, facts: Facts, name: ast.Name) -> bool:
    """Whether another call is given a dictionary too: it may add to it."""
    if "handed-on" in rule.parameters.get("without_guards", ()):
        return False
    for node in facts.tree.of(ast.Name):
        assert isinstance(node, ast.Name)
        if node.id == name.id and scope(node) is scope(name) and isinstance(parent := up(node), ast.Call) and node in parent.args:
            if callee(facts, parent) not in rule.parameters["names"]:
                return True
    return False


def _is_resumed(rule: Rule, facts: Facts) -> bool:
    """Whether the file reads the position from something it loaded."""
    for node in facts.tree.of(ast.Subscript):
        assert isinstance(node, ast.Subscript)
        key = node.slice.value if isinstance(node.slice, ast.Constant) else None
        if not isinstance(key, str) or not isinstance(node.value, ast.Name) or not re.search(rule.parameters["position"], key):
            continue
        binding = facts.names.binding(node.value)
        if binding is not None and isinstance(binding.value, ast.Call) and callee(facts, binding.value) in rule.parameters["loads"]:
            return True
    return False


def _is_kept(rule: Rule, kind: dict[str, Any], facts: Facts, made: ast.Call) -> bool:
    """Whether the state of such an object is taken anywhere, a key speaks of it, or it is brought forward in another way."""
    off = rule.parameters.get("without_guards", ())
    word = kind["word"]
    name = "" if "kept-by-name" in off else _name(made)
    for node in facts.tree.of(ast.Attribute):
        assert isinstance(node, ast.Attribute)
        owner = written(node.value)
        if node.attr in ("state_dict", "load_state_dict") and (word in owner.lower() or (owner and owner == name)):
            return True
    if "brought-forward" not in off and _is_brought_forward(kind, facts, made):
        return True
    return any(
        isinstance(node.value, str) and word in node.value.lower() and node.value.isidentifier()  # type: ignore[attr-defined]
        for node in facts.tree.of(ast.Constant)
    )


def _is_brought_forward(kind: dict[str, Any], facts: Facts, made: ast.Call) -> bool:
    absent, name = kind.get("absent", ()), _name(made)
    if any(node.attr in absent for node in facts.tree.of(ast.Attribute)):  # type: ignore[attr-defined]
        return True
    if any(node.arg in absent for node in facts.tree.of(ast.keyword)):  # type: ignore[attr-defined]
        return True
    steps = [
        call for call in facts.tree.of(ast.Call)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "step" and written(call.func.value) == name
    ]
    return bool(kind.get("stepped")) and (len(steps) != 1 or bool(steps[0].args or steps[0].keywords))


def _name(made: ast.Call) -> str:
    """What an object is called where it is made."""
    assign = up(made)
    return written(assign.targets[0]) if isinstance(assign, ast.Assign) else ""


def _made(kind: dict[str, Any], facts: Facts) -> ast.Call | None:
    for call in facts.tree.of(ast.Call):
        assert isinstance(call, ast.Call)
        if callee(facts, call) in kind["made_by"]:
            return call
    return None


def _hit(rule: Rule, facts: Facts, call: ast.Call, key: str, lost: list[tuple[ast.Call, dict[str, Any]]]) -> Hit:
    names = [ast.unparse(made.func) for made, _ in lost]
    hit = facts.hit(rule.id, call, key=key, object=" and ".join(names))
    related = tuple((facts.path, *facts.span(made)[:2], name) for (made, _), name in zip(lost, names, strict=True))
    levels = [kind.get("level", "") for _, kind in lost]
    return hit._replace(related=related, level=levels[0] if len(set(levels)) == 1 else "")
