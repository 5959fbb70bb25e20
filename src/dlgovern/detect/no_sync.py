"""See contexts that postpone the synchronisation of gradients, entered after the forward that they must be around."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.finding import Hit
from dlgovern.flow.calls import callee
from dlgovern.flow.facts import Facts
from dlgovern.flow.paths import own_nodes, targets, written
from dlgovern.flow.steps import is_backward
from dlgovern.policy import Rule
from dlgovern.source.tree import function

PARAMETERS = {
    "methods": Parameter("strings", "methods whose result is the context", required=True),
    "wraps": Parameter("names", "wrappers of which the file must make one for a sure finding", default=[]),
}
GUARDS = ("forward-inside",)
"""What the detector is silent under: what goes backward is computed in the context."""


def triggers(parameters: dict[str, Any], _tables: dict[str, Any]) -> list[dict[str, Any]]:
    """The methods, in a file that goes backward."""
    return [{"all": [method, "backward"]} for method in parameters["methods"]]


def watch(rules: list[Rule], facts: Facts, _tables: dict[str, Any]) -> dict[type, Callable[[Any], Iterator[Hit]]]:
    """Handlers for ``with`` statements."""

    def see(node: ast.With) -> Iterator[Hit]:
        for rule in rules:
            said = rule.parameters
            item = next((one for one in node.items if _postpones(facts, one.context_expr, said["methods"])), None)
            if item is None or not _starts_late(node, "forward-inside" in said.get("without_guards", ())):
                continue
            sure = any(callee(facts, call) in said.get("wraps", ()) for call in facts.tree.of(ast.Call))  # type: ignore[arg-type]
            hit = facts.hit(rule.id, item.context_expr, context=ast.unparse(item.context_expr)[:60])
            yield hit if sure else hit._replace(confidence="medium")

    return {ast.With: see}


def _postpones(facts: Facts, node: ast.expr, methods: list[str]) -> bool:
    """Whether an expression is a call of such a method, in a choice or through a name."""
    if isinstance(node, ast.Name):
        binding = facts.names.binding(node)
        if binding is None or binding.kind != "value" or binding.value is None:
            return False
        node = binding.value  # type: ignore[assignment]
    choices = [node.body, node.orelse] if isinstance(node, ast.IfExp) else [node]
    return any(isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute) and one.func.attr in methods for one in choices)


def _starts_late(node: ast.With, anywhere: bool) -> bool:
    """Whether every loss that goes backward in a context was computed before it, in the same function."""
    nodes = list(own_nodes(node.body))
    losses = {name for call in nodes if isinstance(call, ast.Call) and is_backward(call) for name in _losses(call)}
    losses = {name for loss in losses for name in _unscaled(loss, nodes)}
    inside = {name for other in nodes if isinstance(other, ast.Assign | ast.AugAssign) for name in targets(other)}
    if not losses or (losses & inside and not anywhere):
        return False
    owner = function(node)
    if owner is None:
        return False
    arguments = (*owner.args.posonlyargs, *owner.args.args, *owner.args.kwonlyargs)
    made = {one.arg for one in arguments}  # a loss that is handed in was computed by the caller
    given = [other for other in own_nodes(owner.body) if isinstance(other, ast.Assign) and (anywhere or other.lineno < node.lineno)]
    for other in sorted(given, key=lambda one: one.lineno):
        if _calls(other.value) or not made.isdisjoint(_computed(other.value)):
            made |= targets(other)
    return losses <= made


def _computed(node: ast.expr) -> set[str]:
    """The names from which arithmetic makes a number: ``loss / steps``."""
    if isinstance(node, ast.BinOp):
        return _computed(node.left) | _computed(node.right)
    return {written(node)} - {""}


def _unscaled(loss: str, nodes: list[ast.AST]) -> set[str]:
    """The losses that ``with scale_loss(loss, optimizer) as scaled`` scales, else the loss itself."""
    for node in nodes:
        for item in node.items if isinstance(node, ast.With) else ():
            if item.optional_vars is not None and written(item.optional_vars) == loss and isinstance(item.context_expr, ast.Call):
                return {written(argument) for argument in item.context_expr.args[:1]}
    return {loss}


def _losses(call: ast.Call) -> set[str]:
    """The variables that a backward is about."""
    assert isinstance(call.func, ast.Attribute)
    part = call.args[0] if call.args else call.func.value
    while isinstance(part, ast.Call) and part.args:  # scaler.scale(loss)
        part = part.args[0]
    if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute):
        part = part.func.value  # loss.mean()
    found = {name for inner in ast.walk(part) if isinstance(inner, ast.Name | ast.Attribute) and (name := written(inner))}
    return {name for name in found if "loss" in name.lower()} or ({written(part)} - {""})


def _calls(node: ast.AST) -> bool:
    return any(isinstance(inner, ast.Call) for inner in ast.walk(node))
