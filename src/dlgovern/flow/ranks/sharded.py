"""Questions for classes of models and tensors that lie in shards: what they guard is nothing to a program whose models are whole."""

from __future__ import annotations

import ast

from dlgovern.flow.facts import Facts
from dlgovern.flow.ranks.tables import Tables


def asks(facts: Facts, node: ast.AST, tables: Tables) -> bool:
    """Whether a node is ``isinstance(x, C)`` with nothing but such classes."""
    if not isinstance(node, ast.Call) or len(node.args) < 2 or facts.names.origin(node.func) != "isinstance":  # noqa: PLR2004
        return False
    wanted = node.args[1]
    classes = wanted.elts if isinstance(wanted, ast.Tuple) else [wanted]
    return bool(classes) and all((facts.names.origin(one) or "") in tables.shards for one in classes)


def asks_inside(facts: Facts, node: ast.AST, tables: Tables) -> bool:
    """Whether anything below asks so."""
    return any(asks(facts, inner, tables) for inner in ast.walk(node))
