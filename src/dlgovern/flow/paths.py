"""What happens in which order on the paths through a function body."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol, TypeVar

from dlgovern.flow.facts import Facts
from dlgovern.source.tree import FUNCTIONS, children, enclosing_class, parents


class Guard(NamedTuple):
    """A condition under which a node runs: the test without its ``not``, and whether it must be true."""

    test: str
    holds: bool
    periodic: bool = False  # the test asks for a remainder: true every n-th time


State = TypeVar("State")


class Traveller(Protocol[State]):
    """What is carried along the paths."""

    def see(self, node: ast.AST, state: State) -> State:
        """The state after a call or an assignment."""

    def join(self, states: list[State]) -> State:
        """The state where paths meet."""


def travel(body: list[ast.stmt], traveller: Traveller[State], state: State) -> State | None:
    """The state at the end of a body, or None when no path reaches the end.

    A loop counts as one turn or none, a ``try`` as its body and then either nothing or a handler. Calls are
    seen before the assignment of their value.
    """
    current: State | None = state
    for statement in body:
        if current is None:
            return None
        current = _statement(statement, traveller, current)
    return current


def guards(node: ast.AST) -> tuple[Guard, ...]:
    """The conditions around a node in its function, outermost first."""
    found = []
    child = node
    for parent in parents(node):
        if isinstance(parent, FUNCTIONS):
            break
        if isinstance(parent, ast.If | ast.IfExp) and child is not parent.test:
            positive = child is parent.body or (isinstance(parent, ast.If) and any(child is s for s in parent.body))
            found.append(guard(parent.test, positive))
        child = parent
    return tuple(reversed(found))


def guard(test: ast.expr, holds: bool) -> Guard:
    """A test and its outcome, without ``not``: ``not x`` that holds is ``x`` that does not."""
    while isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        test, holds = test.operand, not holds
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.IsNot | ast.NotEq):
        opposite = ast.Is() if isinstance(test.ops[0], ast.IsNot) else ast.Eq()
        return Guard(ast.dump(ast.Compare(test.left, [opposite], test.comparators)), not holds, _periodic(test))
    if isinstance(test, ast.Compare) and _is_none_test(test):
        return Guard(ast.dump(ast.Compare(test.left, [ast.Is()], test.comparators)), holds, _periodic(test))
    return Guard(ast.dump(test), holds, _periodic(test))


def contradict(some: Iterable[Guard], others: Iterable[Guard]) -> bool:
    """Whether two sets of conditions cannot hold together, as far as the same words say."""
    known = {one.test: one.holds for one in some}
    return any(known.get(one.test, one.holds) != one.holds for one in others)


def loop(node: ast.AST) -> ast.AST | None:
    """The innermost loop around a node in its function."""
    for parent in parents(node):
        if isinstance(parent, FUNCTIONS):
            return None
        if isinstance(parent, ast.For | ast.AsyncFor | ast.While):
            return parent
    return None


def calls_in(node: ast.AST) -> list[ast.Call]:
    """The calls in an expression in the order in which they are made, nested functions left out."""
    found = []
    todo: list[ast.AST] = [node]
    while todo:
        current = todo.pop()
        if isinstance(current, ast.Call):
            found.append(current)
        if not isinstance(current, (*FUNCTIONS, ast.ClassDef)):
            todo.extend(children(current))
    return sorted(found, key=lambda call: (call.end_lineno or 0, call.end_col_offset or 0))


def called_name(node: ast.AST) -> str:
    """The last part of what is called, "" when it has no name."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def called_on(func: ast.Attribute) -> str:
    """The function whose result has the method, as written: ``scaler.scale`` of ``scaler.scale(loss).backward``."""
    return written(func.value.func) if isinstance(func.value, ast.Call) else ""


def own_nodes(body: Iterable[ast.AST]) -> Iterable[ast.AST]:
    """All nodes below these, bodies of nested functions and classes left out; the last statement comes first."""
    if not isinstance(body, list) or not body:
        return _below(body)
    owner = getattr(body[0], "up", None)
    if getattr(owner, "body", None) is not body:
        return _below(body)
    known: list[ast.AST] | None = getattr(owner, "own", None)
    if known is None:
        known = owner.own = list(_below(body))  # type: ignore[union-attr]  # asked for again by every rule
    return known


_STOPS = frozenset((*FUNCTIONS, ast.ClassDef))


def _below(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    todo = list(body)
    while todo:
        node = todo.pop()
        yield node
        if type(node) not in _STOPS:
            todo += children(node)


def context_managers(node: ast.AST) -> Iterator[ast.withitem]:
    """The ``with`` items around a node in its function."""
    child = node
    for parent in parents(node):
        if isinstance(parent, FUNCTIONS):
            return
        if isinstance(parent, ast.With | ast.AsyncWith) and not isinstance(child, ast.withitem):
            yield from parent.items
        child = parent


def written(node: ast.AST | None) -> str:
    """A name or a chain of attributes as written, "" for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def targets(node: ast.AST) -> set[str]:
    """The names and attributes that an assignment gives a value."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]  # type: ignore[attr-defined]
    return {written(part) for t in targets for part in (t.elts if isinstance(t, ast.Tuple | ast.List) else [t])}


def assigned_names(node: ast.AST) -> set[str]:
    """The names and attributes that get the value of an expression, through calls and choices around it."""
    for parent in parents(node):
        if isinstance(parent, ast.Assign | ast.AnnAssign | ast.AugAssign):
            return targets(parent) - {""}
        if isinstance(parent, ast.keyword) and parent.arg:
            return {parent.arg}
        if not isinstance(parent, ast.expr):
            break
    return set()


def assigned_in(body: list[ast.stmt], made_by: type[ast.AST] = ast.AST) -> set[str]:
    """The names and attributes that statements give a value."""
    nodes = (node for node in own_nodes(body) if isinstance(node, ast.Assign) and isinstance(node.value, made_by))
    return {name for node in nodes for name in targets(node)}


def receiver(node: ast.AST | None) -> str:
    """The object at the start of a chain of method calls: ``m`` of ``m.to(x).half()``."""
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        node = node.func.value
    return written(node)


def parameters_of(facts: Facts, call: ast.Call) -> dict[str, str]:
    """The parameters of a function of this file -> what a call of it by name gives them, as written."""
    binding = facts.names.binding(call.func) if isinstance(call.func, ast.Name) else None
    if binding is None or not isinstance(binding.node, ast.FunctionDef | ast.AsyncFunctionDef):
        return {}
    names = [arg.arg for arg in (*binding.node.args.posonlyargs, *binding.node.args.args)]
    given = {name: written(arg) for name, arg in zip(names, call.args, strict=False)}
    return given | {word.arg: written(word.value) for word in call.keywords if word.arg}


def body_of(facts: Facts, call: ast.Call) -> list[ast.stmt] | None:
    """The body of the function of this file that a call means, by name or as a method of the same class."""
    wanted: ast.AST | None = None
    if isinstance(call.func, ast.Name):
        binding = facts.names.binding(call.func)
        wanted = binding.node if binding and binding.kind == "define" else None
    elif isinstance(call.func, ast.Attribute) and written(call.func.value) in ("self", "cls"):
        owner = enclosing_class(call)
        name = call.func.attr
        wanted = next((s for s in owner.body if getattr(s, "name", "") == name), None) if owner else None
    return wanted.body if isinstance(wanted, ast.FunctionDef | ast.AsyncFunctionDef) else None


def _statement(node: ast.stmt, traveller: Traveller[State], state: State) -> State | None:
    if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
        return state
    if isinstance(node, ast.If):
        state = _expressions([node.test], traveller, state)
        return _meet(traveller, [travel(node.body, traveller, state), travel(node.orelse, traveller, state)])
    if isinstance(node, ast.For | ast.AsyncFor | ast.While):
        state = _expressions([node.test if isinstance(node, ast.While) else node.iter], traveller, state)
        after = travel(node.body, traveller, state)
        joined = _meet(traveller, [state, after])
        return travel(node.orelse, traveller, joined) if joined is not None else None
    if isinstance(node, ast.With | ast.AsyncWith):
        state = _expressions([item.context_expr for item in node.items], traveller, state)
        return travel(node.body, traveller, state)
    if isinstance(node, ast.Try | ast.TryStar):
        return _try(node, traveller, state)
    if isinstance(node, ast.Match):
        state = _expressions([node.subject], traveller, state)
        return _meet(traveller, [state, *(travel(case.body, traveller, state) for case in node.cases)])
    state = _expressions([node], traveller, state)
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
        state = traveller.see(node, state)
    return None if isinstance(node, ast.Return | ast.Raise | ast.Continue | ast.Break) else state


def _try(node: ast.Try | ast.TryStar, traveller: Traveller[State], state: State) -> State | None:
    whole = travel([*node.body, *node.orelse], traveller, state)
    caught = [travel(handler.body, traveller, state) for handler in node.handlers]
    joined = _meet(traveller, [whole, *caught])
    if not node.finalbody:
        return joined
    ended = travel(node.finalbody, traveller, joined if joined is not None else state)
    return ended if joined is not None else None


def _expressions(nodes: Iterable[ast.AST], traveller: Traveller[State], state: State) -> State:
    for node in nodes:
        for call in calls_in(node):
            state = traveller.see(call, state)
    return state


def _meet(traveller: Traveller[State], states: list[State | None]) -> State | None:
    alive = [state for state in states if state is not None]
    return traveller.join(alive) if alive else None


def _periodic(test: ast.expr) -> bool:
    """A remainder, or a flag whose name says that an accumulation ends."""
    for node in ast.walk(test):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
            return True
        name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        if name and _ACCUMULATED.search(name):
            return True
    return False


_ACCUMULATED = re.compile(
    r"(do|need|should|is|will)_?(update|step|optimi)|update_(grad|step|now|weights)|boundary|accum\w*_(end|done|over)|end_of_accum|sync_gradients|step_now", re.I
)


def _is_none_test(test: ast.Compare) -> bool:
    return isinstance(test.ops[0], ast.Is | ast.Eq) and isinstance(test.comparators[0], ast.Constant)


def names_in(node: ast.AST) -> set[str]:
    """The variables that an expression or a target names."""
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
