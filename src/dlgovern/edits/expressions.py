"""Repairs of expressions and of the text of strings."""

from __future__ import annotations

import ast
import re

from dlgovern.edits.arguments import Changes
from dlgovern.edits.source import Change, Place, Source
from dlgovern.flow.calls import argument, arguments, callee
from dlgovern.source.tree import parents, scope


def wrap(place: Place) -> Changes:
    """Put a call of the builtin ``call`` around the call that was hit, unless it is one of ``not_for``."""
    node = place.node(ast.Call)
    name = str(place.parameters["call"])
    if node is None or _is_rebound(place, name) or callee(place.facts, node) in place.parameters.get("not_for", ()):
        return None
    start, end = place.source.span(node)
    return [Change(start, start, f"{name}("), Change(end, end, ")")]


def append_to_callee(place: Place) -> Changes:
    """Put ``text`` behind what is called, where its origin is one of ``callee``: ``program(x)`` becomes ``program.module()(x)``."""
    node = place.node(ast.Call)
    if node is None or callee(place.facts, node) not in place.parameters["callee"]:
        return None
    _, end = place.source.span(node.func)
    return [Change(end, end, str(place.parameters["text"]))]


def comprehension(place: Place) -> Changes:
    """``[f()] * n`` becomes ``[f() for _ in range(n)]``.

    Where the item is a name, ``fresh`` is put after it to make a new value of it; without it nothing is done.
    """
    node = _repeated(place)
    if node is None:
        return None
    source = place.source
    items = node.left if isinstance(node.left, ast.List) else node.right
    start, end = source.span(node)
    if isinstance(scope(node), ast.ClassDef) or not isinstance(items, ast.List) or len(items.elts) != 1:
        return None
    item = items.elts[0]
    fresh = "" if isinstance(item, ast.Call) else str(place.parameters.get("fresh", ""))
    if not isinstance(item, ast.Call) and not (fresh and isinstance(item, ast.Name | ast.Attribute)):
        return None
    if _has_comment(source, node) or any(isinstance(one, ast.Await | ast.NamedExpr | ast.Yield) for one in ast.walk(node)):
        return None
    count = _outer(source, node, items)
    if count is None:
        return None
    used = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    name = next(name for name in ("_", "_index", "_other") if name not in used)
    return [Change(start, end, f"[{source.written(item)}{fresh} for {name} in range({count})]")]


def add_alias(place: Place) -> Changes:
    """Put the option ``new`` before the option ``old`` in a call that declares it."""
    call = place.call()
    old, new = str(place.parameters["old"]), str(place.parameters["new"])
    texts = [arg for arg in call.args if isinstance(arg, ast.Constant)] if call is not None else []
    node = next((text for text in texts if text.value == old), None)
    if node is None or any(text.value == new for text in texts):
        return None
    start, end = place.source.span(node)
    written = place.source.text(start, end)
    if written not in (f'"{old}"', f"'{old}'"):
        return None
    return [Change(start, start, f"{written[0]}{new}{written[0]}, ")]


def replace_text(place: Place) -> Changes:
    """Write ``new`` for the word ``old`` in the one string literal that was hit, or that stands in what was hit.

    Not where the regular expression ``unless`` is found in the statement.
    """
    old, new = place.fill(str(place.parameters["old"])), place.fill(str(place.parameters["new"]))
    node = place.any_node()
    if not old or new is None or node is None or _says(place, node, str(place.parameters.get("unless", ""))):
        return None
    if not old.isprintable() or "\\" in old + new or set(new) & set("\"'{}"):
        return None
    word = re.compile(rf"(?<![\w-]){re.escape(old)}(?![\w-])")
    found = [
        one
        for one in ast.walk(node)
        if isinstance(one, ast.Constant) and isinstance(one.value, str) and word.search(one.value)
    ]
    if len(found) != 1 or any(isinstance(one, ast.JoinedStr) for one in ast.walk(node)):
        return None
    start, end = place.source.span(found[0])
    written = place.source.text(start, end)
    places = list(word.finditer(written))
    if len(places) != len(word.findall(str(found[0].value))):
        return None
    return [Change(*_bytes(place.source, start, written, one.span()), new) for one in places]


def _says(place: Place, node: ast.AST, pattern: str) -> bool:
    statement = next((one for one in (node, *parents(node)) if isinstance(one, ast.stmt)), node)
    return bool(pattern) and re.search(pattern, place.source.written(statement)) is not None


def _bytes(source: Source, start: int, written: str, span: tuple[int, int]) -> tuple[int, int]:
    before = start + len(written[: span[0]].encode(source.codec))
    return before, before + len(written[span[0] : span[1]].encode(source.codec))


def _repeated(place: Place) -> ast.BinOp | None:
    """The multiplication that was hit, or that ``argument`` of the call that was hit is."""
    node = place.node(ast.BinOp) or place.node(ast.Name)
    call = place.node(ast.Call)
    if node is None and call is not None and "argument" in place.parameters:
        found = arguments(place.facts, call)
        node = argument(found, str(place.parameters["argument"]), place.parameters.get("position"))
    if isinstance(node, ast.Name):
        binding = place.facts.names.binding(node)
        everywhere = place.facts.names.bindings(scope(node)).get(node.id, [])
        node = binding.value if binding is not None and binding.kind == "value" and len(everywhere) == 1 else None
    return node if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult) else None


def _outer(source: Source, node: ast.BinOp, items: ast.List) -> str | None:
    """The number of repetitions as it is written, its brackets included."""
    start, end = source.span(node)
    if items is node.left:
        at = source.mark(source.span(items)[1])
        return source.text(source.mark(at + 1), end) if source.data[at : at + 1] == b"*" else None
    stop = source.data.rfind(b"*", start, source.span(items)[0])
    count = source.text(start, stop).rstrip()
    return count if stop > 0 and source.mark(stop + 1) == source.span(items)[0] else None


def _has_comment(source: Source, node: ast.AST) -> bool:
    """Whether a comment may stand in the text of a node: a number sign outside its strings."""
    text = source.written(node)
    signs = sum(source.written(one).count("#") for one in ast.walk(node) if isinstance(one, ast.Constant | ast.JoinedStr))
    return text.count("#") > signs


def _is_rebound(place: Place, name: str) -> bool:
    tree = place.facts.tree
    scopes = (tree.module, *tree.of(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda))
    stars = any(alias.name == "*" for node in tree.of(ast.ImportFrom) for alias in node.names)  # type: ignore[attr-defined]
    return stars or any(name in place.facts.names.bindings(one) for one in scopes)
