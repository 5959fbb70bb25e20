"""See two settings of one program that contradict each other."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.detect.call import matches
from dlgovern.detect.together_across import imported
from dlgovern.detect.where import Seen
from dlgovern.finding import Hit
from dlgovern.flow.calls import Arguments, arguments, callee
from dlgovern.flow.facts import Facts
from dlgovern.flow.files import other as other_file
from dlgovern.flow.paths import contradict, guards
from dlgovern.policy import Rule
from dlgovern.source.imports import normal
from dlgovern.source.tree import scope
from dlgovern.source.words import words

PARAMETERS = {
    "one": Parameter("any", "assigned (attributes), read (attributes) or calls (functions), and where, about `value` when assigned", required=True),
    "other": Parameter("any", "the same for what does not go with it; this is reported", required=True),
    "absent": Parameter("strings", "words of which the file may have none", default=[]),
    "apart": Parameter("boolean", "count sites in different functions too", default=False),
    "imported": Parameter("boolean", "count sites in files of the repository that the file imports too, with medium confidence", default=False),
}
GUARDS = ("opposite-branch", "taken-back")
"""Nothing is said where the conditions of the two exclude each other, or where the file sets what is meant to something else too."""


def triggers(parameters: dict[str, Any], _tables: dict[str, Any]) -> list[dict[str, Any]]:
    """One alternative for each pair of names."""
    ones, others = ([name for said in parameters[side] for name in _names(said)] for side in ("one", "other"))
    if parameters.get("imported"):
        return [{"name": name} for name in (*ones, *others)]
    return [{"name": other, "and": one} for other in others for one in ones]


def _names(said: dict[str, Any]) -> list[str]:
    return [name for key in ("assigned", "read", "calls") for name in said.get(key, ())]


def watch(rules: list[Rule], facts: Facts, _tables: dict[str, Any]) -> dict[type | None, Callable[[Any], Iterator[Hit]]]:
    """One handler for the whole file."""

    def see(_file: None) -> Iterator[Hit]:
        spoken = words(normal(facts.data))
        for rule in rules:
            if any(word.encode() in spoken for word in rule.parameters.get("absent", ())):
                continue
            off = rule.parameters.get("without_guards", ())
            ones = [node for said in rule.parameters["one"] for node in _sites(facts, said, "taken-back" not in off)]
            near = _by_scope(rule, ones)
            for said in rule.parameters["other"] if ones else ():
                for node in _sites(facts, said, "taken-back" not in off):
                    one = next((one for one in near.get(_home(rule, node), ()) if _meet(rule, one, node)), None)
                    if one is not None:
                        yield _hit(rule, facts, one, node, said)
            if rule.parameters.get("imported"):
                yield from _across(rule, facts, "taken-back" not in off)

    return {None: see}


def _sites(facts: Facts, said: dict[str, Any], once: bool) -> list[ast.AST]:
    """The places that are meant, in source order; of assignments only those of an attribute that gets one kind of value."""
    found: list[ast.AST] = []
    against: set[str] = set()
    for node in facts.tree.of(ast.Assign) if "assigned" in said else ():
        assert isinstance(node, ast.Assign)
        origin = next((name for target in node.targets if (name := facts.names.origin(target)) in said["assigned"]), None)
        if origin is None:
            continue
        value = Arguments((), {"value": node.value}, False, False, False, frozenset())
        if matches(said, Seen(facts, node, value)):  # type: ignore[arg-type]
            found.append(node)
        else:
            against.add(origin)
    if once and against:
        found = [n for n in found if not any(facts.names.origin(t) in against for t in n.targets)]  # type: ignore[attr-defined]
    if "read" in said:
        meant = [node for node in facts.tree.of(ast.Attribute) if facts.names.origin(node) in said["read"]]
        if not (once and any(isinstance(node.ctx, ast.Store) for node in meant)):  # type: ignore[attr-defined]
            found += [node for node in meant if isinstance(node.ctx, ast.Load)]  # type: ignore[attr-defined]
    for node in facts.tree.of(ast.Call) if "calls" in said else ():
        assert isinstance(node, ast.Call)
        if callee(facts, node) in said["calls"] and matches(said, Seen(facts, node, arguments(facts, node))):
            found.append(node)
    return sorted(found, key=lambda node: (node.lineno, node.col_offset))  # type: ignore[attr-defined]


def _across(rule: Rule, facts: Facts, once: bool) -> Iterator[Hit]:
    """The hit of a file that has one of the two and imports a file with the other."""
    sides = {side: _all(facts, rule.parameters[side], once) for side in ("one", "other")}
    missing = "one" if sides["other"] else "other"
    if bool(sides["one"]) is bool(sides["other"]) or (once and _is_against(rule, facts)):
        return
    wanted = {name.rpartition(".")[2].encode() for said in (*rule.parameters["one"], *rule.parameters["other"]) for name in _names(said)}
    there: tuple[Facts, ast.AST] | None = None
    for path, spoken in imported(facts):
        if any(word.encode() in spoken for word in rule.parameters.get("absent", ())):
            return
        if not spoken.isdisjoint(wanted) and (inner := other_file(facts, path)) is not None:
            if once and _is_against(rule, inner):
                return
            there = there or next(((inner, node) for node in _all(inner, rule.parameters[missing], once)), None)
    if there is not None:
        node = sides["one" if missing == "other" else "other"][0]
        texts = [ast.unparse(one)[:80] for one in ((node, there[1]) if missing == "other" else (there[1], node))]
        hit = facts.hit(rule.id, node, other=texts[0], written=texts[1])
        line, column, _, _ = there[0].span(there[1])
        yield hit._replace(related=((there[0].path, line, column, ast.unparse(there[1])[:80]),), confidence="medium")


def _all(facts: Facts, side: list[dict[str, Any]], once: bool) -> list[ast.AST]:
    return [node for said in side for node in _sites(facts, said, once)]


def _is_against(rule: Rule, facts: Facts) -> bool:
    """Whether a file sets what is meant to something else too, or what is only read at all."""
    for said in (*rule.parameters["one"], *rule.parameters["other"]):
        for node in facts.tree.of(ast.Attribute):
            assert isinstance(node, ast.Attribute)
            name = facts.names.origin(node) if isinstance(node.ctx, ast.Store) else None
            if name in said.get("read", ()) or (name in said.get("assigned", ()) and not _sites(facts, said, once=True)):
                return True
    return False


_FEW = 8  # sites of one function; more say the same


def _by_scope(rule: Rule, ones: list[ast.AST]) -> dict[int, list[ast.AST]]:
    found: dict[int, list[ast.AST]] = {}
    for one in ones:
        sites = found.setdefault(_home(rule, one), [])
        if len(sites) < _FEW:
            sites.append(one)
    return found


def _home(rule: Rule, node: ast.AST) -> int:
    """What two sites share that can meet: the function, or the file."""
    return 0 if rule.parameters.get("apart") else id(scope(node))


def _meet(rule: Rule, one: ast.AST, other: ast.AST) -> bool:
    if "opposite-branch" in rule.parameters.get("without_guards", ()):
        return True
    return not contradict(guards(one), guards(other))


def _hit(rule: Rule, facts: Facts, one: ast.AST, node: ast.AST, said: dict[str, Any]) -> Hit:
    line, column, _, _ = facts.span(one)
    text = ast.unparse(one)[:80]
    hit = facts.hit(rule.id, node, written=ast.unparse(node)[:80], other=text)
    less = {key: said[key] for key in ("level", "confidence") if key in said}
    return hit._replace(related=((facts.path, line, column, text),), **less)
