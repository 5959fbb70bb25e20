"""See calls of named functions in files, or programs, that lack what belongs to them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.detect.call import matches
from dlgovern.detect.where import Seen
from dlgovern.finding import Hit
from dlgovern.flow.calls import arguments, callee
from dlgovern.flow.facts import Facts
from dlgovern.policy import Rule
from dlgovern.source.idle import idle, in_prose
from dlgovern.source.imports import normal
from dlgovern.source.words import words

PARAMETERS = {
    "names": Parameter("names", "dotted names of the functions; the first call of one in a function is reported", required=True),
    "training": Parameter("names", "functions that count too, in a file that names `backward` and calls none of the others", default=[]),
    "where": Parameter("predicates", "predicates that must all hold of the call", default=[]),
    "unless": Parameter("predicates", "predicates of which none may hold", default=[]),
    "also": Parameter("names", "functions of which one must be called in the file as well", default=[]),
    "also_where": Parameter("predicates", "predicates that must all hold of that call", default=[]),
    "absent": Parameter("strings", "words of which the file may have none", default=[]),
    "elsewhere": Parameter("boolean", "nor may a file that it imports, that imports it, or that is imported with it", default=False),
    "beside": Parameter("boolean", "nor a file that only lies beside this one", default=False),
    "idle": Parameter("boolean", "a word counts for nothing in functions that no file of the program names, where one names the caller's", default=False),
}


def triggers(parameters: dict[str, Any], _tables: dict[str, Any]) -> list[dict[str, Any]]:
    """One alternative a name."""
    return [{"name": name} for name in (*parameters["names"], *parameters.get("training", ()))]


def watch(rules: list[Rule], facts: Facts, _tables: dict[str, Any]) -> dict[type | None, Callable[[Any], Iterator[Hit]]]:
    """One handler for the whole file."""

    def see(_file: None) -> Iterator[Hit]:
        written = words(normal(facts.data))
        for rule in rules:
            parameters = rule.parameters
            said = [word for word in parameters.get("absent", ()) if word.encode() in written]
            if parameters.get("idle"):
                said = [word for word in said if not in_prose(facts.data, word)]
            dead = [idle(facts.data, word) for word in said] if parameters.get("idle") else []
            if said and not (dead and all(dead)):
                continue
            if (also := parameters.get("also")) and not any(_calls(facts, also, parameters.get("also_where", ()))):
                continue
            reported: set[str] = set()
            calls = list(_calls(facts, parameters["names"], parameters.get("where", ()), parameters.get("unless", ())))
            if not calls and b"backward" in written:
                calls = list(_calls(facts, parameters.get("training", [])))
            for call in calls:
                hit = facts.hit(rule.id, call, call=callee(facts, call) or "")
                if hit.symbol not in reported and not any(hit.symbol.partition(".")[0] in names for names in dead):
                    reported.add(hit.symbol)
                    yield hit

    return {None: see}


def _calls(facts: Facts, names: list[str], where: Any = (), unless: Any = ()) -> Iterator[ast.Call]:
    """The calls of these functions of which the predicates hold, in source order."""
    for node in sorted(facts.tree.of(ast.Call), key=lambda call: (call.lineno, call.col_offset)):  # type: ignore[attr-defined]
        assert isinstance(node, ast.Call)
        if callee(facts, node) in names:
            if matches({"where": where, "unless": unless}, Seen(facts, node, arguments(facts, node))):
                yield node
