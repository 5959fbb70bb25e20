"""See directory listings whose order decides which rank or index gets which file."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.finding import Hit
from dlgovern.flow.facts import Facts
from dlgovern.flow.paths import called_name, own_nodes, written
from dlgovern.flow.project import called
from dlgovern.policy import Rule
from dlgovern.source.tree import enclosing_class, function, up

PARAMETERS = {
    "names": Parameter("names", "functions that list files in no order", required=True),
    "methods": Parameter("strings", "methods of paths that do", default=[]),
    "bases": Parameter("names", "classes whose attributes are read by index", required=True),
}
GUARDS = ("sorted-later",)
"""What the detector is silent under; a rule's examples must show it."""

_KEEP_ORDER = frozenset({"list", "tuple"})


def triggers(parameters: dict[str, Any], _tables: dict[str, Any]) -> list[dict[str, Any]]:
    """The functions by name, the methods by word."""
    found: list[dict[str, Any]] = [{"name": name} for name in parameters["names"]]
    return found + [{"all": [method]} for method in parameters.get("methods", ())]


def watch(rules: list[Rule], facts: Facts, _tables: dict[str, Any]) -> dict[type, Callable[[Any], Iterator[Hit]]]:
    """Handlers for calls."""
    reads = _Reads(facts)

    def see(node: ast.Call) -> Iterator[Hit]:
        for rule in rules:
            if not _lists(facts, node, rule.parameters):
                continue
            whole = _whole(facts, node)
            where = _attribute_of_dataset(facts, whole, rule.parameters, reads) or _slice_by_rank(facts, whole, reads) or _dealt_out(facts, whole)
            if where and ("sorted-later" in rule.parameters.get("without_guards", ()) or not reads.is_sorted(whole)):
                yield facts.hit(rule.id, node, call=ast.unparse(node.func), where=where)

    return {ast.Call: see}


class _Reads:
    """What the file does with its names and attributes: read by index, sliced, sorted. Collected on the first question."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts

    @cached_property
    def subscripts(self) -> dict[str, list[ast.Subscript]]:
        """The subscripts of each name, and of each ``self.x``."""
        found: dict[str, list[ast.Subscript]] = {}
        for node in self.facts.tree.of(ast.Subscript):
            if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
                if name := _written(node.value):
                    found.setdefault(name, []).append(node)
        return found

    @cached_property
    def sorts(self) -> set[tuple[int, str]]:
        """The class or file, and the name, of everything that is sorted."""
        found: set[tuple[int, str]] = set()
        for node in self.facts.tree.of(ast.Call):
            assert isinstance(node, ast.Call)
            if isinstance(node.func, ast.Attribute) and node.func.attr == "sort":
                found.add((id(enclosing_class(node)), _written(node.func.value)))
            elif isinstance(node.func, ast.Name) and node.func.id == "sorted":
                found.update((id(enclosing_class(node)), _written(argument)) for argument in node.args)
        return found

    def is_sorted(self, node: ast.AST) -> bool:
        """Whether ``x.sort()`` or ``sorted(x)`` stands anywhere around what the listing is bound to."""
        parent = up(node)
        if not isinstance(parent, ast.Assign):
            return False
        return (id(enclosing_class(node)), _written(parent.targets[0])) in self.sorts


def _written(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    own = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
    return f"self.{node.attr}" if own and isinstance(node, ast.Attribute) else ""


def _lists(facts: Facts, node: ast.Call, parameters: dict[str, Any]) -> bool:
    if facts.names.origin(node.func) in parameters["names"]:
        return True
    if not isinstance(node.func, ast.Attribute) or node.func.attr not in parameters.get("methods", ()):
        return False
    origin = facts.names.origin(node.func.value) or ""
    return origin.partition("()")[0] in ("pathlib.Path", "pathlib.PosixPath") and "()" in origin


def _whole(facts: Facts, node: ast.expr) -> ast.expr:
    """The expression around a listing that has the same files in the same order."""
    parent = up(node)
    if isinstance(parent, ast.Call) and node in parent.args and facts.names.origin(parent.func) in _KEEP_ORDER:
        return _whole(facts, parent)
    if isinstance(parent, ast.comprehension) and parent.iter is node:
        made = up(parent)
        if isinstance(made, ast.ListComp) and made.generators[0] is parent:
            return _whole(facts, made)
        if isinstance(made, ast.GeneratorExp) and made.generators[0] is parent:
            outer = up(made)
            if isinstance(outer, ast.Call) and facts.names.origin(outer.func) in _KEEP_ORDER:
                return _whole(facts, outer)
    return node


def _attribute_of_dataset(facts: Facts, node: ast.AST, parameters: dict[str, Any], reads: _Reads) -> str:
    parent = up(node)
    if not isinstance(parent, ast.Assign) or parent.value is not node:
        return ""
    target = parent.targets[0]
    if not (isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "self"):
        return ""
    owner = enclosing_class(node)
    if owner is None or not any(facts.names.origin(base) in parameters["bases"] for base in map(_plain, owner.bases)):
        return ""
    name = f"self.{target.attr}"
    return name if any(enclosing_class(use) is owner for use in reads.subscripts.get(name, ())) else ""


def _plain(base: ast.expr) -> ast.expr:
    return base.value if isinstance(base, ast.Subscript) else base


def _slice_by_rank(facts: Facts, node: ast.expr, reads: _Reads) -> str:
    """``files[rank::world_size]``, of the listing itself or of the name it is bound to."""
    parent = up(node)
    if isinstance(parent, ast.Subscript) and _is_stride(parent.slice):
        return ast.unparse(parent.slice)
    if not isinstance(parent, ast.Assign) or not isinstance(parent.targets[0], ast.Name):
        return ""
    name = parent.targets[0].id
    for use in reads.subscripts.get(name, ()):
        if _is_stride(use.slice) and isinstance(use.value, ast.Name):
            binding = facts.names.binding(use.value)
            if binding is not None and binding.value is node:
                return f"{name}[{ast.unparse(use.slice)}]"
    return ""


def _dealt_out(facts: Facts, node: ast.expr) -> str:
    """``Data(files, process_rank=r, num_processes=n)``, or ``Data(files, rank, world_size)``: the call that is given the listing, or its name, and deals it out to the ranks."""
    parent = up(node)
    if isinstance(parent, ast.Call):
        return _dealer(facts, parent) if node in parent.args else ""
    target = parent.targets[0] if isinstance(parent, ast.Assign) and parent.value is node else None
    owner = function(node)
    if not isinstance(target, ast.Name) or owner is None:
        return ""
    for call in own_nodes(owner.body):
        if isinstance(call, ast.Call) and any(isinstance(arg, ast.Name) and arg.id == target.id and _is_of(facts, arg, node) for arg in call.args):
            if where := _dealer(facts, call):
                return where
    return ""


def _is_of(facts: Facts, name: ast.Name, node: ast.expr) -> bool:
    binding = facts.names.binding(name)
    return binding is not None and binding.value is node


def _dealer(facts: Facts, call: ast.Call) -> str:
    named = [word.arg for word in call.keywords if word.arg]
    told = [*named, *(written(arg).rpartition(".")[2] or called_name(getattr(arg, "func", arg)) for arg in call.args)]
    ranks = [name for name in told if name == "rank" or name.endswith("_rank")]
    if not ranks or not any(_COUNT.search(name) for name in told):
        return ""
    code = called(facts, call)
    facts.reads |= code.facts.reads | {code.facts.path} if code is not None else set()
    text = ast.unparse(enclosing_class(code.node) or code.node) if code is not None else ""
    if (code is not None and "sort" in ast.unparse(code.node)) or (ranks[0] not in named and not _DEALT.search(text)):
        return ""
    return f"{ast.unparse(call.func)}(…, {ranks[0]}{'=…' if ranks[0] in named else ''})"


_COUNT = re.compile(r"^((get_)?world(_size)?|num_(processes|replicas|shards|ranks|workers))$")
_DEALT = re.compile(r"\[[\w.]*rank[\w.]*::|%\s*[\w.]*(world|num|size)\w*\s*[!=]=", re.I)
"""How a function deals out what it is given: ``files[rank::n]``, or ``i % n == rank``."""


def _is_stride(index: ast.AST) -> bool:
    return (
        isinstance(index, ast.Slice)
        and index.upper is None
        and index.lower is not None
        and index.step is not None
        and not isinstance(index.step, ast.Constant)
        and "rank" in ast.unparse(index.lower).lower()
    )
