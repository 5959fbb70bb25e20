"""What a name means: its dotted origin through imports, aliases, assignments, partials and re-exports."""


import ast
import builtins
from typing import NamedTuple, Protocol

from dlgovern.source.imports import ImportLine
from dlgovern.source.tree import SCOPES, Tree, defaults, parents, scope


class Chase(Protocol):
    """Follows names into the other files of the repository. ``level`` counts leading dots."""

    def name(self, level: int, module: str, name: str) -> str | None:
        """Where ``from module import name`` comes from outside the repository, or None."""

    def inside(self, level: int, module: str) -> bool:
        """Whether ``module`` is a file of the repository."""

    def passes_on(self, level: int, module: str, tokens: set[bytes]) -> dict[str, str]:
        """The names among ``tokens`` that a module of the repository passes on from outside it, with their origins."""

    def imports(self, data: bytes) -> list[ImportLine]:
        """The import statements of the file itself, whose bytes (NFKC) are given."""


_LONGEST = 200  # characters of an origin; a chain of calls that is longer means nothing to a rule
BUILTINS = frozenset(dir(builtins))
_PARTIAL = frozenset({"functools.partial", "functools.partialmethod"})
_IMPORTERS = frozenset({"importlib.import_module", "__import__", "importlib.__import__"})


class Binding(NamedTuple):
    """One way in which a scope gives a name its value."""

    kind: str  # import, value, annotation, default, define, other
    node: ast.AST
    value: ast.AST | None = None
    origin: str = ""


class Names:
    """Dotted origins of the expressions of one file.

    An origin is what the reader would write in full: ``torch.nn.functional.pad``. An instance is marked by
    ``()``: after ``scaler = GradScaler()``, ``scaler.step`` is ``torch.amp.GradScaler().step``. What cannot
    be said for sure is None.
    """

    def __init__(self, tree: Tree, chase: Chase | None = None) -> None:
        self.tree = tree
        self._chase = chase
        self._known: dict[int, str | None] = {}
        self._bound_to: dict[int, Binding | None] = {}
        self._collecting = True  # until all bindings are known, an answer may change
        self._scopes: dict[int, dict[str, list[Binding]]] | None = None
        self._attributes: dict[int, dict[str, list[Binding]]] = {}
        self._stars: list[tuple[int, str]] = []
        self._modules: dict[str, tuple[int, str]] = {}  # origins that are modules of the repository

    # -- origins ---------------------------------------------------------------------------------------

    def origin(self, node: ast.AST) -> str | None:
        """The dotted origin of an expression, or None."""
        if self._scopes is None:
            self.bindings(self.tree.module)  # collecting asks for origins itself: an answer must not be half known
        key = id(node)
        if key not in self._known:
            self._known[key] = None  # a name that depends on itself has no origin
            self._known[key] = self._origin(node)
        return self._known[key]

    def _origin(self, node: ast.AST) -> str | None:
        if isinstance(node, ast.Name):
            return self._name(node)
        if isinstance(node, ast.Attribute):
            return self._attribute(node)
        if isinstance(node, ast.Call):
            return self._call(node)
        if isinstance(node, ast.NamedExpr | ast.Await):
            return self.origin(node.value)
        return None

    def _name(self, node: ast.Name) -> str | None:
        binding = self.binding(node)
        if binding is None:
            return self._unbound(node.id)
        return self._bound(binding)

    def _bound(self, binding: Binding) -> str | None:
        if binding.kind == "import":
            return binding.origin
        if binding.kind == "value" and binding.value is not None:
            return self.origin(binding.value)
        if binding.kind == "annotation" and binding.value is not None:
            kind = self.origin(_required(binding.value))
            return f"{kind}()" if kind else None
        return None

    def _unbound(self, name: str) -> str | None:
        if name in BUILTINS:
            return name
        found = set()
        for level, module in self._stars:
            if self._chase and (level or self._chase.inside(level, module)):
                found.add(self._chase.name(level, module, name))
            elif not level:
                found.add(f"{module}.{name}")
        found.discard(None)
        return found.pop() if len(found) == 1 else None

    def _attribute(self, node: ast.Attribute) -> str | None:
        base = self.origin(node.value)
        if base is not None:
            if base in self._modules:
                return self._from(*self._modules[base], node.attr)
            return f"{base}.{node.attr}" if len(base) < _LONGEST else None
        if isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"):
            return self._own_attribute(node)
        return None

    def _from(self, level: int, module: str, name: str) -> str:
        """The origin of ``from module import name``, as written when it stays in the repository."""
        inner = f"{module}.{name}" if module else name
        written = f"{'.' * level}{inner}"
        if self._chase:
            if outside := self._chase.name(level, module, name):
                return outside
            if self._chase.inside(level, inner):
                self._modules[written] = (level, inner)
        return written

    def _own_attribute(self, node: ast.Attribute) -> str | None:
        found = self.attribute_bindings(node)
        origins = {self._bound(binding) for binding in found}
        return origins.pop() if len(origins) == 1 else None

    def _call(self, node: ast.Call) -> str | None:
        function = self.origin(node.func)
        if function is None:
            return None
        if function in _PARTIAL and node.args:
            return self.origin(node.args[0])
        if function in _IMPORTERS:
            return _text(node.args[0]) if node.args else None
        if function == "getattr" and len(node.args) >= 2:  # noqa: PLR2004 - the object and the name
            base, attribute = self.origin(node.args[0]), _text(node.args[1])
            return f"{base}.{attribute}" if base and attribute and attribute.isidentifier() else None
        return f"{function}()" if len(function) < _LONGEST else None

    # -- bindings --------------------------------------------------------------------------------------

    def binding(self, node: ast.Name) -> Binding | None:
        """The binding a name refers to, or None when nothing in the file binds it.

        With several bindings in the scope: all of one meaning, else the last one before the use.
        """
        if self._scopes is None or self._collecting:
            return self._find(node)
        key = id(node)
        if key not in self._bound_to:
            self._bound_to[key] = self._find(node)
        return self._bound_to[key]

    def _find(self, node: ast.Name) -> Binding | None:
        name = node.id
        where: ast.AST | None = scope(node)
        own = True
        while where is not None:
            if own or not isinstance(where, ast.ClassDef):
                found = self.bindings(where).get(name)
                if found:
                    return self._choose(found, node, own)
            own = False
            where = next((parent for parent in parents(where) if isinstance(parent, SCOPES)), None)
        return None

    def _choose(self, found: list[Binding], use: ast.Name, own: bool) -> Binding:
        if len(found) == 1:
            return found[0]
        imports = [binding for binding in found if binding.kind == "import"]
        if imports and all(b.kind == "import" or _is_none(b.value) for b in found):
            return _preferred(imports)
        if not own:
            origins = {self._bound(binding) for binding in found if not _is_none(binding.value)}
            return found[-1] if len(origins) == 1 else _unclear(use)
        before = [binding for binding in found if _position(binding.node) < _position(use)]
        if not before:
            return found[0]
        last = before[-1]
        if last.value is not None and any(parent is last.value for parent in parents(use)):
            before = before[:-1]  # x = f(x): the use is older than the value
        if not before:
            return _unclear(use)
        return before[-1]

    def bindings(self, where: ast.AST) -> dict[str, list[Binding]]:
        """The names that a scope binds, each with its bindings in source order."""
        if self._scopes is None:
            self._scopes = {}
            self._collect()
            self._collecting = False
        return self._scopes.get(id(where), {})

    def attribute_bindings(self, node: ast.Attribute) -> list[Binding]:
        """What the methods of the class around ``self.x`` assign to ``self.x``."""
        for parent in parents(node):
            if isinstance(parent, ast.ClassDef):
                return self.attributes(parent, node.attr)
        return []

    def attributes(self, owner: ast.ClassDef, name: str) -> list[Binding]:
        """What the methods of a class assign to ``self.name``."""
        self.bindings(owner)
        return self._attributes.get(id(owner), {}).get(name, [])

    def _bind(self, where: ast.AST, name: str, binding: Binding) -> None:
        assert self._scopes is not None
        self._scopes.setdefault(id(where), {}).setdefault(name, []).append(binding)

    def _collect(self) -> None:
        tree = self.tree
        for node in tree.of(ast.Import):
            self._import(node)
        for node in tree.of(ast.ImportFrom):
            self._import_from(node)
        for node in tree.of(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef):
            self._bind(scope(node), node.name, Binding("define", node))  # type: ignore[attr-defined]
        for node in tree.of(ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda):
            self._parameters(node)
        for node in tree.of(ast.Assign):
            for target in node.targets:  # type: ignore[attr-defined]
                self._target(target, "value", node, node.value)  # type: ignore[attr-defined]
        for node in tree.of(ast.AnnAssign):
            if node.value is not None:  # type: ignore[attr-defined]
                self._target(node.target, "value", node, node.value)  # type: ignore[attr-defined]
            else:
                self._target(node.target, "annotation", node, node.annotation)  # type: ignore[attr-defined]
        for node in tree.of(ast.NamedExpr):
            self._target(node.target, "value", node, node.value)  # type: ignore[attr-defined]
        for node in tree.of(ast.withitem):
            if node.optional_vars is not None:  # type: ignore[attr-defined]
                self._target(node.optional_vars, "value", node.context_expr, node.context_expr)  # type: ignore[attr-defined]
        for node in tree.of(ast.For, ast.AsyncFor, ast.comprehension, ast.AugAssign):
            self._target(node.target, "other", node, None)  # type: ignore[attr-defined]
        for node in tree.of(ast.ExceptHandler):
            if node.name:  # type: ignore[attr-defined]
                self._bind(scope(node), node.name, Binding("other", node))  # type: ignore[attr-defined]
        for node in tree.of(ast.MatchAs, ast.MatchStar):
            if node.name:  # type: ignore[attr-defined]
                self._bind(scope(node), node.name, Binding("other", node))  # type: ignore[attr-defined]
        self._globals()
        assert self._scopes is not None
        for names in (*self._scopes.values(), *self._attributes.values()):
            for found in names.values():
                found.sort(key=lambda binding: _position(binding.node))

    def _globals(self) -> None:
        assert self._scopes is not None
        for node in self.tree.of(ast.Global):
            own = self._scopes.get(id(scope(node)), {})
            for name in node.names:  # type: ignore[attr-defined]
                for binding in own.pop(name, []):
                    self._bind(self.tree.module, name, binding)

    def _import(self, node: ast.AST) -> None:
        where = scope(node)
        for alias in node.names:  # type: ignore[attr-defined]
            origin = alias.name if alias.asname else alias.name.partition(".")[0]
            if self._chase and self._chase.inside(0, origin):
                self._modules[origin] = (0, origin)
            self._bind(where, alias.asname or origin, Binding("import", node, None, origin))

    def _import_from(self, node: ast.AST) -> None:
        where = scope(node)
        level, module = node.level, node.module or ""  # type: ignore[attr-defined]
        for alias in node.names:  # type: ignore[attr-defined]
            if alias.name == "*":
                self._stars.append((level, module))
            else:
                origin = self._from(level, module, alias.name)
                self._bind(where, alias.asname or alias.name, Binding("import", node, None, origin))

    def _parameters(self, node: ast.AST) -> None:
        arguments: ast.arguments = node.args  # type: ignore[attr-defined]
        given = {id(arg): default for arg, default in defaults(arguments)}
        for arg in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            if arg.annotation is not None and "." in (self.origin(_required(arg.annotation)) or ""):
                self._bind(node, arg.arg, Binding("annotation", arg, arg.annotation))
            else:
                self._bind(node, arg.arg, Binding("default", arg, given.get(id(arg))))
        for star in (arguments.vararg, arguments.kwarg):
            if star is not None:
                self._bind(node, star.arg, Binding("other", star))

    def _target(self, target: ast.AST, kind: str, node: ast.AST, value: ast.AST | None) -> None:
        if isinstance(target, ast.Name):
            where = scope(target)
            while kind == "value" and isinstance(node, ast.NamedExpr) and isinstance(
                where, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
            ):
                where = scope(where)
            self._bind(where, target.id, Binding(kind, node, value))
        elif isinstance(target, ast.Attribute):
            self._own(target, kind, node, value)
        elif isinstance(target, ast.Tuple | ast.List):
            self._unpack(target.elts, kind, node, value)
        elif isinstance(target, ast.Starred):
            self._target(target.value, "other", node, None)

    def _unpack(self, targets: list[ast.expr], kind: str, node: ast.AST, value: ast.AST | None) -> None:
        parts: list[ast.expr] = value.elts if isinstance(value, ast.Tuple | ast.List) else []
        matched = len(parts) == len(targets) and not any(isinstance(t, ast.Starred) for t in (*parts, *targets))
        for index, target in enumerate(targets):
            if matched:
                self._target(target, kind, node, parts[index])
            else:
                self._target(target, "other", node, None)

    def _own(self, target: ast.Attribute, kind: str, node: ast.AST, value: ast.AST | None) -> None:
        if not (isinstance(target.value, ast.Name) and target.value.id in ("self", "cls")):
            return
        for parent in parents(target):
            if isinstance(parent, ast.ClassDef):
                attributes = self._attributes.setdefault(id(parent), {})
                attributes.setdefault(target.attr, []).append(Binding(kind, node, value))
                return


def _position(node: ast.AST) -> tuple[int, int]:
    return (getattr(node, "lineno", 0), getattr(node, "col_offset", 0))


def _unclear(node: ast.AST) -> Binding:
    return Binding("other", node)


def _is_none(value: ast.AST | None) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _preferred(imports: list[Binding]) -> Binding:
    """Of fallback imports (``try: from a import x`` / ``except: from b import x``) the first one written."""
    return imports[0]


def _required(annotation: ast.AST) -> ast.AST:
    """``X`` of ``Optional[X]``, ``X | None`` and the like."""
    if isinstance(annotation, ast.Subscript):
        return _required(annotation.slice) if _last(annotation.value) == "Optional" else annotation
    if isinstance(annotation, ast.BinOp) and _is_none(annotation.right):
        return annotation.left
    return annotation


def _last(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _text(node: ast.AST) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
