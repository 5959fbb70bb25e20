"""See samplers that are told the epoch once, before the loop or the run over all epochs."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.finding import Hit
from dlgovern.flow.facts import Facts
from dlgovern.flow.paths import called_name, own_nodes, written
from dlgovern.flow.steps import BACKWARD, Loop, calls, goes_backward, loops_around, steps
from dlgovern.policy import Rule
from dlgovern.source.tree import function, parents

PARAMETERS = {
    "methods": Parameter("strings", "methods that tell an object the epoch", required=True),
    "objects": Parameter("strings", "how the names of such objects end", required=True),
    "runs": Parameter("any", "methods that run all epochs: method, keyword (an argument that says so)", default=[]),
}
GUARDS = ("elsewhere", "in-epochs")
"""What the detector is silent under: another call of the file stands in the loop, or in another function; this one stands in a loop over epochs."""


_EPOCH = re.compile(r"(cur(rent)?_)?epoch(_?(idx|index|num|number|id))?")
_COUNTS = re.compile(r"\brange\b|epoch", re.I)
"""What stands in the head of a loop that counts epochs; another one goes over data."""


def triggers(parameters: dict[str, Any], _tables: dict[str, Any]) -> list[dict[str, Any]]:
    """One alternative a method."""
    return [{"all": [f".{method}"]} for method in parameters["methods"]]


def watch(rules: list[Rule], facts: Facts, _tables: dict[str, Any]) -> dict[type | None, Callable[[Any], Iterator[Hit]]]:
    """One handler for the whole file."""

    def see(_file: None) -> Iterator[Hit]:
        for rule in rules:
            yield from _rule(rule, facts)

    return {None: see}


def _rule(rule: Rule, facts: Facts) -> Iterator[Hit]:
    said = rule.parameters
    off = said.get("without_guards", ())
    told = [call for call in facts.tree.of(ast.Call) if isinstance(call, ast.Call) and _tells(call, said)]
    if any(isinstance(parent, ast.Lambda) for call in told for parent in parents(call)):
        return  # it runs whenever what is given the function calls it
    trained = {id(step.node) for step in steps(facts)} if told else set()
    early = [call for call in told if ("in-epochs" in off or not _in_epochs(facts, call, trained)) and _epochs_follow(facts, call, trained, said["runs"])]
    if "elsewhere" in off or len(early) == len(told):
        for call in early:
            yield facts.hit(rule.id, call, call=written(call.func))


def _tells(call: ast.Call, said: dict[str, Any]) -> bool:
    func = call.func
    return isinstance(func, ast.Attribute) and func.attr in said["methods"] and written(func.value).lower().endswith(tuple(said["objects"]))


def _in_epochs(facts: Facts, call: ast.Call, trained: set[int]) -> bool:
    """Whether a call stands in a loop over epochs, whatever loops follow it."""
    return any(_over_epochs(facts, one, trained) for one in loops_around(call))


def _epochs_follow(facts: Facts, call: ast.Call, trained: set[int], runs: list[dict[str, str]]) -> bool:
    """Whether the function of a call goes on to a loop, or a run, over epochs; ``trained`` are the training steps of the file."""
    owner = function(call)
    if owner is not None and any(_EPOCH.fullmatch(one.arg) for one in owner.args.args):
        return False  # whoever calls it counts the epochs
    for node in own_nodes(owner.body if owner else facts.tree.module.body):
        if getattr(node, "lineno", 0) <= call.lineno:
            continue
        if isinstance(node, Loop) and next(loops_around(node), None) is None and _over_epochs(facts, node, trained):
            return True
        if isinstance(node, ast.Call) and any(
            called_name(node.func) == run["method"] and any(word.arg == run["keyword"] for word in node.keywords) for run in runs
        ):
            return True
    return False


def _over_epochs(facts: Facts, loop: Loop, trained: set[int]) -> bool:
    """Whether each turn of a loop is itself a loop over training steps."""
    if id(loop) in trained or not (isinstance(loop, ast.While) or _COUNTS.search(ast.unparse(loop.iter) + ast.unparse(loop.target))):
        return False
    inside = list(own_nodes(loop.body))
    if any(id(node) in trained for node in inside):
        return True
    return calls(facts, loop.body, BACKWARD) and not any(goes_backward(facts, node) for node in inside if next(loops_around(node), None) is loop)
