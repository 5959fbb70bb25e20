"""Variables that the handler of a signal sets: each rank gets its signal when it gets it."""

from __future__ import annotations

import ast

from dlgovern.flow.facts import Facts
from dlgovern.flow.paths import own_nodes, targets, written
from dlgovern.flow.ranks.project import Function


def set_by_signals(facts: Facts) -> frozenset[str]:
    """Names, attributes and events, as written, that functions given to ``signal.signal`` set."""
    return facts.once(set_by_signals, lambda: _set_by_signals(facts))


def _set_by_signals(facts: Facts) -> frozenset[str]:
    if b"signal" not in facts.data:
        return frozenset()
    handlers = {
        written(call.args[1]).rpartition(".")[2]  # type: ignore[attr-defined]
        for call in facts.tree.of(ast.Call)
        if len(call.args) > 1 and facts.names.origin(call.func) == "signal.signal"  # type: ignore[attr-defined]
    }
    found: set[str] = set()
    for function in facts.tree.of(ast.FunctionDef):
        if isinstance(function, Function) and function.name in handlers:
            outer = {name for node in own_nodes(function.body) if isinstance(node, ast.Global | ast.Nonlocal) for name in node.names}
            for node in own_nodes(function.body):
                if isinstance(node, ast.Assign):
                    found |= {name for name in targets(node) if "." in name or name in outer}
                elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "set":
                    found.add(written(node.func.value))
    return frozenset(found - {""})
