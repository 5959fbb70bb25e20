"""See exports whose example input has size one in a dimension that is declared as dynamic."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.detect.call import matches
from dlgovern.detect.where import Seen
from dlgovern.finding import Hit
from dlgovern.flow.calls import argument, arguments, callee
from dlgovern.flow.constants import constant
from dlgovern.flow.facts import Facts
from dlgovern.policy import Rule

PARAMETERS = {
    "names": Parameter("names", "dotted names of the exporters", required=True),
    "where": Parameter("predicates", "predicates that must all hold of the call", default=[]),
    "inputs": Parameter("integer", "place of the tuple of example inputs, from 0", default=1),
    "shapes": Parameter("string", "name of the argument that declares dynamic dimensions", default="dynamic_shapes"),
    "makers": Parameter("names", "functions whose positional integers are the shape of what they make", required=True),
    "automatic": Parameter("names", "hints that accept a constant: no error, but the dimension is fixed", default=[]),
}


def triggers(parameters: dict[str, Any], _tables: dict[str, Any]) -> list[dict[str, Any]]:
    """One alternative a name, with the word of the argument."""
    return [{"name": name, "all": [parameters["shapes"]]} for name in parameters["names"]]


def watch(rules: list[Rule], facts: Facts, _tables: dict[str, Any]) -> dict[type, Callable[[Any], Iterator[Hit]]]:
    """One handler for calls."""

    def see(call: ast.Call) -> Iterator[Hit]:
        origin = callee(facts, call)
        for rule in rules:
            if origin in rule.parameters["names"] and matches(rule.parameters, Seen(facts, call, arguments(facts, call))):
                yield from _call(rule, facts, call)

    return {ast.Call: see}


def _call(rule: Rule, facts: Facts, call: ast.Call) -> Iterator[Hit]:
    found = arguments(facts, call)
    declared = _dimensions(facts, argument(found, rule.parameters["shapes"]))
    given = _value(facts, argument(found, "args", rule.parameters.get("inputs", 1)))
    inputs = list(given.elts) if isinstance(given, ast.Tuple | ast.List) else [given] if given is not None else []
    if len(declared) != len(inputs):
        return
    for dimensions, value in zip(declared, inputs, strict=True):
        shape = _shape(rule, facts, value)
        for at, hint in dimensions.items():
            if shape is not None and at < len(shape) and shape[at] == 1:
                automatic = (facts.names.origin(hint) or "") in rule.parameters.get("automatic", ())
                hit = facts.hit(rule.id, call, dimension=str(at), value=ast.unparse(value)[:60])
                yield hit._replace(level="warning") if automatic else hit
                return


def _dimensions(facts: Facts, node: ast.AST | None) -> list[dict[int, ast.expr]]:
    """The dynamic dimensions of each input, in order, as far as they are written as ``{0: dim}``."""
    node = _value(facts, node)
    parts = node.values if isinstance(node, ast.Dict) else node.elts if isinstance(node, ast.Tuple | ast.List) else []
    found = []
    for written in parts:
        part = _value(facts, written)
        entries: dict[int, ast.expr] = {}
        if isinstance(part, ast.Dict):
            for key, value in zip(part.keys, part.values, strict=True):
                at = constant(facts, key)
                if isinstance(at, int) and not (isinstance(value, ast.Constant) and value.value is None):
                    entries[at] = value
        elif isinstance(part, ast.Tuple | ast.List):
            entries = {at: v for at, v in enumerate(part.elts) if not (isinstance(v, ast.Constant))}
        found.append(entries)
    return found


def _shape(rule: Rule, facts: Facts, node: ast.AST) -> list[object] | None:
    """The literal shape of a tensor that is made here; what is not known stands as None in it."""
    made = _value(facts, node)
    while isinstance(made, ast.Call) and isinstance(made.func, ast.Attribute) and made.func.attr in _SAME_SHAPE:
        made = _value(facts, made.func.value)
    if not isinstance(made, ast.Call) or facts.names.origin(made.func) not in rule.parameters["makers"]:
        return None
    sizes = made.args
    if len(sizes) == 1 and isinstance(inner := _value(facts, sizes[0]), ast.Tuple | ast.List):
        sizes = inner.elts
    return [size if isinstance(size := constant(facts, one), int) else None for one in sizes]


_SAME_SHAPE = frozenset("to cuda cpu half float double bfloat16 contiguous clone detach requires_grad_".split())


def _value(facts: Facts, node: ast.AST | None) -> ast.AST | None:
    """The expression behind a name that is given one value."""
    if isinstance(node, ast.Name):
        binding = facts.names.binding(node)
        if binding is not None and binding.kind == "value" and binding.value is not None:
            return binding.value
    return node
