"""Where a walk along a trace is: the steps that are left, inside of which calls, loops and choices."""

from __future__ import annotations

from dlgovern.flow.ranks.trace import Node, events

State = tuple[tuple[tuple[Node, ...], int, Node | None], ...]
"""What is left of a trace: the steps, the position, and the call, loop or choice around, innermost last."""

_AHEAD = 200  # events of the rest that are looked at to tell an order from an absence


def begin(steps: tuple[Node, ...]) -> State:
    """The state at the start of some steps."""
    return ((steps, 0, None),)


def head(state: State) -> tuple[State, Node | None]:
    """The next step, and the state without what is finished around it; the outermost frame stays."""
    while True:
        steps, at, _ = state[-1]
        if at < len(steps):
            step = steps[at]
            if step.kind != "yield":
                return state, step
            state = advance(state)
        elif len(state) == 1:
            return state, None
        elif len(state) == 2 and state[0][2] is not None and state[0][2].kind == "loop" and not state[0][0]:  # noqa: PLR2004
            return state, None  # the end of a loop's body
        else:
            state = state[:-1]


def call_around(state: State) -> Node | None:
    """The outermost call in which a state is."""
    return next((node for _, _, node in state if node is not None and node.kind == "call"), None)


def advance(state: State) -> State:
    """The state after the next step."""
    steps, at, node = state[-1]
    return (*state[:-1], (steps, at + 1, node))


def enter(state: State, step: Node, branch: int) -> State:
    """The state inside of the next step, which is ``step``."""
    return (*advance(state), (step.branches[branch], 0, step))


def leave(state: State, step: Node) -> State:
    """Where an exit leads: after the call for a return inside of one, else to the end."""
    if step.op == "return":
        for index in range(len(state) - 1, 0, -1):
            node = state[index][2]
            if node is not None and node.kind == "call":
                return state[:index]
    if step.op in ("break", "continue"):
        for index in range(len(state) - 1, 0, -1):
            node = state[index][2]
            if node is not None and node.kind == "loop":
                return state[:index]
    first = state[0]
    return (((), 0, first[2]), ((), 0, None)) if first[2] is not None else (((), 0, None),)


def rest_of(state: State) -> tuple[Node, ...]:
    """The next events, both sides of every choice."""
    found: list[Node] = []
    for steps, at, _ in reversed(state):
        for event in events(steps[at:]):
            found.append(event)
            if len(found) >= _AHEAD:
                return tuple(found)
    return tuple(found)


def comes(loop: Node, state: State) -> bool:
    """Whether a loop is still to come."""
    return any(step.kind == "loop" and step.spot == loop.spot for steps, at, _ in state for step in steps[at:])


def occurs(step: Node, rest: tuple[Node, ...]) -> bool:
    """Whether the first event of a step comes again among others."""
    first = step if step.is_event else next(events((step,)), None)
    return first is not None and any(other.shape == first.shape for other in rest)
