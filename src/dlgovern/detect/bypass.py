"""See training steps that call a model past the wrapper that synchronises its gradients."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.finding import Hit
from dlgovern.flow.calls import argument, arguments, callee
from dlgovern.flow.facts import Facts
from dlgovern.flow.feeds import losses
from dlgovern.flow.paths import assigned_in, assigned_names, called_name, context_managers, own_nodes, written
from dlgovern.flow.project import Function
from dlgovern.flow.steps import Step, callers, steps
from dlgovern.flow.unwrapped import past_forwards
from dlgovern.policy import Rule
from dlgovern.source.tree import enclosing_class, function, parents

PARAMETERS = {
    "objects": Parameter("table", "table of what makes and changes models and optimizers", required=True),
    "wraps": Parameter("string", "entry of the table: the wrappers", required=True),
    "inner": Parameter("string", "attribute of the wrapper that is the model itself", required=True),
    "unwraps": Parameter("strings", "functions that give the model inside of a wrapper; a method for the loss may not run what they give", default=[]),
    "trunks": Parameter("strings", "attributes of a model that are most of it", default=[]),
    "harmless": Parameter("strings", "methods of the model that have nothing to do with its forward", default=[]),
    "aside": Parameter("string", "pattern of the names of models that a parameter has and no optimizer trains", default=""),
    "elsewhere": Parameter("boolean", "ask the whole program for `alongside`", default=False),
    "alongside": Parameter("strings", "text of which each must be in some file of the program; | between alternatives", default=[]),
}
GUARDS = ("no-grad", "not-in-the-loss", "wrapper-runs-too")
"""What the detector is silent under: no gradients are computed there; the result does not go into the loss; the wrapper
runs for the same loss, and arms what averages the gradients of all of it."""


def triggers(parameters: dict[str, Any], tables: dict[str, Any]) -> list[dict[str, Any]] | None:
    """What is inside of a wrapper, or the wrappers, in a file that goes backward."""
    names = tables.get(parameters["objects"], {}).get(parameters["wraps"], {}).get("names", ())
    found = [{"name": name, "all": ["backward"]} for name in names]
    return [{"all": [f".{parameters['inner']}", "backward"]}, *found, *({"all": [name]} for name in parameters.get("unwraps", ()))]


def watch(rules: list[Rule], facts: Facts, tables: dict[str, Any]) -> dict[type | None, Callable[[Any], Iterator[Hit]]]:
    """One handler for the whole file."""

    def see(_file: None) -> Iterator[Hit]:
        for rule in rules:
            said = rule.parameters
            names = tables.get(said["objects"], {}).get(said["wraps"], {}).get("names", ())
            wraps = [_Wrap(call) for call in facts.tree.of(ast.Call) if isinstance(call, ast.Call) and callee(facts, call) in names]
            for step in steps(facts):
                yield from _step(rule, facts, step, wraps)
            yield from _unwrapped(rule, facts)

    return {None: see}


class _Wrap:
    """One wrapping: the names of the wrapper and of what it wraps, and the scope in which they mean that."""

    def __init__(self, call: ast.Call) -> None:
        first = call.args[0] if call.args else next((w.value for w in call.keywords if w.arg == "module"), None)
        self.raw = written(first)
        self.wrapper = assigned_names(call)
        self.function = function(call)
        self.owner = enclosing_class(call)

    def in_reach(self, name: str, node: ast.AST) -> bool:
        """Whether a name at a node may mean what it means at the wrapping."""
        if name.startswith("self."):
            return enclosing_class(node) is self.owner
        return self.function is None or any(parent is self.function for parent in parents(node))


class _Losses:
    """What goes into the losses of a step: the nodes, and what is called for each."""

    def __init__(self, body: list[ast.stmt]) -> None:
        self.calls = [node for node in own_nodes(body) if isinstance(node, ast.Call)]
        self._fed = [(fed, [one for one in self.calls if id(one) in fed]) for fed in losses(body)]

    def without(self, node: ast.Call, wrapper: str, off: Collection[str]) -> bool:
        """Whether a call goes into a loss for which the wrapper does not run, here or in a function that it is given to."""
        if "not-in-the-loss" in off:
            return True
        return any(id(node) in fed and ("wrapper-runs-too" in off or not any(one is not node and _runs(one, wrapper) for one in run)) for fed, run in self._fed)


def _runs(call: ast.Call, wrapper: str) -> bool:
    return wrapper in (written(call.func), *map(written, call.args), *(written(word.value) for word in call.keywords))


def _step(rule: Rule, facts: Facts, step: Step, wraps: list[_Wrap]) -> Iterator[Hit]:
    """The calls of one training step that go past a wrapper of this file, or past one that the function is given."""
    said = rule.parameters
    off = said.get("without_guards", ())
    given = _Given(facts, step, said)
    if not wraps and not given.names:
        return
    seen = _Losses(step.node.body)
    for node in seen.calls:
        if "no-grad" not in off and _without_gradients(node):
            continue
        if (found := _past(node, wraps, said) or _left_behind(facts, node, wraps)) and seen.without(node, found[1], off):
            yield facts.hit(rule.id, node, call=found[0], wrapper=found[1])
        elif not found and (name := given.past(node, said)) and seen.without(node, name, off):
            hit = facts.hit(rule.id, node, call=f"{ast.unparse(node.func)}()", wrapper=name)
            yield hit if given.is_wrapped(name, wraps) else hit._replace(confidence="medium")


class _Given:
    """The parameters of the function of a step, and attributes of its object, that have a wrapper, as far as what is done with them tells."""

    def __init__(self, facts: Facts, step: Step, said: dict[str, Any]) -> None:
        self._facts = facts
        self._owner = step.node if isinstance(step.node, Function) else function(step.node)
        self.names: set[str] = set()
        if self._owner is not None and f".{said['inner']}".encode() in facts.data:
            args = self._owner.args
            self.names = {arg.arg for arg in (*args.posonlyargs, *args.args, *args.kwonlyargs)} - assigned_in(self._owner.body)

    def past(self, node: ast.Call, said: dict[str, Any]) -> str:
        """The parameter past whose wrapper a call goes, or nothing."""
        func: ast.AST = node.func
        if isinstance(func, ast.Attribute) and func.attr != said["inner"]:
            if func.attr in said.get("harmless", ()):
                return ""
            func = func.value
        name, _, last = written(func).rpartition(".")
        owner, _, attribute = name.rpartition(".")
        if last != said["inner"] or not attribute or (owner or attribute) not in self.names or owner not in ("", "self"):
            return ""
        aside = said.get("aside", "")
        return "" if aside and re.search(aside, attribute, re.I) else name

    def is_wrapped(self, name: str, wraps: list[_Wrap]) -> bool:
        """Whether a call in the file gives the function a wrapper that is made there."""
        owner = self._owner
        parameters = [arg.arg for arg in (*owner.args.posonlyargs, *owner.args.args)] if owner is not None else []
        for call in callers(self._facts, owner) if owner is not None and name in parameters else ():
            index = parameters.index(name) - (parameters[0] == "self")
            value = written(argument(arguments(self._facts, call), name, index))
            if any(value in wrap.wrapper and wrap.in_reach(value, call) for wrap in wraps if value):
                return True
        return False


def _unwrapped(rule: Rule, facts: Facts) -> Iterator[Hit]:
    """Forwards of an unwrapped model in a method that makes the loss: who calls it may have wrapped nothing."""
    said = rule.parameters
    for call, name in past_forwards(facts, said.get("unwraps", ()), said.get("trunks", ())):
        if "no-grad" in said.get("without_guards", ()) or not _without_gradients(call):
            yield facts.hit(rule.id, call, call=f"{ast.unparse(call.func)}()", wrapper=name)._replace(confidence="medium")


def _past(node: ast.Call, wraps: list[_Wrap], said: dict[str, Any]) -> tuple[str, str] | None:
    """How a call goes past a wrapper: the call as written and the wrapper's name."""
    func: ast.AST = node.func
    if isinstance(func, ast.Attribute) and func.attr != said["inner"]:
        if func.attr in said.get("harmless", ()):
            return None
        func = func.value
    base = written(func)
    for wrap in wraps:
        for wrapper in wrap.wrapper:
            if base == f"{wrapper}.{said['inner']}" and wrap.in_reach(wrapper, node):
                return f"{ast.unparse(node.func)}()", wrapper
        raw = wrap.raw
        if raw and written(node.func) == raw and wrap.wrapper and raw not in wrap.wrapper and wrap.in_reach(raw, node):
            return f"{raw}()", sorted(wrap.wrapper)[0]
    return None


def _left_behind(facts: Facts, node: ast.Call, wraps: list[_Wrap]) -> tuple[str, str] | None:
    """A call of the file's own model in a function that is called by the one which wraps that model for itself."""
    step, name = function(node), written(node.func)
    module = facts.names.bindings(facts.tree.module).get(name, ())
    if step is None or not any(one.kind == "value" for one in module) or name in facts.names.bindings(step):
        return None
    for wrap in wraps:
        home = wrap.function
        if home is None or home is step or not wrap.wrapper or "." in "".join(wrap.wrapper) or wrap.wrapper & _shared(home):
            continue
        if any(isinstance(one, ast.Call) and called_name(one.func) == step.name for one in own_nodes(home.body)) and _is_given(facts, home, wrap.raw, name):
            return f"{name}()", sorted(wrap.wrapper)[0]
    return None


def _shared(home: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    """The names that a function assigns for the whole file."""
    return {name for one in own_nodes(home.body) if isinstance(one, ast.Global) for name in one.names}


def _is_given(facts: Facts, home: ast.FunctionDef | ast.AsyncFunctionDef, raw: str, name: str) -> bool:
    """Whether what a function calls ``raw`` is what the file calls ``name``."""
    parameters = [arg.arg for arg in (*home.args.posonlyargs, *home.args.args)]
    if raw not in parameters:
        return raw == name and name not in facts.names.bindings(home)
    calls = [one for one in facts.tree.of(ast.Call) if isinstance(one, ast.Call) and isinstance(one.func, ast.Name) and one.func.id == home.name]
    given = [dict(zip(parameters, one.args, strict=False)) | {word.arg: word.value for word in one.keywords if word.arg} for one in calls]
    return bool(given) and all(written(one.get(raw)) == name and function(call) is None for one, call in zip(given, calls, strict=True))


def _without_gradients(node: ast.AST) -> bool:
    return any("no_grad" in (text := ast.unparse(item.context_expr)) or "inference_mode" in text for item in context_managers(node))
