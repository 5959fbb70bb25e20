"""See methods that a framework no longer calls, or refuses, in classes that derive from one of its own."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from dlgovern.detect import Parameter
from dlgovern.detect.tables import AHEAD, allowed
from dlgovern.finding import Hit
from dlgovern.flow.classes import derives_from
from dlgovern.flow.facts import Facts
from dlgovern.policy import Rule

PARAMETERS = {
    "table": Parameter("string", "a table of the standard with one row a method", required=True),
    "bases": Parameter("any", "short name of a class in the table -> the names it is imported by", required=True),
    "library": Parameter("string", "the library whose versions the table speaks of", required=True),
    "ahead": AHEAD,
}
GUARDS = ("called",)
"""What the detector is silent under: a method that lives on calls one that is only ignored, so it is an ordinary one."""


class Row(NamedTuple):
    """One method of one class, or one of its arguments where ``argument`` is not empty. ``evidence``: raises or ignored."""

    owner: str
    method: str
    argument: str
    removed: str
    replacement: str
    evidence: str
    note: str


def triggers(parameters: dict[str, Any], tables: dict[str, Any]) -> list[dict[str, Any]]:
    """The method, and the argument where one is meant; the base may stand in another file."""
    rows = [Row._make(values) for values in tables.get(parameters["table"], ())]
    return [{"all": [word for word in (row.method, row.argument) if word]} for row in rows]


def watch(rules: list[Rule], facts: Facts, tables: dict[str, Any]) -> dict[type, Callable[[Any], Iterator[Hit]]]:
    """Handlers for classes."""
    lookups = [(rule, [Row._make(values) for values in tables.get(rule.parameters["table"], ())]) for rule in rules]

    def see(node: ast.ClassDef) -> Iterator[Hit]:
        methods = {one.name: one for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)}
        for rule, rows in lookups:
            both = allowed(facts.windows, facts.path, rule.parameters, rule.parameters["library"])
            said: set[str] = set()
            for row in rows:
                method = methods.get(row.method)
                if method is None or row.method in said or (row.argument and row.argument not in _arguments(method)):
                    continue
                window = both.deciding(row, "removed")
                names = rule.parameters["bases"].get(row.owner, ())
                if window is None or not any(derives_from(facts, base, names) for base in node.bases):
                    continue
                if row.evidence == "ignored" and _is_called(methods, row.method, rule, rows):
                    continue
                said.add(row.method)
                hit = _hit(facts, rule, method, row, window.source)
                yield hit if window is both.own else hit._replace(level="info")

    return {ast.ClassDef: see}


def _hit(facts: Facts, rule: Rule, method: ast.FunctionDef | ast.AsyncFunctionDef, row: Row, source: str) -> Hit:
    hit = facts.hit(
        rule.id,
        method,
        method=f"{row.owner}.{row.method}" + (f"({row.argument})" if row.argument else ""),
        version=row.removed,
        source=source,
        instead=f"Write `{row.replacement}`. {row.note}" if row.replacement else row.note,
    )
    return hit._replace(end_line=method.lineno, end_column=hit.column + len("def ") + len(method.name))


def _arguments(method: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    found = method.args
    return {one.arg for one in (*found.posonlyargs, *found.args, *found.kwonlyargs)}


def _is_called(methods: dict[str, Any], name: str, rule: Rule, rows: list[Row]) -> bool:
    """Whether a method of the class that is itself no such hook calls this one."""
    if "called" in rule.parameters.get("without_guards", ()):
        return False
    hooks = {row.method for row in rows}
    return any(
        isinstance(node, ast.Attribute) and node.attr == name and isinstance(node.value, ast.Name) and node.value.id == "self"
        for method in methods.values()
        if method.name not in hooks
        for node in ast.walk(method)
    )
