"""What becomes of the value that a call returns."""

from __future__ import annotations

import ast
import re

from dlgovern.source.tree import FUNCTIONS, function, parents, up


def result(call: ast.AST) -> str:
    """What becomes of the value of a call: ignored, returned, unread or used."""
    parent = _taker(call)
    if isinstance(parent, ast.Expr):
        return "ignored"
    if isinstance(parent, ast.Assign) and _reads(parent) == []:
        return "unread"
    if isinstance(parent, ast.Lambda | ast.Return):
        return "returned"
    return "used"


def is_kept(call: ast.AST) -> bool:
    """Whether nothing gets the value of a call but a variable that is at most asked for, or told something in a statement."""
    parent = _taker(call)
    if _is_expected_to_fail(call):
        return False
    reads = _reads(parent) if isinstance(parent, ast.Assign) else None
    return isinstance(parent, ast.Expr) or (reads is not None and all(map(_is_idle, reads)))


def is_awaited(call: ast.AST) -> bool:
    """Whether the very next thing that is done waits for the result: ``start().result()``, or ``work = start()`` and then ``work.wait()``."""
    parent = _taker(call)
    if isinstance(parent, ast.Attribute):
        return parent.attr in _WAITS
    if not isinstance(parent, ast.Assign) or len(parent.targets) != 1:
        return False
    block = next((b for b in (getattr(up(parent), field, None) for field in ("body", "orelse", "finalbody")) if isinstance(b, list) and parent in b), [])
    after = block[block.index(parent) + 1 :][:1] if block else []
    waited = after[0].value if after and isinstance(after[0], ast.Expr | ast.Assign) else None
    return (
        isinstance(waited, ast.Call) and isinstance(waited.func, ast.Attribute) and waited.func.attr in _WAITS
        and ast.unparse(waited.func.value) == ast.unparse(parent.targets[0])
    )


_WAITS = ("result", "wait")


def _is_expected_to_fail(call: ast.AST) -> bool:
    """Whether a test expects that the call raises."""
    return any(
        isinstance(parent, ast.With) and any(_EXPECTS.search(ast.unparse(item.context_expr)) for item in parent.items)
        for parent in parents(call)
    )


_EXPECTS = re.compile(r"^(self\.assertRaises|pytest\.raises|raises\()")


def _taker(call: ast.AST) -> ast.AST | None:
    """What gets the value of a call; several calls in a row, ``a(), b()``, may be a statement too."""
    parent = up(call)
    while isinstance(parent, ast.Await | ast.BoolOp | ast.IfExp) or (isinstance(parent, ast.Tuple) and isinstance(up(parent), ast.Expr)):
        parent = up(parent)
    return parent


def _reads(node: ast.Assign) -> list[ast.Name] | None:
    """Where a function reads the variable of its own that a statement gives a value to; None: others may."""
    owner = function(node)
    name = node.targets[0]
    if not isinstance(owner, ast.FunctionDef | ast.AsyncFunctionDef) or len(node.targets) != 1 or not isinstance(name, ast.Name):
        return None
    known: dict[str, list[ast.Name] | None] | None = getattr(owner, "read", None)
    if known is None:
        known = owner.read = _all_reads(owner)  # type: ignore[union-attr]  # asked for again by every call in it
    reads = known.get(name.id, [])
    hidden = _given_anew(node, name.id) if reads else None
    if not reads or hidden is None or any(function(one) is not owner for one in reads):
        return reads
    start, end = ((one.end_lineno or 0, one.end_col_offset or 0) for one in (node, hidden))
    return [one for one in reads if start <= (one.lineno, one.col_offset) < end]


def _all_reads(owner: ast.FunctionDef | ast.AsyncFunctionDef) -> dict[str, list[ast.Name] | None]:
    found: dict[str, list[ast.Name]] = {}
    shared: set[str] = set()
    for one in ast.walk(owner):
        if isinstance(one, ast.Global | ast.Nonlocal):
            shared.update(one.names)
        elif isinstance(one, ast.Name) and _is_read(one):
            found.setdefault(one.id, []).append(one)
    return {**found, **dict.fromkeys(shared)}


def _given_anew(node: ast.Assign, name: str) -> ast.Assign | None:
    """The statement behind an assignment, on every way from it, that gives the variable its next value."""
    child: ast.AST = node
    for parent in parents(node):
        if isinstance(parent, ast.Try | ast.TryStar):
            return None  # an error may lead elsewhere
        for block in (getattr(parent, "body", None), getattr(parent, "orelse", None)):
            if isinstance(block, list) and child in block:
                after = block[block.index(child) + 1 :]
                found = next((one for one in after if isinstance(one, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in one.targets)), None)
                if found is not None:
                    before = [child, *after[: after.index(found)]]
                    jumps = any(isinstance(inner, ast.Break | ast.Continue) for one in before for inner in ast.walk(one))
                    return None if jumps else found
        if isinstance(parent, FUNCTIONS):
            return None
        child = parent
    return None


def _is_read(name: ast.Name) -> bool:
    """Whether a name is more than the target of an assignment."""
    return not isinstance(name.ctx, ast.Store) or isinstance(up(name), ast.AugAssign)


def _is_idle(name: ast.Name) -> bool:
    """Whether a read only asks for a variable, or tells it something in a statement of its own."""
    above = up(name)
    if isinstance(above, ast.If | ast.IfExp):
        return above.test is name
    if isinstance(above, ast.Compare):
        return isinstance(above.ops[0], ast.Is | ast.IsNot) and isinstance(up(above), ast.If)
    called = up(above) if isinstance(above, ast.Attribute) else None
    return isinstance(called, ast.Call) and called.func is above and isinstance(up(called), ast.Expr)
