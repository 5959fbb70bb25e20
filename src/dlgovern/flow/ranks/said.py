"""What each function of a file says, in words: what it uses, what decides in it, what it gives back."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import NamedTuple

from dlgovern.flow.paths import called_name
from dlgovern.flow.ranks.project import Target
from dlgovern.flow.ranks.tables import SHARES
from dlgovern.source.tree import children

_INNER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_APART = frozenset("print len range enumerate zip isinstance getattr hasattr list dict set super".split())
"""Functions whose result says nothing of a rank that they are given."""

KEEPS = frozenset("to cuda cpu train eval half float bfloat16 requires_grad_ compile".split())
"""Methods of a model that return the model."""


class Said(NamedTuple):
    """The words of a function's own code, functions inside of it left out."""

    names: frozenset[str]  # everything that is used
    decides: frozenset[str]  # what stands in conditions, context managers, decorators, heads of loops, arguments of functions
    gives: frozenset[str]  # what results are made of, and "return"
    itself: frozenset[str]  # what results may themselves be
    calls: tuple[ast.Call, ...]
    catches: bool
    loops: bool  # it may go on, or stop, whenever a condition says so


class Given(NamedTuple):
    """An assignment: the names that get a value, what it is made of, and what it may itself be: a name, or what is called."""

    targets: tuple[str, ...]
    made_of: frozenset[str]
    itself: frozenset[str]


def said(target: Target) -> tuple[Said, list[Given]]:
    """The words of a function, or of the module's own statements, and its assignments."""
    names: set[str] = set()
    decides: set[str] = set()
    gives: set[str] = set()
    itself: set[str] = set()
    calls: list[ast.Call] = []
    given: list[Given] = []
    catches = loops = False
    node = target.node
    for arg in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
        names.add(arg.arg)
        if arg.annotation is not None:
            given.append(Given((arg.arg,), frozenset(), frozenset(_names(arg.annotation, children))))
    todo: list[ast.AST] = [*node.body, *node.decorator_list]
    for decorator in node.decorator_list:
        decides |= made_of(decorator)
    while todo:
        one = todo.pop()
        kind = type(one)
        if kind is ast.Name:
            names.add(one.id)  # type: ignore[attr-defined]
            continue
        if kind is ast.Attribute:
            names.add(one.attr)  # type: ignore[attr-defined]
            todo.append(one.value)  # type: ignore[attr-defined]
            continue
        if kind is ast.Constant:
            if isinstance(one.value, str) and one.value.isidentifier():  # type: ignore[attr-defined]
                names.add(one.value)  # type: ignore[attr-defined]
            continue
        if kind not in _TOLD:
            todo += children(one)
            continue
        if isinstance(one, _INNER):
            todo += one.decorator_list
            for decorator in one.decorator_list:
                decides |= made_of(decorator)
            if not isinstance(one, ast.ClassDef) and registered(one):
                todo += one.body
            continue
        if isinstance(one, ast.Call):
            calls.append(one)
            if isinstance(one.func, ast.Name) or _is_own(one.func):
                for argument in (*one.args, *(word.value for word in one.keywords)):
                    decides |= made_of(argument)
        elif isinstance(one, ast.If | ast.While | ast.IfExp | ast.Assert):
            decides |= made_of(one.test)
            loops = loops or isinstance(one, ast.While)
        elif isinstance(one, ast.BoolOp):
            decides |= made_of(one)
        elif isinstance(one, ast.With | ast.AsyncWith):
            for item in one.items:
                decides |= made_of(item.context_expr)
                if item.optional_vars is not None:
                    given.append(Given(tuple(_targets(item.optional_vars)), frozenset(), frozenset(_itself(item.context_expr))))
        elif isinstance(one, ast.For | ast.AsyncFor | ast.comprehension):
            decides |= made_of(one.iter)
            given.append(Given(tuple(_targets(one.target)), frozenset(), frozenset(_itself(one.iter))))
            for test in getattr(one, "ifs", ()):
                decides |= made_of(test)
        elif isinstance(one, ast.Match):
            decides |= made_of(one.subject)
        elif isinstance(one, ast.ExceptHandler):
            catches = True
        elif isinstance(one, ast.Break):
            loops = True
        elif isinstance(one, ast.Return | ast.Yield | ast.YieldFrom):
            gives |= _told_by(one.value) if one.value is not None else set()
            gives.add("return")
            itself |= _itself(one.value) if one.value is not None else set()
        elif isinstance(one, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.NamedExpr) and one.value is not None:
            targets = one.targets if isinstance(one, ast.Assign) else [one.target]
            found = tuple(name for each in targets for name in _targets(each))
            given.append(Given(found, frozenset(_told_by(one.value)), frozenset(_itself(one.value))))
        todo += children(one)
    return Said(frozenset(names), frozenset(decides), frozenset(gives), frozenset(itself), tuple(calls), catches, loops), given


def registered(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a function is handed to an engine where it is defined: ``@engine.on(event)``."""
    return any(isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute) and one.func.attr == "on" for one in node.decorator_list)


_TOLD = frozenset(
    {
        *_INNER, ast.Call, ast.If, ast.While, ast.IfExp, ast.Assert, ast.BoolOp, ast.With, ast.AsyncWith, ast.For, ast.AsyncFor, ast.comprehension,
        ast.Match, ast.ExceptHandler, ast.Break, ast.Return, ast.Yield, ast.YieldFrom, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.NamedExpr,
    }
)
"""Nodes of which more is told than the words below them."""


class Plain(NamedTuple):
    """What a statement uses, sets and calls."""

    names: frozenset[str]
    targets: frozenset[str]
    calls: tuple[ast.Call, ...]


_CLOSED = (*_INNER, ast.Return, ast.Raise, ast.Break, ast.Continue, ast.Yield, ast.YieldFrom, ast.Match, ast.Try, ast.TryStar, ast.With, ast.AsyncWith)


def plain(statement: ast.stmt) -> Plain | None:
    """What a statement says, None for one that ends something or that other rules hold for."""
    names: set[str] = set()
    targets: set[str] = set()
    calls: list[ast.Call] = []
    todo: list[ast.AST] = [statement]
    while todo:
        one = todo.pop()
        if isinstance(one, ast.Name):
            names.add(one.id)
            if not isinstance(one.ctx, ast.Load):
                targets.add(one.id)
        elif isinstance(one, ast.Attribute):
            names.add(one.attr)
            if not isinstance(one.ctx, ast.Load):
                targets.add(one.attr)
            todo.append(one.value)
        elif isinstance(one, ast.Constant):
            if isinstance(one.value, str) and one.value.isidentifier():
                names.add(one.value)
        elif isinstance(one, _CLOSED):
            return None
        else:
            if isinstance(one, ast.Call):
                calls.append(one)
            todo += children(one)
    return Plain(frozenset(names), frozenset(targets), tuple(calls))


def made_of(node: ast.AST) -> set[str]:
    """The names whose values an expression's value may be, or be decided by."""
    return _names(node, _decides)


def _told_by(node: ast.AST) -> set[str]:
    """The names of which a value tells something itself: not what functions are given, but for those that only ask."""
    return _names(node, _tells)


def _names(node: ast.AST, below: Callable[[ast.AST], Iterable[ast.AST]]) -> set[str]:
    """The names and words in an expression; ``below`` says what is looked at under a node that is neither."""
    found: set[str] = set()
    todo = [node]
    while todo:
        one = todo.pop()
        if isinstance(one, ast.Name):
            found.add(one.id)
            continue
        if isinstance(one, ast.Attribute):
            found.add(one.attr)
        elif isinstance(one, ast.Constant):
            if isinstance(one.value, str) and one.value.isidentifier():
                found.add(one.value)
            continue
        todo += below(one)
    return found


def _decides(node: ast.AST) -> list[ast.AST]:
    if isinstance(node, ast.Attribute):
        return [node.value] if isinstance(node.value, ast.Call | ast.Subscript) else []
    if isinstance(node, ast.Call):
        found: list[ast.AST] = [node.func]
        if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Call | ast.Attribute | ast.Name):
            found.append(node.func.value)
        if not (isinstance(node.func, ast.Name) and node.func.id in _APART):
            found += [*node.args, *(word.value for word in node.keywords)]
        return found
    return [] if isinstance(node, ast.JoinedStr | ast.Lambda) else children(node)


def _tells(node: ast.AST) -> list[ast.AST]:
    if isinstance(node, ast.Attribute):
        return [node.value] if isinstance(node.value, ast.Call) else []
    if isinstance(node, ast.Call):
        name = called_name(node.func)
        asks = name in _ASKS or name.lstrip("_").startswith(("is_", "has_", "should_", "need", "check"))
        return [node.func, *(arg for arg in node.args if asks or isinstance(arg, ast.Constant))]
    silent = ast.JoinedStr | ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
    return [] if isinstance(node, silent) else children(node)


_ASKS = frozenset("int bool float str len any all abs max min round getattr range Subset TensorDataset DataLoader StatefulDataLoader".split()) | SHARES
"""Functions whose result tells of what they are given, or is as much as that says."""


def _itself(node: ast.AST) -> set[str]:
    """The names whose objects a value may be: those it is taken from, and those that are called to make it."""
    if isinstance(node, ast.Name):
        return {node.id}
    if isinstance(node, ast.Attribute):
        return {node.attr}
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr in KEEPS:
            return _itself(node.func.value) | ({name for one in node.args[:1] for name in _itself(one)} if node.func.attr == "compile" else set())
        kind = node.func.value.id if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name) else ""
        return {called_name(node.func), kind} if kind[:1].isupper() else {called_name(node.func)}
    if isinstance(node, ast.IfExp):
        return _itself(node.body) | _itself(node.orelse)
    if isinstance(node, ast.BoolOp | ast.Tuple | ast.List):
        parts = node.values if isinstance(node, ast.BoolOp) else node.elts
        return {name for part in parts for name in _itself(part)}
    return _itself(node.value) if isinstance(node, ast.Subscript | ast.Await | ast.Starred) else set()


def _is_own(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")


def _targets(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute):
        return [node.attr]
    if isinstance(node, ast.Tuple | ast.List):
        return [name for part in node.elts for name in _targets(part)]
    if isinstance(node, ast.Starred | ast.Subscript):
        return _targets(node.value)
    return []
