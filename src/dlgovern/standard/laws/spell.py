"""Tell an example again with its imports spelled otherwise (law L5)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from dlgovern.standard.laws.wrap import Retold

_NEW = "spelled_"


class _Import(NamedTuple):
    """One name that one import binds: ``path`` in full, ``module`` and ``name`` as they are imported."""

    node: ast.Import | ast.ImportFrom
    local: str
    module: str
    name: str  # "" for a module

    @property
    def path(self) -> str:
        return f"{self.module}.{self.name}" if self.name else self.module


def spellings(text: str) -> Iterator[tuple[Retold, set[int]]]:
    """The program with one import respelled, each with the lines of that import.

    Left alone: relative and star imports, statements over several lines, names that are bound twice.
    """
    module = ast.parse(text)
    bound = _bound(module)
    for node in ast.walk(module):
        if not isinstance(node, ast.Import | ast.ImportFrom) or node.lineno != node.end_lineno:
            continue
        for one in _imports(node):
            if bound.count(one.local) == 1:
                yield from _spelled(text, module, one)


def _imports(node: ast.Import | ast.ImportFrom) -> list[_Import]:
    if isinstance(node, ast.Import):
        return [_Import(node, a.asname or a.name, a.name, "") for a in node.names if a.asname or "." not in a.name]
    if node.level or node.module in (None, "__future__") or node.names[0].name == "*":
        return []
    return [_Import(node, alias.asname or alias.name, node.module or "", alias.name) for alias in node.names]


def _bound(module: ast.Module) -> list[str]:
    found: list[str] = []
    for node in ast.walk(module):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.append(node.id)
        elif isinstance(node, ast.arg):
            found.append(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.append(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found += [alias.asname or alias.name.partition(".")[0] for alias in node.names]
        elif isinstance(node, ast.Global | ast.Nonlocal):
            found += [*node.names, *node.names]
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            found.append(node.name)
    return found


def _spelled(text: str, module: ast.Module, one: _Import) -> Iterator[tuple[Retold, set[int]]]:
    uses = [node for node in ast.walk(module) if isinstance(node, ast.Name) and node.id == one.local]
    if not uses or any(part in uses for text_ in ast.walk(module) if isinstance(text_, ast.JoinedStr) for part in ast.walk(text_)):
        return  # inside an f-string Python 3.11 does not say where a name stands
    new = _NEW + re.sub(r"\W", "_", one.local)
    parent, _, last = one.module.rpartition(".")
    renamed = dict.fromkeys(uses, new)
    ways: list[tuple[str, str, dict[ast.Name, str]]] = []
    if one.name:
        ways.append(("from … import … as", f"from {one.module} import {one.name} as {new}", renamed))
        ways.append(("import", f"import {one.module}", dict.fromkeys(uses, one.path)))
        ways.append(("import … as", f"import {one.module} as {new}", dict.fromkeys(uses, f"{new}.{one.name}")))
        if parent:
            ways.append(("from parent", f"from {parent} import {last}", dict.fromkeys(uses, f"{last}.{one.name}")))
    else:
        ways.append(("import … as", f"import {one.module} as {new}", renamed))
        ways.append(("import", f"import {one.module}", dict.fromkeys(uses, one.module)))
        if parent:
            ways.append(("from parent", f"from {parent} import {last} as {new}", renamed))
    taken = {*_bound(module)} - {one.local}
    for name, statement, names in ways:
        if not (one.name or parent) and statement == f"import {one.local}":
            continue
        local = next(iter(names.values())).partition(".")[0]
        if local in taken and local != one.module.partition(".")[0]:
            continue
        if local in taken and not _imported_plainly(module, local):
            continue
        yield _told(text, one, name, statement, {node: (node, new_) for node, new_ in names.items()}), _lines(one)
    if not one.name:
        yield from _members(text, module, one, uses, taken)


def _members(
    text: str, module: ast.Module, one: _Import, uses: list[ast.Name], taken: set[str]
) -> Iterator[tuple[Retold, set[int]]]:
    """``import torch`` as ``from torch import load``, when every use is ``torch.something`` on one line."""
    around = {id(node.value): node for node in ast.walk(module) if isinstance(node, ast.Attribute)}
    found = {use: around[id(use)] for use in uses if id(use) in around}
    whole = len(found) == len(uses) and all(
        isinstance(node.ctx, ast.Load) and node.lineno == node.end_lineno for node in found.values()
    )
    if not whole:
        return
    for name, prefix in (("from … import", ""), ("from … import … as", _NEW)):
        members = sorted({node.attr for node in found.values()})
        locals_ = {prefix + member for member in members}
        if locals_ & (taken | set(_builtins())):
            continue
        listed = ", ".join(f"{m} as {prefix}{m}" if prefix else m for m in members)
        names: dict[ast.Name, tuple[ast.expr, str]] = {use: (node, prefix + node.attr) for use, node in found.items()}
        yield _told(text, one, name, f"from {one.module} import {listed}", names), _lines(one)


def _told(
    text: str, one: _Import, name: str, statement: str, names: Mapping[ast.Name, tuple[ast.expr, str]]
) -> Retold:
    lines = [line.encode() for line in text.split("\n")]
    edits = [(n.lineno, n.col_offset, n.end_col_offset or 0, new) for n, new in names.values()]
    rest = _rest(one)
    edits.append((one.node.lineno, one.node.col_offset, one.node.end_col_offset or 0, "; ".join([statement, *rest])))
    for line, start, end, new in sorted(edits, reverse=True):
        old = lines[line - 1]
        lines[line - 1] = old[:start] + new.encode() + old[end:]
    return Retold(f"{one.path}: {name}", b"\n".join(lines).decode(), lambda line: line)


def _rest(one: _Import) -> list[str]:
    """The other names of the same statement, as a statement of their own."""
    others = [alias for alias in one.node.names if (alias.asname or alias.name) != one.local]
    if not others:
        return []
    if isinstance(one.node, ast.Import):
        return [ast.unparse(ast.Import(names=others))]
    return [ast.unparse(ast.ImportFrom(module=one.node.module, names=others, level=0))]


def _imported_plainly(module: ast.Module, local: str) -> bool:
    """Whether a name is bound by nothing but ``import name`` and ``import name.inner``."""
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom) and any((a.asname or a.name) == local for a in node.names):
            return False
        if isinstance(node, ast.Import) and any(a.asname == local for a in node.names):
            return False
        if isinstance(node, ast.Name) and node.id == local and not isinstance(node.ctx, ast.Load):
            return False
        if isinstance(node, ast.arg) and node.arg == local:
            return False
    return True


def _lines(one: _Import) -> set[int]:
    return set(range(one.node.lineno, (one.node.end_lineno or one.node.lineno) + 1))


def _builtins() -> list[str]:
    import builtins

    return dir(builtins)
