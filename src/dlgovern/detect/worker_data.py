"""See data sets that give every worker of a loader, or every rank, the same numbers."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.finding import Hit
from dlgovern.flow.calls import argument, arguments, callee
from dlgovern.flow.classes import derives_from
from dlgovern.flow.constants import constant
from dlgovern.flow.facts import Facts
from dlgovern.flow.paths import own_nodes, written
from dlgovern.flow.project import instance
from dlgovern.policy import Rule

PARAMETERS = {
    "bases": Parameter("names", "classes of data sets", required=True),
    "generators": Parameter("names", "functions that make a random generator; one made once is reported", default=[]),
    "reads": Parameter("strings", "methods in which an item is made", required=True),
    "loaders": Parameter("names", "loaders of which the file must make one with workers, for the class itself to be reported", default=[]),
    "aware": Parameter("strings", "text by which the class, or the file, knows its worker or rank", required=True),
}
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
            if _is_aware(facts, node, said):
                continue
            if said.get("generators"):
                yield from _generators(rule, facts, node)
            if said.get("loaders"):
                yield from _unsharded(rule, facts, node)

    return {ast.ClassDef: see}


def _is_aware(facts: Facts, node: ast.ClassDef, said: dict[str, Any]) -> bool:
    """Whether the class knows its worker, or the file gives a loader something that does."""
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
            line, column, _, _ = facts.span(node)
            hit = facts.hit(rule.id, method, name=owner.name)
            yield hit._replace(
                end_line=hit.line, end_column=hit.column + len(f"def {method.name}"),
                related=((facts.path, line, column, "read by several workers here"),),
            )
            return


def _derives_here(node: ast.AST, owner: ast.ClassDef) -> bool:
    """Whether a class names the owner among its bases."""
    return isinstance(node, ast.ClassDef) and any(isinstance(base, ast.Name) and base.id == owner.name for base in node.bases)


def _plain(base: ast.expr) -> ast.expr:
    return base.value if isinstance(base, ast.Subscript) else base


