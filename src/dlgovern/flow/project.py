"""The functions and classes of the repository that an expression of one file means, wherever they are written."""

from __future__ import annotations

import ast
from typing import NamedTuple

from dlgovern.flow.facts import Facts
from dlgovern.flow.files import other
from dlgovern.flow.leads import may_inherit
from dlgovern.repository.reads import of_surface
from dlgovern.source.names import Binding
from dlgovern.source.tree import enclosing_class

Function = ast.FunctionDef | ast.AsyncFunctionDef

_DEPTH = 8


class Code(NamedTuple):
    """A function or class, and the facts of the file it is written in."""

    facts: Facts
    node: Function | ast.ClassDef


def definition(facts: Facts, node: ast.AST, depth: int = _DEPTH, *, home: bool = False) -> Code | None:
    """The function or class of the repository that a name, ``module.name`` or ``self.method`` means.

    ``home``: of this file only; no other one is opened.
    """
    if not depth:
        return None
    if isinstance(node, ast.Name):
        binding = facts.names.binding(node)
        if binding is None:
            return None if home else _starred(facts, node.id, depth, facts.reads)
        return _bound(facts, binding, node.id, depth, facts.reads, home=home)
    if not isinstance(node, ast.Attribute):
        return None
    if isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"):
        owner = enclosing_class(node)
        found = method(Code(facts, owner), node.attr, home=home) if owner else None
        if found is None and owner is not None and len(bound := facts.names.attribute_bindings(node)) == 1:
            return _bound(facts, bound[0], node.attr, depth, facts.reads, home=home)
        return found
    module = _module(facts, node.value)
    if module is not None:
        inner = None if home else other(facts, module, of_surface(module))
        return _exported(inner, node.attr, depth - 1, facts.reads) if inner else None
    owned = instance(facts, node.value, depth - 1, home=home)
    return method(owned, node.attr, home=home) if owned else None


def called(facts: Facts, call: ast.Call, *, home: bool = False) -> Code | None:
    """The function that a call runs: of a class its ``__init__``, of an instance ``__call__`` or ``forward``."""
    found = definition(facts, call.func, home=home)
    if found is not None:
        return method(found, "__init__", home=home) if isinstance(found.node, ast.ClassDef) else found
    owner = instance(facts, call.func, home=home)
    return (method(owner, "__call__", home=home) or method(owner, "forward", home=home)) if owner else None


def instance(facts: Facts, node: ast.AST, depth: int = _DEPTH, *, home: bool = False) -> Code | None:
    """The class of the repository that an expression is an instance of, as far as one assignment or annotation tells."""
    if not depth:
        return None
    if isinstance(node, ast.Call):
        found = definition(facts, node.func, depth - 1, home=home)
        if found is not None and isinstance(found.node, ast.ClassDef):
            return found
        if found is None and isinstance(node.func, ast.Attribute) and node.func.attr in _SAME:
            return instance(facts, node.func.value, depth - 1, home=home)
        return None
    binding = None
    if isinstance(node, ast.Name):
        binding = facts.names.binding(node)
        if binding is not None and isinstance(binding.node, ast.arg) and binding.node.annotation is not None:
            found = definition(facts, binding.node.annotation, depth - 1, home=home)
            return found if found is not None and isinstance(found.node, ast.ClassDef) else None
    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
        bound = [one for one in facts.names.attribute_bindings(node) if not _is_none(one.value)]
        binding = bound[0] if len(bound) == 1 else None
    if binding is None or binding.kind != "value" or binding.value is None or binding.value is node:
        return None
    return instance(facts, binding.value, depth - 1, home=home)


def method(owner: Code, name: str, depth: int = _DEPTH, *, home: bool = False) -> Code | None:
    """A method of a class of the repository, its own or of a base of the repository."""
    if not isinstance(owner.node, ast.ClassDef) or not depth:
        return None
    for statement in owner.node.body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef) and statement.name == name:
            return Code(owner.facts, statement)
    for base in owner.node.bases:
        if not may_inherit(owner.facts, base, name, owner.facts.reads):
            continue
        found = definition(owner.facts, base, depth - 1, home=home)
        if found is not None and found.node is not owner.node and (inner := method(found, name, depth - 1, home=home)):
            return inner
    return None


_SAME = frozenset("to cuda cpu eval train half float double bfloat16 requires_grad_".split())
"""Methods of a module that return the module."""


def _bound(facts: Facts, binding: Binding, name: str, depth: int, reads: set[str], *, home: bool = False) -> Code | None:
    """What a binding of a file means; what is read of others on the way joins ``reads``."""
    if binding.kind == "define" and isinstance(binding.node, Function | ast.ClassDef):
        return Code(facts, binding.node)
    if binding.kind == "value" and isinstance(binding.value, ast.Name | ast.Attribute):
        found = definition(facts, binding.value, depth - 1, home=home)
        reads |= {facts.path, *facts.reads}
        return found
    if home or binding.kind != "import" or not isinstance(binding.node, ast.ImportFrom):
        return None
    node = binding.node
    path = facts.repository.modules.find(facts.path, node.level, node.module or "")
    if path is None or path == facts.path:
        return None
    original = next((alias.name for alias in node.names if (alias.asname or alias.name) == name), name)
    inner = other(facts, path, of_surface(path), reads)
    return _exported(inner, original, depth - 1, reads) if inner else None


def _exported(inner: Facts, name: str, depth: int, reads: set[str]) -> Code | None:
    """What a name at the top of another file means; all of the file that defines it counts as read."""
    found = inner.names.bindings(inner.tree.module).get(name, [])
    code = _bound(inner, found[0], name, depth, reads) if found and depth else None
    if code is None and not found:
        code = _starred(inner, name, depth, reads)
    if code is not None:
        reads.add(code.facts.path)
    return code


def _starred(facts: Facts, name: str, depth: int, reads: set[str]) -> Code | None:
    """What a name means that only ``from module import *`` can bring."""
    if not depth:
        return None
    for node in facts.tree.of(ast.ImportFrom):
        assert isinstance(node, ast.ImportFrom)
        if node.names[0].name == "*":
            path = facts.repository.modules.find(facts.path, node.level, node.module or "")
            data = facts.repository.data(path) if path and path != facts.path else b""
            if name.encode() in data and path and (inner := other(facts, path, of_surface(path), reads)):
                if found := _exported(inner, name, depth - 1, reads):
                    return found
    return None


def _module(facts: Facts, node: ast.AST) -> str | None:
    """The file of the repository that an expression names as a module."""
    origin = node.id if isinstance(node, ast.Name) else ""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        origin = f"{node.value.id}.{node.attr}"
    head = node.value if isinstance(node, ast.Attribute) else node
    if not isinstance(head, ast.Name):
        return None
    binding = facts.names.binding(head)
    if binding is None or binding.kind != "import":
        return None
    find = facts.repository.modules.find
    if isinstance(binding.node, ast.Import):
        alias = next((a for a in binding.node.names if (a.asname or a.name.partition(".")[0]) == head.id), None)
        dotted = alias.name if alias is not None and alias.asname else origin
        return find(facts.path, 0, dotted)
    if isinstance(binding.node, ast.ImportFrom) and isinstance(node, ast.Name):
        line = binding.node
        name = next((a.name for a in line.names if (a.asname or a.name) == node.id), node.id)
        return find(facts.path, line.level, f"{line.module}.{name}" if line.module else name)
    return None


def _is_none(value: ast.AST | None) -> bool:
    return isinstance(value, ast.Constant) and value.value is None
