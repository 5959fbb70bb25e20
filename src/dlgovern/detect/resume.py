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

PARAMETERS = {
    "names": Parameter("names", "functions that save a dictionary", required=True),
    "loads": Parameter("names", "functions that load it", required=True),
    "position": Parameter("string", "regular expression of the keys that say where the run is", required=True),
    "made_by": Parameter("names", "what makes the object that has a state", required=True),
    "word": Parameter("string", "text in keys and names by which the object's state is known to be kept", required=True),
}


def triggers(parameters: dict[str, Any], _tables: dict[str, Any]) -> list[dict[str, Any]]:
    """One alternative for each way to save and to make the object."""
    return [{"name": save, "and": made} for save in parameters["names"] for made in parameters["made_by"]]


def watch(rules: list[Rule], facts: Facts, _tables: dict[str, Any]) -> dict[type | None, Callable[[Any], Iterator[Hit]]]:
    """One handler for the whole file."""

    def see(_file: None) -> Iterator[Hit]:
        for rule in rules:
            saved = list(_saved(rule, facts))
            if saved and _is_resumed(rule, facts) and not _is_kept(rule, facts) and (made := _made(rule, facts)):
                line, column, _, _ = facts.span(made)
                for call, key in saved:
                    hit = facts.hit(rule.id, call, key=key, object=ast.unparse(made.func))
                    yield hit._replace(related=((facts.path, line, column, ast.unparse(made.func)),))

    return {None: see}


def _saved(rule: Rule, facts: Facts) -> Iterator[tuple[ast.Call, str]]:
    """The calls that save a dictionary with a state and a position, each with the key of the position."""
    for call in facts.tree.of(ast.Call):
        assert isinstance(call, ast.Call)
        if not call.args or callee(facts, call) not in rule.parameters["names"]:
            continue
        value: ast.AST = call.args[0]
        if isinstance(value, ast.Name) and (binding := facts.names.binding(value)) is not None and binding.kind == "value":
            value = binding.value or value
        if not isinstance(value, ast.Dict):
            continue
        keys = [key.value for key in value.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]
        found = next((key for key in keys if re.search(rule.parameters["position"], key)), "")
        states = any(isinstance(v, ast.Call) and isinstance(v.func, ast.Attribute) and v.func.attr == "state_dict" for v in value.values)
        if found and states and len(keys) == len(value.keys):
            yield call, found


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


def _is_kept(rule: Rule, facts: Facts) -> bool:
    """Whether the state of such an object is taken anywhere, or a key speaks of it."""
    word = rule.parameters["word"]
    for node in facts.tree.of(ast.Attribute):
        if node.attr in ("state_dict", "load_state_dict") and word in written(node.value).lower():  # type: ignore[attr-defined]
            return True
    return any(
        isinstance(node.value, str) and word in node.value.lower() and node.value.isidentifier()  # type: ignore[attr-defined]
        for node in facts.tree.of(ast.Constant)
    )


def _made(rule: Rule, facts: Facts) -> ast.Call | None:
    for call in facts.tree.of(ast.Call):
        assert isinstance(call, ast.Call)
        if callee(facts, call) in rule.parameters["made_by"]:
            return call
    return None
