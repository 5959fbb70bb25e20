"""See sharded models read as if one rank held all of them: numbers of a share, files with a share."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.finding import Hit
from dlgovern.flow.calls import callee
from dlgovern.flow.facts import Facts
from dlgovern.flow.lifecycle import model_of
from dlgovern.flow.paths import assigned_names, own_nodes, parameters_of, written
from dlgovern.flow.project import Function, called
from dlgovern.flow.steps import callers
from dlgovern.policy import Rule
from dlgovern.source.tree import FUNCTIONS, enclosing_class, function, parents, up

PARAMETERS = {
    "objects": Parameter("table", "table of what makes and changes models and optimizers", required=True),
    "shards": Parameter("string", "entry of the table: what shards a model", required=True),
    "saves": Parameter("names", "functions that write a state_dict as it is given", default=[]),
    "scalars": Parameter("strings", "methods and functions that make a number of a tensor", default=[]),
    "reduces": Parameter("strings", "methods that reduce a parameter or gradient to one value", default=[]),
    "gathers": Parameter("strings", "text of a function that brings the shares together", required=True),
}
GUARDS = ("own-path",)
"""What the detector is silent under: the path that is written names the rank."""

_RANK = re.compile(r"rank|shard|process_index", re.I)


def triggers(parameters: dict[str, Any], tables: dict[str, Any]) -> list[dict[str, Any]]:
    """What shards, beside what saves or makes numbers."""
    names = tables.get(parameters["objects"], {}).get(parameters["shards"], {}).get("names", ())
    found: list[dict[str, Any]] = [{"name": name, "and": save} for name in names for save in parameters.get("saves", ())]
    return found + [{"name": name, "all": ["parameters", word]} for name in names for word in parameters.get("scalars", ())] + [
        {"name": name, "all": ["named_parameters", word]} for name in names for word in parameters.get("scalars", ())
    ]


def watch(rules: list[Rule], facts: Facts, tables: dict[str, Any]) -> dict[type | None, Callable[[Any], Iterator[Hit]]]:
    """One handler for the whole file."""

    def see(_file: None) -> Iterator[Hit]:
        for rule in rules:
            names = tables.get(rule.parameters["objects"], {}).get(rule.parameters["shards"], {}).get("names", ())
            sharded = _sharded(facts, names)
            if sharded:
                sharded += _by_helpers(facts, sharded)
                sharded += _handed_on(facts, sharded)
                yield from _saves(rule, facts, sharded)
                yield from _numbers(rule, facts, sharded)

    return {None: see}


Sharded = list[tuple[str, ast.AST | None]]


def _sharded(facts: Facts, names: Any) -> Sharded:
    """The models that are sharded in this file, each with the function or class in which its name means that."""
    found: Sharded = []
    for node in facts.tree.of(ast.Call):
        assert isinstance(node, ast.Call)
        if callee(facts, node) in names and node.args:
            for name in {model_of(node.args[0]), *assigned_names(node)} - {""}:
                found.append((name, enclosing_class(node) if name.startswith("self.") else function(node)))
    return found


def _by_helpers(facts: Facts, sharded: Sharded) -> Sharded:
    """The models that functions of this file shard for who calls them: what they return, and what they are given."""
    found: Sharded = []
    for owner in {id(home): home for _, home in sharded if isinstance(home, Function)}.values():
        names = {name for name, home in sharded if home is owner}
        gives = any(isinstance(node, ast.Return) and node.value is not None and written(node.value) in names for node in own_nodes(owner.body))
        for call in callers(facts, owner):
            given = {one for name, one in parameters_of(facts, call).items() if name in names and one}
            made = assigned_names(call) if gives and isinstance(up(call), ast.Assign) else set()
            found += [(name, enclosing_class(call) if name.startswith("self.") else function(call)) for name in sorted(given | made)]
    return found


def _handed_on(facts: Facts, sharded: Sharded) -> Sharded:
    """The parameters of functions of this file that are given a sharded model."""
    found: Sharded = []
    last = {name.rpartition(".")[2] for name, _ in sharded}
    for call in facts.tree.of(ast.Call):
        assert isinstance(call, ast.Call)
        given = [one for one in (*call.args, *(word.value for word in call.keywords)) if written(one).rpartition(".")[2] in last]
        if any(_is_sharded(one, sharded) and model_of(one) == written(one) for one in given):
            code = called(facts, call, home=True)
            for name, one in (parameters_of(facts, call) if code is not None else {}).items():
                if any(one == written(model) and _is_sharded(model, sharded) for model in given):
                    found.append((name, code.node))  # type: ignore[union-attr]
    return found


def _is_sharded(node: ast.AST, sharded: Sharded) -> bool:
    name = model_of(node)
    around = list(parents(node))
    return any(name == known and (home is None or home in around) for known, home in sharded)


# -- files --------------------------------------------------------------------------------------------


def _saves(rule: Rule, facts: Facts, sharded: Sharded) -> Iterator[Hit]:
    said = rule.parameters
    if not said.get("saves"):
        return
    for node in facts.tree.of(ast.Call):
        assert isinstance(node, ast.Call)
        if callee(facts, node) not in said["saves"] or not node.args:
            continue
        states = [state for state in _states(facts, node.args[0]) if _is_sharded(state.func.value, sharded)]  # type: ignore[attr-defined]
        if not states or _gathered(facts, node, said):
            continue
        if "own-path" not in said.get("without_guards", ()) and _own_path(facts, node):
            continue
        yield facts.hit(rule.id, node, call=callee(facts, node) or "", model=model_of(states[0].func.value))  # type: ignore[attr-defined]


def _states(facts: Facts, node: ast.AST, depth: int = 3) -> Iterator[ast.Call]:
    """The calls of ``state_dict()`` in what is saved, through names."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute) and inner.func.attr == "state_dict":
            yield inner
        elif isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load) and depth:
            binding = facts.names.binding(inner)
            if binding is not None and binding.kind == "value" and binding.value is not None:
                yield from _states(facts, binding.value, depth - 1)


def _own_path(facts: Facts, node: ast.Call) -> bool:
    path = node.args[1] if len(node.args) > 1 else next((w.value for w in node.keywords if w.arg in ("f", "filename")), None)
    if path is None:
        return True
    if _RANK.search(ast.unparse(path)):
        return True
    binding = facts.names.binding(path) if isinstance(path, ast.Name) else None
    return binding is not None and binding.value is not None and bool(_RANK.search(ast.unparse(binding.value)))


# -- numbers ------------------------------------------------------------------------------------------


def _numbers(rule: Rule, facts: Facts, sharded: Sharded) -> Iterator[Hit]:
    said = rule.parameters
    if not said.get("scalars"):
        return
    for node in facts.tree.of(ast.Call):
        assert isinstance(node, ast.Call)
        of = _read(node, said["scalars"])
        if of is None or not _reduced(of, said["reduces"]):
            continue
        name = _root(facts, of)
        if name is None or not _is_parameter(name, sharded) or _gathered(facts, node, said):
            continue
        yield facts.hit(rule.id, node, what=ast.unparse(of)[:60], call=ast.unparse(node)[:60])


def _read(node: ast.Call, scalars: list[str]) -> ast.expr | None:
    """The tensor of which a call makes a number."""
    if isinstance(node.func, ast.Attribute) and node.func.attr in scalars and not node.args:
        return node.func.value
    if isinstance(node.func, ast.Name) and node.func.id in scalars and len(node.args) == 1:
        return node.args[0]
    return None


def _reduced(node: ast.expr, reduces: list[str]) -> bool:
    return any(
        isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute) and inner.func.attr in reduces
        for inner in ast.walk(node)
    )


def _root(facts: Facts, node: ast.AST) -> ast.Name | None:
    """The name that an expression begins with; of a function of torch, that of its first argument."""
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.Call):
            node = node.args[0] if node.args and (facts.names.origin(node.func) or "").startswith("torch.") else node.func
        elif isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
            node = node.value
        else:
            return None
    return node


def _is_parameter(name: ast.Name, sharded: Sharded) -> bool:
    """Whether a name is that of a loop, or comprehension, over the parameters of a sharded model."""
    for parent in parents(name):
        for target, over in _loops(parent):
            if any(isinstance(n, ast.Name) and n.id == name.id for n in ast.walk(target)):
                call = over
                while isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.args:
                    call = call.args[0]
                return (
                    isinstance(call, ast.Call)
                    and isinstance(call.func, ast.Attribute)
                    and call.func.attr in ("parameters", "named_parameters")
                    and _is_sharded(call.func.value, sharded)
                )
        if isinstance(parent, FUNCTIONS):
            return False
    return False


def _loops(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    if isinstance(node, ast.For):
        yield node.target, node.iter
    for one in getattr(node, "generators", ()):
        yield one.target, one.iter


def _gathered(facts: Facts, node: ast.AST, said: dict[str, Any]) -> bool:
    """Whether the function around a node has text that brings the shares together."""
    owner = function(node)
    body: list[ast.stmt] = owner.body if owner else facts.tree.module.body
    text = "\n".join(facts.lines[body[0].lineno - 1 : body[-1].end_lineno])
    return any(word in text for word in said["gathers"])

