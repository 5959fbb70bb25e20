"""See calls on one object that come in a forbidden order on some path through a function."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from dlgovern.detect import Parameter
from dlgovern.detect.events import Event, Events, is_switched_off, words_of
from dlgovern.detect.where import words as where_words
from dlgovern.finding import Hit
from dlgovern.flow.facts import Facts
from dlgovern.flow.paths import (
    Guard,
    assigned_in,
    body_of,
    context_managers,
    contradict,
    guards,
    loop,
    own_nodes,
    parameters_of,
    receiver,
    targets,
    travel,
    written,
)
from dlgovern.flow.project import Function, called
from dlgovern.policy import Rule
from dlgovern.source.tree import FUNCTIONS, function, parents

SPARES = ("handed-on", "helper", "opposite-branch", "switched-off")
"""The object is given to other code; a function of this file may do what is missing; the conditions of the two
events exclude each other; the object, or the manager, was made with ``enabled=False``."""

PARAMETERS = {
    "objects": Parameter("any", "kinds of objects: kind, made_by (names that make one), called (what such a name looks like)", default=[]),
    "events": Parameter("any", "name; names, or on + calls (methods), or makes (assigned from); subject; where; unless; within (what the function around is called)", required=True),
    "forbid": Parameter("any", "event, and any of: after, before, without, until, never, never_here (in the same function), absent, inside, in_loop, remade (a result that the loop around computes in every turn, and of which nothing else in the function does the same), apart, own (an object that the function is given counts in a loop only), between (with `apart`: what runs in every turn too), through (in a function of the repository that does nothing else), of_another (an event that the file gives other objects, and never this one, nor on the other side of a condition), says, asked (what a condition around the event may not name)", required=True),
    "spare": Parameter("strings", f"where to stay silent: {', '.join(SPARES)}", default=[]),
}
_HARMLESS = frozenset({"print", "len", "isinstance", "type", "id", "str", "repr", "hasattr", "getattr", "next", "sum"})


def triggers(parameters: dict[str, Any], _tables: dict[str, Any]) -> list[dict[str, Any]]:
    """The names or methods of the forbidden events, each with the words that every hit needs."""
    found: list[dict[str, Any]] = []
    for relation in parameters["forbid"]:
        words = [w for key in ("after", "before", "apart") for w in words_of(parameters, relation.get(key, ""))]
        if relation.get("through"):  # the event itself may stand in another file
            found.append({"all": [f".{word}" for word in words]})
            continue
        for event in parameters["events"]:
            if event["name"] == relation["event"]:
                wanted = [*words, *where_words(event.get("where", []))]
                found += [{"name": name, "all": wanted} if wanted else {"name": name} for name in event.get("names", ())]
                for calls in event.get("calls", ()):
                    every = {"all": [*wanted, *calls.split("().")]}
                    found += [{"name": name, **every} for name in relation["inside"]] if "inside" in relation else [every]
    return found


def watch(rules: list[Rule], facts: Facts, _tables: dict[str, Any]) -> dict[type | None, Callable[[Any], Iterator[Hit]]]:
    """One handler for the whole file: every function body and the module's own."""

    def see(_file: None) -> Iterator[Hit]:
        for rule in rules:
            yield from _rule(rule, facts)

    return {None: see}


def _rule(rule: Rule, facts: Facts) -> Iterator[Hit]:
    events = Events(rule.parameters, facts)
    spare = rule.parameters.get("spare", ())
    for relation in rule.parameters["forbid"]:
        if not _may_hold(relation, events):
            continue
        for body in _bodies(facts):
            here = {event.name for event in events.among(body)}
            through = relation.get("through") and here.issuperset({relation["after"], relation["before"]})
            if not (relation["event"] in here or through) or not here.isdisjoint(relation.get("never_here", ())):
                continue
            if relation.get("apart"):
                yield from _apart(rule, relation, events, facts, body)
                continue
            path = _Path(relation, events, facts, spare)
            path.finish(travel(body, path, {}))
            for seen in path.found:
                yield _hit(rule, facts, relation, seen)


def _may_hold(relation: dict[str, Any], events: Events) -> bool:
    if any(word.encode() in events.facts.data for word in relation.get("absent", ())):
        return False
    keys = ("event", "after", "before", "apart")[1 if relation.get("through") else 0 :]
    needed = [relation[key] for key in keys if relation.get(key)]
    return all(events.anywhere(name) for name in needed) and not any(map(events.anywhere, relation.get("never", ())))


def _bodies(facts: Facts) -> Iterator[list[ast.stmt]]:
    yield facts.tree.module.body
    for node in facts.tree.of(ast.FunctionDef, ast.AsyncFunctionDef):
        yield node.body  # type: ignore[attr-defined]


class Suspect(NamedTuple):
    """An event out of order, and what came before it."""

    event: Event
    after: Event | None


class Mark(NamedTuple):
    """What is known of one subject at a point of a path."""

    after: Event | None = None  # the event that opened the span in which the other is forbidden
    cleared: bool = False
    pending: tuple[Suspect, ...] = ()


Marks = dict[str, Mark]


class _Path:
    """Follows one relation along the paths of a function; ``found`` holds what was out of order."""

    def __init__(self, relation: dict[str, Any], events: Events, facts: Facts, spare: Sequence[str]) -> None:
        self.relation = relation
        self.events = events
        self.facts = facts
        self.spare = spare
        self.found: list[Suspect] = []
        self.after: str = relation.get("after", "")
        self.before: str = relation.get("before", "")
        self.until: str = relation.get("until", "")
        self.without: list[str] = relation.get("without", [])
        self._ends = {*self.without, self.until, self.before, self.after}
        self._inner: dict[int, tuple[Guard, ...]] = {}  # conditions inside of the function that a call runs

    def see(self, node: ast.AST, state: Marks) -> Marks:
        """The marks after a call or an assignment."""
        events = self.events.at(node)
        if not events:
            return self._other(node, state)
        for event in events:
            state = self._event(event, state)
        return state

    def join(self, states: list[Marks]) -> Marks:
        """Opened on any path is open, cleared on any path is cleared."""
        if len(states) == 1:
            return states[0]
        joined: Marks = {}
        for state in states:
            for subject, mark in state.items():
                old = joined.get(subject, Mark())
                pending = (*old.pending, *(suspect for suspect in mark.pending if suspect not in old.pending))
                joined[subject] = Mark(old.after or mark.after, old.cleared or mark.cleared, pending)
        return joined

    def finish(self, state: Marks | None) -> None:
        """What was waiting for an event that never came."""
        if self.until and not self.before:
            for mark in (state or {}).values():
                self._confirm(mark.pending)

    def _event(self, event: Event, state: Marks) -> Marks:
        if event.name == self.relation["event"]:
            state = self._suspect(event, state)
        if event.name == self.until:
            state = {subject: mark._replace(pending=_earlier(mark.pending, event)) for subject, mark in state.items()}
        if event.name == self.before:
            state = self._close(event, state)
        if event.name in self.without:
            state = _for(event, state, lambda mark: mark._replace(cleared=True))
        if event.name == self.after:
            state = {**state, event.subject: state.get(event.subject, Mark())._replace(after=event, cleared=False)}
        return state

    def _suspect(self, event: Event, state: Marks) -> Marks:
        relation = self.relation
        if relation.get("in_loop") and not _repeats(event, self.facts):
            return state
        if relation.get("remade") and (_is_of_before(event.node) or _is_done_again(event.node)):
            return state
        if relation.get("own") and _is_lent(event):
            return state
        if (inside := relation.get("inside")) and not self._inside(event.node, inside):
            return state
        if (given := relation.get("of_another")) and not self._of_another(event, given):
            return state
        if (asked := relation.get("asked")) and any(re.search(asked, one.test) for one in guards(event.node)):
            return state
        if not self.after:
            return self._waiting(event.subject, Suspect(event, None), state)
        for subject, mark in state.items():
            fits = event.subject in ("", subject) or subject == ""
            if not fits or mark.after is None or mark.cleared or self._opposite(mark.after, event):
                continue
            state = self._waiting(event.subject or subject, Suspect(event, mark.after), state)
        return state

    def _of_another(self, event: Event, name: str) -> bool:
        """Whether the events of a name in this file are given other objects, and never the one of this event."""
        owner = written(getattr(getattr(event.node, "func", None), "value", None))
        calls = [node for node in self.facts.tree.of(ast.Call) if any(one.name == name for one in self.events.at(node))]
        given = [written(node.args[0]) for node in calls if node.args]  # type: ignore[attr-defined]
        return bool(owner and given) and "" not in given and owner not in given and not self._other_side(event.node, name)

    def _other_side(self, node: ast.AST, name: str) -> bool:
        """Whether an event of a name stands on the other side of a condition around a node."""
        child = node
        for parent in parents(node):
            if isinstance(parent, FUNCTIONS):
                return False
            if isinstance(parent, ast.If) and child is not parent.test:
                other = parent.orelse if child in parent.body else parent.body
                if any(one.name == name for one in self.events.among(other)):
                    return True
            child = parent
        return False

    def _waiting(self, subject: str, suspect: Suspect, state: Marks) -> Marks:
        if not self.before and not self.until:
            self._confirm((suspect,))
            return state
        mark = state.get(subject, Mark())
        return {**state, subject: mark._replace(pending=(*mark.pending, suspect))}

    def _close(self, event: Event, state: Marks) -> Marks:
        closed = {}
        for subject, mark in state.items():
            if event.subject in ("", subject) or subject == "":
                same = [s for s in mark.pending if not self._opposite(s.event, event)]
                self._confirm(tuple(s for s in same if s.event.subject in ("", event.subject) or not event.subject))
                closed[subject] = Mark()
            else:
                closed[subject] = mark
        return closed

    def _confirm(self, suspects: tuple[Suspect, ...]) -> None:
        self.found += [suspect for suspect in suspects if suspect not in self.found]

    def _opposite(self, one: Event, other: Event) -> bool:
        if "opposite-branch" not in self.spare:
            return False
        inner = (*self._inner.get(id(one.node), ()), *self._inner.get(id(other.node), ()))
        return contradict(guards(one.node), guards(other.node)) or contradict(inner, (*guards(one.node), *guards(other.node)))

    def _inside(self, node: ast.AST, names: list[str]) -> bool:
        around = [item.context_expr for item in context_managers(node)]
        if "switched-off" in self.spare:
            around = [manager for manager in around if not is_switched_off(self.facts, manager)]
        return any((self.facts.names.origin(manager) or "").removesuffix("()") in names for manager in around)

    def _other(self, node: ast.AST, state: Marks) -> Marks:
        """A call or assignment that is no event may still end what is known."""
        if isinstance(node, ast.Call):
            if (inner := self._run_by(node)) is not None:
                if opened := self._opened_by(node, inner):
                    return {**state, **opened}
                if "helper" in self.spare and any(event.name in self._ends for event in inner):
                    return {subject: mark._replace(cleared=True, pending=()) for subject, mark in state.items()}
                if self.relation.get("through") and (own := next((e for e in inner if e.name == self.relation["event"]), None)):
                    self._inner[id(node)] = guards(own.node)
                    return self._suspect(own._replace(node=node), state)
            if "handed-on" in self.spare and self.facts.names.origin(node.func) not in _HARMLESS:
                given = {written(arg) for arg in (*node.args, *(word.value for word in node.keywords))}
                return {s: m._replace(cleared=True) if s and s in given else m for s, m in state.items()}
            return state
        return self._assigned(node, state)

    def _run_by(self, call: ast.Call) -> list[Event] | None:
        """The events of the function of this file that a call runs, or of one of another file where that can matter."""
        if (body := body_of(self.facts, call)) is not None:
            return list(self.events.among(body))
        code = called(self.facts, call) if self.relation.get("through") else None
        if code is None or code.facts is self.facts or not isinstance(code.node, Function):
            return None
        return list(Events(self.events.declared, code.facts).among(code.node.body))

    def _assigned(self, node: ast.AST, state: Marks) -> Marks:
        """A subject that gets a new value starts anew, unless the value is made from itself: ``m = m.to(device)``."""
        names = targets(node)
        source = receiver(node.value)  # type: ignore[attr-defined]
        return {s: m for s, m in state.items() if not s or s not in names or source == s}

    def _opened_by(self, call: ast.Call, inner: list[Event]) -> Marks:
        """The spans that a function of this file opens for objects that it is given, when it does nothing else."""
        if any(event.name in {*self.without, *self.relation.get("never_here", ()), self.until, self.before} for event in inner):
            return {}
        given = parameters_of(self.facts, call)
        opened = {given[event.subject]: event for event in inner if event.name == self.after and event.subject in given}
        self._inner[id(call)] = tuple(one for event in opened.values() for one in guards(event.node))
        return {name: Mark(Event(self.after, call, name, event.written)) for name, event in opened.items() if name}


def _repeats(event: Event, facts: Facts) -> bool:
    """Whether an event comes again and again for one object: in a loop, here or around a call of this function."""
    if (around := loop(event.node)) is not None:
        return event.subject not in assigned_in(around.body)  # type: ignore[attr-defined]
    owner = function(event.node)
    if owner is None or event.subject in assigned_in(owner.body):
        return False
    for call in facts.tree.of(ast.Call):
        if body_of(facts, call) is owner.body and (around := loop(call)) is not None:  # type: ignore[arg-type]
            given = {written(arg) for arg in (*call.args, *(word.value for word in call.keywords))}  # type: ignore[attr-defined]
            return not given & assigned_in(around.body, ast.Call)  # type: ignore[attr-defined]
    return False


def _is_lent(event: Event) -> bool:
    """Whether a function is given the object of an event, and does it once: who calls it may do the rest."""
    owner = function(event.node)
    if not isinstance(owner, ast.FunctionDef | ast.AsyncFunctionDef) or loop(event.node) is not None:
        return False
    return event.subject in {one.arg for one in (*owner.args.posonlyargs, *owner.args.args, *owner.args.kwonlyargs)}


def _is_of_before(node: ast.AST) -> bool:
    """Whether the loop around a call of ``result.sum().backward`` is about results of what ran before the loop."""
    around = loop(node)
    value = node.func.value if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else None
    while not isinstance(value, ast.Name):
        if isinstance(value, ast.Subscript):
            value = value.value
        elif isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr in ("sum", "mean"):
            value = value.func.value
        else:
            return False
    body = around.body if around is not None else []  # type: ignore[attr-defined]
    return around is not None and not any(
        isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store) and inner.id == value.id for inner in own_nodes(body)
    )


def _is_done_again(node: ast.AST) -> bool:
    """Whether another call of the function, in a nested one too, is of the same method of the same variable."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or not isinstance(node.func.value, ast.Name):
        return False
    owner, same = function(node), ast.dump(node.func)
    return owner is not None and any(isinstance(one, ast.Call) and one is not node and ast.dump(one.func) == same for one in ast.walk(owner))


def _for(event: Event, state: Marks, change: Callable[[Mark], Mark]) -> Marks:
    """Change the mark of the event's subject; an event without one, or a mark without one, means all."""
    state = {event.subject: Mark(), **state} if event.subject else state
    return {s: change(m) if event.subject in ("", s) or s == "" else m for s, m in state.items()}


def _earlier(pending: tuple[Suspect, ...], event: Event) -> tuple[Suspect, ...]:
    return tuple(suspect for suspect in pending if suspect.event.node is event.node)


def _apart(
    rule: Rule, relation: dict[str, Any], events: Events, facts: Facts, body: list[ast.stmt]
) -> Iterator[Hit]:
    """The event runs in every turn of a loop, or every call of a function, in which the other runs only every n-th time."""
    seen = [event for node in own_nodes(body) for event in events.at(node)]
    flags = _flags(body) if any(event.name == relation["event"] for event in seen) else []
    between = relation.get("between", "")
    for event in seen:
        if event.name != relation["event"]:
            continue
        around = loop(event.node)
        if around is None and (between or function(event.node) is None or event.subject in assigned_in(body)):
            continue
        others = [o for o in seen if o.name == relation["apart"] and loop(o.node) is around and (not between or o.subject == event.subject)]
        if others and all(_rarer(guards(o.node), guards(event.node), flags) for o in others):
            if not between or _in_every_turn(event, others, [o for o in seen if o.name == between and loop(o.node) is around], flags):
                yield _hit(rule, facts, relation, Suspect(event, others[0]))


def _in_every_turn(event: Event, others: list[Event], middle: list[Event], flags: list[str]) -> bool:
    """Whether an event comes in turns in which the others do not, but what belongs between them does; an ``else`` may hold another way to do the same."""
    mine = guards(event.node)
    every = all(set(mine) <= set(guards(one.node)) for one in others)
    asked = all(_rarer(tuple(one for one in guards(other.node) if one.holds), mine, flags) for other in others)
    return every and asked and bool(middle) and not any(_rarer(guards(one.node), mine, flags) for one in middle)


def _rarer(some: tuple[Guard, ...], than: tuple[Guard, ...], flags: list[str]) -> bool:
    return any((one.periodic or any(flag in one.test for flag in flags)) and one not in than for one in some)


def _flags(body: list[ast.stmt]) -> list[str]:
    """The variables, as a dump writes them, that say whether it is the n-th turn: ``last = (i + 1) % n == 0``."""
    made = [node for node in own_nodes(body) if isinstance(node, ast.Assign) and isinstance(node.value, ast.Compare | ast.BoolOp | ast.UnaryOp)]
    every = [node for node in made if any(isinstance(one, ast.BinOp) and isinstance(one.op, ast.Mod) for one in ast.walk(node.value))]
    return [f"Name(id={name!r}," for node in every for name in targets(node) if name.isidentifier()]


def _hit(rule: Rule, facts: Facts, relation: dict[str, Any], seen: Suspect) -> Hit:
    node = seen.event.node
    hit = facts.hit(
        rule.id,
        node,
        event=seen.event.written,
        subject=seen.event.subject or (seen.after.subject if seen.after else ""),
        after=seen.after.written if seen.after else "",
        says=relation.get("says", ""),
    )
    if seen.after is None:
        return hit
    line, column, _, _ = facts.span(seen.after.node)
    return hit._replace(related=((facts.path, line, column, seen.after.written),))


