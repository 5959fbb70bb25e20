"""See objects that are made anew for every epoch although they carry state from one to the next."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.detect.call import matches
from dlgovern.detect.where import Seen
from dlgovern.finding import Hit
from dlgovern.flow.calls import arguments, callee
from dlgovern.flow.facts import Facts
from dlgovern.flow.paths import assigned_names, own_nodes, written
from dlgovern.flow.project import Function, called
from dlgovern.flow.steps import Loop, Step, loops_around, repeated, steps
from dlgovern.policy import Rule
from dlgovern.source.tree import function, parents

PARAMETERS = {
    "names": Parameter("names", "classes whose objects carry state", required=True),
    "where": Parameter("predicates", "predicates that must all hold of the call", default=[]),
    "unless": Parameter("predicates", "predicates of which none may hold", default=[]),
    "restored_by": Parameter("strings", "methods that bring the state back", default=[]),
}
GUARDS = ("only-when-missing", "one-run")
"""What the detector is silent under: made where there is none yet; the whole training runs in the loop."""


def triggers(parameters: dict[str, Any], _tables: dict[str, Any]) -> list[dict[str, Any]]:
    """One alternative a name."""
    return [{"name": name} for name in parameters["names"]]


def watch(rules: list[Rule], facts: Facts, _tables: dict[str, Any]) -> dict[type, Callable[[Any], Iterator[Hit]]]:
    """Handlers for calls."""
    trained: list[Step] = []

    def see(node: ast.Call) -> Iterator[Hit]:
        origin = callee(facts, node)
        for rule in rules:
            said = rule.parameters
            if origin not in said["names"] or not matches(said, Seen(facts, node, arguments(facts, node))):
                continue
            off = said.get("without_guards", ())
            if "only-when-missing" not in off and _is_missing_there(node):
                continue
            if not trained:
                trained.extend(steps(facts))
            turn = "epoch" if _is_once_an_epoch(facts, node, trained, "one-run" in off) else "step" if _is_once_a_step(node, trained) else ""
            if turn and not _is_restored(node, said):
                yield facts.hit(rule.id, node, call=origin or "", turn=turn)

    return {ast.Call: see}


def _is_once_an_epoch(facts: Facts, node: ast.Call, trained: list[Step], any_loop: bool) -> bool:
    """Whether the loop around a call is the one around the training loop, or its function trains one epoch."""
    around = next(loops_around(node), None)
    if around is not None:
        return any(around is outer for step in trained if step.loop for outer in _outer(step, any_loop)) or any(
            _trains_an_epoch(facts, call) for call in own_nodes(around.body)
        )
    owner = function(node)
    if owner is None or owner.name == "__init__":
        return False
    own = [step for step in trained if step.loop and function(step.node) is owner]
    if not own or any(next(loops_around(step.node), None) is not None for step in own):
        return False
    return _is_about_an_epoch(owner) or repeated(facts, owner.body[0])


def _is_once_a_step(node: ast.Call, trained: list[Step]) -> bool:
    """Whether a call stands in the training loop itself, which hands the object what was made before the loop."""
    around, names = next(loops_around(node), None), assigned_names(node)
    if around is None or not names or not any(around is step.node for step in trained):
        return False
    new = {written(one) for one in own_nodes(around.body) if isinstance(one, ast.Name | ast.Attribute) and isinstance(one.ctx, ast.Store)}
    given = [
        written(arg)
        for call in own_nodes(around.body)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "step" and written(call.func.value) in names
        for arg in call.args[:1]
    ]
    return bool(given) and new.isdisjoint(given)


def _outer(step: Step, any_loop: bool) -> list[Loop]:
    around = list(loops_around(step.node))
    return around if any_loop else around[:1]


def _trains_an_epoch(facts: Facts, node: ast.AST) -> bool:
    """Whether a call runs a function of the repository with a training loop that no other loop is around."""
    code = called(facts, node) if isinstance(node, ast.Call) else None
    if code is None or isinstance(code.node, ast.ClassDef):
        return False
    loops = [step.node for step in steps(code.facts) if step.loop and function(step.node) is code.node]
    return bool(loops) and all(next(loops_around(loop), None) is None for loop in loops)


def _is_about_an_epoch(owner: Function) -> bool:
    arguments = (*owner.args.posonlyargs, *owner.args.args, *owner.args.kwonlyargs)
    return "epoch" in owner.name.lower() or any(arg.arg in ("epoch", "cur_epoch", "epoch_idx", "ep") for arg in arguments)


def _is_missing_there(node: ast.Call) -> bool:
    """Whether the call stands under ``if x is None``, ``if not x`` or in ``x or Class()``."""
    child: ast.AST = node
    for parent in parents(node):
        if isinstance(parent, ast.BoolOp) and isinstance(parent.op, ast.Or):
            return True
        if isinstance(parent, ast.If | ast.IfExp) and child is not parent.test:
            text = ast.unparse(parent.test)
            if "None" in text or text.startswith("not ") or "hasattr" in text:
                return True
        if isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            return False
        child = parent
    return False


def _is_restored(node: ast.Call, said: dict[str, Any]) -> bool:
    owner = function(node)
    names = assigned_names(node)
    return owner is not None and any(
        isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in said.get("restored_by", ())
        and written(call.func.value) in names
        for call in own_nodes(owner.body)
    )
