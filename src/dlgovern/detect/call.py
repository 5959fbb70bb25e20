"""See calls of named functions, narrowed by what they are given and where they stand."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.detect.index import NameIndex
from dlgovern.detect.where import Seen, holds, value_of, words
from dlgovern.finding import Hit
from dlgovern.flow.calls import arguments, callee
from dlgovern.flow.facts import Facts
from dlgovern.policy import Rule

PARAMETERS = {
    "names": Parameter("names", "dotted names of the functions; `X().m` is a method of an instance of X", required=True),
    "where": Parameter("predicates", "predicates that must all hold", default=[]),
    "unless": Parameter("predicates", "predicates of which none may hold", default=[]),
    "lower": Parameter("lower", "level or confidence to fall to where a predicate holds", default=[]),
    "at": Parameter("string", "report this argument instead of the whole call", default=""),
}


def triggers(parameters: dict[str, Any], _tables: dict[str, Any]) -> list[dict[str, Any]]:
    """One alternative a name; the words of the predicates sharpen it."""
    wanted = words(parameters.get("where", []))
    return [_trigger(name, wanted) for name in parameters["names"]]


def watch(rules: list[Rule], facts: Facts, _tables: dict[str, Any]) -> dict[type, Callable[[Any], Iterator[Hit]]]:
    """Handlers for calls; the index finds the rules of a callee in one look-up."""
    index = NameIndex((name, rule) for rule in rules for name in rule.parameters["names"])

    def see(node: ast.Call) -> Iterator[Hit]:
        origin = callee(facts, node)
        if origin is None:
            return
        for rule in index.rules(origin):
            seen = Seen(facts, node, arguments(facts, node))
            if matches(rule.parameters, seen):
                yield _hit(rule, origin, seen)

    return {ast.Call: see}


def matches(parameters: dict[str, Any], seen: Seen) -> bool:
    """Whether all of ``where`` and none of ``unless`` hold."""
    return all(holds(predicate, seen) for predicate in parameters.get("where", ())) and not any(
        holds(predicate, seen) for predicate in parameters.get("unless", ())
    )


def lowered(parameters: dict[str, Any], seen: Seen) -> dict[str, str]:
    """The level and confidence of the first ``lower`` entry that holds."""
    for entry in parameters.get("lower", ()):
        if holds(entry["when"], seen):
            return {key: entry[key] for key in ("level", "confidence") if key in entry}
    return {}


def _hit(rule: Rule, origin: str, seen: Seen) -> Hit:
    facts, call = seen.facts, seen.call
    about = next((p for p in rule.parameters.get("where", ()) if "argument" in p), None)
    value = value_of(about, seen) if about else None
    node: ast.AST = call
    if (at := rule.parameters.get("at")) and (found := value_of({"argument": at}, seen)) is not None:
        node = found
    slots = {
        "call": origin.replace("()", ""),
        "written": _source(facts, call.func),
        "argument": about["argument"] if about else "",
        "value": _source(facts, value) if value is not None else "",
    }
    less: dict[str, Any] = lowered(rule.parameters, seen)
    return facts.hit(rule.id, node, **slots)._replace(**less)


def _source(facts: Facts, node: ast.AST) -> str:
    line, column, end_line, end_column = facts.span(node)
    if line != end_line:
        return facts.lines[line - 1][column - 1 :].strip() + " …"
    return facts.lines[line - 1][column - 1 : end_column - 1]


def _trigger(name: str, wanted: list[str]) -> dict[str, Any]:
    """The trigger of a dotted name: of ``X().m`` the name is ``X``, and ``m`` a word."""
    base, marker, rest = name.partition("()")
    more = [part for part in rest.replace("()", "").split(".") if part] if marker else []
    return {"name": base, "all": [*more, *wanted]} if more or wanted else {"name": base}
