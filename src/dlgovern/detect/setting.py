"""See environment variables and switches of libraries being set."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.detect.call import matches
from dlgovern.detect.made import environment_read
from dlgovern.detect.recipes import guarded, launches_in
from dlgovern.detect.where import Seen
from dlgovern.evidence.recipe import SCRIPTS, Recipe
from dlgovern.evidence.script import Setting
from dlgovern.finding import Hit
from dlgovern.flow.calls import Arguments
from dlgovern.flow.constants import UNKNOWN, constant
from dlgovern.flow.facts import Facts
from dlgovern.policy import Rule
from dlgovern.repository.window import Window, Windows, parse_version
from dlgovern.source.imports import normal
from dlgovern.source.tree import parents
from dlgovern.source.words import words

PARAMETERS = {
    "environment": Parameter("strings", "names of environment variables", default=[]),
    "attributes": Parameter("names", "dotted names of attributes that are assigned", default=[]),
    "where": Parameter("predicates", "predicates on the argument `value` that must all hold", default=[]),
    "unless": Parameter("predicates", "predicates on the argument `value` of which none may hold", default=[]),
    "scripts": Parameter("boolean", "count scripts, images, workflows and manifests too", default=False),
    "prose": Parameter("boolean", "count what prose shows and what tests a change", default=True),
    "default": Parameter("boolean", "count setdefault and assignments that keep a value from outside", default=True),
}

KINDS = SCRIPTS
"""Kinds of evidence in which environment variables are set."""

GUARDS = ("debugging",)
"""What the detector is silent under; an example of its rules must show it."""

_ENVIRONMENT = ("os.environ", "os.environ.copy()", "dict()", "copy.copy()", "copy.deepcopy()")
_COPIES = ("dict", "copy.copy", "copy.deepcopy")


def triggers(parameters: dict[str, Any], _tables: dict[str, Any]) -> list[dict[str, Any]]:
    """One alternative a name. A variable's name must stand in the file itself, see `_written`."""
    found: list[dict[str, Any]] = [{"all": [name]} for name in parameters.get("environment", ())]
    return found + [{"name": name} for name in parameters.get("attributes", ())]


def watch(rules: list[Rule], facts: Facts, _tables: dict[str, Any]) -> dict[type, Callable[[Any], Iterator[Hit]]]:
    """Handlers for assignments, calls and dictionaries."""
    written = words(normal(facts.data))
    environment = _index(rules, "environment")
    attributes = _index(rules, "attributes")

    def variable(key: ast.AST | None, value: ast.AST, at: ast.AST, default: bool = False) -> Iterator[Hit]:
        name = constant(facts, key)
        if isinstance(name, str) and name in environment and name.encode() in written:
            yield from _hits(facts, environment[name], name, value, at, default or _keeps(facts, at, name))

    def assign(node: ast.Assign) -> Iterator[Hit]:
        for target in node.targets:
            if isinstance(target, ast.Subscript) and _is_environment(facts, target.value):
                yield from variable(target.slice, node.value, node)
            elif isinstance(target, ast.Attribute):
                name = facts.names.origin(target)
                if name in attributes:
                    yield from _hits(facts, attributes[name], name, node.value, node, False)

    def call(node: ast.Call) -> Iterator[Hit]:
        function = node.func
        if facts.names.origin(function) == "os.putenv" and len(node.args) > 1:
            yield from variable(node.args[0], node.args[1], node)
        if isinstance(function, ast.Attribute) and _is_environment(facts, function.value):
            if function.attr == "setdefault" and len(node.args) > 1:
                yield from variable(node.args[0], node.args[1], node, default=True)
            elif function.attr == "update":
                yield from keywords(node)
                for given in node.args:
                    yield from entries(given)
        elif facts.names.origin(function) == "dict" and node.args and _is_environment(facts, node.args[0]):
            yield from keywords(node)

    def keywords(node: ast.Call) -> Iterator[Hit]:
        for word in node.keywords:
            if word.arg:
                yield from variable(ast.Constant(word.arg), word.value, word)

    def entries(node: ast.AST) -> Iterator[Hit]:
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if key is not None:
                    yield from variable(key, value, key)

    def spread(node: ast.Dict) -> Iterator[Hit]:
        if any(key is None and _is_environment(facts, value) for key, value in zip(node.keys, node.values, strict=True)):
            yield from entries(node)

    def merge(node: ast.AugAssign) -> Iterator[Hit]:
        if isinstance(node.op, ast.BitOr) and _is_environment(facts, node.target):
            yield from entries(node.value)

    return {ast.Assign: assign, ast.Call: call, ast.Dict: spread, ast.AugAssign: merge}


def judge(rules: list[Rule], document: Recipe, _tables: dict[str, Any], windows: Windows) -> Iterator[Hit]:
    """The hits on the variables that a script, an image, a workflow or a manifest gives to processes."""
    wanted = _index(rules, "environment")
    settings = [*document.settings, *(setting for launch in launches_in(document) for setting in launch.settings)]
    window = windows.of(document.path, "torch")
    for setting in dict.fromkeys(settings) if wanted else ():
        for rule in wanted.get(setting.name, ()) if setting.exported else ():
            said = rule.parameters
            if not said.get("scripts"):
                continue
            if not said.get("prose", True) and _is_no_production(rule, document):
                continue
            if all(_is_so(predicate, setting, window) for predicate in said.get("where", ())):
                end = setting.end_column if setting.line == setting.end_line else setting.column + len(setting.name)
                slots = {"name": setting.name, "value": setting.value[:60] or '""'}
                yield Hit(rule.id, setting.line, setting.column, setting.line, end, slots=slots)


def _is_no_production(rule: Rule, document: Recipe) -> bool:
    """Whether a file shows, tests or debugs, instead of training."""
    hunting = guarded(rule, "debugging") and re.search(r"debug|profil", document.path.lower())
    return document.kind == "prose" or document.workflow is not None or bool(hunting)


def _is_so(predicate: dict[str, Any], setting: Setting, window: Window | None) -> bool:
    """Whether a predicate about the argument `value`, or about a version window, holds outside of Python."""
    if "window" in predicate:
        return window is not None and "reaches" in predicate and window.reaches(parse_version(predicate["reaches"]))
    return setting.known and setting.value.strip().lower() in [str(one).lower() for one in predicate.get("in", ())]


def _index(rules: list[Rule], parameter: str) -> dict[str, list[Rule]]:
    found: dict[str, list[Rule]] = {}
    for rule in rules:
        for name in rule.parameters.get(parameter, ()):
            found.setdefault(name, []).append(rule)
    return found


def _hits(
    facts: Facts, rules: list[Rule], name: str, value: ast.AST, at: ast.AST, default: bool
) -> Iterator[Hit]:
    found = Arguments((), {"value": value}, False, False, False, frozenset())  # type: ignore[dict-item]
    for rule in rules:
        if default and not rule.parameters.get("default"):
            continue
        if matches(rule.parameters, Seen(facts, at, found)):  # type: ignore[arg-type]
            yield facts.hit(rule.id, at, name=name, value=_shown(facts, value))


def _is_environment(facts: Facts, node: ast.AST) -> bool:
    """Whether a node is the environment of this process, or a copy of it that will be given to another."""
    origin = facts.names.origin(node)
    if origin in ("os.environ", "os.environ.copy()"):
        return True
    if origin not in _ENVIRONMENT:
        return False
    made = node
    if isinstance(node, ast.Name) and (binding := facts.names.binding(node)) and binding.value is not None:
        made = binding.value
    return (
        isinstance(made, ast.Call)
        and facts.names.origin(made.func) in _COPIES
        and bool(made.args)
        and facts.names.origin(made.args[0]) == "os.environ"
    )


_LAUNCHED = frozenset(("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"))
"""What every launcher sets: where one is missing, all are."""


def _keeps(facts: Facts, node: ast.AST, name: str) -> bool:
    """Whether an assignment stands under a test that the variable, or another one of a launcher, is not set yet."""
    child = node
    launched = name in _LAUNCHED
    for parent in parents(node):
        if isinstance(parent, ast.If):
            taken = child in parent.body
            if _asks(facts, parent.test, name) or (launched and (taken or child in parent.orelse) and _lacks(facts, parent.test, taken)):
                return True
            launched = launched and not (taken and _OTHER_LAUNCHERS.search(ast.unparse(parent.test)))
        child = parent
    return False


_OTHER_LAUNCHERS = re.compile(r"SLURM|OMPI|PMI|MV2|mpi", re.I)


def _lacks(facts: Facts, test: ast.AST, holds: bool) -> bool:
    """Whether a test says that what launchers set is not there: ``"RANK" not in os.environ``, or ``"RANK" in os.environ and …`` that fails."""
    every = test.values if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) and not holds else [test]
    return all(
        isinstance(one, ast.Compare) and isinstance(one.ops[0], ast.NotIn if holds else ast.In)
        and facts.names.origin(one.comparators[0]) == "os.environ" and constant(facts, one.left) in _LAUNCHED
        for one in every
    )


def _asks(facts: Facts, test: ast.AST, name: str) -> bool:
    for node in ast.walk(test):
        if isinstance(node, ast.Compare) and facts.names.origin(node.comparators[0]) == "os.environ":
            if constant(facts, node.left) == name:
                return True
        if environment_read(facts, node) == name:
            return True
    return False


def _shown(facts: Facts, value: ast.AST) -> str:
    known = constant(facts, value)
    if known is not UNKNOWN:
        return repr(known) if isinstance(known, str) else str(known)
    return ast.unparse(value)[:60]
