"""The clauses of a rule: every part of its detector's table that can be dropped by itself."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from dlgovern import detect
from dlgovern.flow.facts import Facts
from dlgovern.policy import Rule
from dlgovern.repository.exports import Repository
from dlgovern.repository.window import Windows
from dlgovern.source.parse import Unparsable, parse
from dlgovern.standard.laws.court import Case

Parameters = dict[str, Any]


class Clause(NamedTuple):
    """One part of a rule that can be dropped: from the parameters, or a whole table of the standard."""

    name: str
    drop: Callable[[Parameters], Parameters]
    table: str = ""  # the table of the standard that is changed instead
    rows: Any = None  # what stands there then

    def tables(self, tables: dict[str, Any]) -> dict[str, Any]:
        """The tables of the standard without this clause."""
        return {**tables, self.table: self.rows} if self.table else tables


_SHARPEN = ("words",)  # what only sharpens the prefilter changes no verdict: law L9 is about it


def stated(rule: Rule, tables: dict[str, Any]) -> list[Clause]:
    """The clauses that a rule states."""
    known = detect.load(rule.detector).PARAMETERS
    found: list[Clause] = []
    for key, value in rule.parameters.items():
        if key not in _SHARPEN:
            found += _of(key, value, known[key].default if key in known else None, tables)
    return found


def guards(rule: Rule) -> list[Clause]:
    """What the rule's detector is silent under by itself."""
    names = getattr(detect.load(rule.detector), "GUARDS", ())
    return [Clause(f"guard {name}", _plus("without_guards", name)) for name in names]


def near(rule: Rule, case: Case, tables: dict[str, Any]) -> Iterator[Clause]:
    """What may be dropped to wake an ok example: clauses, settings, switches, and which function is meant."""
    settled = rule._replace(parameters={**rule.parameters, **case.parameters})
    yield from (*stated(settled, tables), *guards(rule))
    known = detect.load(rule.detector).PARAMETERS
    for key, value in settled.parameters.items():
        if key in known and known[key].kind not in ("predicates", "lower"):
            yield Clause(key, _without(key, known[key].default))
        if isinstance(value, list) and not value:
            yield Clause(key, _without(key, None))
    for key, parameter in known.items():
        if parameter.kind == "boolean":
            yield Clause(key, _flip(key, bool(settled.parameters.get(key, parameter.default))))


def widened(rule: Rule, case: Case, root: str, windows: Windows, tables: dict[str, Any]) -> Iterator[Clause]:
    """Names, in a list or a table, and with them the names of this example that share a module or a last part."""
    known = detect.load(rule.detector).PARAMETERS
    keys = [key for key in rule.parameters if key in known and known[key].kind == "names"]
    rows = {key: value for key, value in rule.parameters.items() if isinstance(value, str) and _is_rows(tables.get(value))}
    if not (keys or rows) or not case.only.endswith(".py"):
        return
    origins = sorted(_origins(case, root, windows))
    for key, table in rows.items():
        more = [[origin, *row[1:]] for origin in origins for row in tables[table] if _alike(origin, row[0])]
        yield Clause(f"which of {key} {table}", dict, table, [*more, *tables[table]])
    for key in keys:
        names = rule.parameters[key]
        alike = [origin for origin in origins if origin not in names and any(_alike(origin, name) for name in names)]
        if alike:
            yield Clause(f"which of {key}", _more(key, alike))


def _of(key: str, value: Any, default: Any, tables: dict[str, Any]) -> Iterator[Clause]:
    if isinstance(value, str) and value in tables and value != default:
        yield Clause(f"{key} = {value}", dict, value, type(tables[value])())
    elif isinstance(value, list):
        for item in value:
            yield Clause(f"{key}: {_short(item)}", _less(key, item))
    elif isinstance(value, dict):
        for word in value:
            yield Clause(f"{key}.{word}", _inner(key, word))
    elif value != default:
        yield Clause(f"{key} = {_short(value)}", _without(key, default))


def _less(key: str, item: Any) -> Callable[[Parameters], Parameters]:
    return lambda said: {**said, key: [other for other in said.get(key, []) if other != item]}


def _more(key: str, items: list[Any]) -> Callable[[Parameters], Parameters]:
    return lambda said: {**said, key: [*said.get(key, []), *items]}


def _plus(key: str, item: Any) -> Callable[[Parameters], Parameters]:
    return _more(key, [item])


def _inner(key: str, word: str) -> Callable[[Parameters], Parameters]:
    return lambda said: {**said, key: {inner: value for inner, value in said.get(key, {}).items() if inner != word}}


def _without(key: str, default: Any) -> Callable[[Parameters], Parameters]:
    rest: Parameters = {} if default is None else {key: default}
    return lambda said: {**{word: value for word, value in said.items() if word != key}, **rest}


def _flip(key: str, now: bool) -> Callable[[Parameters], Parameters]:
    return lambda said: {**said, key: not now}


def _origins(case: Case, root: str, windows: Windows) -> set[str]:
    data = case.files[case.only]
    try:
        facts = Facts(case.only, data, parse(data), Repository(root), windows)
    except Unparsable:
        return set()
    nodes = facts.tree.of(ast.Name, ast.Attribute)
    return {origin for node in nodes if (origin := facts.names.origin(node))}


def _alike(origin: str, name: str) -> bool:
    """The same last part, or the same module: ``mylib.load`` and ``torch.save`` are both like ``torch.load``."""
    module, _, last = name.removesuffix(".*").rpartition(".")
    other, _, other_last = origin.rpartition(".")
    return last == other_last or (bool(module) and module == other)


def _is_rows(table: Any) -> bool:
    return isinstance(table, list) and bool(table) and all(isinstance(row, list) and row for row in table)


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004 - a line of a report
