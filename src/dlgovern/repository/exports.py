"""What a module of the repository passes on from elsewhere: ``from .compat import tload`` is ``torch.load``."""


import ast
import os
from collections.abc import Callable, Iterator
from typing import NamedTuple

from dlgovern.digest import sha256
from dlgovern.repository.learned import Learned
from dlgovern.repository.modules import Modules
from dlgovern.repository.reads import Statements, aliases, defines, of_surface, of_text, parts
from dlgovern.source.imports import ImportLine, normal, scan
from dlgovern.source.parse import Unparsable, parse
from dlgovern.source.read import Unreadable, read

_DEPTH = 8
_GIVEN = 64_000_000  # bytes that are kept because they may be asked for again
_STARS = 40  # star imports of one module; more make it a catalogue of its package, which passes on its own names


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
        self.learned = Learned()
        self.root = root
        self._roots = roots
        self.recorded: Callable[[str], str | None] = lambda _read: None  # digests that are known of files that are as they were
        self._bytes: dict[str, bytes] = {}
        self._given = 0
        self._digests: dict[str, str] = {}
        self._statements: dict[str, Statements] = {}
        self._exports: dict[str, Exports] = {}
        self._origins: dict[tuple[str, str], str | None] = {}
        self._depends: dict[tuple[str, str], frozenset[str]] = {}
        self._lines: dict[str, list[ImportLine]] = {}
        self._scans: dict[str, tuple[dict[str, list[ImportLine]], list[ImportLine]]] = {}
        self._maybe: dict[tuple[str, str], bool] = {}
        self._maybe_reads: dict[tuple[str, str], frozenset[str]] = {}
        self._names: dict[str, tuple[frozenset[bytes], frozenset[str]]] = {}

    def origin(self, path: str, name: str) -> tuple[str | None, frozenset[str]]:
        """Where ``name`` of the module at ``path`` comes from outside the repository, and the files read for it.

        None: defined in the repository, or unknown.
        """
        key = (path, name)
        if key not in self._origins:
            self._origins[key] = None  # modules that import each other end here
            read_for: set[str] = {of_surface(path)}
            if self._possible(path, name, _DEPTH, read_for):
                self._origins[key] = self._follow(path, name, read_for, _DEPTH)
            self._depends[key] = frozenset(read_for)
        return self._origins[key], self._depends.get(key, frozenset())

    def passes_on(self, path: str, tokens: set[bytes]) -> tuple[dict[str, str], frozenset[str]]:
        """What the module at ``path`` passes on from outside the repository, and the files read for it.

        Only names among ``tokens`` are looked at: the words of the file that wants to know.
        """
        names, read_for = self._passable(path)
        found: dict[str, str] = {}
        depends = set(read_for)
        for name in sorted(names & tokens):
            origin, read_for = self.origin(path, name.decode("utf-8", "replace"))
            depends |= read_for
            if origin:
                found[name.decode("utf-8", "replace")] = origin
        return found, frozenset(depends)

    def _passable(self, path: str) -> tuple[frozenset[bytes], frozenset[str]]:
        """The names that a module may pass on, told from bytes, and the modules whose star exports are among them."""
        if path not in self._names:
            self._names[path] = (frozenset(), frozenset([of_surface(path)]))  # modules that star-import each other end here
            locals_, stars = self._scanned(path)
            names = {name.encode() for name, lines in locals_.items() if any(self._may_lead_out(path, line) for line in lines)}
            names.update(aliases(self.data(path)))
            depends = {of_surface(path)}
            for line in stars:
                inner = self.modules.find(path, line.level, line.module)
                if inner is not None:
                    more, read_for = self._passable(inner)
                    names |= more
                    depends |= read_for
            self._names[path] = (frozenset(names), frozenset(depends))
        return self._names[path]

    def _may_lead_out(self, path: str, line: ImportLine) -> bool:
        return bool(line.level) or self._matters(line.module) or self.modules.find(path, 0, line.module) is not None

    def constant(self, path: str, name: str) -> tuple[object, frozenset[str]]:
        """The literal that the module at ``path`` binds ``name`` to once, `...` when there is none."""
        read = frozenset([of_text(path, name)])
        if name.encode() not in self.data(path):
            return ..., read
        return self.exports(path).constants.get(name, ...), read

    def digest(self, read: str) -> str:
        """The digest of what was read (see `repository.reads`), "" for a file that cannot be read."""
        found = self._digests.get(read)
        if found is None:
            found = self._digests[read] = self._digest(read)
        return found

    def _digest(self, read: str) -> str:
        if (recorded := self.recorded(read)) is not None:
            return recorded
        path, name = parts(read)
        data = self.data(path)
        if not data:
            return ""
        return self._said(path, data).digest(name) if name else sha256(data)

    def _said(self, path: str, data: bytes) -> Statements:
        if path not in self._statements:
            self._statements[path] = Statements(data, self.imports(path))
        return self._statements[path]

    def data(self, path: str) -> bytes:
        """The bytes of a file of the repository, empty when it cannot be read."""
        if path not in self._bytes:
            try:
                self._bytes[path] = read(os.path.join(self.root, path))
            except Unreadable:
                self._bytes[path] = b""
        return self._bytes[path]

    def give(self, path: str, data: bytes) -> None:
        """Take the bytes of a file that somebody else has read anyway, up to a total that fits any machine."""
        if self._given < _GIVEN and path not in self._bytes:
            self._given += len(data)
            self._bytes[path] = data

    def forget(self, path: str) -> None:
        """Give back the memory that the bytes and imports of a file take."""
        self._bytes.pop(path, None)
        self._lines.pop(path, None)
        self._statements.pop(path, None)

    def exports(self, path: str) -> Exports:
        """The names that the module at ``path`` passes on."""
        if path not in self._exports:
            try:
                self._exports[path] = _read_exports(parse(self.data(path)))
            except Unparsable:
                self._exports[path] = _NOTHING
        return self._exports[path]

    def _possible(self, path: str, name: str, depth: int, read_for: set[str]) -> bool:
        """Whether ``name`` may come from outside, told from bytes: no module is parsed for a plain no."""
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
        reads.add(of_surface(path))
        if depth == 0 or not data or (present and defines(data, name)):
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

    def imports(self, path: str, data: bytes | None = None) -> list[ImportLine]:
        """The import statements of a file of the repository, as its bytes show them; ``data`` are these in NFKC."""
        if path not in self._lines:
            self._lines[path] = scan(normal(self.data(path)) if data is None else data)
        return self._lines[path]

    def imported(self, path: str, data: bytes | None = None) -> Iterator[str]:
        """The files of the repository that the import statements of one name, modules before what lies in them; some twice."""
        for level, module, name, _local, _top in self.imports(path, data):
            submodule = f"{module}.{name}" if module and name else name
            for dotted in (module, submodule) if name else (module,):
                if (found := self.modules.find(path, level, dotted)) is not None:
                    yield found

    def _scanned(self, path: str) -> tuple[dict[str, list[ImportLine]], list[ImportLine]]:
        if path not in self._scans:
            found: dict[str, list[ImportLine]] = {}
            stars: list[ImportLine] = []
            for line in self.imports(path):
                if line.name == "*":
                    stars.append(line)
                else:
                    found.setdefault(line.local, []).append(line)
            self._scans[path] = (found, stars if len(stars) <= _STARS else [])
        return self._scans[path]

    def _follow(self, path: str, name: str, read_for: set[str], depth: int) -> str | None:
        if depth == 0 or not self._possible(path, name, depth, read_for):
            return None
        lines = self._scanned(path)[0].get(name, ())
        if len(lines) == 1 and lines[0].top and not _may_assign(self.data(path), name):
            line = lines[0]  # one plain statement says it: the module need not be parsed
            return self._follow_import(path, Import(line.level, line.module, line.name), read_for, depth)
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


def _may_assign(data: bytes, name: str) -> bool:
    """Whether a line that begins with ``name`` may give it a value."""
    word = b"\n" + name.encode()
    at = data.find(word)
    while at >= 0:
        if b"=" in data[at + len(word) : data.find(b"\n", at + 1) + 1 or len(data)]:
            return True
        at = data.find(word, at + 1)
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
