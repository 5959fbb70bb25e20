"""Repairs of whole statements."""

from __future__ import annotations

import ast
import re

from dlgovern.edits.arguments import Changes
from dlgovern.edits.source import Change, Place
from dlgovern.flow.calls import argument, arguments
from dlgovern.source.tree import parents, statement, up

_INNER = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_SIMPLE = (ast.Expr, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return, ast.Assert, ast.Delete, ast.Raise)
_ARGUMENT = re.compile(r"<(\w+)>")


def drop_target(place: Place) -> Changes:
    """``x = f(x)`` becomes ``f(x)``, where the one target is the first argument and nothing else."""
    call = place.call()
    assignment = up(call) if call is not None else None
    if not isinstance(assignment, ast.Assign) or len(assignment.targets) != 1 or assignment.value is not call:
        return None
    target = assignment.targets[0]
    name = call.args[0] if call.args else next((w.value for w in call.keywords if w.arg == place.parameters.get("argument")), None)
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

    ``text`` may have the hit's slots and, in ``<...>``, arguments of the call by position or keyword; what stands
    for an argument must be a dotted name.
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
    wanted = _ARGUMENT.findall(template)
    if not wanted:
        return template
    call = place.call()
    if call is None:
        return None
    found = arguments(place.facts, call)
    for word in wanted:
        node = argument(found, word, place.parameters.get("position", {}).get(word)) if not word.isdigit() else None
        if word.isdigit() and int(word) < len(found.positional):
            node = found.positional[int(word)]
        if node is None or not _is_dotted(node):
            return None
        template = template.replace(f"<{word}>", ast.unparse(node))
    return template


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
