"""Which class an expression is an instance of, as far as this file tells."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from weakref import WeakKeyDictionary

from dlgovern.flow.facts import Facts
from dlgovern.source.tree import SCOPES, parents, scope

_DEPTH = 8
_SAME = frozenset(
    "to cuda cpu xpu eval train half float double bfloat16 requires_grad_ to_empty share_memory".split()
)
"""Methods of a module that return the module."""


def instance_of(facts: Facts, node: ast.AST, names: Iterable[str]) -> bool:
    """Whether ``node`` was made by one of these classes, or by a class of this file that derives from one.

    A name that ends in ``.*`` stands for every class and factory below it.
    """
    made = _maker(facts, node, _DEPTH)
    if isinstance(made, str):
        return _named(made, names)
    return made is not None and derives_from(facts, made, names)


def derives_from(facts: Facts, kind: ast.AST, names: Iterable[str], depth: int = _DEPTH) -> bool:
    """Whether the class that ``kind`` names is one of these, or has one among its bases in this file."""
    origin = facts.names.origin(kind)
    if origin is not None:
        return _named(origin, names)
    if not depth or not isinstance(kind, ast.Name):
        return False
    binding = facts.names.binding(kind)
    if binding is None or not isinstance(binding.node, ast.ClassDef):
        return False
    return any(derives_from(facts, base, names, depth - 1) for base in binding.node.bases)


def methods_called(facts: Facts, node: ast.AST) -> set[str]:
    """The methods that the file calls on the variable ``node``, wherever that variable is in scope.

    Nothing where the variable is also given a mapping, or what some other method returned: it may then mean
    different things at different places.
    """
    node = _unwrapped(facts, node)
    if not isinstance(node, ast.Name) or (home := _home(facts, node)) is None:
        return set()
    if any(_is_other(binding.value, node.id) for binding in facts.names.bindings(home)[node.id]):
        return set()
    if facts not in _CALLED:
        _CALLED[facts] = _all_called(facts)
    return _CALLED[facts].get((id(home), node.id), set())


def _unwrapped(facts: Facts, node: ast.AST) -> ast.AST:
    """The variable behind a copy, the module inside of a wrapper, or a method that returns its object."""
    for _ in range(_DEPTH):
        if isinstance(node, ast.Attribute) and node.attr == "module":
            node = node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _SAME:
            node = node.func.value
        elif isinstance(node, ast.Call) and node.args and facts.names.origin(node.func) == "copy.deepcopy":
            node = node.args[0]
        elif isinstance(node, ast.IfExp):
            node = node.body
        else:
            return node
    return node


_CALLED: WeakKeyDictionary[Facts, dict[tuple[int, str], set[str]]] = WeakKeyDictionary()


def _all_called(facts: Facts) -> dict[tuple[int, str], set[str]]:
    """The methods called on each variable, by the scope the variable lives in and its name."""
    found: dict[tuple[int, str], set[str]] = {}
    for call in facts.tree.of(ast.Call):
        function = call.func  # type: ignore[attr-defined]
        if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
            home = _home(facts, function.value)
            if home is not None:
                found.setdefault((id(home), function.value.id), set()).add(function.attr)
    return found


def _maker(facts: Facts, node: ast.AST, depth: int) -> ast.AST | str | None:
    """The expression, or the origin, of what was called to make ``node``."""
    if not depth:
        return None
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr in _SAME:
            return _maker(facts, node.func.value, depth - 1)
        return node.func
    if isinstance(node, ast.Name):
        binding = facts.names.binding(node)
        if binding is None:
            return None
        if binding.kind == "annotation":
            return (facts.names.origin(node) or "").removesuffix("()")
        return _maker(facts, binding.value, depth - 1) if binding.kind == "value" and binding.value else None
    if isinstance(node, ast.Attribute):
        found = facts.names.attribute_bindings(node) if isinstance(node.value, ast.Name) else []
        if len(found) == 1 and found[0].kind == "value" and found[0].value is not None:
            return _maker(facts, found[0].value, depth - 1)
    return None


def _named(origin: str, names: Iterable[str]) -> bool:
    if "()" in origin:
        return False
    return any(origin == name or (name.endswith(".*") and origin.startswith(name[:-1])) for name in names)


def _home(facts: Facts, node: ast.Name) -> ast.AST | None:
    """The scope whose variable ``node`` is."""
    where: ast.AST | None = scope(node)
    own = True
    while where is not None:
        if (own or not isinstance(where, ast.ClassDef)) and node.id in facts.names.bindings(where):
            return where
        own = False
        where = next((parent for parent in parents(where) if isinstance(parent, SCOPES)), None)
    return None


def _is_other(value: ast.AST | None, name: str) -> bool:
    """Whether a value given to the variable ``name`` is a mapping, or the result of a method of the variable itself."""
    if isinstance(value, ast.Dict | ast.DictComp | ast.Tuple | ast.List | ast.ListComp):
        return True
    if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Attribute):
        return False
    if value.func.attr == "state_dict":
        return True
    own = isinstance(value.func.value, ast.Name) and value.func.value.id == name
    return own and value.func.attr not in _SAME
