"""See work handles of asynchronous collectives on which nothing ever waits."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.detect.call import matches
from dlgovern.detect.outcome import result
from dlgovern.detect.where import Seen
from dlgovern.finding import Hit
from dlgovern.flow.calls import arguments, callee
from dlgovern.flow.facts import Facts
from dlgovern.flow.paths import context_managers, own_nodes, targets, written
from dlgovern.policy import Rule
from dlgovern.source.tree import function, parents, statement

PARAMETERS = {
    "names": Parameter("names", "functions that return a handle", required=True),
    "where": Parameter("predicates", "predicates that must hold of the call for it to return one", default=[]),
    "always": Parameter("names", "functions that return one whatever they are given", default=[]),
    "inside": Parameter("strings", "what a context manager around the call is called that waits itself", default=[]),
    "waits": Parameter("strings", "parts of the names of functions after which everything before is done", default=[]),
}
GUARDS = ("waited-otherwise",)
"""What the detector is silent under: something in the function waits for everything."""


def triggers(parameters: dict[str, Any], _tables: dict[str, Any]) -> list[dict[str, Any]]:
    """One alternative a name."""
    wanted = [p["argument"] for p in parameters.get("where", ()) if "argument" in p and "position" not in p]
    found = [{"name": name, "all": wanted} if wanted else {"name": name} for name in parameters["names"]]
    return found + [{"name": name} for name in parameters.get("always", ())]


def watch(rules: list[Rule], facts: Facts, _tables: dict[str, Any]) -> dict[type, Callable[[Any], Iterator[Hit]]]:
    """Handlers for calls."""

    def see(node: ast.Call) -> Iterator[Hit]:
        origin = callee(facts, node)
        if origin is None:
            return
        for rule in rules:
            said = rule.parameters
            found = origin in said.get("always", ()) or (
                origin in said["names"] and matches({"where": said.get("where", ())}, Seen(facts, node, arguments(facts, node)))
            )
            if found and _is_forgotten(node) and not _is_waited(facts, node, said):
                yield facts.hit(rule.id, node, call=origin)

    return {ast.Call: see}


def _is_forgotten(node: ast.Call) -> bool:
    """Whether the handle is dropped, or only given a name that is never used again."""
    if result(node) == "ignored":
        return True
    parent = statement(node)
    if not isinstance(parent, ast.Assign) or parent.value is not node:
        return False
    names = targets(parent)
    if len(names) != 1 or "" in names or any("." in name for name in names):
        return False
    name = names.pop()
    owner = function(node)
    scope: list[ast.stmt] = owner.body if owner else _module(node).body
    return not any(
        isinstance(other, ast.Name) and other.id == name and isinstance(other.ctx, ast.Load)
        for part in scope
        for other in ast.walk(part)
    )


def _module(node: ast.AST) -> ast.Module:
    for parent in parents(node):
        if isinstance(parent, ast.Module):
            return parent
    raise ValueError("every node stands in a module")


def _is_waited(facts: Facts, node: ast.Call, said: dict[str, Any]) -> bool:
    if any(any(word in ast.unparse(item.context_expr) for word in said.get("inside", ())) for item in context_managers(node)):
        return True
    if "waited-otherwise" in said.get("without_guards", ()):
        return False
    owner = function(node)
    body = owner.body if owner else facts.tree.module.body
    last = [other for other in own_nodes(body) if isinstance(other, ast.Call) and _waits(facts, other, said.get("waits", ()))]
    return any((other.lineno, other.col_offset) > (node.lineno, node.col_offset) for other in last)


def _waits(facts: Facts, call: ast.Call, words: Sequence[str]) -> bool:
    name = (facts.names.origin(call.func) or written(call.func)).rpartition(".")[2]
    return any(word in name for word in words)
