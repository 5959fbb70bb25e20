"""Repairs of whole statements."""

from __future__ import annotations

import ast
import re

from dlgovern.edits.arguments import Changes
from dlgovern.edits.source import Change, Place
from dlgovern.source.tree import function, parents, statement, up

_INNER = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_SIMPLE = (ast.Expr, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return, ast.Assert, ast.Delete, ast.Raise)
_ARGUMENT = re.compile(r"<(\w+)>")


def drop_target(place: Place) -> Changes:
    """``x = f(x)`` becomes ``f(x)``, where the one target is the first argument and nothing else."""
    call: ast.Call | None = place.call()
    assignment = up(call) if call is not None else None
    if call is None or not isinstance(assignment, ast.Assign) or len(assignment.targets) != 1 or assignment.value is not call:
        return None
    target = assignment.targets[0]
    name = call.args[0] if call.args else None
    if not isinstance(target, ast.Name) or not isinstance(name, ast.Name) or target.id != name.id:
        return None
    source = place.source
    start = source.span(assignment)[0]
    equals = source.mark(source.span(target)[1])
    value = source.mark(equals + 1)
    if source.data[equals : equals + 1] != b"=" or b"#" in source.data[equals:value]:
        return None
    return [Change(start, value, "")]


def delete_statement(place: Place) -> Changes:
    """Take the statement of the hit away; ``pass`` stands where nothing else would. Comments stay."""
    node = place.any_node()
    if node is None:
        return None
    gone = statement(node)
    if not isinstance(gone, _SIMPLE):
        return None
    source = place.source
    start, end = source.span(gone)
    indent = source.indent(start)
    if _is_alone(gone):
        return [Change(start, end, "pass")]
    if indent is None or not source.ends_line(end):
        return None
    if source.rest(end):
        return [Change(start, source.mark_on_line(end), "")]
    stop = source.line_end(end)
    return [Change(start - len(indent), min(stop + len(source.newline(end)), len(source.data)), "")]


def insert_before(place: Place) -> Changes:
    """A line before the statement of the hit, with its indentation.

    ``text`` may have the hit's slots, and ``<name>`` for what ``of_call`` says: ``{name = "{subject}.step"}`` is the
    first argument of the only call so written in the same function. What is written there must be a dotted name.
    With ``once`` the callee that was hit must be called once in the function: a second insertion would be an error.
    """
    node = place.any_node()
    template = place.fill(str(place.parameters["text"]))
    text = _with_arguments(place, template) if template is not None else None
    if node is None or text is None:
        return None
    at = statement(node)
    inside = [parent for parent in parents(node) if isinstance(parent, _INNER)]
    if not isinstance(at, (*_SIMPLE, ast.With)) or any(at in parents(one) for one in inside):
        return None
    source = place.source
    start = source.span(at)[0]
    indent = source.indent(start)
    if indent is None:
        return None
    return [Change(start, start, f"{text}{source.newline(start)}{indent}")] if _parses(text) else None


def _with_arguments(place: Place, template: str) -> str | None:
    call = place.node(ast.Call)
    if place.parameters.get("once") and (call is None or len(_calls(place, ast.unparse(call.func), call)) != 1):
        return None
    for word in _ARGUMENT.findall(template):
        written = place.fill(str(place.parameters.get("of_call", {}).get(word, "")))
        found = _calls(place, written, call) if written and call is not None else []
        names = {ast.unparse(one.args[0]) for one in found if one.args and _is_dotted(one.args[0])}
        if len(names) != 1 or any(not one.args for one in found):
            return None
        template = template.replace(f"<{word}>", names.pop())
    return template


def _calls(place: Place, written: str, near: ast.AST) -> list[ast.Call]:
    """The calls of what is written so, in the function or module around a node."""
    around = function(near) or place.facts.tree.module
    return [node for node in ast.walk(around) if isinstance(node, ast.Call) and ast.unparse(node.func) == written]


def _is_dotted(node: ast.AST) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def _parses(text: str) -> bool:
    try:
        return len(ast.parse(text).body) == 1
    except SyntaxError:
        return False


def _is_alone(node: ast.stmt) -> bool:
    parent = up(node)
    blocks = [getattr(parent, field, None) for field in ("body", "orelse", "finalbody")]
    block = next((block for block in blocks if isinstance(block, list) and node in block), [node])
    return len(block) == 1
