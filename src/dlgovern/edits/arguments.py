"""Repairs of the arguments of a call."""

from __future__ import annotations

import ast

from dlgovern.edits.source import Change, Item, Layout, Place, Source
from dlgovern.flow.calls import arguments
from dlgovern.flow.constants import is_default

Changes = list[Change] | None


def set_argument(place: Place) -> Changes:
    """Give ``argument`` the ``value``, wherever it is given; else add it as a keyword.

    ``position`` is its place among the positional arguments, where it has one.
    """
    source, call = place.source, place.call()
    name, value = str(place.parameters["argument"]), place.fill(str(place.parameters["value"]))
    layout = source.layout(call) if call is not None else None
    if layout is None or value is None:
        return None
    found = arguments(place.facts, call)
    position = place.parameters.get("position")
    given = next((word for word in call.keywords if word.arg == name), None)
    if given is not None:
        return None if is_default(place.facts, given.value) else [_new_value(source, given, layout, value)]
    if found.open_keywords:
        return None
    if position is not None:
        if position < len(found.positional):
            item = next((one for one in layout.items if one.node is found.positional[position]), None)
            if item is None or is_default(place.facts, item.node):
                return None
            return [Change(item.start, item.end, value)]
        if found.open_positional:
            return None
    return add(source, layout, f"{name}={value}")


def delete_argument(place: Place) -> Changes:
    """Take the keyword that was hit, or ``argument``, away."""
    source, call = place.source, place.call()
    word = place.node(ast.keyword) or _keyword(place, call)
    layout = source.layout(call) if call is not None else None
    if layout is None or word is None:
        return None
    index = next((index for index, item in enumerate(layout.items) if item.node is word), None)
    return None if index is None or not _is_plain(word.value) else [_removed(source, layout, index)]


def rename_argument(place: Place) -> Changes:
    """Write ``to`` for the keyword that was hit, or for ``argument``."""
    source, call = place.source, place.call()
    word = place.node(ast.keyword) or _keyword(place, call)
    new = place.fill(str(place.parameters.get("to", "{replacement}")))
    if call is None or word is None or not new or not new.isidentifier():
        return None
    if any(other.arg in (new, None) for other in call.keywords):
        return None
    start = source.span(word)[0]
    end = start + len(word.arg)
    return [Change(start, end, new)] if source.text(start, end) == word.arg else None


def add(source: Source, layout: Layout, text: str) -> list[Change]:
    """``text`` as the last argument: on a line of its own where the last one is."""
    if not layout.items:
        return [Change(layout.open, layout.open, text)]
    last = layout.items[-1]
    indent = source.indent(last.start)
    after = last.comma or last.end
    alone = indent is not None and source.ends_line(after) and source.line_end(after) < layout.close
    if not alone:
        return [Change(last.end, last.end, f", {text}")]
    end = source.line_end(after)
    line = f"{source.newline(after)}{indent}{text}"
    if last.comma:
        return [Change(end, end, f"{line},")]
    return [Change(end, end, f",{line}")] if end == after else [Change(after, after, ","), Change(end, end, line)]


def first(source: Source, layout: Layout, text: str) -> list[Change]:
    """``text`` as the first argument."""
    if not layout.items:
        return [Change(layout.open, layout.open, text)]
    return [Change(layout.items[0].start, layout.items[0].start, f"{text}, ")]


def _new_value(source: Source, word: ast.keyword, layout: Layout, value: str) -> Change:
    item = next(one for one in layout.items if one.node is word)
    equals = source.mark(item.start + len((word.arg or "").encode(source.codec)))
    return Change(source.mark(equals + 1), item.end, value)


def _keyword(place: Place, call: ast.Call | None) -> ast.keyword | None:
    name = place.parameters.get("argument")
    words = call.keywords if call is not None and name else []
    return next((word for word in words if word.arg == name), None)


def _removed(source: Source, layout: Layout, index: int) -> Change:
    """The argument with its comma; its line too where it has one of its own; comments stay."""
    item = layout.items[index]
    after = item.comma or item.end
    indent = source.indent(item.start)
    if indent is not None and not source.rest(after) and source.line_end(after) < layout.close:
        end = source.line_end(after)
        return Change(item.start - len(indent), end + len(source.newline(after)), "")
    if item.comma and index + 1 < len(layout.items):
        following = layout.items[index + 1].start
        return Change(item.start, following if _is_blank(source, after, following) else after, "")
    if index:
        before: Item = layout.items[index - 1]
        if _is_blank(source, before.comma, item.start):
            return Change(before.end, item.end, "")
        return Change(item.start, after, "")
    return Change(item.start, after, "")


def _is_blank(source: Source, start: int, end: int) -> bool:
    return not source.data[start:end].strip(b" \t\f\r\n")


def _is_plain(node: ast.AST) -> bool:
    """Whether nothing happens when this is evaluated, so that leaving it out changes nothing else."""
    return not any(
        isinstance(one, ast.Call | ast.Await | ast.Yield | ast.YieldFrom | ast.NamedExpr) for one in ast.walk(node)
    )
