"""Whether a loss reduces, in place, a tensor through which its gradient must go: autograd does not see the reduction."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection

from dlgovern.flow.calls import callee
from dlgovern.flow.facts import Facts
from dlgovern.flow.paths import context_managers, own_nodes, written
from dlgovern.source.tree import enclosing_class, function

_LOSS = re.compile(r"loss|criterion|regulari[sz]er|sigreg", re.I)
NUMBERS = re.compile(r"(^|_)(n|num|count|counts|size|total|mask|masks|label|labels|target|targets|valid|weight|weights|center|mean_?ema|step|steps|world|id|ids|idx|index|indices|positions?|lengths?|seqlens?)($|_)", re.I)
"""Names of what is counted, or says which: of what trains nothing."""
_PLAIN = frozenset(
    "torch.tensor torch.as_tensor torch.zeros torch.ones torch.full torch.arange torch.empty torch.zeros_like torch.ones_like "
    "torch.empty_like torch.no_grad len sum max min int float bool range".split()
)
_STOPS = frozenset("detach item numpy argmax argmin argsort long int bool eq ne gt lt ge le any all numel size clone_detached tolist".split())
_DEPTH = 6


def is_cut(facts: Facts, call: ast.Call, off: Collection[str] = ()) -> bool:
    """Whether ``dist.all_reduce(x)`` stands in a loss, and ``x`` is computed from what the loss is given."""
    owner, around = function(call), enclosing_class(call)
    name = written(call.args[0]) if call.args else ""
    if owner is None or around is None or not name.isidentifier():
        return False
    if "no-loss" not in off and not any(_LOSS.search(text) for text in (around.name, *map(ast.unparse, around.bases))):
        return False
    if "no-grad" not in off and _is_recorded_nowhere(call, owner):
        return False
    nodes = list(own_nodes(owner.body))
    if any(isinstance(node, ast.Attribute) and node.attr == "backward" for node in nodes):
        return False  # the reduced number is for the log
    return _goes_on(nodes, call, name) and _has_history(facts, call.args[0], owner, _DEPTH)


def _is_recorded_nowhere(call: ast.Call, owner: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    said = [*map(ast.unparse, owner.decorator_list), *(ast.unparse(item.context_expr) for item in context_managers(call))]
    return any("no_grad" in one or "inference_mode" in one for one in said)


def _goes_on(nodes: list[ast.AST], call: ast.Call, name: str) -> bool:
    """Whether the tensor is computed with after the reduction."""
    return any(
        isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load) and node.lineno > (call.end_lineno or call.lineno)
        for node in nodes
    )


def _has_history(facts: Facts, node: ast.AST, owner: ast.FunctionDef | ast.AsyncFunctionDef, depth: int) -> bool:
    """Whether an expression is computed from the arguments of the function by what autograd follows."""
    if depth == 0 or isinstance(node, ast.Compare | ast.BoolOp | ast.Constant):
        return False
    if isinstance(node, ast.BinOp):
        return any(_has_history(facts, side, owner, depth) for side in (node.left, node.right))
    if isinstance(node, ast.Call):
        if callee(facts, node) in _PLAIN:
            return False
        if isinstance(node.func, ast.Attribute):
            if node.func.attr in _STOPS:
                return False
            if _has_history(facts, node.func.value, owner, depth - 1):
                return True
        return any(_has_history(facts, argument, owner, depth - 1) for argument in node.args)
    if isinstance(node, ast.Attribute | ast.Subscript):
        return isinstance(node, ast.Subscript) and _has_history(facts, node.value, owner, depth - 1)
    if not isinstance(node, ast.Name) or NUMBERS.search(node.id):
        return False
    given = {one.arg for one in (*owner.args.posonlyargs, *owner.args.args, *owner.args.kwonlyargs)} - {"self", "cls"}
    values = [one.value for one in facts.names.bindings(owner).get(node.id, ()) if one.kind == "value"]
    if not values:
        return node.id in given
    return any(value is not None and _has_history(facts, value, owner, depth - 1) for value in values)
