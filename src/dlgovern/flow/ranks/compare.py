"""Two traces side by side: what one class of ranks does and the other does not, does in another order, or has left before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from dlgovern.flow.ranks.frame import Meter
from dlgovern.flow.ranks.leaving import does, elsewhere, leaving, not_from, same_call, within
from dlgovern.flow.ranks.states import State, advance, begin, call_around, comes, enter, head, leave, occurs, rest_of
from dlgovern.flow.ranks.trace import Guard, Node, assume, events, holds

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
        self._back: set[int] = set()  # returns that ended a call inside of the walk, and nothing around it
        self._gone = False  # one side has left: what the other does alone has that reason

    def run(self, one: tuple[Node, ...], two: tuple[Node, ...]) -> None:
        """Compare two traces of a function from its start."""
        self._walk(begin(one), begin(two), {}, [])

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
                own = within(step)
                fitting = [one for one in self.found[start:] if id(one.left or one.site) in own or id(one.event) in own]
                if step.group == "member":  # only a group is made by all ranks, whoever is its member
                    fitting = [one for one in fitting if one.event.kind == "group"]
                self.found[start:] = [one._replace(taint=step.group, guard=step) for one in fitting[:1]]
            if step.kind == "choice":
                for branch in step.branches:
                    self._differ(here, branch, reasons)
            elif step.kind == "loop":
                self._differ((((), 0, step),), step.branches[0], reasons)

    # -- the walk ----------------------------------------------------------------------------------------

    def _walk(self, a: State, b: State, known: dict[str, bool], before: list[Node], ended: Sequence[Node | None] = (None, None)) -> None:
        left = list(ended)
        while True:
            self.meter.step()
            a, one = head(a)
            b, two = head(b)
            if one is None and two is None:
                self._ends(left, a, b, before)
                return
            if one is not None and two is not None and one.shape == two.shape:
                before.append(one)
                if one.kind == "exit":
                    return
                a, b = advance(a), advance(b)
                continue
            if one is not None and one.kind == "choice" and (said := holds(one.op, known)) is not None:
                a = enter(a, one, 0 if said else 1)
                continue
            if two is not None and two.kind == "choice" and (said := holds(two.op, known)) is not None:
                b = enter(b, two, 0 if said else 1)
                continue
            if one is not None and two is not None and one.kind == two.kind:
                advanced = self._pair(a, b, one, two, known, before)
                if advanced is None:
                    return
                if advanced:
                    a, b = advanced
                    continue
            gone = self._gone
            self._gone = gone or (self._call is None and (left != [None, None] or leaving(one) or leaving(two)))
            advanced = self._single(a, b, one, two, known, before, left)
            self._gone = gone
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
                    outer, self._call = self._call, self._call or call_around(a)
                    self._walk(begin(one.branches[branch]), begin(two.branches[branch]), assume(one.op, not branch, known), list(before))
                    self._call = outer
                return advance(a), advance(b)
            for branch in (0, 1):
                self._walk(enter(a, one, branch), enter(b, two, branch), assume(one.op, not branch, known), list(before))
            return None
        if one.kind == "call" and (one.spot == two.spot or (self._call is None and same_call(one, two))):
            self._inside(one, two, known, before)
            before.append(one)  # both sides get there: what differs inside is the callee's own matter
            return advance(a), advance(b)
        if one.kind == "loop" and (one.spot == two.spot or (one.guard and two.guard)):
            outer, self._call = self._call, self._call or call_around(a)
            self._walk((((), 0, one), (one.branches[0], 0, None)), (((), 0, two), (two.branches[0], 0, None)), dict(known), list(before))
            self._call = outer
            return advance(a), advance(b)
        return ()

    def _inside(self, one: Node, two: Node, known: dict[str, bool], before: list[Node]) -> None:
        """Of a function that both sides of a condition on the rank call, all; of one of another file, which does not know its model, a forward."""
        if one.spot != two.spot:
            self._walk(begin(one.branches[0]), begin(two.branches[0]), dict(known), list(before))
            return
        if self._call is not None or not elsewhere(one) or not any(step.kind == "forward" for step in events((one, two))):
            return
        kept, self.found, self._call = self.found, [], one
        self._walk(begin(one.branches[0]), begin(two.branches[0]), dict(known), list(before))
        self.found = kept + [what for what in self.found if what.event.kind == "forward"]
        self._call = None

    def _single(
        self, a: State, b: State, one: Node | None, two: Node | None, known: dict[str, bool], before: list[Node], left: list[Node | None]
    ) -> tuple[State, State] | None:
        """One step forward where the heads do not match."""
        if "raise" in (one.op if one and one.kind == "exit" else "", two.op if two and two.kind == "exit" else ""):
            return None  # the program ends here, not only this rank
        for side, (mine, step, other) in enumerate(((a, one, two), (b, two, one))):
            if step is None or step.kind != "choice":
                continue
            follows = head(advance(mine))[1]
            same = follows.shape == other.shape if follows is not None and other is not None else follows is other
            if not step.exits and same:
                for branch in step.branches:
                    self._alone(begin(branch), mine, side, known, before, left)
                return (advance(a), b) if side == 0 else (a, advance(b))
            self._fork(mine, (a, b), side, step, known, before, left)
            return None
        if (looped := self._loops(a, b, one, two, known, before, left)) is not None:
            return looped
        if one is not None and one.kind == "call":
            return enter(a, one, 0), b
        if two is not None and two.kind == "call":
            return a, enter(b, two, 0)
        for side, (step, other) in enumerate(((one, two), (two, one))):
            if step is not None and other is not None and step.kind != "exit" and other.kind == "exit" and other.guard is None:
                mine = (a, b)[side]
                if (self._call or call_around(mine) or step).guard is not None:  # every rank leaves; what some do before is theirs alone
                    self._record("branch", mine, step, side, None, before, (rest_of(a), rest_of(b)))
                    return (advance(a), b) if side == 0 else (a, advance(b))
        if one is not None and one.kind == "exit":
            left[0] = self._leaves(one, a)
            return leave(a, one), b
        if two is not None and two.kind == "exit":
            left[1] = self._leaves(two, b)
            return a, leave(b, two)
        return self._events(a, b, one, two, before, left)

    def _loops(
        self, a: State, b: State, one: Node | None, two: Node | None, known: dict[str, bool], before: list[Node], left: list[Node | None]
    ) -> tuple[State, State] | None:
        """The states after a loop that only one side has; before it, where the other side leaves or makes a call first."""
        for side, (mine, step, other) in sorted(enumerate(((a, one, two), (b, two, one))), key=lambda each: does(each[1][1])):
            if step is None or step.kind != "loop":
                continue
            theirs = (b, a)[side]
            if not does(step):
                after = (advance(mine), theirs)
            elif other is not None and leaving(other):
                left[1 - side] = self._leaves(other, theirs)
                after = (mine, leave(theirs, other))
            elif other is not None and other.kind == "call":
                after = (mine, enter(theirs, other, 0))
            elif other is not None and other.is_event and comes(step, theirs):
                self._record("branch", theirs, other, 1 - side, None, before, (rest_of(a), rest_of(b)))
                after = (mine, advance(theirs))
            elif not step.exits:
                self._alone((((), 0, step), (step.branches[0], 0, None)), mine, side, known, before, left)
                after = (advance(mine), theirs)
            else:
                continue
            return after if side == 0 else after[::-1]
        return None

    def _leaves(self, step: Node, state: State) -> Node:
        if step.op == "return" and call_around(state[1:]) is not None:
            self._back.add(id(step))
        return step

    def _alone(
        self, inner: State, around: State, side: int, known: dict[str, bool], before: list[Node], left: Sequence[Node | None] = (None, None)
    ) -> None:
        """Steps that only one side has; ``left``: where the sides have ended before."""
        outer, self._call = self._call, self._call or call_around(around)
        self._walk(*((inner, begin(())) if side == 0 else (begin(()), inner)), dict(known), list(before), left)
        self._call = outer

    def _fork(
        self, mine: State, states: tuple[State, State], side: int, step: Node, known: dict[str, bool], before: list[Node], left: Sequence[Node | None]
    ) -> None:
        """Both sides of a choice. Of one on a number that ranks do not share, the side that has a partner is the right one."""
        tried: list[list[Divergence]] = []
        kept, self.found = self.found, []
        for branch in (0, 1):
            inner = enter(mine, step, branch)
            self._walk(*((inner, states[1]) if side == 0 else (states[0], inner)), assume(step.op, not branch, known), list(before), left)
            tried.append(self.found)
            self.found = []
        other = head(states[1 - side])[1]
        spots = {inner.spot for branch in step.branches for inner in branch if inner.kind == "call"}
        # ranks that the condition does not name may reach the same call by another one
        shared = step.group not in ("rank", "member") and not (step.guard and other is not None and other.spot in spots)
        self.found = kept + (tried[0] + tried[1] if shared else min(tried, key=len))

    def _events(
        self, a: State, b: State, one: Node | None, two: Node | None, before: list[Node], left: list[Node | None]
    ) -> tuple[State, State] | None:
        rest = (rest_of(a), rest_of(b))
        if one is None or two is None:
            side = 0 if two is None else 1
            mine, step, gone = (a, one, left[1]) if side == 0 else (b, two, left[0])
            assert step is not None
            gone = None if gone is not None and not_from(gone, self._call or call_around(mine) or step) else gone
            self._record("exit" if gone else "branch", mine, step, side, gone, before, rest)
            if gone:
                return None
            return (advance(a), b) if side == 0 else (a, advance(b))
        guards = tuple((self._call or call_around(state) or step).guard for state, step in ((a, one), (b, two)))
        if (guards[0] or guards[1]) and Counter(step.shape for step in rest[0]) == Counter(step.shape for step in rest[1]):
            side = 0 if guards[0] else 1
            self._record("order", (a, b)[side], (one, two)[side], side, None, before, rest)
            return None
        later = (occurs(two, rest[0]), occurs(one, rest[1]))
        if guards[0] and (not guards[1] or not later[1]):
            self._record("branch", a, one, 0, None, before, rest)
            return advance(a), b
        if guards[1] and (not guards[0] or not later[0]):
            self._record("branch", b, two, 1, None, before, rest)
            return a, advance(b)
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
        ends = [one.op if one is not None and id(one) not in self._back else "end" for one in left]
        loops = [state[0][2] if state and state[0][2] is not None and state[0][2].kind == "loop" else None for state in (a, b)]
        loop = loops[0]
        leaving = [end in ("break", "return", "exit") for end in ends]
        if loop is None or loops[1] is None or leaving[0] == leaving[1]:
            return  # a loop that one side does not have at all is no loop of which one side leaves
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
        site = self._call or call_around(state) or (step if step.is_event else event)
        guard = gone.guard if gone is not None else site.guard
        # a forward in another file: only the call says that the model is a wrapped one
        handed = event.kind == "forward" and elsewhere(site) and not self._gone
        if cause == "branch" and guard is None and gone is None and site.kind == "call" and not handed:
            return  # both sides may reach the call: the difference lies in the callee and is reported there
        if guard is None or (isinstance(guard, Guard) and guard.handed):
            cause = "flag"
        self.found.append(Divergence(cause, event, site, side, gone, guard, tuple(events(before[-_SHOWN:]))[-_SHOWN:], rest))
