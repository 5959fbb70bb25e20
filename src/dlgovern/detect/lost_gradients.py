"""See gathered tensors that go into a loss although no gradient comes back through a gather."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.detect.reduced_loss import NUMBERS, is_cut
from dlgovern.finding import Hit
from dlgovern.flow.calls import arguments, callee
from dlgovern.flow.facts import Facts
from dlgovern.flow.paths import context_managers, names_in, own_nodes, targets, written
from dlgovern.flow.steps import callers
from dlgovern.policy import Rule
from dlgovern.source.tree import enclosing_class, function, up

PARAMETERS = {
    "names": Parameter("names", "gathers whose output has no gradient", required=True),
    "joins": Parameter("names", "functions that make one tensor of a list", required=True),
    "in_place": Parameter("names", "reductions that change their argument, unseen by autograd", default=[]),
}
GUARDS = ("own-slot", "no-grad", "no-loss", "own-backward", "model-group")
"""What the detector is silent under: the own slot is put back; no gradient is wanted; the function is about no loss; an autograd function
says itself what goes back; the group shares one model or one sequence."""

_LOSS = re.compile(r"(?i:loss|criterion|contrast|clip(?!_grad)|logits|info_?nce|\bnce|_nce)|NCE")
_MODEL_GROUP = re.compile(r"(^|[._])(sp|cp|tp|rp|ep|pp|seq|mp)_|sequence|context|ring|tensor_|model_parallel|expert|ulysses", re.I)
"""Names of groups whose ranks compute one result together: what comes back is the business of that scheme."""
_ASIDE = re.compile(r"eval|metric|valid|test|accuracy|queue|enqueue|log|stat|bank|no_grad|update", re.I)


def triggers(parameters: dict[str, Any], _tables: dict[str, Any]) -> list[dict[str, Any]]:
    """A gather beside a join."""
    pairs = [{"name": name, "and": join} for name in parameters["names"] for join in parameters["joins"]]
    return pairs + [{"name": name} for name in parameters.get("in_place", ())]


def watch(rules: list[Rule], facts: Facts, _tables: dict[str, Any]) -> dict[type, Callable[[Any], Iterator[Hit]]]:
    """Handlers for calls."""

    def see(node: ast.Call) -> Iterator[Hit]:
        origin = callee(facts, node)
        for rule in rules:
            known = {*rule.parameters["names"], *rule.parameters.get("in_place", ())}
            off = rule.parameters.get("without_guards", ())
            if origin not in known or ("own-backward" not in off and _has_own_backward(facts, node)):
                continue
            if "model-group" not in off and _MODEL_GROUP.search(_group(facts, node)):
                continue
            if origin in rule.parameters["names"] and len(node.args) > 1 and _is_lost(facts, node, rule.parameters):
                yield facts.hit(rule.id, node, call=origin or "", tensor=ast.unparse(node.args[1])[:40])
            elif origin in rule.parameters.get("in_place", ()) and is_cut(facts, node, off):
                yield facts.hit(rule.id, node, call=origin or "", tensor=ast.unparse(node.args[0])[:40])

    return {ast.Call: see}


def _group(facts: Facts, call: ast.Call) -> str:
    group = arguments(facts, call).keywords.get("group")
    return ast.unparse(group) if group is not None else ""


def _has_own_backward(facts: Facts, call: ast.AST) -> bool:
    """Whether a call stands in an autograd function, or in what autograd functions of the file call."""
    owner = function(call)
    if owner is None or _is_autograd(facts, enclosing_class(call)):
        return owner is not None
    around = [enclosing_class(one) for one in callers(facts, owner)]
    return any(_is_autograd(facts, one) for one in around)


def _is_autograd(facts: Facts, owner: ast.ClassDef | None) -> bool:
    return owner is not None and any((facts.names.origin(base) or "").endswith("autograd.Function") for base in owner.bases)


def _is_lost(facts: Facts, node: ast.Call, said: dict[str, Any]) -> bool:
    owner = function(node)
    slots, local = written(node.args[0]), written(node.args[1])
    if owner is None or not slots or not local:
        return False
    off = said.get("without_guards", ())
    nodes = list(own_nodes(owner.body))
    if not any(_joins(facts, other, slots, said["joins"]) and not _leaves(other) for other in nodes):
        return False
    if "own-slot" not in off and any(_puts_back(other, slots, local) for other in nodes):
        return False
    if "no-grad" not in off and (_wants_no_gradient(node, owner) or _has_no_history(facts, node.args[1])):
        return False
    return "no-loss" in off or _is_about_a_loss(node, owner)


def _joins(facts: Facts, node: ast.AST, slots: str, joins: list[str]) -> bool:
    return (
        isinstance(node, ast.Call)
        and callee(facts, node) in joins
        and any(isinstance(inner, ast.Name) and inner.id == slots for arg in node.args for inner in ast.walk(arg))
    )


def _leaves(node: ast.AST) -> bool:
    """Whether a call's value becomes plain numbers: ``torch.cat(x).float().numpy()``."""
    above = up(node)
    while isinstance(above, ast.Attribute):
        if above.attr in ("numpy", "tolist", "detach"):
            return True
        called = up(above)
        above = up(called) if isinstance(called, ast.Call) and called.func is above else None
    return False


def _puts_back(node: ast.AST, slots: str, local: str) -> bool:
    """``slots[rank] = local``, or a list made with ``local`` in it."""
    if not isinstance(node, ast.Assign):
        return False
    target = node.targets[0]
    if isinstance(target, ast.Subscript) and written(target.value) == slots:
        return True
    if slots in targets(node) and isinstance(node.value, ast.BinOp | ast.List | ast.Call):
        return any(isinstance(inner, ast.List) and any(written(e) == local for e in inner.elts) for inner in ast.walk(node.value))
    return isinstance(node.value, ast.Call) and any(
        isinstance(inner, ast.List | ast.BinOp) and {slots, local} <= names_in(inner)
        for inner in ast.walk(node.value)
    )


def _wants_no_gradient(node: ast.AST, owner: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    said = [ast.unparse(one) for one in owner.decorator_list]
    said += [ast.unparse(item.context_expr) for item in context_managers(node)]
    text = ast.unparse(node)
    return any("no_grad" in one or "inference_mode" in one for one in said) or "detach" in text or _ASIDE.search(owner.name) is not None


def _has_no_history(facts: Facts, node: ast.expr) -> bool:
    """Whether a tensor is detached, a gradient itself, or made of plain numbers."""
    if isinstance(node, ast.Attribute) and node.attr == "grad":
        return True
    if NUMBERS.search(written(node).rpartition(".")[2]):
        return True
    binding = facts.names.binding(node) if isinstance(node, ast.Name) else None
    value = binding.value if binding is not None and binding.kind == "value" else None
    if not isinstance(value, ast.Call):
        return False
    origin = callee(facts, value) or ""
    return "detach" in ast.unparse(value.func) or origin in ("torch.tensor", "torch.zeros", "torch.ones", "torch.arange", "torch.empty")


def _is_about_a_loss(node: ast.AST, owner: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    around = enclosing_class(node)
    named = names_in(owner) | {n.attr for n in ast.walk(owner) if isinstance(n, ast.Attribute)}
    return bool(_LOSS.search(owner.name) or (around and _LOSS.search(around.name)) or any("loss" in n.lower() or "criterion" in n.lower() for n in named))
