"""See modules of libraries that the standard does not approve, in import statements or in names given to importers."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Collection, Iterator
from typing import Any, NamedTuple

from dlgovern.detect import Parameter, listing
from dlgovern.detect.listing import Listing, Verdict, judged, listing_of
from dlgovern.finding import LEVELS, Hit
from dlgovern.flow.calls import arguments, callee
from dlgovern.flow.constants import constant
from dlgovern.flow.facts import Facts
from dlgovern.flow.guards import asks_version, has_fallback, only_for_types
from dlgovern.policy import Rule
from dlgovern.source.tree import up

PARAMETERS = {
    **listing.PARAMETERS,
    "dynamic": Parameter("boolean", "judge names given to import_module and its like, not statements", default=False),
}
GUARDS = ("types-only", "fallback", "version-test", "standard-library", "own-module")
"""Under the first three the detector says less, under the others nothing; examples of its rules must show each."""

_IMPORTERS = {
    "importlib.import_module": "name",
    "importlib.__import__": "name",
    "__import__": "name",
    "pkgutil.resolve_name": "name",
}


class _Sighting(NamedTuple):
    node: ast.AST
    module: str


def triggers(parameters: dict[str, Any], tables: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The words of the modules that are meant; a closed list means every module."""
    if parameters.get("dynamic"):
        return [{"name": name} for name in _IMPORTERS]
    if parameters.get("closed"):
        return None
    wanted = listing_of(tables).imports(parameters.get("rings", ()), parameters.get("deny", ()))
    return [{"all": module.split(".")} for module in wanted]


def watch(rules: list[Rule], facts: Facts, tables: dict[str, Any]) -> dict[None, Callable[[Any], Iterator[Hit]]]:
    """One handler for the whole file, because each distribution is reported once."""
    table = listing_of(tables)

    def see(_: None) -> Iterator[Hit]:
        for rule in rules:
            seen = _called(facts) if rule.parameters.get("dynamic") else _stated(facts)
            yield from _hits(rule, facts, table, seen)

    return {None: see}


def _hits(rule: Rule, facts: Facts, table: Listing, seen: Iterator[_Sighting]) -> Iterator[Hit]:
    """The gravest sighting of each distribution, of equal ones the first."""
    off = rule.parameters.get("without_guards", ())
    best: dict[str, tuple[int, Hit]] = {}
    for node, module in seen:
        names = table.distributions(module)
        verdict = judged(rule.parameters, names, table.of_module(module), facts.path)
        if verdict is None or not _foreign(facts, module, off):
            continue
        level = _level(verdict, node, off)
        grave = LEVELS.index(level) if level else len(LEVELS)
        known = best.get(names[0])
        if known is None or grave > known[0]:
            slots = {"module": module, "distribution": names[0], "verdict": verdict.words, "instead": verdict.instead}
            if verdict.sunset and level == verdict.level and not _may_fail(node, off):
                slots["sunset"] = verdict.sunset
            best[names[0]] = (grave, facts.hit(rule.id, node, **slots)._replace(level=level))
    yield from (hit for _, hit in best.values())


def _level(verdict: Verdict, node: ast.AST, off: Collection[str]) -> str:
    """An import that only a type checker runs is information; one that may fail is a warning at most."""
    if "types-only" not in off and only_for_types(node):
        return "info"
    return "warning" if _may_fail(node, off) and verdict.level != "info" else verdict.level


def _may_fail(node: ast.AST, off: Collection[str]) -> bool:
    return ("fallback" not in off and has_fallback(node)) or ("version-test" not in off and asks_version(node))


def _foreign(facts: Facts, module: str, off: Collection[str]) -> bool:
    if "standard-library" not in off and module.partition(".")[0] in sys.stdlib_module_names:
        return False
    return "own-module" in off or not facts.repository.modules.owns(facts.path, module)


def _stated(facts: Facts) -> Iterator[_Sighting]:
    """The modules of import statements, in the order of the source."""
    found: list[_Sighting] = []
    for node in facts.tree.of(ast.alias):
        statement, name = up(node), node.name  # type: ignore[attr-defined]
        if isinstance(statement, ast.Import):
            found.append(_Sighting(node, name))
        elif isinstance(statement, ast.ImportFrom) and not statement.level and statement.module:
            found.append(_Sighting(statement, f"{statement.module}.{name}"))
    yield from sorted(found, key=lambda seen: (seen.node.lineno, seen.node.col_offset))  # type: ignore[attr-defined]


def _called(facts: Facts) -> Iterator[_Sighting]:
    """The modules whose names are given to an importing function."""
    for node in facts.tree.of(ast.Call):
        parameter = _IMPORTERS.get(callee(facts, node) or "")  # type: ignore[arg-type]
        if parameter is None:
            continue
        given = arguments(facts, node)  # type: ignore[arg-type]
        value = given.positional[0] if given.positional else given.keywords.get(parameter)
        name = _literal(facts, value).partition(":")[0]
        if name and not name.startswith("."):
            yield _Sighting(node, name)


def _literal(facts: Facts, node: ast.AST | None) -> str:
    """The text of a string; of one that is put together, the parts before its first unknown name."""
    value = constant(facts, node)
    if isinstance(value, str):
        return value
    if isinstance(node, ast.JoinedStr):
        first = node.values[0] if node.values else None
        return _complete(_literal(facts, first)) if isinstance(first, ast.Constant) else ""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _complete(_literal(facts, node.left))
    return ""


def _complete(text: str) -> str:
    return text.rpartition(".")[0]
