"""Two traces side by side: what one class of ranks does and the other does not, does in another order, or has left before."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from dlgovern.flow.ranks.frame import Meter
from dlgovern.flow.ranks.trace import Node, assume, events, holds

State = tuple[tuple[tuple[Node, ...], int, Node | None], ...]
"""What is left of a trace: the steps, the position, and the call, loop or choice around, innermost last."""

_AHEAD = 200  # events of the rest that are looked at to tell an order from an absence
_SHOWN = 3


class Divergence(NamedTuple):
    """An event of one side that has no partner on the other."""

    cause: str  # branch, exit, order, flag (no condition on a rank: a variable that only some ranks set), turns
    event: Node
    site: Node  # where in the judged function: the event itself, or the call that leads to it
    here: int  # 0: the first trace has it, 1: the second
    left: Node | None  # the exit that took the other side away
    guard: object  # the condition that decided, None when nobody knows
    before: tuple[Node, ...]  # common events just before
    after: tuple[tuple[Node, ...], tuple[Node, ...]]  # what follows on either side
    taint: str = ""  # why ranks of one class may disagree


class Comparison:
    """Compares traces; ``found`` collects what differs."""

    def __init__(self, meter: Meter) -> None:
        self.meter = meter
        self.found: list[Divergence] = []
        self._call: Node | None = None  # the call inside of which the walk is

    def run(self, one: tuple[Node, ...], two: tuple[Node, ...]) -> None:
        """Compare two traces of a function from its start."""
        self._walk(_state(one), _state(two), {}, [])

    def differ(self, steps: tuple[Node, ...], reasons: frozenset[str]) -> None:
        """Compare, for each choice that ranks of one class need not share, its two sides with what follows."""
        self._differ((), steps, reasons)

    def _differ(self, around: State, steps: tuple[Node, ...], reasons: frozenset[str]) -> None:
        for index, step in enumerate(steps):
            self.meter.step()
            here = (*around, (steps, index + 1, None))
            if step.kind == "choice" and step.group in reasons:
                start = len(self.found)
                one, two = ((*here, (branch, 0, step)) for branch in step.branches)
                self._walk(one, two, assume(step.op, True, {}), [])
                self.found[start:] = [one._replace(taint=step.group, guard=step) for one in self.found[start : start + 1]]
            if step.kind == "choice":
                for branch in step.branches:
                    self._differ(here, branch, reasons)
            elif step.kind == "loop":
                self._differ((((), 0, step),), step.branches[0], reasons)

    # -- the walk ----------------------------------------------------------------------------------------

    def _walk(self, a: State, b: State, known: dict[str, bool], before: list[Node]) -> None:
        left: list[Node | None] = [None, None]
        while True:
            self.meter.step()
            a, one = _head(a)
            b, two = _head(b)
            if one is None and two is None:
                self._ends(left, a, b, before)
                return
            if one is not None and two is not None and one.shape == two.shape:
                before.append(one)
                if one.kind == "exit":
                    return
                a, b = _next(a), _next(b)
                continue
            if one is not None and one.kind == "choice" and (said := holds(one.op, known)) is not None:
                a = _enter(a, one, 0 if said else 1)
                continue
            if two is not None and two.kind == "choice" and (said := holds(two.op, known)) is not None:
                b = _enter(b, two, 0 if said else 1)
                continue
            if one is not None and two is not None and one.kind == two.kind:
                advanced = self._pair(a, b, one, two, known, before)
                if advanced is None:
                    return
                if advanced:
                    a, b = advanced
                    continue
            advanced = self._single(a, b, one, two, known, before, left)
            if advanced is None:
                return
            a, b = advanced

    def _pair(
        self, a: State, b: State, one: Node, two: Node, known: dict[str, bool], before: list[Node]
    ) -> tuple[State, State] | tuple[()] | None:
        """Two steps of one kind: the states after both, None when the walk ended inside, () when they do not match."""
        if one.kind == "choice" and one.op == two.op:
            if not one.exits and not two.exits:
                for branch in (0, 1):
                    outer, self._call = self._call, self._call or _call(a)
                    self._walk(_state(one.branches[branch]), _state(two.branches[branch]), assume(one.op, not branch, known), list(before))
                    self._call = outer
                return _next(a), _next(b)
            for branch in (0, 1):
                self._walk(_enter(a, one, branch), _enter(b, two, branch), assume(one.op, not branch, known), list(before))
            return None
        if one.kind == "call" and one.spot == two.spot:
            before.append(one)  # both sides get there: what differs inside is the callee's own matter
            return _next(a), _next(b)
        if one.kind == "loop" and (one.spot == two.spot or (one.guard and two.guard)):
            outer, self._call = self._call, self._call or _call(a)
            self._walk((((), 0, one), (one.branches[0], 0, None)), (((), 0, two), (two.branches[0], 0, None)), dict(known), list(before))
            self._call = outer
            return _next(a), _next(b)
        return ()

    def _single(
        self, a: State, b: State, one: Node | None, two: Node | None, known: dict[str, bool], before: list[Node], left: list[Node | None]
    ) -> tuple[State, State] | None:
        """One step forward where the heads do not match."""
        if "raise" in (one.op if one and one.kind == "exit" else "", two.op if two and two.kind == "exit" else ""):
            return None  # the program ends here, not only this rank
        for side, (mine, step, other) in enumerate(((a, one, two), (b, two, one))):
            if step is None or step.kind != "choice":
                continue
            follows = _head(_next(mine))[1]
            same = follows.shape == other.shape if follows is not None and other is not None else follows is other
            if not step.exits and same:
                for branch in step.branches:
                    self._alone(_state(branch), mine, side, known, before)
                return (_next(a), b) if side == 0 else (a, _next(b))
            self._fork(mine, (a, b), side, step, known, before)
            return None
        for side, step in enumerate((one, two)):
            if step is not None and step.kind == "loop" and not step.exits:
                turn: State = (((), 0, step), (step.branches[0], 0, None))
                self._alone(turn, (a, b)[side], side, known, before)
                return (_next(a), b) if side == 0 else (a, _next(b))
        if one is not None and one.kind == "call":
            return _enter(a, one, 0), b
        if two is not None and two.kind == "call":
            return a, _enter(b, two, 0)
        if one is not None and one.kind == "exit":
            left[0] = one
            return _leave(a, one), b
        if two is not None and two.kind == "exit":
            left[1] = two
            return a, _leave(b, two)
        return self._events(a, b, one, two, before, left)

    def _alone(self, inner: State, around: State, side: int, known: dict[str, bool], before: list[Node]) -> None:
        """Steps that only one side has."""
        outer, self._call = self._call, self._call or _call(around)
        self._walk(*((inner, _state(())) if side == 0 else (_state(()), inner)), dict(known), list(before))
        self._call = outer

    def _fork(self, mine: State, states: tuple[State, State], side: int, step: Node, known: dict[str, bool], before: list[Node]) -> None:
        """Both sides of a choice. Of one on a number that ranks do not share, the side that has a partner is the right one."""
        tried: list[list[Divergence]] = []
        kept, self.found = self.found, []
        for branch in (0, 1):
            inner = _enter(mine, step, branch)
            self._walk(*((inner, states[1]) if side == 0 else (states[0], inner)), assume(step.op, not branch, known), list(before))
            tried.append(self.found)
            self.found = []
        other = _head(states[1 - side])[1]
        spots = {inner.spot for branch in step.branches for inner in branch if inner.kind == "call"}
        # ranks that the condition does not name may reach the same call by another one
        shared = step.group not in ("rank", "member") and not (step.guard and other is not None and other.spot in spots)
        self.found = kept + (tried[0] + tried[1] if shared else min(tried, key=len))

    def _events(
        self, a: State, b: State, one: Node | None, two: Node | None, before: list[Node], left: list[Node | None]
    ) -> tuple[State, State] | None:
        rest = (_rest(a), _rest(b))
        if one is None or two is None:
            side = 0 if two is None else 1
            mine, step, gone = (a, one, left[1]) if side == 0 else (b, two, left[0])
            assert step is not None
            self._record("exit" if gone else "branch", mine, step, side, gone, before, rest)
            if gone:
                return None
            return (_next(a), b) if side == 0 else (a, _next(b))
        guards = tuple((self._call or _call(state) or step).guard for state, step in ((a, one), (b, two)))
        if (guards[0] or guards[1]) and Counter(step.shape for step in rest[0]) == Counter(step.shape for step in rest[1]):
            side = 0 if guards[0] else 1
            self._record("order", (a, b)[side], (one, two)[side], side, None, before, rest)
            return None
        later = (_occurs(two, rest[0]), _occurs(one, rest[1]))
        if guards[0] and (not guards[1] or not later[1]):
            self._record("branch", a, one, 0, None, before, rest)
            return _next(a), b
        if guards[1] and (not guards[0] or not later[0]):
            self._record("branch", b, two, 1, None, before, rest)
            return a, _next(b)
        gone = left[0] or left[1]
        if gone is not None:
            side = 0 if left[1] else 1
            self._record("exit", (a, b)[side], (one, two)[side], side, gone, before, rest)
        elif guards[0] or guards[1]:
            side = 0 if guards[0] else 1
            self._record("order", (a, b)[side], (one, two)[side], side, None, before, rest)
        return None

    def _ends(self, left: list[Node | None], a: State, b: State, before: list[Node]) -> None:
        """Both sides ended: of a loop body one may go on with the next turn while the other has left the loop."""
        ends = [one.op if one is not None else "end" for one in left]
        loop = next((frame[2] for state in (a, b) for frame in state[:1] if frame[2] is not None and frame[2].kind == "loop"), None)
        leaving = [end in ("break", "return", "exit") for end in ends]
        if loop is None or leaving[0] == leaving[1]:
            return
        side = 1 if leaving[0] else 0  # the side that goes on
        first = next(events(loop.branches[0]), None)
        if first is not None:
            gone = left[1 - side]
            rest = (tuple(events(loop.branches[0]))[:_SHOWN], ())
            self._record("exit", (((loop,), 0, None),), first, side, gone, before, rest if side == 0 else rest[::-1])

    def _record(
        self, cause: str, state: State, step: Node, side: int, gone: Node | None, before: list[Node],
        rest: tuple[tuple[Node, ...], tuple[Node, ...]],
    ) -> None:
        event = step if step.is_event else next(events((step,)), None)
        if event is None:
            return
        site = self._call or _call(state) or (step if step.is_event else event)
        guard = gone.guard if gone is not None else site.guard
        if cause == "branch" and guard is None and gone is None and site.kind == "call":
            return  # both sides may reach the call: the difference lies in the callee and is reported there
        if guard is None:
            cause = "flag"
        told = tuple(events(before[-_SHOWN:]))[-_SHOWN:]
        self.found.append(Divergence(cause, event, site, side, gone, guard, told, rest))


def _state(steps: tuple[Node, ...]) -> State:
    return ((steps, 0, None),)


def _head(state: State) -> tuple[State, Node | None]:
    """The next step, and the state without what is finished around it; the outermost frame stays."""
    while True:
        steps, at, _ = state[-1]
        if at < len(steps):
            step = steps[at]
            if step.kind != "yield":
                return state, step
            state = _next(state)
        elif len(state) == 1:
            return state, None
        elif len(state) == 2 and state[0][2] is not None and state[0][2].kind == "loop" and not state[0][0]:  # noqa: PLR2004
            return state, None  # the end of a loop's body
        else:
            state = state[:-1]


def _call(state: State) -> Node | None:
    """The outermost call in which a state is."""
    return next((node for _, _, node in state if node is not None and node.kind == "call"), None)


def _next(state: State) -> State:
    steps, at, node = state[-1]
    return (*state[:-1], (steps, at + 1, node))


def _enter(state: State, step: Node, branch: int) -> State:
    return (*_next(state), (step.branches[branch], 0, step))


def _leave(state: State, step: Node) -> State:
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


def _rest(state: State) -> tuple[Node, ...]:
    found: list[Node] = []
    for steps, at, _ in reversed(state):
        for event in events(steps[at:]):
            found.append(event)
            if len(found) >= _AHEAD:
                return tuple(found)
    return tuple(found)




def _occurs(step: Node, rest: tuple[Node, ...]) -> bool:
    first = step if step.is_event else next(events((step,)), None)
    return first is not None and any(other.shape == first.shape for other in rest)
