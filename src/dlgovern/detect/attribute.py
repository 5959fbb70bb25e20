"""See uses of named functions, classes and modules, called or not."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.detect.index import NameIndex
from dlgovern.finding import Hit
from dlgovern.flow.facts import Facts
from dlgovern.flow.guards import asks_version, has_fallback
from dlgovern.policy import Rule
from dlgovern.source.tree import up

PARAMETERS = {
    "names": Parameter("names", "dotted names; one that ends in `.*` means everything below it", required=True),
    "guarded": Parameter("boolean", "report uses under a fallback or a version test too", default=False),
    "imports": Parameter("boolean", "report the import of a name that the file then uses, not its uses", default=False),
}


def triggers(parameters: dict[str, Any], _tables: dict[str, Any]) -> list[dict[str, Any]]:
    """One alternative a name."""
    return [{"name": name} for name in parameters["names"]]


def watch(rules: list[Rule], facts: Facts, _tables: dict[str, Any]) -> dict[type, Callable[[Any], Iterator[Hit]]]:
    """Handlers for names, attributes and imports."""
    index = NameIndex((name, rule) for rule in rules for name in rule.parameters["names"])

    def use(node: ast.Name | ast.Attribute) -> Iterator[Hit]:
        if not isinstance(node.ctx, ast.Load):
            return
        origin = facts.names.origin(node)
        if origin is None or "()" in origin:
            return
        parent = up(node)
        outer = facts.names.origin(parent) if isinstance(parent, ast.Attribute) else None
        for rule in index.rules(origin):
            if outer is not None and rule in index.rules(outer):
                continue
            if rule.parameters.get("imports") and isinstance(node, ast.Name):
                continue
            if rule.parameters.get("guarded") or not _guarded(node):
                yield facts.hit(rule.id, node, name=origin)

    def import_from(node: ast.ImportFrom) -> Iterator[Hit]:
        if node.level or facts.inside(0, node.module or ""):
            return
        for alias in node.names:
            name = f"{node.module}.{alias.name}"
            for rule in index.rules(name):
                used = not rule.parameters.get("imports") and _is_used(facts, alias.asname or alias.name)
                if not used and (rule.parameters.get("guarded") or not _guarded(node)):
                    yield facts.hit(rule.id, alias, name=name)

    return {ast.Name: use, ast.Attribute: use, ast.ImportFrom: import_from}


def _is_used(facts: Facts, local: str) -> bool:
    return local in facts.once(_is_used, lambda: {node.id for node in facts.tree.of(ast.Name)})  # type: ignore[attr-defined]


def _guarded(node: ast.AST) -> bool:
    return has_fallback(node) or asks_version(node)
