"""Repairs of import statements."""

from __future__ import annotations

import ast

from dlgovern.edits.source import Change, Source


def moved(source: Source, statement: ast.ImportFrom, alias: ast.alias, name: str) -> list[Change] | None:
    """Bring what ``alias`` brings from the dotted ``name`` instead, under the same local name."""
    module, _, last = name.rpartition(".")
    local = alias.asname or alias.name
    new = last if last == local else f"{last} as {local}"
    start, end = source.span(statement)
    at = source.mark(start + len("from"))
    old = statement.module or ""
    if not module or source.text(at, at + len(old)) != old:
        return None
    if len(statement.names) == 1:
        changes = [Change(*source.span(alias), new)]
        return changes if module == old else [Change(at, at + len(old), module), *changes]
    if module == old:
        return [Change(*source.span(alias), new)]
    indent = source.indent(start)
    if indent is None or source.rest(end).startswith(b";"):
        return None
    removed = _without(source, statement, alias)
    if removed is None:
        return None
    return [Change(start, start, f"from {module} import {new}{source.newline(start)}{indent}"), removed]


def _without(source: Source, statement: ast.ImportFrom, alias: ast.alias) -> Change | None:
    """The name and its comma taken out of the list; comments stay."""
    index = statement.names.index(alias)
    start, end = source.span(alias)
    if index + 1 < len(statement.names):
        following = source.span(statement.names[index + 1])[0]
        comma = source.mark(end) + 1
        blank = not source.data[comma:following].strip(b" \t\f\r\n")
        return Change(start, following if blank else comma, "")
    before = source.span(statement.names[index - 1])[1]
    gap = source.data[before:start].replace(b",", b"").strip(b" \t\f\r\n")
    return None if gap else Change(before, end, "")
