"""One walk over a syntax tree: parents, and the nodes of each type in source order."""

from __future__ import annotations

import ast
from collections.abc import Iterator

_CHILDREN: dict[type, tuple[str, ...]] = {}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
SCOPES = (*FUNCTIONS, ast.ClassDef, ast.Module, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class Tree:
    """A parsed module whose nodes know their parents.

    ``nodes`` maps each node type to its nodes in breadth-first order; a parent is at ``node.up``.
    """

    def __init__(self, module: ast.Module) -> None:
        self.module = module
        self.nodes: dict[type, list[ast.AST]] = {}
        self._order: list[ast.AST] = [module]
        module.up = None  # type: ignore[attr-defined]
        order = self._order
        nodes = self.nodes
        for node in order:  # grows while it is walked: no recursion, however deep the tree
            kind = type(node)
            found = nodes.get(kind)
            if found is None:
                nodes[kind] = [node]
                fields = _CHILDREN.get(kind) or _fields(kind)
            else:
                found.append(node)
                fields = _CHILDREN[kind]
            for field in fields:
                child = getattr(node, field, None)
                if child is None:
                    continue
                if type(child) is list:
                    for item in child:
                        if isinstance(item, ast.AST):
                            item.up = node  # type: ignore[attr-defined]
                            order.append(item)
                elif isinstance(child, ast.AST):
                    child.up = node  # type: ignore[attr-defined]
                    order.append(child)

    def free(self) -> None:
        """Take the nodes apart, which hold each other through their parents. Nobody may use any of them afterwards."""
        for node in self._order:
            node.__dict__.clear()
        self._order.clear()
        self.nodes.clear()

    def __len__(self) -> int:
        """Number of nodes."""
        return len(self._order)

    def of(self, *kinds: type) -> Iterator[ast.AST]:
        """All nodes of these types, one type after the other."""
        for kind in kinds:
            yield from self.nodes.get(kind, ())


def _fields(kind: type) -> tuple[str, ...]:
    skip = {"ctx", "op", "ops", "id", "attr", "asname", "level", "kind", "type_comment", "type_ignores", "simple"}
    if kind in (ast.Constant, ast.Name, ast.alias, ast.Global, ast.Nonlocal, ast.Pass, ast.Break, ast.Continue):
        fields: tuple[str, ...] = ()
    else:
        fields = tuple(field for field in kind._fields if field not in skip)  # type: ignore[attr-defined]
    _CHILDREN[kind] = fields
    return fields


def children(node: ast.AST) -> list[ast.AST]:
    """The nodes directly below a node, in the order of its fields; contexts and operators are left out."""
    kind = type(node)
    found: list[ast.AST] = []
    fields = _CHILDREN.get(kind)
    for field in _fields(kind) if fields is None else fields:
        child = getattr(node, field, None)
        if child is None:
            continue
        if type(child) is list:
            found += [item for item in child if isinstance(item, ast.AST)]
        elif isinstance(child, ast.AST):
            found.append(child)
    return found


def up(node: ast.AST) -> ast.AST | None:
    """The parent of a node of a `Tree`."""
    parent: ast.AST | None = node.up  # type: ignore[attr-defined]
    return parent


def parents(node: ast.AST) -> Iterator[ast.AST]:
    """The parents of a node, nearest first, the module last."""
    current = up(node)
    while current is not None:
        yield current
        current = up(current)


def scope(node: ast.AST) -> ast.AST:
    """The innermost function, lambda, class, comprehension or module that holds ``node``.

    Decorators, defaults, annotations and bases of a definition belong to the scope around it.
    """
    home: ast.AST | None = getattr(node, "home", None)
    passed: list[ast.AST] = []
    child = node
    while home is None:
        passed.append(child)
        parent = up(child)
        if parent is None:
            home = child
        elif isinstance(parent, SCOPES) and _inside(child, parent):
            home = parent
        else:
            child = parent
            home = getattr(child, "home", None)
    for one in passed:
        one.home = home  # type: ignore[attr-defined]  # every question about a name begins here
    return home


def function(node: ast.AST) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The innermost named function around ``node``."""
    for parent in parents(node):
        if isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef):
            return parent
    return None


def enclosing_class(node: ast.AST) -> ast.ClassDef | None:
    """The innermost class around ``node``, through any functions."""
    for parent in parents(node):
        if isinstance(parent, ast.ClassDef):
            return parent
    return None


def symbol(node: ast.AST) -> str:
    """Dotted name of the functions and classes around ``node``: ``Trainer.fit``."""
    names = [p.name for p in parents(node) if isinstance(p, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)]
    return ".".join(reversed(names))


def statement(node: ast.AST) -> ast.stmt:
    """The innermost statement that is or holds ``node``."""
    current: ast.AST = node
    while not isinstance(current, ast.stmt):
        parent = up(current)
        if parent is None:
            raise ValueError("a module has no statement around it")
        current = parent
    return current


def _inside(child: ast.AST, parent: ast.AST) -> bool:
    if isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return any(child is part for part in parent.body)
    if isinstance(parent, ast.Lambda):
        return child is parent.body
    if isinstance(parent, ast.Module):
        return True
    generators = parent.generators  # type: ignore[attr-defined]
    return child is not generators[0] or not isinstance(child, ast.comprehension)


def defaults(arguments: ast.arguments) -> Iterator[tuple[ast.arg, ast.expr]]:
    """The parameters of a function that have a default, each with it."""
    plain = [*arguments.posonlyargs, *arguments.args]
    yield from zip(reversed(plain), reversed(arguments.defaults), strict=False)
    for arg, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if default is not None:
            yield arg, default
