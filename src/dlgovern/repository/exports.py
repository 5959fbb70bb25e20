"""What a module of the repository passes on from elsewhere: ``from .compat import tload`` is ``torch.load``."""

from __future__ import annotations

import ast
import hashlib
import os
import re
from typing import NamedTuple

from dlgovern.repository.modules import Modules
from dlgovern.source.parse import Unparsable, parse
from dlgovern.source.read import Unreadable, read

_DEPTH = 8


class Import(NamedTuple):
    """A name bound by an import statement: ``from <level dots><module> import <name>``, name "" for a module."""

    level: int
    module: str
    name: str


class Exports(NamedTuple):
    """The names a module passes on, and the modules it star-imports from."""

    imports: dict[str, Import]
    dotted: dict[str, str]  # name -> dotted expression as written, from ``load = torch.load``
    constants: dict[str, object]
    stars: tuple[tuple[int, str], ...]


_NOTHING = Exports({}, {}, {}, ())


class Repository:
    """Follows names through the modules of one repository, and records which files an answer depends on."""

    def __init__(self, root: str, modules: Modules | None = None) -> None:
        self.modules = modules or Modules(root)
        self.root = root
        self._bytes: dict[str, bytes] = {}
        self._digests: dict[str, str] = {}
        self._exports: dict[str, Exports] = {}
        self._origins: dict[tuple[str, str], str | None] = {}
        self._depends: dict[tuple[str, str], frozenset[str]] = {}
        self._passed: dict[str, tuple[dict[str, str], frozenset[str]]] = {}

    def origin(self, path: str, name: str) -> tuple[str | None, frozenset[str]]:
        """Where ``name`` of the module at ``path`` comes from outside the repository, and the files read for it.

        None: defined in the repository, or unknown.
        """
        key = (path, name)
        if key not in self._origins:
            self._origins[key] = None  # modules that import each other end here
            read_for: set[str] = set()
            self._origins[key] = self._follow(path, name, read_for, _DEPTH)
            self._depends[key] = frozenset(read_for)
        return self._origins[key], self._depends.get(key, frozenset())

    def passes_on(self, path: str) -> tuple[dict[str, str], frozenset[str]]:
        """Every name that the module at ``path`` passes on from outside the repository, and the files read for it."""
        if path not in self._passed:
            self._passed[path] = ({}, frozenset([path]))  # modules that star-import each other end here
            exports = self.exports(path)
            found: dict[str, str] = {}
            depends = {path}
            for level, module in exports.stars:
                inner = self.modules.find(path, level, module)
                if inner is not None:
                    more, read_for = self.passes_on(inner)
                    found |= more
                    depends |= read_for
            for name in (*exports.imports, *exports.dotted):
                origin, read_for = self.origin(path, name)
                depends |= read_for
                if origin:
                    found[name] = origin
            self._passed[path] = (found, frozenset(depends))
        return self._passed[path]

    def constant(self, path: str, name: str) -> tuple[object, frozenset[str]]:
        """The literal that the module at ``path`` binds ``name`` to once, `...` when there is none."""
        if name.encode() not in self.data(path):
            return ..., frozenset([path])
        return self.exports(path).constants.get(name, ...), frozenset([path])

    def digest(self, path: str) -> str:
        """SHA-256 of a file of the repository, "" when it cannot be read."""
        if path not in self._digests:
            data = self.data(path)
            self._digests[path] = hashlib.sha256(data).hexdigest() if data else ""
        return self._digests[path]

    def data(self, path: str) -> bytes:
        """The bytes of a file of the repository, empty when it cannot be read."""
        if path not in self._bytes:
            try:
                self._bytes[path] = read(os.path.join(self.root, path))
            except Unreadable:
                self._bytes[path] = b""
        return self._bytes[path]

    def exports(self, path: str) -> Exports:
        """The names that the module at ``path`` passes on."""
        if path not in self._exports:
            try:
                self._exports[path] = _read_exports(parse(self.data(path)))
            except Unparsable:
                self._exports[path] = _NOTHING
        return self._exports[path]

    def _follow(self, path: str, name: str, read_for: set[str], depth: int) -> str | None:
        read_for.add(path)
        data = self.data(path)
        if depth == 0 or not data or _defines(data, name):
            return None
        if name.encode() not in data and b"*" not in data:
            return None
        exports = self.exports(path)
        if name in exports.imports:
            return self._follow_import(path, exports.imports[name], read_for, depth)
        if name in exports.dotted:
            first, _, rest = exports.dotted[name].partition(".")
            base = self._follow(path, first, read_for, depth - 1) if first != name else None
            return f"{base}.{rest}" if base else None
        for level, module in exports.stars:
            found = self._follow_import(path, Import(level, module, name), read_for, depth, star=True)
            if found:
                return found
        return None

    def _follow_import(
        self, path: str, what: Import, read_for: set[str], depth: int, *, star: bool = False
    ) -> str | None:
        level, module, name = what
        inner = self.modules.find(path, level, module)
        if inner is not None:
            if name and (found := self._follow(inner, name, read_for, depth - 1)):
                return found
            return None
        if level or star or self.modules.owns(path, module):
            return None
        return f"{module}.{name}" if name else module


def _defines(data: bytes, name: str) -> bool:
    """Whether a top-level ``def`` or ``class`` has this name: then it comes from nowhere else."""
    if f" {name}".encode() not in data:
        return False
    return re.search(rb"^(?:async[ \t]+)?(?:def|class)[ \t]+" + re.escape(name.encode()) + rb"\b", data, re.M) is not None


def _read_exports(module: ast.Module) -> Exports:
    imports: dict[str, Import] = {}
    dotted: dict[str, str] = {}
    constants: dict[str, object] = {}
    stars: list[tuple[int, str]] = []
    twice: set[str] = set()
    blocks: list[list[ast.stmt]] = [module.body]
    while blocks:
        for node in blocks.pop(0):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    name = alias.asname or alias.name.partition(".")[0]
                    imports.setdefault(name, Import(0, alias.name if alias.asname else name, ""))
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    if alias.name == "*":
                        stars.append((node.level, node.module or ""))
                    else:
                        imports.setdefault(alias.asname or alias.name, Import(node.level, node.module or "", alias.name))
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                _read_assignment(node, dotted, constants, twice)
            elif isinstance(node, ast.Try):
                blocks.append([*node.body, *(s for handler in node.handlers for s in handler.body), *node.orelse])
            elif isinstance(node, ast.If):
                blocks.append([*node.body, *node.orelse])
    for name in twice:
        dotted.pop(name, None)
        constants.pop(name, None)
    return Exports(imports, dotted, constants, tuple(stars))


def _read_assignment(
    node: ast.Assign | ast.AnnAssign, dotted: dict[str, str], constants: dict[str, object], twice: set[str]
) -> None:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    for target in targets:
        if not isinstance(target, ast.Name):
            continue
        if target.id in dotted or target.id in constants:
            twice.add(target.id)
        elif isinstance(node.value, ast.Constant):
            constants[target.id] = node.value.value
        elif node.value is not None and (text := written(node.value)) and "." in text:
            dotted[target.id] = text


def written(node: ast.AST) -> str:
    """``a.b.c`` for a plain chain of names, "" for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([node.id, *reversed(parts)])
