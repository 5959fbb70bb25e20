"""Find the configurations of DeepSpeed that a program writes as dictionaries and hands over."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from dlgovern.evidence.recipe import Value
from dlgovern.flow.calls import argument, arguments, callee
from dlgovern.flow.constants import UNKNOWN, constant
from dlgovern.flow.facts import Facts

_DEEPEST = 4
_CHANGES = frozenset(("update", "pop", "setdefault", "clear", "popitem"))


def configurations(facts: Facts, call: ast.Call, takers: dict[str, list[Any]]) -> Iterator[dict[str, Value]]:
    """The values of each dictionary that ``call`` takes as a configuration.

    ``takers``: callee -> arguments, with their places where they have one. What is changed after it is made is not known.
    """
    wanted = takers.get((callee(facts, call) or "").replace("().", "."))
    if wanted is None:
        return
    given = arguments(facts, call)
    for one in wanted:
        name, position = one if isinstance(one, list) else (one, None)
        node = _dictionary(facts, argument(given, name, position))
        if node is not None:
            yield {value.key: value for value in _values(facts, node, "", 0)}


def _dictionary(facts: Facts, node: ast.AST | None) -> ast.Dict | None:
    if isinstance(node, ast.Name):
        binding = facts.names.binding(node)
        if binding is None or binding.kind != "value" or _is_changed(facts, node.id):
            return None
        node = binding.value
    return node if isinstance(node, ast.Dict) else None


def _is_changed(facts: Facts, name: str) -> bool:
    """Whether the file writes into anything of this name."""
    for node in facts.tree.of(ast.Subscript):
        base: Any = node
        while isinstance(base, ast.Subscript):
            base = base.value
        if isinstance(base, ast.Name) and base.id == name and isinstance(node.ctx, ast.Store | ast.Del):  # type: ignore[attr-defined]
            return True
    return any(
        isinstance(node.func, ast.Attribute) and node.func.attr in _CHANGES and name in ast.unparse(node.func.value)  # type: ignore[attr-defined]
        for node in facts.tree.of(ast.Call)
    )


def _values(facts: Facts, node: ast.Dict, prefix: str, depth: int) -> Iterator[Value]:
    for key, inner in zip(node.keys, node.values, strict=True):
        name = constant(facts, key) if key is not None else UNKNOWN
        if not isinstance(name, str) or depth > _DEEPEST:
            continue
        if isinstance(inner, ast.Dict):
            yield from _values(facts, inner, f"{prefix}{name}.", depth + 1)
            continue
        value = constant(facts, inner)
        text = "" if value is UNKNOWN else str(value)
        place = facts.span(inner)
        yield Value(f"{prefix}{name}", text, isinstance(value, str), *place, place[:2])
