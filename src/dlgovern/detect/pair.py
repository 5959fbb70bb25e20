"""See two calls about one file that do not go together: one writes it, the other uses it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from dlgovern.detect import Parameter
from dlgovern.detect.call import matches
from dlgovern.detect.where import Seen, value_of
from dlgovern.finding import Hit
from dlgovern.flow.calls import arguments, callee
from dlgovern.flow.classes import instance_of
from dlgovern.flow.constants import constant
from dlgovern.flow.facts import Facts
from dlgovern.flow.paths import written
from dlgovern.policy import Rule
from dlgovern.source.imports import normal
from dlgovern.source.tree import scope
from dlgovern.source.words import words

PARAMETERS = {
    "writes": Parameter("any", "calls that write a file: names, argument and position of its path, where, unless", required=True),
    "uses": Parameter(
        "any", "calls that use it: names, argument, position; read_by: the path is given to this call, whose value is the argument", required=True
    ),
    "receivers": Parameter("names", "the use counts only for a method of an instance of one of these", default=[]),
    "absent": Parameter("strings", "words of which the file may have none", default=[]),
}


def triggers(parameters: dict[str, Any], _tables: dict[str, Any]) -> list[dict[str, Any]]:
    """One alternative a name of the writers."""
    return [{"name": name} for write in parameters["writes"] for name in write["names"]]


class _Site(NamedTuple):
    call: ast.Call
    path: ast.expr


def watch(rules: list[Rule], facts: Facts, _tables: dict[str, Any]) -> dict[type | None, Callable[[Any], Iterator[Hit]]]:
    """One handler for the whole file."""

    def see(_file: None) -> Iterator[Hit]:
        spoken = words(normal(facts.data))
        for rule in rules:
            if any(word.encode() in spoken for word in rule.parameters.get("absent", ())):
                continue
            writers = [site for write in rule.parameters["writes"] for site in _sites(facts, write)]
            known: dict[str, _Site] = {}
            for site in writers:
                known.setdefault(_key(facts, site), site)
            if not known:
                continue
            for use in rule.parameters["uses"]:
                for site in _sites(facts, use):
                    writer = known.get(_key(facts, site))
                    if writer is not None and _is_meant(rule, facts, site.call):
                        yield _hit(rule, facts, site, writer)

    return {None: see}


def _sites(facts: Facts, declared: dict[str, Any]) -> Iterator[_Site]:
    """The calls of a kind whose path is written, in source order."""
    names = declared["names"]
    loose = {name[2:] for name in names if name.startswith("*.")}
    for call in facts.tree.of(ast.Call):
        assert isinstance(call, ast.Call)
        last = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        if last not in loose and callee(facts, call) not in names:
            continue
        seen = Seen(facts, call, arguments(facts, call))
        if not matches(declared, seen):
            continue
        path = value_of(declared, seen)
        if path is not None and (reader := declared.get("read_by")):
            path = _read_from(facts, path, reader)
        if path is not None:
            yield _Site(call, path)


def _read_from(facts: Facts, value: ast.AST, reader: list[str]) -> ast.expr | None:
    """The path that a value was read from: ``load(path)``, a name for it, or an entry of it."""
    while isinstance(value, ast.Subscript):
        value = value.value
    if isinstance(value, ast.Name):
        binding = facts.names.binding(value)
        if binding is None or binding.kind != "value" or binding.value is None:
            return None
        value = binding.value
    if isinstance(value, ast.Call) and callee(facts, value) in reader and value.args:
        return value.args[0]
    return None


def _key(facts: Facts, site: _Site) -> str:
    """What two sites have in common when they mean one file: its name, or the same words in the same scope."""
    known = constant(facts, site.path)
    if isinstance(known, str):
        return f"={known}"
    text = ast.unparse(site.path)
    shared = isinstance(site.path, ast.Attribute) and written(site.path)
    return f"*{text}" if shared else f"{id(scope(site.call))}:{text}"


def _is_meant(rule: Rule, facts: Facts, call: ast.Call) -> bool:
    receivers = rule.parameters.get("receivers")
    if not receivers:
        return True
    return isinstance(call.func, ast.Attribute) and instance_of(facts, call.func.value, receivers)


def _hit(rule: Rule, facts: Facts, site: _Site, writer: _Site) -> Hit:
    line, column, _, _ = facts.span(writer.call)
    hit = facts.hit(
        rule.id, site.call, call=ast.unparse(site.call.func), writer=ast.unparse(writer.call.func), path=ast.unparse(site.path)[:60]
    )
    return hit._replace(related=((facts.path, line, column, ast.unparse(writer.call.func)),))
