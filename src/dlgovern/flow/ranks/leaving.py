"""What single steps of a trace say: whether ranks leave there, whether anything happens, whether it stands in another file."""

from __future__ import annotations

from collections.abc import Iterable

from dlgovern.flow.ranks.trace import Node, has_events


def elsewhere(call: Node) -> bool:
    """Whether what a call runs stands in another file."""
    return any(step.spot[0] != call.spot[0] for branch in call.branches for step in branch)


def same_call(one: Node, two: Node) -> bool:
    """Whether ranks that a condition parts call one function of this file on either side of it."""
    if one.op != two.op or one.guard is None or two.guard is None:
        return False
    return one.guard.spot == two.guard.spot and not elsewhere(one) and not elsewhere(two)


def does(step: Node | None) -> bool:
    """Whether something happens in a step, or it may lead out of what is around it."""
    return step is not None and (step.exits or has_events((step,)))


def not_from(gone: Node, site: Node) -> bool:
    """Whether an exit does not keep ranks from a place: it stands behind it, or left a function of another file only."""
    return gone.op == "return" and (gone.spot[0] != site.spot[0] or gone.spot[1] > site.spot[1])


def leaving(step: Node | None) -> bool:
    """Whether ranks that a condition names leave here."""
    return step is not None and step.kind == "exit" and step.guard is not None


def within(step: Node) -> set[int]:
    """The steps inside of a choice: only what stands there, or is left from there, is decided by it."""
    found: set[int] = set()
    todo = [step]
    while todo:
        for branch in todo.pop().branches:
            found.update(map(id, branch))
            todo += branch
    return found


def only_exits(steps: Iterable[Node]) -> list[Node]:
    """The ways out that steps have, and nothing of what happens there."""
    return [
        Node(
            step.kind, step.op, spot=step.spot, guard=step.guard, node=step.node, group=step.group, sure=step.sure,
            branches=tuple(tuple(only_exits(branch)) for branch in step.branches),
        )
        for step in steps
        if step.exits
    ]
