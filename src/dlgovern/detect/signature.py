"""See calls that give an argument which a table says came, went or is on its way out."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

from dlgovern.detect import Parameter
from dlgovern.detect.symbol import guarded, is_lazy
from dlgovern.detect.tables import AHEAD, ANY, Allowed, allowed, library_of
from dlgovern.evidence.recipe import Recipe
from dlgovern.finding import Hit
from dlgovern.flow.calls import arguments, callee
from dlgovern.flow.facts import Facts
from dlgovern.policy import Rule
from dlgovern.repository.window import STANDARD, Window, Windows

PARAMETERS = {
    "table": Parameter("string", "a table of the standard with one row an argument", required=True),
    "library": Parameter("string", "whose versions the table speaks of; \"\": each row's own package", default="torch"),
    "state": Parameter("string", "added, deprecated or removed: which column must be reached", required=True),
    "without": Parameter("names", "callables whose arguments another rule has", default=[]),
    "ahead": AHEAD,
}
KINDS = frozenset({"yaml", "json"})
"""Kinds of evidence that are read: configurations that name classes and give them arguments."""

GUARDS = ("fallback", "version-test")
"""What the detector is silent under; a rule's examples must show each."""


class Row(NamedTuple):
    """One argument of one callable. Versions are "" where the state was never reached."""

    name: str
    argument: str
    added: str
    deprecated: str
    removed: str
    replacement: str
    fix: str
    evidence: str
    note: str


def triggers(_parameters: dict[str, Any], _tables: dict[str, Any]) -> str:
    """Depends on the version window, so it is asked again for each."""
    return "window"


def triggers_in(parameters: dict[str, Any], tables: dict[str, Any], window: Window | None) -> list[dict[str, Any]]:
    """The callable must be meant and the keyword be written."""
    known = Allowed(window, ANY.own if parameters.get("ahead") else None)
    rows = _live(parameters, tables, lambda name: known if library_of(parameters, name) == "torch" else ANY)
    return [_trigger(name, argument) for name, arguments in rows.items() for argument in arguments]


def watch(rules: list[Rule], facts: Facts, tables: dict[str, Any]) -> dict[type, Callable[[Any], Iterator[Hit]]]:
    """Handlers for calls, and for classes made of ours that pass the argument on."""

    def versions(rule: Rule, name: str) -> Allowed:
        return allowed(facts.windows, facts.path, rule.parameters, name)

    lookups = [(rule, _live(rule.parameters, tables, partial(versions, rule))) for rule in rules]

    def see(node: ast.Call) -> Iterator[Hit]:
        if not node.keywords:
            return
        origin = callee(facts, node)
        if origin is None:
            return
        for rule, live in lookups:
            rows = live.get(origin.replace("().", "."))
            if not rows:
                continue
            given = arguments(facts, node).keywords
            for word in node.keywords:
                row = rows.get(word.arg or "")
                if row and word.arg in given and not guarded(node, rule):
                    yield _hit(facts, rule, word, row, versions(rule, row.name))

    return {ast.Call: see}


def judge(rules: list[Rule], document: Recipe, tables: dict[str, Any], windows: Windows) -> Iterator[Hit]:
    """The hits on the arguments of a LightningCLI configuration, or of an object of Hydra, whose class has rows."""
    if document.form not in ("lightning", "hydra"):
        return
    classes = {value.key.removesuffix("_target_"): value.text for value in document.values if value.key.endswith("_target_")}
    if document.form == "lightning":
        classes["trainer."] = "lightning.Trainer"

    def versions(rule: Rule, name: str) -> Allowed:
        return allowed(windows, document.path, rule.parameters, name)

    for rule in rules:
        if _callables(tables.get(rule.parameters["table"], [])).isdisjoint(classes.values()):
            continue
        rows = _live(rule.parameters, tables, partial(versions, rule))
        for value in document.values:
            owner, dot, last = value.key.rpartition(".")
            row = rows.get(classes.get(f"{owner}{dot}", ""), {}).get(last)
            if row is not None and value.text not in ("null", "~", ""):
                both = versions(rule, row.name)
                slots = _slots(rule, row, both, value.text[:60])
                hit = Hit(rule.id, *value.at, value.end_line, value.end_column, slots=slots)
                yield hit._replace(level="info") if _is_ahead(rule, row, both) else hit


def _callables(table: list[Any]) -> frozenset[str]:
    """The names of a table, kept while it lives: most configurations name none of them."""
    for known, names in _kept:
        if known is table:
            return names
    made = frozenset(row[0] for row in table)
    _kept[:] = [(table, made), *_kept[:7]]
    return made


_kept: list[tuple[list[Any], frozenset[str]]] = []


def _is_ahead(rule: Rule, row: Row, both: Allowed) -> bool:
    return both.deciding(row, rule.parameters["state"]) is not both.own


def _slots(rule: Rule, row: Row, both: Allowed, value: str) -> dict[str, str]:
    window = both.deciding(row, rule.parameters["state"])
    return {
        "call": row.name,
        "argument": row.argument,
        "value": value,
        "version": getattr(row, rule.parameters["state"]),
        "replacement": row.replacement,
        "instead": f"Write `{row.replacement}`. {row.note}" if row.replacement else row.note,
        "note": row.note,
        "fix": row.fix,
        "source": window.source if window else STANDARD,
    }


def _hit(facts: Facts, rule: Rule, word: ast.keyword, row: Row, both: Allowed) -> Hit:
    found = facts.hit(rule.id, word, **_slots(rule, row, both, ast.unparse(word.value)[:60]))
    if _is_ahead(rule, row, both):
        return found._replace(level="info")
    unsure = rule.parameters["state"] == "added" and is_lazy(facts, word)
    return found._replace(confidence="medium") if unsure else found


def _live(
    parameters: dict[str, Any], tables: dict[str, Any], versions: Callable[[str], Allowed]
) -> dict[str, dict[str, Row]]:
    found: dict[str, dict[str, Row]] = {}
    for values in tables.get(parameters["table"], ()):
        row = Row._make(values)
        if row.name not in parameters.get("without", ()) and versions(row.name).deciding(row, parameters["state"]):
            found.setdefault(row.name, {})[row.argument] = row
    return found


def _trigger(name: str, argument: str) -> dict[str, Any]:
    """A method may be reached through an instance of its class: then the class is meant and the method a word."""
    owner, _, last = name.rpartition(".")
    if owner.rpartition(".")[2][:1].isupper():
        return {"name": owner, "all": [argument, last]}
    return {"name": name, "all": [argument]}
