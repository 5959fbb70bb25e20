"""The literal value of an expression, through names that are bound once, here or in another file."""

from __future__ import annotations

import ast
from typing import Any

from dlgovern.flow.facts import Facts
from dlgovern.source.names import Binding
from dlgovern.source.tree import defaults, parents, scope, up

UNKNOWN = ...
"""What `constant` answers when the value is not a literal that can be known."""

_DEPTH = 6


def constant(facts: Facts, node: ast.AST | None, depth: int = _DEPTH) -> Any:
    """The str, bytes, number, bool or None that ``node`` stands for, else `UNKNOWN`.

    A parameter stands for its default: a wrapper is judged by what it does when nothing is said.
    """
    if node is None or depth == 0:
        return UNKNOWN
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.UnaryOp):
        return _unary(node, constant(facts, node.operand, depth - 1))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = constant(facts, node.left, depth - 1), constant(facts, node.right, depth - 1)
        return left + right if isinstance(left, str) and isinstance(right, str) else UNKNOWN
    if isinstance(node, ast.Name):
        return _named(facts, node, depth)
    if isinstance(node, ast.Attribute):
        return _attribute(facts, node, depth)
    if isinstance(node, ast.NamedExpr):
        return constant(facts, node.value, depth - 1)
    return UNKNOWN


def is_default(facts: Facts, node: ast.AST | None) -> bool:
    """Whether ``node`` is a parameter whose value is known only from its default."""
    if not isinstance(node, ast.Name):
        return False
    binding = facts.names.binding(node)
    return binding is not None and isinstance(binding.node, ast.arg) and binding.kind in ("default", "annotation")


def text_parts(facts: Facts, node: ast.AST | None) -> list[str]:
    """The literal pieces of a string expression, f-strings and concatenations included."""
    if isinstance(node, ast.JoinedStr):
        return [v.value for v in node.values if isinstance(v, ast.Constant) and isinstance(v.value, str)]
    if isinstance(node, ast.BinOp):
        return [*text_parts(facts, node.left), *text_parts(facts, node.right)]
    value = constant(facts, node)
    return [value] if isinstance(value, str) else []


def _unary(node: ast.UnaryOp, value: Any) -> Any:
    if value is UNKNOWN:
        return UNKNOWN
    if isinstance(node.op, ast.Not):
        return not value
    if isinstance(node.op, ast.USub) and isinstance(value, int | float):
        return -value
    return UNKNOWN


def _named(facts: Facts, node: ast.Name, depth: int) -> Any:
    binding = facts.names.binding(node)
    if binding is None:
        return UNKNOWN
    if not _reaches(facts, binding, node):
        return UNKNOWN
    if binding.kind in ("value", "default"):
        return constant(facts, binding.value, depth - 1)
    if binding.kind == "annotation":
        return constant(facts, _default(binding.node), depth - 1)
    if binding.kind == "import" and isinstance(binding.node, ast.ImportFrom):
        return _imported(facts, binding.node, node.id)
    return UNKNOWN


def _default(node: ast.AST) -> ast.expr | None:
    """The default of a parameter."""
    home = up(node) if isinstance(node, ast.arg) else None
    return next((default for arg, default in defaults(home) if arg is node), None) if isinstance(home, ast.arguments) else None


def _reaches(facts: Facts, binding: Binding, use: ast.Name) -> bool:
    """Whether the value given there is sure to be the one used here.

    A value that is given in one branch only may or may not have replaced an older one.
    """
    if not isinstance(binding.node, ast.Assign | ast.AnnAssign):
        return True
    where = scope(binding.node)
    if len(facts.names.bindings(where).get(use.id, ())) <= 1 or scope(use) is not where:
        return True
    block, child = up(binding.node), use
    for parent in parents(use):
        if parent is block:
            return any(
                isinstance(part, list) and binding.node in part and child in part for _, part in ast.iter_fields(parent)
            )
        child = parent  # type: ignore[assignment]
    return False


def _imported(facts: Facts, node: ast.ImportFrom, local: str) -> Any:
    inner = facts.repository.modules.find(facts.path, node.level, node.module or "")
    if inner is None:
        return UNKNOWN
    name = next((alias.name for alias in node.names if (alias.asname or alias.name) == local), local)
    value, depends = facts.repository.constant(inner, name)
    facts.reads |= depends
    return value


def _attribute(facts: Facts, node: ast.Attribute, depth: int) -> Any:
    if isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"):
        found = facts.names.attribute_bindings(node)
        if len(found) == 1 and found[0].kind == "value":
            return constant(facts, found[0].value, depth - 1)
    return UNKNOWN
