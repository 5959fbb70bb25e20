"""Whether the value of an expression is a text, told from how it is written."""

from __future__ import annotations

import ast

from dlgovern.flow.facts import Facts
from dlgovern.source.tree import scope

_DEEP = 6  # variables behind one another
_METHODS = frozenset("join format lower upper strip rstrip lstrip decode hexdigest title capitalize".split())
"""Methods whose result is a text."""


def is_text(facts: Facts, node: ast.AST, deep: int = _DEEP) -> bool:
    """Whether an expression is a text, by itself or by every value that its variable is given before it."""
    if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        return True
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Add | ast.Mod) and is_text(facts, node.left, deep)
    if isinstance(node, ast.Call):
        return facts.names.origin(node.func) in ("str", "repr") or (isinstance(node.func, ast.Attribute) and node.func.attr in _METHODS)
    if not isinstance(node, ast.Name) or not deep:
        return False
    given = [one for one in facts.names.bindings(scope(node)).get(node.id, ()) if getattr(one.node, "lineno", 0) < node.lineno]
    return bool(given) and all(one.kind == "value" and one.value is not None and is_text(facts, one.value, deep - 1) for one in given)
