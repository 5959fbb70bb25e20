"""Repairs of names: what a table says is written for another name, at its uses and in its import."""

from __future__ import annotations

import ast
from typing import NamedTuple

from dlgovern.edits.arguments import Changes, delete_argument, first, rename_argument
from dlgovern.edits.imports import moved
from dlgovern.edits.source import Change, Place
from dlgovern.source.tree import up

_NOT_LOADED = ("torch.distributed.", "torch.optim.optimizer.", "torch.onnx.", "torch.export.")
"""Below these, ``import torch`` alone does not bring every module."""


class Target(NamedTuple):
    """What is to be written: a dotted name, and the arguments that go before a call's own."""

    name: str
    given: str


def as_table_says(place: Place) -> Changes:
    """What the row of an API table says: ``rename``, ``insert`` or ``delete``; nothing where a person must decide."""
    said = place.hit.slots.get("fix", "")
    if "argument" in place.hit.slots:
        action = {"rename": rename_argument, "delete": delete_argument}.get(said)
    else:
        action = {"rename": rename, "insert": insert}.get(said)
    return action(place) if action else None


def rename(place: Place) -> Changes:
    """Write the dotted name ``to`` for the name that was hit; where it was imported by itself, in the import."""
    name = place.fill(str(place.parameters.get("to", "{replacement}")))
    if not name or not all(part.isidentifier() for part in name.split(".")):
        return None
    return _renamed(place, Target(name, ""))


def insert(place: Place) -> Changes:
    """Write the callee of ``to`` for the name that was hit, and its arguments before those of the call."""
    written = place.fill(str(place.parameters.get("to", "{replacement}"))) or ""
    name, bracket, rest = written.partition("(")
    if not bracket or not rest.endswith(")") or not all(part.isidentifier() for part in name.split(".")):
        return None
    return _renamed(place, Target(name, rest[:-1]))


def _renamed(place: Place, target: Target) -> Changes:
    parts = target.name.split(".")
    if len(parts) > 1 and parts[-1] == parts[-2]:
        return None  # a function in a module of its name: the row speaks of the function, not of the module
    node = place.node(ast.Attribute)
    if node is not None:
        return _attribute(place, node, target)
    name = place.node(ast.Name)
    if name is not None:
        return _imported_name(place, name, target)
    alias = place.node(ast.alias)
    statement = up(alias) if alias is not None else None
    if isinstance(statement, ast.ImportFrom):
        return _alias(place, statement, alias, target)
    return None


def _attribute(place: Place, node: ast.Attribute, target: Target) -> Changes:
    head: ast.AST = node
    while isinstance(head, ast.Attribute):
        head = head.value
    written = place.source.written(node)
    if not isinstance(head, ast.Name) or not all(part.isidentifier() for part in written.split(".")):
        return None
    binding = place.facts.names.binding(head)
    if binding is None or binding.kind != "import" or _is_replaced(place, node):
        return None
    owner, _, last = target.name.rpartition(".")
    if target.name.startswith(f"{binding.origin}."):
        local = head.id
        if f"{owner}." != f"{place.hit.slots.get('name', '').rpartition('.')[0]}." and _may_lack(owner):
            return None
        new = f"{local}.{target.name[len(binding.origin) + 1 :]}"
    else:
        root = target.name.partition(".")[0]
        if not _imports(place, root) or _may_lack(owner):
            return None
        new = target.name
    return _use(place, node, target, new) if last else None


def _is_replaced(place: Place, node: ast.Attribute) -> bool:
    """Whether the file gives the name another value: reading and writing must go on meaning one name."""
    return any(
        not isinstance(other.ctx, ast.Load) and other.attr == node.attr and place.source.written(other) == place.source.written(node)  # type: ignore[attr-defined]
        for other in place.facts.tree.of(ast.Attribute)
    )


def _may_lack(owner: str) -> bool:
    return f"{owner}.".startswith(_NOT_LOADED) and owner != "torch.distributed"


def _imports(place: Place, root: str) -> bool:
    """Whether ``import root`` stands at the top of the file and the name means nothing else anywhere."""
    tree = place.facts.tree
    bound = [
        (binding, where)
        for where in (tree.module, *tree.of(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda))
        for binding in place.facts.names.bindings(where).get(root, ())
    ]
    return bool(bound) and all(
        binding.kind == "import"
        and binding.origin == root
        and where is tree.module
        and up(binding.node) is tree.module
        and isinstance(binding.node, ast.Import)
        and binding.node.lineno < place.hit.line
        for binding, where in bound
    )


def _imported_name(place: Place, name: ast.Name, target: Target) -> Changes:
    binding = place.facts.names.binding(name)
    if binding is None or binding.kind != "import" or not isinstance(binding.node, ast.ImportFrom):
        return None
    alias = next((one for one in binding.node.names if (one.asname or one.name) == name.id), None)
    return _alias(place, binding.node, alias, target) if alias is not None else None


def _alias(place: Place, statement: ast.ImportFrom, alias: ast.alias, target: Target) -> Changes:
    """The import and all uses of what it brings: one repair, shared by all findings about it."""
    local = alias.asname or alias.name
    if alias.name == "*" or statement.level:
        return None
    changes = moved(place.source, statement, alias, target.name)
    if changes is None or not target.given:
        return changes
    if place.facts.path.endswith("__init__.py") or "__all__" in place.facts.names.bindings(place.facts.tree.module):
        return None  # others may call it as it was
    for use in place.facts.tree.of(ast.Name):
        binding = place.facts.names.binding(use) if use.id == local else None  # type: ignore[attr-defined, arg-type]
        if binding is None or binding.node is not statement:
            continue
        more = _use(place, use, target, local)
        if more is None:
            return None
        changes = [*changes, *(change for change in more if change.text != local)]
    return changes


def _use(place: Place, node: ast.AST, target: Target, new: str) -> Changes:
    source = place.source
    start, end = source.span(node)
    if any(isinstance(around, ast.JoinedStr) for around in _around(node)):
        return None
    change = Change(start, end, new)
    if not target.given:
        return [change]
    parent = up(node)
    if isinstance(parent, ast.Call) and parent.func is node:
        layout = source.layout(parent)
        keyword = target.given.partition("=")[0] if "=" in target.given else ""
        if layout is None or parent.args or any(word.arg in (None, keyword) for word in parent.keywords):
            return None
        return [change, *first(source, layout, target.given)]
    if isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef) and any(node is d for d in parent.decorator_list):
        return [change._replace(text=f"{new}({target.given})")]
    return None


def _around(node: ast.AST) -> list[ast.AST]:
    found = []
    current = up(node)
    while current is not None:
        found.append(current)
        current = up(current)
    return found
