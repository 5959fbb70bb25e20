"""See data sets that give every worker of a loader, or every rank, the same numbers."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from typing import Any
from weakref import WeakKeyDictionary

from dlgovern.detect import Parameter
from dlgovern.finding import Hit
from dlgovern.flow.calls import argument, arguments, callee
from dlgovern.flow.classes import derives_from
from dlgovern.flow.constants import constant
from dlgovern.flow.facts import Facts
from dlgovern.flow.paths import own_nodes, targets, written
from dlgovern.flow.project import instance
from dlgovern.flow.steps import callers
from dlgovern.policy import Rule
from dlgovern.source.tree import function

PARAMETERS = {
    "bases": Parameter("names", "classes of data sets", required=True),
    "generators": Parameter("names", "functions that make a random generator; one made once is reported", default=[]),
    "reads": Parameter("strings", "methods in which an item is made", required=True),
    "loaders": Parameter("names", "loaders of which the file must make one with workers, for the class itself to be reported", default=[]),
    "aware": Parameter("strings", "text by which the class, or the file, knows its worker or rank", required=True),
    "near": Parameter("strings", "text that says so in the class, and in what it is given", default=[]),
}
_ROUNDS = 3
_SAME_NAME = 8  # values of one name that are looked at
GUARDS = ("seeded-again",)
"""What the detector is silent under: the generator is made or seeded again where items are made."""


def triggers(parameters: dict[str, Any], _tables: dict[str, Any]) -> list[dict[str, Any]]:
    """The bases, beside a generator or a loader."""
    others = [*parameters.get("generators", ()), *parameters.get("loaders", ())]
    return [{"name": base, "and": other} for base in parameters["bases"] for other in others]


def watch(rules: list[Rule], facts: Facts, _tables: dict[str, Any]) -> dict[type, Callable[[Any], Iterator[Hit]]]:
    """Handlers for classes."""

    def see(node: ast.ClassDef) -> Iterator[Hit]:
        for rule in rules:
            said = rule.parameters
            if not any(derives_from(facts, _plain(base), said["bases"]) for base in node.bases):
                continue
            if _is_aware(facts, said):
                continue
            if said.get("generators"):
                yield from _generators(rule, facts, node)
            if said.get("loaders"):
                yield from _unsharded(rule, facts, node)

    return {ast.ClassDef: see}


def _is_aware(facts: Facts, said: dict[str, Any]) -> bool:
    """Whether the file knows the worker, or gives a loader something that does."""
    text = facts.data.decode("utf-8", "replace")
    return any(re.search(word, text) for word in said["aware"])


def _generators(rule: Rule, facts: Facts, owner: ast.ClassDef) -> Iterator[Hit]:
    methods = [s for s in owner.body if isinstance(s, ast.FunctionDef)]
    made: dict[str, ast.Call] = {}
    again: set[str] = set()
    used: set[str] = set()
    for method in methods:
        reads = method.name in rule.parameters["reads"]
        for node in own_nodes(method.body):
            if isinstance(node, ast.Assign) and (target := written(node.targets[0])).startswith("self."):
                if isinstance(node.value, ast.Call) and callee(facts, node.value) in rule.parameters["generators"]:
                    if method.name == "__init__":
                        made[target] = node.value
                        continue
                if method.name != "__init__":
                    again.add(target)
            if isinstance(node, ast.Attribute) and reads and isinstance(node.ctx, ast.Load):
                used.add(written(node))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and "seed" in node.func.attr:
                if method.name != "__init__":
                    again.add(written(node.func.value))
    if "seeded-again" in rule.parameters.get("without_guards", ()):
        again = set()
    for name, call in sorted(made.items()):
        if name in used and name not in again:
            yield facts.hit(rule.id, call, call=callee(facts, call) or "", name=name)


def _unsharded(rule: Rule, facts: Facts, owner: ast.ClassDef) -> Iterator[Hit]:
    method = next((s for s in owner.body if isinstance(s, ast.FunctionDef) and s.name in rule.parameters["reads"]), None)
    if method is None:
        return
    for node in facts.tree.of(ast.Call):
        assert isinstance(node, ast.Call)
        if callee(facts, node) not in rule.parameters["loaders"]:
            continue
        found = arguments(facts, node)
        data, workers = argument(found, "dataset", 0), argument(found, "num_workers", 5)
        if data is None or workers is None or constant(facts, workers) in (0, 1):
            continue
        code = instance(facts, data)
        if code is not None and (code.node is owner or _derives_here(code.node, owner)):
            if any(re.search(word, text) for text in _about(facts, owner, node, data) for word in rule.parameters.get("near", ())):
                continue
            line, column, _, _ = facts.span(node)
            hit = facts.hit(rule.id, method, name=owner.name)
            yield hit._replace(
                end_line=hit.line, end_column=hit.column + len(f"def {method.name}"),
                related=((facts.path, line, column, "read by several workers here"),),
            )
            return


class _Makers:
    """What gives each name of a file its value, and the classes by name: looked up once a file."""

    def __init__(self, facts: Facts) -> None:
        self.named: dict[str, list[ast.AST]] = {}
        for node in facts.tree.of(ast.Assign, ast.AugAssign, ast.AnnAssign):
            for name in targets(node):
                self.named.setdefault(name, []).append(node)
        for node in facts.tree.of(ast.FunctionDef, ast.ClassDef):
            assert isinstance(node, ast.FunctionDef | ast.ClassDef)
            self.named.setdefault(node.name, []).append(node)
            for base in node.bases if isinstance(node, ast.ClassDef) else ():
                self.named.setdefault(f"({written(base)})", []).append(node)


_MAKERS: WeakKeyDictionary[Facts, _Makers] = WeakKeyDictionary()


def _about(facts: Facts, owner: ast.ClassDef, loader: ast.Call, data: ast.expr) -> Iterator[str]:
    """The text of a class, its kin in the file and a loader, and of all that the data are made of, as far as names tell."""
    if facts not in _MAKERS:
        _MAKERS[facts] = _Makers(facts)
    named = _MAKERS[facts].named
    parts: list[ast.AST] = [owner, loader, *named.get(f"({owner.name})", ())[:_SAME_NAME]]
    parts += [base for one in owner.bases for base in named.get(written(one), ())[:_SAME_NAME]]
    maker = function(data)
    given: list[ast.AST] = [data, *(callers(facts, maker)[:_SAME_NAME] if maker is not None else ())]
    done: set[int] = set()
    for _ in range(_ROUNDS):
        names = {written(one) for part in given for one in ast.walk(part) if isinstance(one, ast.Name | ast.Attribute)}
        parts += given
        given = [node for name in sorted(names) for node in named.get(name, ())[:_SAME_NAME] if id(node) not in done]
        done |= {id(node) for node in given}
    for part in (*parts, *given):
        line, _, end, _ = facts.span(part)
        yield "\n".join(facts.lines[line - 1 : end])


def _derives_here(node: ast.AST, owner: ast.ClassDef) -> bool:
    """Whether a class names the owner among its bases."""
    return isinstance(node, ast.ClassDef) and any(isinstance(base, ast.Name) and base.id == owner.name for base in node.bases)


def _plain(base: ast.expr) -> ast.expr:
    return base.value if isinstance(base, ast.Subscript) else base


