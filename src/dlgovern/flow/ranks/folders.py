"""Folders that every rank makes where it does not see them yet."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from dlgovern.flow.facts import Facts
from dlgovern.source.tree import FUNCTIONS, parents, up

_STARTED = frozenset(f"torch.distributed.{name}" for name in ("get_rank", "get_world_size", "init_process_group", "barrier"))
"""Calls behind which there are ranks."""


def may_race(facts: Facts, test: object, made: object) -> bool:
    """Whether ``if not test:`` guards a call that raises where a folder is there, in a program whose ranks run for sure."""
    if not isinstance(test, ast.AST) or not isinstance(made, ast.Call):
        return False
    if len(made.args) != 1 or any(word.arg in ("exist_ok", None) for word in made.keywords):
        return False
    above = up(test)
    branch = up(above) if isinstance(above, ast.UnaryOp) and isinstance(above.op, ast.Not) else None
    around = list(parents(made))
    if not isinstance(branch, ast.If) or branch.test is not above or not any(branch is one for one in around):
        return False
    return not any(isinstance(one, ast.Try) for one in around) and any(_starts(facts, one) for one in _before(made))


def _before(node: ast.AST) -> Iterator[ast.stmt]:
    """The statements of a function that run before a node whenever it does."""
    child = node
    for parent in parents(node):
        for block in (getattr(parent, "body", []), getattr(parent, "orelse", [])):
            if isinstance(block, list) and child in block:
                yield from block[: block.index(child)]
        if isinstance(parent, FUNCTIONS):
            return
        child = parent


def _starts(facts: Facts, statement: ast.stmt) -> bool:
    """Whether a plain statement makes a call that needs ranks, whatever it is told."""
    value = statement.value if isinstance(statement, ast.Expr | ast.Assign) else None
    return isinstance(value, ast.Call) and facts.names.origin(value.func) in _STARTED
