"""The summary of a body of statements: what it does to its end, and what it returns."""

from __future__ import annotations

import ast

from dlgovern.flow.ranks import values
from dlgovern.flow.ranks.frame import Frame
from dlgovern.flow.ranks.summary import Summary
from dlgovern.flow.ranks.trace import Node, has_events
from dlgovern.flow.ranks.values import Value, unknown

_TOO_MUCH = 4_000  # steps of a trace; a function that does more is taken as doing nothing


def finished(frame: Frame, body: list[ast.stmt]) -> Summary:
    """Interpret a body to its end."""
    from dlgovern.flow.ranks.statements import block  # statements call functions

    ended = not block(frame, body)
    steps = tuple(frame.out)
    leaves = has_events(steps) or any(_quits(step) for step in steps) or any(step.kind == "yield" for step in steps)
    cut = frame.cut
    if leaves and frame.target is not None and frame.depth and sum(step.size for step in steps) > _TOO_MUCH:
        leaves, cut = False, cut | {frame.target.key}
    found = list(frame.returned)
    if not ended and not any(isinstance(one, ast.Return) and one.value is None for one in body):
        found.append(values.NONE)
    return Summary(steps if leaves else (), _returned(found, frame), cut)


def _quits(step: Node) -> bool:
    if step.kind == "exit":
        return step.op == "exit"
    return any(_quits(inner) for branch in step.branches for inner in branch)


def _returned(found: list[Value], frame: Frame) -> Value:
    if not found:
        return values.NONE
    if all(one._replace(ranked=True) == found[0]._replace(ranked=True) for one in found):
        return min(found, key=lambda one: one.ranked)
    if all(str(one.data).endswith(values.WORLD) for one in found):
        return unknown(values.WORLD)
    telling = [one for one in found if one.kind == "wrapped"]
    if telling:
        return telling[0]
    name = frame.target.node.name if frame.target else ""
    flag = values.ranked(*found)
    return unknown(f"{name}()", values.worst(*found) or ("mixed" if flag else ""), flag)
