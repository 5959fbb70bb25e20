"""See tests that need a GPU and neither say so with a marker nor skip themselves where there is none."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.finding import Hit
from dlgovern.flow.facts import Facts
from dlgovern.policy import Rule
from dlgovern.repository.view import View
from dlgovern.source.classify import setting
from dlgovern.source.tree import enclosing_class

PARAMETERS = {
    "devices": Parameter("strings", "beginnings of the device names that need hardware", required=True),
    "methods": Parameter("strings", "methods that move to such a device", default=[]),
    "marks": Parameter("strings", "markers about hardware that pytest must know", default=[]),
    "starts": Parameter("names", "what starts processes and waits for them without a limit", default=[]),
}
KINDS = frozenset({"repository"})
"""Beside Python, the repository as a whole: what pytest is told, and what no test says alone."""

GUARDS = ("marked", "asks-first", "handed-in", "not-a-test")
"""What the detector is silent under; examples of its rules must show each."""

_MARK = re.compile(r"skip|require|gpu|cuda|device|mark\.(?!parametrize)|nccl|accelerator|multi|world|dist", re.I)
_ASKS = re.compile(r"is_available|device_count|\bskip|get_accelerator|importorskip|has_cuda|cuda_available|_AVAILABLE|current_accelerator")
_FIXTURE = re.compile(r"device|cuda|gpu|accelerator", re.I)


def triggers(parameters: dict[str, Any], _tables: dict[str, Any]) -> list[dict[str, Any]]:
    """The device names and the methods as words."""
    return [{"all": [word]} for word in (*parameters["devices"], *parameters.get("methods", ()))]


def watch(rules: list[Rule], facts: Facts, _tables: dict[str, Any]) -> dict[type, Callable[[Any], Iterator[Hit]]]:
    """Handlers for functions."""

    def see(node: ast.FunctionDef) -> Iterator[Hit]:
        for rule in rules:
            off = rule.parameters.get("without_guards", ())
            if _is_test(facts, node, off) and not _is_excused(facts, node, off) and (use := _use(rule, facts, node)) is not None:
                yield facts.hit(rule.id, use, what=f"{node.name} needs a GPU: {ast.unparse(use)}")

    return {ast.FunctionDef: see}


def judge_repository(rules: list[Rule], view: View) -> Iterator[tuple[str, Hit]]:
    """The hits on how the tests are set up."""
    from dlgovern.detect.test_setup import set_up

    yield from set_up(rules, view)


def _is_test(facts: Facts, node: ast.FunctionDef, off: Collection[str]) -> bool:
    if "not-a-test" in off:
        return True
    return setting(facts.path) == "test" and node.name.startswith("test")


def _is_excused(facts: Facts, node: ast.FunctionDef, off: Collection[str]) -> bool:
    owner = enclosing_class(node)
    marks = [*node.decorator_list, *(owner.decorator_list if owner else ()), *(owner.bases if owner else ())]
    module = [one.value for one in facts.tree.module.body if isinstance(one, ast.Assign) and _names(one) == "pytestmark"]
    if "marked" not in off and any(_MARK.search(ast.unparse(one)) for one in (*marks, *module)):
        return True
    if "handed-in" not in off and any(_FIXTURE.search(one.arg) for one in node.args.args):
        return True
    return "asks-first" not in off and _ASKS.search(facts_text(facts)) is not None


def facts_text(facts: Facts) -> str:
    """The whole source: a file that asks for hardware anywhere is taken to do so for all its tests."""
    return "\n".join(facts.lines)


def _names(node: ast.Assign) -> str:
    target = node.targets[0]
    return target.id if isinstance(target, ast.Name) else ""


def _use(rule: Rule, facts: Facts, node: ast.FunctionDef) -> ast.AST | None:
    """The first place in a test that names such a device or moves there."""
    for inner in ast.walk(node):
        if not isinstance(inner, ast.Call):
            continue
        if isinstance(inner.func, ast.Attribute) and inner.func.attr in rule.parameters.get("methods", ()) and not inner.args:
            return inner
        given = [*inner.args[:2], *(keyword.value for keyword in inner.keywords if keyword.arg == "device")]
        for value in given:
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                name = value.value.partition(":")[0]
                moves = isinstance(inner.func, ast.Attribute) and inner.func.attr == "to"
                makes = (facts.names.origin(inner.func) or "").startswith("torch.") and value not in inner.args
                if name in rule.parameters["devices"] and (moves or makes):
                    return inner
    return None
