"""See calls that make the host wait for the device in every training step."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.finding import Hit
from dlgovern.flow.classes import derives_from
from dlgovern.flow.facts import Facts
from dlgovern.flow.hot import Hot, hot
from dlgovern.flow.paths import called_name, own_nodes, targets, written
from dlgovern.flow.project import definition
from dlgovern.flow.steps import BACKWARD, is_backward, steps
from dlgovern.policy import Rule
from dlgovern.source.imports import normal
from dlgovern.source.words import words

PARAMETERS = {
    "methods": Parameter("strings", "methods without arguments that wait, of any object", required=True),
    "names": Parameter("names", "functions that wait", default=[]),
    "loss_methods": Parameter("strings", "methods that wait when they are those of the loss itself", default=[]),
    "loss_calls": Parameter("strings", "built-in functions that wait when they get the loss itself", default=[]),
    "texts": Parameter("boolean", "a text that the loss itself is put into waits too", default=False),
    "modules": Parameter("names", "classes whose forward runs in every step, where they compute a loss", default=[]),
    "near": Parameter("strings", "words of which a file that trains has one", required=True),
}
GUARDS = ("not-a-tensor", "choice")
"""What the detector is silent under: the object is made by numpy or the standard library; it is what a policy chose, on which the host acts."""

_DEVICES = (b"cuda", b"device", b"ccelerat", b"abric", b"rank", b"npu", b"xpu", b"hpu", b"mps", b"engine")
"""Words of files that train on a device; without one the program may run on the host alone, where nothing waits."""
_LOSS = re.compile(r"loss", re.I)


def triggers(parameters: dict[str, Any], _tables: dict[str, Any]) -> list[dict[str, Any]]:
    """What waits, beside a word of training; what waits for the loss alone, beside what goes backward."""
    near = parameters["near"]
    found: list[dict[str, Any]] = [{"all": [f".{word}", one]} for word in parameters["methods"] for one in near]
    found += [{"name": name, "all": [one]} for name in parameters.get("names", ()) for one in near]
    backward = [f".{word}" for word in sorted(BACKWARD)]
    found += [{"all": [f".{word}", one]} for word in parameters.get("loss_methods", ()) for one in backward]
    found += [{"all": [word, one]} for word in parameters.get("loss_calls", ()) for one in backward]
    found += [{"parts": ["loss"], "words": [], "text": r"\{\s*[\w.]*loss"}] if parameters.get("texts") else []
    return found


def watch(rules: list[Rule], facts: Facts, _tables: dict[str, Any]) -> dict[type | None, Callable[[Any], Iterator[Hit]]]:
    """One handler for the whole file."""

    def see(_file: None) -> Iterator[Hit]:
        for rule in rules:
            yield from _rule(rule, facts)

    return {None: see}


def _rule(rule: Rule, facts: Facts) -> Iterator[Hit]:
    said = rule.parameters
    written_here = words(normal(facts.data))
    if not any(word.encode() in written_here for word in said["near"]):
        return
    methods = {*said["methods"], *(name.rpartition(".")[2] for name in said.get("names", ()))}
    called = {called_name(node.func) for node in facts.tree.of(ast.Call)}  # type: ignore[attr-defined]
    waiting = _are_used(facts, methods)
    if not waiting and called.isdisjoint((*said.get("loss_methods", ()), *said.get("loss_calls", ()))) and not (said.get("texts") and b"{" in facts.data):
        return
    seen: set[int] = set()
    device = any(word in facts.data for word in _DEVICES)
    for step in steps(facts):
        losses = _losses(step.node.body)
        shown = losses - _numbers(step.node.body) if said.get("texts") else set()
        confidence = "" if step.loop and device else "medium"
        yield from _waits(rule, facts, hot(facts, step.node.body, loop=step.loop), losses, seen, confidence, shown)
    modules = said.get("modules", ())
    for owner, body in _forwards(facts) if waiting and modules else ():
        found = list(_waits(rule, facts, hot(facts, body), set(), set(seen), "medium"))
        if found and _derives(facts, owner, modules):
            yield from found


def _waits(
    rule: Rule, facts: Facts, found: Iterator[Hot], losses: set[str], seen: set[int], confidence: str, shown: set[str] | None = None
) -> Iterator[Hit]:
    for one in found:
        if id(one.node) in seen or not isinstance(one.node, ast.Call | ast.FormattedValue):
            continue
        own = one.through == ()
        if what := _what(rule.parameters, facts, one.node, losses if own else set()) if isinstance(one.node, ast.Call) else _shown(one.node, shown if own and shown else set()):
            seen.add(id(one.node))
            where = "in every training step" if not confidence else "in what runs in every training step"
            hit = facts.hit(rule.id, one.node, what=what, where=where)
            yield hit._replace(confidence=confidence)


def _what(said: dict[str, Any], facts: Facts, call: ast.Call, losses: set[str]) -> str:
    """What a call that waits is, "" for any other."""
    func = call.func
    if isinstance(func, ast.Attribute):
        if func.attr in said["methods"] and not call.args and not call.keywords:
            off = said.get("without_guards", ())
            if ("not-a-tensor" in off or not _no_tensor(facts, func.value)) and ("choice" in off or not _is_choice(func.value)):
                return f"{_short(func.value)}.{func.attr}()"
            return ""
        if func.attr in said.get("loss_methods", ()) and _object(func.value) in losses:
            return f"{_short(func.value)}.{func.attr}()"
    origin = facts.names.origin(func)
    if origin and origin in said.get("names", ()):
        return f"{origin}()"
    if isinstance(func, ast.Name) and func.id in said.get("loss_calls", ()) and call.args and origin == func.id:
        if (name := _object(call.args[0])) in losses and name:
            return f"{func.id}({name})"
    return ""


def _numbers(body: list[ast.stmt]) -> set[str]:
    """The names below these statements that are given a number of a tensor."""
    made = (node for node in own_nodes(body) if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None)
    return {name for node in made if any(isinstance(one, ast.Call) and called_name(one.func) in ("item", "float", "tolist") for one in ast.walk(node.value)) for name in targets(node)}  # type: ignore[arg-type]


def _shown(node: ast.FormattedValue, losses: set[str]) -> str:
    """A text that the loss itself becomes a part of, as a number of some digits or as it is."""
    made = any(isinstance(one, ast.Attribute) and one.attr not in ("detach", "data", "mean", "sum", "self") for one in ast.walk(node.value) if one is not node.value)
    name = "" if made else _object(node.value)
    return f"f-string of {name}" if name in losses and "loss" in name else ""


def _no_tensor(facts: Facts, node: ast.AST) -> bool:
    origin = facts.names.origin(node) or ""
    return origin.partition(".")[0] in ("numpy", "math", "time", "random", "statistics")


def _is_choice(node: ast.AST) -> bool:
    """Whether a value is an index that was chosen: ``values.argmax()``, ``torch.multinomial(weights, 1)``, ``distribution.sample()``."""
    return isinstance(node, ast.Call) and called_name(node.func) in _CHOICES


_CHOICES = frozenset(("argmax", "argmin", "multinomial", "sample", "randint"))


def _object(node: ast.AST) -> str:
    """The name at the start of ``loss.detach().cpu()`` and ``loss.data``."""
    while True:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not node.args:
            node = node.func.value
        elif isinstance(node, ast.Attribute) and node.attr == "data":
            node = node.value
        else:
            return written(node)


def _losses(body: list[ast.stmt]) -> set[str]:
    """The names that go backward below these statements."""
    found = set()
    for node in own_nodes(body):
        if isinstance(node, ast.Call) and is_backward(node) and isinstance(node.func, ast.Attribute):
            found.add(written(node.args[0]) if node.args else written(node.func.value))
    return found - {""}


def _are_used(facts: Facts, names: set[str]) -> bool:
    """Whether one of these names stands in the code, called or not: an import or an assignment may give it another one."""
    used = (node.attr if isinstance(node, ast.Attribute) else node.id for node in facts.tree.of(ast.Attribute, ast.Name))  # type: ignore[attr-defined]
    imported = (alias.name.rpartition(".")[2] for node in facts.tree.of(ast.ImportFrom) for alias in node.names)  # type: ignore[attr-defined]
    return not names.isdisjoint(used) or not names.isdisjoint(imported)


def _forwards(facts: Facts) -> Iterator[tuple[ast.ClassDef, list[ast.stmt]]]:
    """The classes of this file that compute a loss in ``forward``, and its body."""
    for owner in facts.tree.of(ast.ClassDef):
        assert isinstance(owner, ast.ClassDef)
        for statement in owner.body:
            if isinstance(statement, ast.FunctionDef) and statement.name == "forward" and _has_loss(facts, owner):
                if not any("no_grad" in ast.unparse(one) for one in statement.decorator_list):
                    yield owner, statement.body


def _derives(facts: Facts, owner: ast.ClassDef, modules: Any, depth: int = 4) -> bool:
    """Whether a class is one of these modules, through classes of other files too."""
    if any(derives_from(facts, base, modules) for base in owner.bases):
        return True
    for base in owner.bases if depth else ():
        code = definition(facts, base)
        if code is not None and isinstance(code.node, ast.ClassDef) and code.node is not owner:
            if _derives(code.facts, code.node, modules, depth - 1):
                return True
    return False


def _has_loss(facts: Facts, owner: ast.ClassDef) -> bool:
    if not any(_LOSS.search(line) for line in facts.lines[owner.lineno - 1 : owner.end_lineno]):
        return False
    for node in ast.walk(owner):
        name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        if _LOSS.search(name):
            return True
    return bool(_LOSS.search(owner.name))


def _short(node: ast.AST) -> str:
    text = ast.unparse(node)
    return text if len(text) <= 40 else "…"  # noqa: PLR2004 - a line of a message
