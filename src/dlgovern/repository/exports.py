"""What a module of the repository passes on from elsewhere: ``from .compat import tload`` is ``torch.load``."""

from __future__ import annotations

import ast
import hashlib
import os
import re
from typing import NamedTuple

from dlgovern.repository.modules import Modules
from dlgovern.source.imports import ImportLine, scan
from dlgovern.source.parse import Unparsable, parse
from dlgovern.source.read import Unreadable, read

_DEPTH = 8
_STARS = 8  # star imports of one module; more make it a catalogue of its package, which passes on its own names


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

    def __init__(self, root: str, roots: frozenset[str] | None = None) -> None:
        """``roots`` are the packages outside that matter; names that come from others are not followed."""
        self.modules = Modules(root)
        self.root = root
        self._roots = roots
        self._bytes: dict[str, bytes] = {}
        self._digests: dict[str, str] = {}
        self._exports: dict[str, Exports] = {}
        self._origins: dict[tuple[str, str], str | None] = {}
        self._depends: dict[tuple[str, str], frozenset[str]] = {}
        self._scans: dict[str, tuple[dict[str, list[ImportLine]], list[ImportLine]]] = {}
        self._maybe: dict[tuple[str, str], bool] = {}
        self._maybe_reads: dict[tuple[str, str], frozenset[str]] = {}
        self._passed: dict[str, tuple[dict[str, str], frozenset[str]]] = {}

    def origin(self, path: str, name: str) -> tuple[str | None, frozenset[str]]:
        """Where ``name`` of the module at ``path`` comes from outside the repository, and the files read for it.

        None: defined in the repository, or unknown.
        """
        key = (path, name)
        if key not in self._origins:
            self._origins[key] = None  # modules that import each other end here
            read_for: set[str] = {path}
            if self._possible(path, name, _DEPTH, read_for):
                self._origins[key] = self._follow(path, name, read_for, _DEPTH)
            self._depends[key] = frozenset(read_for)
        return self._origins[key], self._depends.get(key, frozenset())

    def passes_on(self, path: str) -> tuple[dict[str, str], frozenset[str]]:
        """Every name that the module at ``path`` passes on from outside the repository, and the files read for it."""
        if path not in self._passed:
            self._passed[path] = ({}, frozenset([path]))  # modules that star-import each other end here
            found: dict[str, str] = {}
            depends = {path}
            listed = _listed(self.data(path))
            if listed is not None:
                for name in listed:
                    origin, read_for = self.origin(path, name)
                    depends |= read_for
                    if origin:
                        found[name] = origin
                self._passed[path] = (found, frozenset(depends))
                return self._passed[path]
            locals_, stars = self._scanned(path)
            for line in stars:
                inner = self.modules.find(path, line.level, line.module)
                if inner is not None:
                    more, read_for = self.passes_on(inner)
                    found |= more
                    depends |= read_for if more else frozenset()
            for name in (*locals_, *_aliases(self.data(path))):
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

    def _possible(self, path: str, name: str, depth: int, read_for: set[str]) -> bool:
        """Whether ``name`` may come from outside, told from bytes: no module is parsed for a plain no.

        Of star imports, only modules in which the name occurs count as read.
        """
        key = (path, name)
        if key in self._maybe:
            read_for |= self._maybe_reads[key]
            return self._maybe[key]
        self._maybe[key], self._maybe_reads[key] = False, frozenset()  # a circle leads nowhere
        reads: set[str] = set()
        self._maybe[key] = self._look(path, name, depth, reads)
        self._maybe_reads[key] = frozenset(reads)
        read_for |= reads
        return self._maybe[key]

    def _look(self, path: str, name: str, depth: int, reads: set[str]) -> bool:
        data = self.data(path)
        present = name.encode() in data
        if present:
            reads.add(path)
        if depth == 0 or not data or (present and _defines(data, name)):
            return False
        locals_, stars = self._scanned(path)
        if present:
            for line in locals_.get(name, ()):
                if self._leads_out(path, line, depth, reads):
                    return True
            if _may_alias(data, name):
                return True
        return any(self._leads_out(path, line._replace(name=name), depth, reads) for line in stars)

    def _leads_out(self, path: str, line: ImportLine, depth: int, reads: set[str]) -> bool:
        inner = self.modules.find(path, line.level, line.module)
        if inner is not None:
            return bool(line.name) and self._possible(inner, line.name, depth - 1, reads)
        if line.level or line.local == "*" or not self._matters(line.module):
            return False
        return not self.modules.owns(path, line.module)

    def _matters(self, module: str) -> bool:
        return self._roots is None or module.partition(".")[0] in self._roots

    def _scanned(self, path: str) -> tuple[dict[str, list[ImportLine]], list[ImportLine]]:
        if path not in self._scans:
            found: dict[str, list[ImportLine]] = {}
            stars: list[ImportLine] = []
            for line in scan(self.data(path)):
                if line.name == "*":
                    stars.append(line)
                else:
                    found.setdefault(line.local, []).append(line)
            self._scans[path] = (found, stars if len(stars) <= _STARS else [])
        return self._scans[path]

    def _follow(self, path: str, name: str, read_for: set[str], depth: int) -> str | None:
        if depth == 0 or not self._possible(path, name, depth, read_for):
            return None
        exports = self.exports(path)
        if name in exports.imports:
            return self._follow_import(path, exports.imports[name], read_for, depth)
        if name in exports.dotted:
            first, _, rest = exports.dotted[name].partition(".")
            base = self._follow(path, first, read_for, depth - 1) if first != name else None
            return f"{base}.{rest}" if base else None
        for level, module in exports.stars if len(exports.stars) <= _STARS else ():
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
        if level or star or not self._matters(module) or self.modules.owns(path, module):
            return None
        return f"{module}.{name}" if name else module


_ENDS = frozenset(b"(:[ \t\r\n\\")


def _defines(data: bytes, name: str) -> bool:
    """Whether a top-level ``def`` or ``class`` has this name: then it comes from nowhere else."""
    word = name.encode()
    for opening in (b"\ndef ", b"\nclass ", b"\nasync def "):
        at = data.find(opening + word)
        while at >= 0:
            end = at + len(opening) + len(word)
            if end < len(data) and data[end] in _ENDS:
                return True
            at = data.find(opening + word, end)
    return False


def _may_alias(data: bytes, name: str) -> bool:
    """Whether a line that begins with ``name`` may assign a dotted name to it."""
    word = name.encode()
    at = data.find(b"\n" + word)
    while at >= 0:
        rest = data[at + 1 + len(word) : data.find(b"\n", at + 1) + 1 or len(data)]
        target, equals, value = rest.partition(b"=")
        if equals and b"." in value and not (target[:1].isalnum() or target[:1] == b"_"):
            return True
        at = data.find(b"\n" + word, at + 1)
    return False


def _aliases(data: bytes) -> list[str]:
    """The names that top-level lines may give a dotted value."""
    return [name.decode() for name in _ALIAS.findall(data)]


_ALIAS = re.compile(rb"^(\w+)[ \t]*(?::[^=\n]*)?=[ \t]*[A-Za-z_]\w*\.", re.M)


def _listed(data: bytes) -> list[str] | None:
    """The names of a literal ``__all__``, which is all that a star import brings; None without one."""
    match = _ALL.search(data)
    if match is None or data.count(b"__all__") != 1:
        return None
    return [name.decode() for name in re.findall(rb"[\"'](\w+)[\"']", match.group(1))]


_ALL = re.compile(rb"^__all__[ \t]*=[ \t]*[\[(]([^\])]*)[\])][ \t]*(?:#[^\n]*)?$", re.M)


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
