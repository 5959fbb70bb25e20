"""See values of one rank that a framework's module logs as if they were those of all ranks."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.finding import Hit
from dlgovern.flow.calls import argument, arguments
from dlgovern.flow.classes import derives_from
from dlgovern.flow.constants import constant
from dlgovern.flow.facts import Facts
from dlgovern.flow.paths import own_nodes, written
from dlgovern.policy import Rule
from dlgovern.source.tree import enclosing_class, function

PARAMETERS = {
    "bases": Parameter("names", "classes of modules that log", required=True),
    "methods": Parameter("strings", "methods that log, of the module itself", required=True),
    "during": Parameter("strings", "methods of the module in which what is logged is about all ranks", required=True),
    "answers": Parameter("strings", "arguments of which one, unless False, answers", required=True),
    "metrics": Parameter("names", "objects that synchronise themselves; a name that ends in .* stands for all below it", default=[]),
    "reduces": Parameter("strings", "functions and methods whose result is the same on every rank", default=[]),
    "absent": Parameter("strings", "text of which the program may have none", default=[]),
    "elsewhere": Parameter("boolean", "whether other files of the program are asked", default=True),
    "alongside": Parameter("strings", "text of which each must be in some file of the program; | between alternatives", default=[]),
}
GUARDS = ("of-an-object", "by-step")
"""What the detector is silent under: the value is an attribute, which may synchronise itself; it is not kept for the epoch."""

_LOSS = re.compile(r"loss|criterion|model|net|forward|step|accuracy", re.I)


def triggers(parameters: dict[str, Any], _tables: dict[str, Any]) -> list[dict[str, Any]]:
    """The bases, beside a method that logs."""
    return [{"name": base, "all": [method]} for base in parameters["bases"] for method in parameters["methods"]]


def watch(rules: list[Rule], facts: Facts, _tables: dict[str, Any]) -> dict[type, Callable[[Any], Iterator[Hit]]]:
    """Handlers for calls."""

    def see(node: ast.Call) -> Iterator[Hit]:
        func = node.func
        if not isinstance(func, ast.Attribute) or written(func.value) != "self":
            return
        for rule in rules:
            said = rule.parameters
            owner, method = enclosing_class(node), function(node)
            if func.attr not in said["methods"] or owner is None or method is None or method.name not in said["during"]:
                continue
            if not any(derives_from(facts, base, said["bases"]) for base in owner.bases):
                continue
            if not _is_answered(facts, node, said) and _is_local(facts, node, said):
                yield facts.hit(rule.id, node, call=f"self.{func.attr}", method=method.name)

    return {ast.Call: see}


def _is_answered(facts: Facts, node: ast.Call, said: dict[str, Any]) -> bool:
    found = arguments(facts, node)
    if found.open_keywords:
        return True
    if any(word in found.keywords and constant(facts, found.keywords[word]) is not False for word in said["answers"]):
        return True
    if "by-step" in said.get("without_guards", ()):
        return False
    return "on_epoch" in found.keywords and constant(facts, found.keywords["on_epoch"]) is False


def _is_local(facts: Facts, node: ast.Call, said: dict[str, Any]) -> bool:
    found = arguments(facts, node)
    value = argument(found, "value", 1) if found.positional[1:] or "value" in found.keywords else argument(found, "dictionary", 0)
    if value is None:
        return False
    values = value.values if isinstance(value, ast.Dict) else [value]
    return bool(values) and all(_is_of_this_rank(facts, one, said) for one in values)


def _is_of_this_rank(facts: Facts, value: ast.AST, said: dict[str, Any], depth: int = 4) -> bool:
    """Whether a value is computed here from the batch, and not by something that synchronises."""
    if isinstance(value, ast.Name) and depth:
        binding = facts.names.binding(value)
        if binding is None or binding.kind != "value" or binding.value is None:
            return binding is not None and binding.kind == "other" and bool(_LOSS.search(value.id))
        return _is_of_this_rank(facts, binding.value, said, depth - 1)
    if isinstance(value, ast.BinOp | ast.Subscript):
        inner = value.left if isinstance(value, ast.BinOp) else value.value
        return _is_of_this_rank(facts, inner, said, depth)
    if not isinstance(value, ast.Call):
        return False
    return not any(_synchronises(facts, call, said) for call in own_nodes([value]) if isinstance(call, ast.Call))


def _synchronises(facts: Facts, call: ast.Call, said: dict[str, Any]) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name in said.get("reduces", ()):
        return True
    origin = (facts.names.origin(call.func) or "").partition("()")[0]
    if any(origin == metric or (metric.endswith(".*") and origin.startswith(metric[:-1])) for metric in said.get("metrics", ())):
        return True
    if "of-an-object" in said.get("without_guards", ()):
        return False
    base = written(call.func)
    if not base.startswith("self."):
        return False
    owner = enclosing_class(call)
    own = {statement.name for statement in owner.body if isinstance(statement, ast.FunctionDef)} if owner else set()
    return base.split(".")[1] not in own and not _LOSS.search(base)
