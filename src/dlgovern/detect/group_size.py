"""See models quantized in groups that do not divide the size of one of their layers."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.finding import Hit
from dlgovern.flow.calls import argument, arguments, callee
from dlgovern.flow.constants import constant
from dlgovern.flow.facts import Facts
from dlgovern.flow.project import Code, instance
from dlgovern.policy import Rule

PARAMETERS = {
    "names": Parameter("names", "functions that quantize their first argument as the second one says", required=True),
    "configs": Parameter("names", "configurations with groups", required=True),
    "group": Parameter("string", "name of the argument with the size of a group", default="group_size"),
    "size": Parameter("integer", "size of a group where none is given", default=128),
    "layers": Parameter("names", "layers whose first argument is the size that groups must divide", required=True),
}


def triggers(parameters: dict[str, Any], _tables: dict[str, Any]) -> list[dict[str, Any]]:
    """One alternative for each function and configuration."""
    return [{"name": name, "and": config} for name in parameters["names"] for config in parameters["configs"]]


def watch(rules: list[Rule], facts: Facts, _tables: dict[str, Any]) -> dict[type, Callable[[Any], Iterator[Hit]]]:
    """One handler for calls."""

    def see(call: ast.Call) -> Iterator[Hit]:
        origin = callee(facts, call)
        for rule in rules:
            if origin in rule.parameters["names"] and len(call.args) > 1:
                yield from _call(rule, facts, call)

    return {ast.Call: see}


def _call(rule: Rule, facts: Facts, call: ast.Call) -> Iterator[Hit]:
    config = _value(facts, call.args[1])
    if not isinstance(config, ast.Call) or callee(facts, config) not in rule.parameters["configs"]:
        return
    said = argument(arguments(facts, config), rule.parameters["group"], 0)
    group = constant(facts, said) if said is not None else rule.parameters["size"]
    if not isinstance(group, int) or group < 1:
        return
    for layers, layer in _layers(rule, facts, call.args[0]):
        size = constant(layers, layer.args[0]) if layer.args else None
        if isinstance(size, int) and size % group:
            line, column, _, _ = layers.span(layer)
            hit = facts.hit(rule.id, call, size=str(size), group=str(group), config=ast.unparse(config.func))
            yield hit._replace(related=((layers.path, line, column, ast.unparse(layer)[:60]),))
            return


def _layers(rule: Rule, facts: Facts, model: ast.AST) -> Iterator[tuple[Facts, ast.Call]]:
    """The layers with a written size in the class of the model, or in the expression that makes it."""
    made = _value(facts, model)
    owner = instance(facts, model)
    code = owner if owner is not None else Code(facts, made) if isinstance(made, ast.Call) else None  # type: ignore[arg-type]
    if code is None:
        return
    for node in ast.walk(code.node):
        if isinstance(node, ast.Call) and callee(code.facts, node) in rule.parameters["layers"]:
            facts.reads |= code.facts.reads
            yield code.facts, node


def _value(facts: Facts, node: ast.AST) -> ast.AST:
    if isinstance(node, ast.Name):
        binding = facts.names.binding(node)
        if binding is not None and binding.kind == "value" and binding.value is not None:
            return binding.value
    return node
