"""What entering and leaving a context manager does on one class of ranks."""

from __future__ import annotations

import ast
import re

from dlgovern.flow.facts import Facts
from dlgovern.flow.paths import called_name, written
from dlgovern.flow.ranks import values
from dlgovern.flow.ranks.arguments import arguments
from dlgovern.flow.ranks.expressions import value
from dlgovern.flow.ranks.frame import Frame
from dlgovern.flow.ranks.project import Target
from dlgovern.flow.ranks.trace import Guard, Node
from dlgovern.flow.ranks.values import unknown

_GENERATORS = frozenset({"contextmanager", "asynccontextmanager"})
_OFF = re.compile(r"(^|_)(disable|skip|without|suppress|bypass|no)_.*(barrier|collective|distributed|ddp)", re.I)


def switches_off(item: ast.withitem) -> bool:
    """Whether a manager says by its name that ranks do not meet inside: ``with disable_barriers():``."""
    node = item.context_expr
    return isinstance(node, ast.Call) and _OFF.search(called_name(node.func)) is not None


def enter(frame: Frame, item: ast.withitem) -> tuple[list[Node], list[Node]]:
    """The steps before and after the body."""
    node = item.context_expr
    before: list[Node] = []
    after: list[Node] = []
    if isinstance(node, ast.Call):
        before, after = _managed(frame, node)
    else:
        value(frame, node)
    if item.optional_vars is not None:
        for name in ast.walk(item.optional_vars):
            if isinstance(name, ast.Name):
                frame.env[name.id] = unknown(f"{name.id}@{node.lineno}", "handle" if frame.summaries.writes else "")
    return before, after


def _managed(frame: Frame, node: ast.Call) -> tuple[list[Node], list[Node]]:
    last = written(node.func).rpartition(".")[2] or (node.func.attr if isinstance(node.func, ast.Attribute) else "")
    outer, frame.out = frame.out, []
    nowhere = frame.summaries.leads_nowhere(frame, node.func, ())
    target = frame.project.function(frame.facts, node.func) if not nowhere and frame.summaries.may_follow(frame) else None
    if target is None or target.node.name != "__init__":
        if target is not None and _is_generator(target):
            positional = [value(frame, argument) for argument in node.args]
            keywords = {word.arg or "**": value(frame, word.value) for word in node.keywords}
            frame.out = outer
            given = arguments(
                target.node, positional, keywords, bound=isinstance(node.func, ast.Attribute), every=frame.summaries.files, apart=frame.summaries.writes
            )
            return _split(frame.summaries.run(target, frame.cls, given, frame, manager=True).steps)
    kind = frame.tables.first.get(last)
    value(frame, node)
    happened, frame.out = frame.out, outer
    if kind is not None and target is None:
        leads = values.truth(frame.source(kind, last))
        guard = Guard(frame.spot(node), written(node.func) or last)
        step = Node("collective", "barrier", spot=frame.spot(node), guard=guard, node=node)
        return (happened, [step]) if leads else ([*happened, step], [])
    if not nowhere and (made := _class(frame, node, target)) is not None:
        steps = [_method(frame, made, name, node) for name in ("__enter__", "__exit__")]
        return [*happened, *steps[0]], steps[1]
    return happened, []


def _class(frame: Frame, node: ast.Call, target: Target | None) -> tuple[Facts, ast.ClassDef] | None:
    """The class of the project that a call makes an object of; ``target`` is its ``__init__`` where it has one."""
    if target is not None:
        return (target.facts, target.owner) if target.node.name == "__init__" and target.owner is not None else None
    made = frame.project.definition(frame.facts, node.func) if frame.summaries.may_follow(frame) else None
    return (made.facts, made.node) if made is not None and isinstance(made.node, ast.ClassDef) else None


def _method(frame: Frame, made: tuple[Facts, ast.ClassDef], name: str, node: ast.Call) -> list[Node]:
    method = frame.project.method(*made, name)
    if method is None:
        return []
    summary = frame.summaries.run(method, frame.cls, {}, frame)
    if not summary.steps:
        return []
    guard = frame.guards[-1] if frame.guards else None
    return [Node("call", name, spot=frame.spot(node), guard=guard, node=node, branches=(summary.steps,))]


def _is_generator(target: Target) -> bool:
    return any(written(decorator).rpartition(".")[2] in _GENERATORS for decorator in target.node.decorator_list)


def _split(steps: tuple[Node, ...]) -> tuple[list[Node], list[Node]]:
    """What a generator does before and after its ``yield``; one inside of a choice counts for all of it."""
    for index, step in enumerate(steps):
        if _yields(step):
            inner: tuple[list[Node], list[Node]] = ([], [])
            if step.branches and step.kind != "yield":
                chosen = next(branch for branch in step.branches if any(map(_yields, branch)))
                inner = _split(chosen)
            return [*steps[:index], *inner[0]], [*inner[1], *steps[index + 1 :]]
    return list(steps), []


def _yields(step: Node) -> bool:
    return step.kind == "yield" or any(_yields(inner) for branch in step.branches for inner in branch)
