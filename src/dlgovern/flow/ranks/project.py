"""Which function of the repository a call means: in this file, in others, on self, one class up."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import NamedTuple

from dlgovern.flow.facts import Facts
from dlgovern.flow.files import other
from dlgovern.flow.leads import may_inherit
from dlgovern.flow.ranks.objects import kinds
from dlgovern.repository.reads import of_surface
from dlgovern.source.names import BUILTINS, Binding
from dlgovern.source.tree import enclosing_class

_DEPTH = 6  # re-exports

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Target(NamedTuple):
    """A function and the file it stands in; ``owner`` is the class of a method."""

    facts: Facts
    node: Function
    owner: ast.ClassDef | None = None

    @property
    def key(self) -> tuple[str, int, int]:
        """Names the function in its repository."""
        return (self.facts.path, self.node.lineno, self.node.col_offset)


class Definition(NamedTuple):
    """A function or class by name."""

    facts: Facts
    node: ast.AST


class Project:
    """Opens files of one repository on demand; ``reads`` collects what an answer was taken from."""

    def __init__(self, facts: Facts, matters: Callable[[Target], bool] = lambda _: True) -> None:
        """``matters``: whether a method of an object is worth to be followed that may be of a class below the one that is known."""
        self.home = facts
        self._matters = matters
        self.reads: set[str] = set()
        self._deep = 0
        self._functions: dict[int, tuple[ast.AST, Target | None, set[str]]] = {}

    def _open(self, path: str) -> Facts | None:
        """The facts of another file that is asked for a name, None when it cannot be had."""
        if path == self.home.path:
            return self.home
        read = of_surface(path)
        self.reads.add(read)
        return other(self.home, path, read)

    def _read(self, facts: Facts) -> None:
        """All of a file counts as read: what it defines is looked into."""
        if facts is not self.home:
            self.reads.add(facts.path)
            self.home.reads.add(facts.path)

    def function(self, facts: Facts, func: ast.AST) -> Target | None:
        """The function that a callee means; for a class its ``__init__``, for an object its ``__call__``."""
        known = self._functions.get(id(func))
        if known is None:
            reads, self.reads = self.reads, set()
            known = self._functions[id(func)] = (func, self._function(facts, func), self.reads)
            self.reads = reads
        self.reads |= known[2]
        return known[1]

    def _function(self, facts: Facts, func: ast.AST) -> Target | None:
        found = self.definition(facts, func)
        if found is None:
            return self._call_of(facts, func)
        if isinstance(found.node, Function):
            return Target(found.facts, found.node, _owner(found.node))
        if isinstance(found.node, ast.ClassDef):
            return self.method(found.facts, found.node, "__init__")
        return None

    def _call_of(self, facts: Facts, func: ast.AST) -> Target | None:
        """What runs when an object of a known class is called."""
        if not isinstance(func, ast.Name | ast.Attribute):
            return None
        found = (self.method(kind.facts, kind.node, "__call__") for kind in kinds(self, facts, func) if kind.made)
        return next((one for one in found if one is not None), None)

    def definition(self, facts: Facts, func: ast.AST) -> Definition | None:
        """What a name or a chain of attributes is defined as, functions and classes only."""
        if self._deep >= _DEPTH:
            return None
        self._deep += 1
        try:
            return self._defined(facts, func)
        finally:
            self._deep -= 1

    def _defined(self, facts: Facts, func: ast.AST) -> Definition | None:
        if isinstance(func, ast.Name):
            return self._name(facts, func)
        if not isinstance(func, ast.Attribute):
            return None
        base = func.value
        if isinstance(base, ast.Name):
            if base.id in ("self", "cls"):
                owner = enclosing_class(func)
                return _as_definition(self.method(facts, owner, func.attr)) if owner else None
            binding = facts.names.binding(base)
            if binding is not None and binding.kind == "import" and (module := self._module(facts, binding.node, base.id)):
                return self.named(module, func.attr)
            return self._static(facts, base, func.attr) or self._owned(facts, func)
        if isinstance(base, ast.Call) and isinstance(base.func, ast.Name) and base.func.id == "super":
            owner = enclosing_class(func)
            return _as_definition(self._inherited(facts, owner, func.attr, 2)) if owner else None
        if isinstance(base, ast.Attribute):
            return self._dotted(facts, func) or self._owned(facts, func)
        return self._owned(facts, func)

    def _owned(self, facts: Facts, func: ast.Attribute) -> Definition | None:
        """The method of an object whose class is known."""
        for kind in kinds(self, facts, func.value):
            method = self.method(kind.facts, kind.node, func.attr)
            if method is not None and (kind.made or (not _is_abstract(method.node) and self._matters(method))):
                return _as_definition(method)
        return None

    def method(self, facts: Facts, owner: ast.ClassDef, name: str, depth: int = 2) -> Target | None:
        """A method of a class, or of the classes above it."""
        for statement in owner.body:
            if isinstance(statement, Function) and statement.name == name:
                return Target(facts, statement, owner)
        return self._inherited(facts, owner, name, depth)

    def named(self, path: str, name: str, depth: int = _DEPTH) -> Definition | None:
        """What the module at ``path`` calls ``name``."""
        if depth == 0 or name.encode() not in self.home.repository.data(path):
            return self._starred(path, name, depth)
        facts = self._open(path)
        if facts is None:
            return None
        for binding in reversed(facts.names.bindings(facts.tree.module).get(name, [])):
            if binding.kind == "define":
                self._read(facts)
                return Definition(facts, binding.node)
            if binding.kind == "import" and isinstance(binding.node, ast.ImportFrom):
                found = self._imported(facts, binding.node, name, depth - 1)
                if found is not None:
                    return found
        return self._starred(path, name, depth)

    def _starred(self, path: str, name: str, depth: int) -> Definition | None:
        if depth == 0 or b"*" not in self.home.repository.data(path):
            return None
        facts = self._open(path)
        for node in facts.tree.module.body if facts else ():
            if isinstance(node, ast.ImportFrom) and node.names[0].name == "*" and facts is not None:
                inner = facts.repository.modules.find(facts.path, node.level, node.module or "")
                if inner is not None and inner != path and (found := self.named(inner, name, depth - 2)):
                    return found
        return None

    def _name(self, facts: Facts, node: ast.Name) -> Definition | None:
        binding = facts.names.binding(node)
        if binding is None and node.id in BUILTINS:
            return None
        if binding is None:
            return self._starred(facts.path, node.id, 2) if facts.path == self.home.path else None
        if binding.kind == "define":
            return Definition(facts, binding.node)
        if binding.kind == "import" and isinstance(binding.node, ast.ImportFrom):
            return self._imported(facts, binding.node, node.id, _DEPTH)
        for one in facts.names.bindings(facts.tree.module).get(node.id, ()):
            if one.kind == "define" and (isinstance(binding.value, ast.Call) or binding.node is node):
                return Definition(facts, one.node)  # given a new value somewhere: f = torch.compile(f)
        return None

    def _imported(self, facts: Facts, node: ast.ImportFrom, local: str, depth: int) -> Definition | None:
        inner = facts.repository.modules.find(facts.path, node.level, node.module or "")
        if inner is None or depth <= 0 or (inner == facts.path and node.level == 0):
            return None
        name = next((alias.name for alias in node.names if (alias.asname or alias.name) == local), local)
        return self.named(inner, name, depth - 1)

    def called(self, facts: Facts, name: str) -> Definition | None:
        """What a file itself calls ``name`` at its top."""
        for binding in facts.names.bindings(facts.tree.module).get(name, ()):
            if binding.kind == "define":
                return Definition(facts, binding.node)
            if binding.kind == "import" and isinstance(binding.node, ast.ImportFrom):
                return self._imported(facts, binding.node, name, _DEPTH)
        return None

    def variable(self, facts: Facts, node: ast.AST, local: str) -> tuple[Facts, list[Binding]] | None:
        """The file that gives an imported variable its values, and these."""
        if not isinstance(node, ast.ImportFrom):
            return None
        path = facts.repository.modules.find(facts.path, node.level, node.module or "")
        name = next((alias.name for alias in node.names if (alias.asname or alias.name) == local), local)
        inner = self._open(path) if path is not None and name.encode() in self.home.repository.data(path) else None
        if inner is None:
            return None
        self._read(inner)
        return inner, [one for one in inner.names.bindings(inner.tree.module).get(name, ()) if one.kind in ("value", "annotation")]

    def _module(self, facts: Facts, node: ast.AST, local: str) -> str | None:
        """The file that an imported name means, if it means a module."""
        find = facts.repository.modules.find
        if isinstance(node, ast.Import):
            for alias in node.names:
                if (alias.asname or alias.name.partition(".")[0]) == local:
                    return find(facts.path, 0, alias.name if alias.asname else local)
        if isinstance(node, ast.ImportFrom):
            name = next((alias.name for alias in node.names if (alias.asname or alias.name) == local), local)
            return find(facts.path, node.level, f"{node.module}.{name}" if node.module else name)
        return None

    def _static(self, facts: Facts, base: ast.Name, name: str) -> Definition | None:
        """``Class.method``."""
        owner = self._name(facts, base)
        if owner is None or not isinstance(owner.node, ast.ClassDef):
            return None
        return _as_definition(self.method(owner.facts, owner.node, name))

    def _dotted(self, facts: Facts, func: ast.Attribute) -> Definition | None:
        """``package.module.function``."""
        parts: list[str] = []
        node: ast.AST = func
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return None
        binding = facts.names.binding(node)
        if binding is None or not isinstance(binding.node, ast.Import):
            return None
        dotted = ".".join([node.id, *reversed(parts[1:])])
        inner = facts.repository.modules.find(facts.path, 0, dotted)
        return self.named(inner, func.attr) if inner else None

    def _inherited(self, facts: Facts, owner: ast.ClassDef, name: str, depth: int) -> Target | None:
        for base in owner.bases if depth else ():
            if not may_inherit(facts, base, name, self.reads):
                continue
            found = self.definition(facts, base)
            if found is not None and isinstance(found.node, ast.ClassDef) and found.node is not owner:
                method = self.method(found.facts, found.node, name, depth - 1)
                if method is not None:
                    return method
        return None


def _is_abstract(node: Function) -> bool:
    """Whether a method is there for classes below to fill in."""
    body = [one for one in node.body if not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))]
    return not body or (len(body) == 1 and isinstance(body[0], ast.Pass | ast.Raise))


def _as_definition(target: Target | None) -> Definition | None:
    return Definition(target.facts, target.node) if target else None


def _owner(node: ast.AST) -> ast.ClassDef | None:
    above = getattr(node, "up", None)
    return above if isinstance(above, ast.ClassDef) else None


def functions(facts: Facts) -> Iterator[Target]:
    """Every function of a file, in source order."""
    found = [node for node in facts.tree.of(ast.FunctionDef, ast.AsyncFunctionDef) if isinstance(node, Function)]
    for node in sorted(found, key=lambda one: (one.lineno, one.col_offset)):
        yield Target(facts, node, _owner(node))


def module_body(facts: Facts) -> Target:
    """The statements of a file as a function without a name."""
    body = ast.FunctionDef("", ast.arguments([], [], None, [], [], None, []), facts.tree.module.body, [])
    body.lineno, body.col_offset = 0, 0
    return Target(facts, body)


def targets(facts: Facts) -> Iterator[Target]:
    """What is judged of a file: its own statements and its functions, what leaves a context manager with what enters it."""
    yield module_body(facts)
    for target in functions(facts):
        if target.node.name != "__exit__" or target.owner is None:
            yield target
