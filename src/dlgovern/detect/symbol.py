"""See uses of names that a table says came, went or are on their way out, judged by the version window."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from dlgovern.detect import Parameter
from dlgovern.finding import Hit
from dlgovern.flow.facts import Facts
from dlgovern.flow.guards import asks_version, has_fallback, only_for_types
from dlgovern.policy import Rule
from dlgovern.repository.window import Window, parse_version

PARAMETERS = {
    "table": Parameter("string", "a table of the standard with one row a name", required=True),
    "library": Parameter("string", "the library whose versions the table speaks of", default="torch"),
    "state": Parameter("string", "added, deprecated, removed or outdated (one of the last two)", required=True),
    "groups": Parameter("strings", "only rows of these groups", default=[]),
    "without": Parameter("strings", "no rows of these groups: another rule has them", default=[]),
}
GUARDS = ("fallback", "version-test", "types-only")
"""What the detector is silent under; a rule's examples must show each."""


class Row(NamedTuple):
    """One name of an API table. Versions are "" where the state was never reached."""

    name: str
    added: str
    deprecated: str
    removed: str
    replacement: str
    fix: str
    since: str
    group: str
    evidence: str
    note: str


def triggers(_parameters: dict[str, Any], _tables: dict[str, Any]) -> str:
    """Depends on the version window, so it is asked again for each."""
    return "window"


def triggers_in(parameters: dict[str, Any], tables: dict[str, Any], window: Window | None) -> list[dict[str, Any]]:
    """The names that can matter in this window."""
    return [{"name": name} for name in _live(parameters, tables, window)]


def watch(rules: list[Rule], facts: Facts, tables: dict[str, Any]) -> dict[type, Callable[[Any], Iterator[Hit]]]:
    """Handlers for names, attributes and imports."""
    lookups = []
    for rule in rules:
        window = facts.windows.of(facts.path, rule.parameters.get("library", "torch"))
        lookups.append((rule, _live(rule.parameters, tables, window), window))

    def use(node: ast.Name | ast.Attribute) -> Iterator[Hit]:
        if not isinstance(node.ctx, ast.Load):
            return
        origin = facts.names.origin(node)
        for rule, live, window in lookups:
            row = live.get(origin) if origin else None
            if row and not _reported_at_import(facts, node, row, rule, window) and not _guarded(node, rule):
                yield _hit(facts, rule, node, row, window)

    def import_from(node: ast.ImportFrom) -> Iterator[Hit]:
        if node.level or facts.inside(0, node.module or ""):
            return
        for alias in node.names:
            name = f"{node.module}.{alias.name}"
            for rule, live, window in lookups:
                row = live.get(name) or live.get(node.module or "")
                if row is None or _guarded(node, rule):
                    continue
                if _at_import(row, rule, window) or not _is_used(facts, alias.asname or alias.name):
                    yield _hit(facts, rule, alias, row, window)

    def import_(node: ast.Import) -> Iterator[Hit]:
        for alias in node.names:
            for rule, live, window in lookups:
                if alias.name in live and not _guarded(node, rule):
                    yield _hit(facts, rule, alias, live[alias.name], window)

    return {ast.Name: use, ast.Attribute: use, ast.ImportFrom: import_from, ast.Import: import_}


def _hit(facts: Facts, rule: Rule, node: ast.AST, row: Row, window: Window | None) -> Hit:
    state = _state(row, rule, window)
    version = getattr(row, state)
    replacement = f"write `{row.replacement}`" if row.fix == "rename" else row.replacement
    return facts.hit(
        rule.id,
        node,
        name=row.name,
        state=state,
        version=version,
        replacement=replacement,
        note=row.note,
        source=window.source if window else "the standard",
    )._replace(level="warning" if state == "deprecated" and rule.parameters["state"] == "outdated" else "")


def _state(row: Row, rule: Rule, window: Window | None) -> str:
    """The column a row is reported for."""
    if rule.parameters["state"] != "outdated":
        return str(rule.parameters["state"])
    return "removed" if _reached(row, "removed", window) else "deprecated"


def _live(parameters: dict[str, Any], tables: dict[str, Any], window: Window | None) -> dict[str, Row]:
    """The rows that are in the rule's state for some version of the window."""
    rows = map(Row._make, tables.get(parameters["table"], ()))
    groups, without = parameters.get("groups", ()), parameters.get("without", ())
    state = parameters["state"]
    return {
        row.name: row
        for row in rows
        if (not groups or row.group in groups) and row.group not in without and _reached(row, state, window)
    }


def _reached(row: Row, state: str, window: Window | None) -> bool:
    if state == "outdated":
        return _reached(row, "removed", window) or _reached(row, "deprecated", window)
    version = getattr(row, state)
    if not version or window is None:
        return False
    if state == "added":
        return window.starts_below(parse_version(version))
    if state == "deprecated" and row.removed and window.reaches(parse_version(row.removed)):
        return False
    return window.reaches(parse_version(version))


def _at_import(row: Row, rule: Rule, window: Window | None) -> bool:
    return _state(row, rule, window) != "deprecated"


def _reported_at_import(
    facts: Facts, node: ast.Name | ast.Attribute, row: Row, rule: Rule, window: Window | None
) -> bool:
    if not _at_import(row, rule, window) or not isinstance(node, ast.Name):
        return False
    binding = facts.names.binding(node)
    return binding is not None and isinstance(binding.node, ast.ImportFrom)


def _is_used(facts: Facts, local: str) -> bool:
    return any(node.id == local for node in facts.tree.of(ast.Name))  # type: ignore[attr-defined]


def _guarded(node: ast.AST, rule: Rule) -> bool:
    off = rule.parameters.get("without_guards", ())
    return (
        ("fallback" not in off and has_fallback(node))
        or ("version-test" not in off and asks_version(node))
        or ("types-only" not in off and only_for_types(node))
    )
