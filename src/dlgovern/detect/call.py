"""See calls of named functions, narrowed by what they are given and where they stand."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.detect.index import NameIndex
from dlgovern.detect.where import Seen, about, derived, holds, loosely, value_of, words
from dlgovern.finding import Hit
from dlgovern.flow.calls import arguments, callee
from dlgovern.flow.constants import constant
from dlgovern.flow.facts import Facts
from dlgovern.flow.forward import handed_to
from dlgovern.policy import Rule

PARAMETERS = {
    "names": Parameter(
        "names",
        "dotted names of the functions; `X().m` is a method of an instance of X, `*.m` of anything; `*` is any call",
        required=True,
    ),
    "where": Parameter("predicates", "predicates that must all hold", default=[]),
    "unless": Parameter("predicates", "predicates of which none may hold", default=[]),
    "lower": Parameter("lower", "level or confidence to fall to where a predicate holds", default=[]),
    "through": Parameter("strings", "keywords that a wrapper, in any file of the repository, hands on to one of the names", default=[]),
    "at": Parameter("string", "report this argument instead of the whole call", default=""),
}


def triggers(parameters: dict[str, Any], _tables: dict[str, Any]) -> list[dict[str, Any]] | None:
    """One alternative a name; the words of the predicates sharpen it."""
    wanted = words(parameters.get("where", []))
    if "*" in parameters["names"] and not wanted:
        return None
    plain = [_trigger(name, wanted) for name in parameters["names"]]
    sources = derived(parameters.get("where", []))
    if sources:
        plain = [_with_source(trigger, source) for trigger in plain for source in sources]
    if any(predicate.get("result") == "ignored" for predicate in parameters.get("where", ())):
        plain = [{**trigger, "alone": True} if "name" in trigger else trigger for trigger in plain]
    return [*plain, *({"all": [word]} for word in parameters.get("through", ()))]


def watch(rules: list[Rule], facts: Facts, _tables: dict[str, Any]) -> dict[type, Callable[[Any], Iterator[Hit]]]:
    """Handlers for calls; the index finds the rules of a callee in one look-up."""
    index = NameIndex((name, rule) for rule in rules for name in rule.parameters["names"] if name[0] != "*")
    loose: dict[str, list[Rule]] = {}
    for rule in rules:
        for name in rule.parameters["names"]:
            if name[0] == "*":
                loose.setdefault(name, []).append(rule)

    wrapped: dict[str, list[Rule]] = {}
    for rule in rules:
        for word in rule.parameters.get("through", ()):
            wrapped.setdefault(word, []).append(rule)

    def see(node: ast.Call) -> Iterator[Hit]:
        origin = callee(facts, node)
        found = index.rules(origin) if origin is not None else []
        named = [(rule, origin) for rule in found]
        if loose:
            named += [(rule, None) for name in loosely(node) for rule in loose.get(name, ()) if rule not in found]
        if wrapped and not found:
            named += _wrapping(facts, node, wrapped)
        for rule, name in named:
            seen = Seen(facts, node, arguments(facts, node))
            if matches(rule.parameters, seen):
                yield _hit(rule, name, seen)

    return {ast.Call: see}


def _wrapping(facts: Facts, call: ast.Call, wrapped: dict[str, list[Rule]]) -> list[tuple[Rule, str]]:
    """The rules for a call of a wrapper, each with the function that gets the keyword in the end."""
    given = [(rule, word.arg) for word in call.keywords if word.arg for rule in wrapped.get(word.arg, ())]
    found = {rule.id: (rule, handed_to(facts, call, word, rule.parameters["names"])) for rule, word in given}
    return [(rule, name) for rule, name in found.values() if name]


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


def _hit(rule: Rule, origin: str | None, seen: Seen) -> Hit:
    facts, call = seen.facts, seen.call
    what = about(rule.parameters.get("where", ()), seen)
    value = value_of(what, seen) if what else None
    node: ast.AST = call
    if (at := rule.parameters.get("at")) and (found := value_of({"argument": at}, seen)) is not None:
        node = found
    slots = {
        "call": (origin or _source(facts, call.func)).replace("()", ""),
        "written": _source(facts, call.func),
        "argument": what["argument"] if what else "",
        "value": _source(facts, value) if value is not None else "",
        "known": _known(facts, value) if value is not None else "",
    }
    less: dict[str, Any] = lowered(rule.parameters, seen)
    return facts.hit(rule.id, node, **slots)._replace(**less)


def _known(facts: Facts, value: ast.AST) -> str:
    """A number or text that a value is known to be; else what is written."""
    known = constant(facts, value)
    return str(known) if isinstance(known, int | float | str) else _source(facts, value)


def _source(facts: Facts, node: ast.AST) -> str:
    line, column, end_line, end_column = facts.span(node)
    if line != end_line:
        return facts.lines[line - 1][column - 1 :].strip() + " …"
    return facts.lines[line - 1][column - 1 : end_column - 1]


def _with_source(trigger: dict[str, Any], source: str) -> dict[str, Any]:
    """The trigger, wanting also where the value comes from: a name, an environment variable ``$NAME`` or a word ``~NAME``."""
    if source.startswith(("$", "~")):
        return {**trigger, "all": [*trigger.get("all", []), source[1:]]}
    if source.endswith("()"):  # a function of the repository may hand it on
        return {**trigger, "all": [*trigger.get("all", []), source[:-2].rpartition(".")[2]]}
    return {**trigger, "and": source} if "name" in trigger else {**trigger, "name": source}


def _trigger(name: str, wanted: list[str]) -> dict[str, Any]:
    """The trigger of a dotted name: of ``X().m`` the name is ``X``, and ``m`` a word."""
    if name[0] == "*":
        return {"all": [*name[2:].split(), *wanted]}
    base, marker, rest = name.partition("()")
    more = [part for part in rest.replace("()", "").split(".") if part] if marker else []
    return {"name": base, "all": [*more, *wanted]} if more or wanted else {"name": base}
