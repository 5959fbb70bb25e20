"""The trace of a body of statements on one class of ranks."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable
from typing import Any
from zlib import crc32

from dlgovern.flow.paths import called_name, own_nodes, written
from dlgovern.flow.ranks import values
from dlgovern.flow.ranks.agreed import STIRRED
from dlgovern.flow.ranks.arguments import counted
from dlgovern.flow.ranks.expressions import by_name, text_of, value
from dlgovern.flow.ranks.frame import DEEPEST, Frame
from dlgovern.flow.ranks.leaving import only_exits
from dlgovern.flow.ranks.managers import enter, switches_off
from dlgovern.flow.ranks.project import Target
from dlgovern.flow.ranks.said import registered
from dlgovern.flow.ranks.shares import SHARE
from dlgovern.flow.ranks.stirred import stirred
from dlgovern.flow.ranks.trace import Guard, Node, choice, has_events
from dlgovern.flow.ranks.values import Value, truth, unknown
from dlgovern.source.tree import children

_SWALLOWED = frozenset(("Exception", "BaseException"))
_ALIKE = frozenset("ImportError ModuleNotFoundError AttributeError NotImplementedError TypeError NameError SyntaxError".split())
"""Errors of the program itself: every rank meets them."""


def block(frame: Frame, body: Iterable[ast.stmt]) -> bool:
    """Run statements; whether the end is reached."""
    if frame.deep > DEEPEST:
        frame.meter.deep = True
        return True
    frame.deep += 1
    try:
        for statement in body:
            frame.meter.step()
            if frame.quiet is not None and frame.target is not None:
                used = frame.quiet(statement, frame.target)
                if used is not None and used.isdisjoint(frame.telling):
                    continue
            reader = _READERS.get(type(statement))
            if reader is not None and not reader(frame, statement):
                return False
        return True
    finally:
        frame.deep -= 1


def _expression(frame: Frame, node: ast.Expr) -> bool:
    if isinstance(node.value, ast.Yield):
        value(frame, node.value.value)
        frame.emit("yield", "yield", node)
        return True
    value(frame, node.value)
    return not (frame.out and frame.out[-1].kind == "exit" and frame.out[-1].node is node.value)


def _assign(frame: Frame, node: ast.Assign) -> bool:
    found = value(frame, node.value)
    for target in node.targets:
        assign(frame, target, found, node)
    return True


def _annotated(frame: Frame, node: ast.AnnAssign) -> bool:
    if node.value is not None:
        assign(frame, node.target, value(frame, node.value), node)
    return True


def _augmented(frame: Frame, node: ast.AugAssign) -> bool:
    found = value(frame, node.value)
    name = written(node.target)
    if name:
        old = frame.env.get(name)
        frame.env[name] = unknown(f"{values.of_agreed(old)}{name}@{node.lineno}", values.worst(found, old) if old else found.taint)
    return True


def assign(frame: Frame, target: ast.AST, found: Value, node: ast.AST) -> None:
    """Give a variable or attribute its value."""
    if isinstance(target, ast.Tuple | ast.List):
        parts = target.elts
        matched = found.kind == "tuple" and len(found.data) == len(parts)
        for index, part in enumerate(parts):
            inner = found.data[index] if matched else found if found.kind == "wrapped" else unknown(f"{values.name(found)}[{index}]", found.taint)
            assign(frame, part.value if isinstance(part, ast.Starred) else part, inner, node)
        return
    name = written(target)
    if not name:
        return
    if found.kind == "key" and found.taint in ("", "mixed") and not counted(found):
        last = name.rpartition(".")[2]
        named = by_name(frame, last, name) if last != "get_rank" else None
        if named is not None and (named.ranked or named.kind == "many"):
            found = named
    frame.give(name, found)


def _if(frame: Frame, node: ast.stmt) -> bool:
    """A chain of ``if`` and ``elif``, read without recursion."""
    reached: list[dict[str, Value]] = []
    pending: list[tuple[str, list[Node], Guard | None, ast.stmt, str]] = []
    outer, frame.out = frame.out, []
    guards = len(frame.guards)
    alive = False
    taints: list[str] = []
    asked: list[str] = []
    current: ast.stmt | None = node
    while isinstance(current, ast.If):
        test = value(frame, current.test)
        if test.ranked:
            frame.guards.append(Guard(frame.spot(current), text_of(frame, current.test), not frame.handed.isdisjoint(_read(current.test))))
            frame.parted |= _assigned(frame, current)
        known = truth(test)
        if known is None and (name := written(current.test)) and _begins(frame, current.body):
            known = True  # a flag on which ranks come to be: where it is not set there is one process
            frame.give(name, values.TRUE)
        if known is None and frame.summaries.writes and _asks_who(current.test):
            known = truth(frame.source("main", written(current.test)))
        if known is True:
            ended = not block(frame, current.body)
            _stir(frame, current.body, test)
            alive = _keep(frame, reached, ended) or alive
            current = None
            break
        if known is None:
            head, frame.out = frame.out, []
            before = dict(frame.env)
            ended = not block(frame, current.body)
            _stir(frame, current.body, test)
            taken, frame.out = frame.out, []
            if test.taint == "files" and taken and taken[-1].op == "return" and _refuses(current.body):
                taken[-1] = Node("exit", "raise", spot=taken[-1].spot, guard=taken[-1].guard, node=taken[-1].node)
            alive = _keep(frame, reached, ended) or alive
            frame.env = before
            guard = frame.guards[-1] if test.ranked else None
            pending.append((values.name(test), taken, guard, current, test.taint))
            frame.out = []
            outer += _open(pending, head)
            taints.append(test.taint)
            asked.append(values.name(test))
        rest = current.orelse
        if len(rest) == 1 and isinstance(rest[0], ast.If):
            current = rest[0]
            continue
        ended = not block(frame, rest)
        _stir(frame, rest, test)
        alive = _keep(frame, reached, ended) or alive
        current = None
    steps = frame.out
    while pending:
        key, taken, guard, where, taint = pending.pop()
        held = guard or (frame.guards[guards - 1] if guards else None)
        steps = choice(key, taken, steps, held, where, frame.spot(where))
        for step in steps if taint else ():
            if step.kind == "choice" and step.node is where:
                step.group = taint
    frame.out = outer + steps
    del frame.guards[guards:]
    if reached:
        taint = next((one for one in taints if one), "")
        frame.env = join(reached, node.lineno, taint, asked)
    return alive


def _stir(frame: Frame, body: list[ast.stmt], test: Value) -> None:
    """What ranks that a condition names have changed in objects is theirs alone."""
    for name in stirred(frame, body) if test.ranked and body else ():
        frame.give(name, unknown(f"{name}{STIRRED}{body[0].lineno}"))
        frame.parted.add(name)


def _begins(frame: Frame, body: list[ast.stmt]) -> bool:
    """Whether statements start the process group."""
    calls = (one.value for one in body if isinstance(one, ast.Expr | ast.Assign))
    found = (frame.tables.functions.get(frame.facts.names.origin(one.func) or "") for one in calls if isinstance(one, ast.Call))
    return any(operation is not None and operation.starts for operation in found)


def _open(pending: list[tuple[str, list[Node], Guard | None, ast.stmt, str]], head: list[Node]) -> list[Node]:
    """What a test itself does: before the choice, for the first test; inside of the choice before, for the others."""
    if len(pending) == 1:
        return head
    if head:
        key, taken, guard, where, taint = pending[-1]
        pending[-1] = (key, [*head, *taken], guard, where, taint)
    return []


def _keep(frame: Frame, reached: list[dict[str, Value]], ended: bool) -> bool:
    if not ended:
        reached.append(dict(frame.env))
    return not ended


def join(states: list[dict[str, Value]], line: int, taint: str, asked: Iterable[str] = ()) -> dict[str, Value]:
    """The variables where paths meet: what differs is unknown, and depends on what was ``asked``."""
    if len(states) == 1:
        return states[0]
    joined = dict(states[0])
    way = ""
    for state in states[1:]:
        for name in state.keys() | joined.keys():
            one, two = joined.get(name), state.get(name)
            if one != two:
                known = [item for item in (one, two) if item is not None]
                if (one is not None and two is not None) or known[0].kind not in ("wrapped", "rank"):
                    wrapped = next((item for item in known if item.kind == "wrapped"), None)
                    if wrapped is not None and any(str(item.data).endswith(".module") for item in known):
                        wrapped = None  # unwrapped where it was wrapped
                    way = way or f"#{line}.{crc32(repr(asked).encode('utf-8', 'replace')):x}"
                    why = taint or values.worst(*known)
                    if why == "files" and any(map(_is_count, known)):
                        why = ""  # where a run goes on, not whether
                    joined[name] = wrapped or unknown(f"{values.kept(known)}{name}{way}", why, values.ranked(*known))
                else:
                    joined[name] = known[0]
    return joined


def _is_count(one: Value) -> bool:
    return one.kind == "const" and type(one.data) in (int, float)


def _for(frame: Frame, node: ast.For | ast.AsyncFor) -> bool:
    found = value(frame, node.iter)
    if found.kind == "tuple" and not found.data:
        return True
    _forget(frame, node)
    start = values.COUNTED if isinstance(node.iter, ast.Call) and called_name(node.iter.func) == "range" else "each "
    for name in ast.walk(node.target):
        if isinstance(name, ast.Name):
            frame.env[name.id] = unknown(f"{start}{name.id}@{node.lineno}")
    _loop(frame, node, SHARE if found.taint == SHARE else "")
    return block(frame, node.orelse) if node.orelse else True


def _while(frame: Frame, node: ast.While) -> bool:
    before = dict(frame.env)
    _forget(frame, node)
    test = value(frame, node.test)
    if truth(test) is False and not test.ranked:
        test = unknown(values.name(test))
    if truth(test) is False:
        frame.env = before
        return block(frame, node.orelse)
    if test.ranked:
        frame.guards.append(Guard(frame.spot(node), text_of(frame, node.test)))
    _loop(frame, node, test.taint, test)
    if test.ranked:
        frame.guards.pop()
    return True


def _loop(frame: Frame, node: ast.For | ast.AsyncFor | ast.While, taint: str, test: Value | None = None) -> None:
    outer, frame.out = frame.out, []
    before = dict(frame.env)
    parted, frame.parted = frame.parted, set()
    alive = block(frame, node.body)
    changed = {name: frame.env.get(name, unknown(name)) for name in frame.parted & _asked(node)} if not frame.handed else {}
    if handed := {name: found._replace(ranked=True) for name, found in changed.items() if found.kind in ("key", "const")}:
        around, frame.handed = frame.handed, frozenset(handed)
        frame.out, frame.env = [], before | handed  # the next turn begins with what some ranks alone have changed
        alive = block(frame, node.body)
        frame.handed = around
    frame.parted |= parted
    if alive and test is not None and test.kind == "key" and has_events(frame.out):
        _again(frame, node)
    body, frame.out = frame.out, outer
    frame.env = join([frame.env, before], node.lineno, "")
    if has_events(body) or any(step.exits for step in body):
        frame.emit("loop", values.name(test) if test and test.kind == "key" else "", node, branches=(tuple(body),), group=taint)


def _asked(loop: ast.For | ast.AsyncFor | ast.While) -> set[str]:
    """The variables that conditions in a loop ask for."""
    return {name for node in own_nodes(loop.body) if isinstance(node, ast.If | ast.While | ast.IfExp) for name in _read(node.test)}


def _read(test: ast.expr) -> set[str]:
    return {written(part) for part in ast.walk(test) if isinstance(part, ast.Name | ast.Attribute)}


def _again(frame: Frame, node: ast.AST) -> None:
    """The test of a ``while`` after a turn that changed it: the loop may end here."""
    test = node.test  # type: ignore[attr-defined]
    changed = _assigned(frame, node) | frame.parted  # type: ignore[arg-type]
    if not any(isinstance(part, ast.Name | ast.Attribute) and written(part) in changed for part in ast.walk(test)):
        return
    found = value(frame, test)
    leaving = Node("exit", "break", spot=frame.spot(test), guard=frame.guards[-1] if found.ranked and frame.guards else None, node=node)
    if truth(found) is None:
        steps = choice(values.name(found), [], [leaving], leaving.guard, node, frame.spot(test))
        for step in steps:
            step.group = found.taint
        frame.out += steps
    elif not truth(found):
        frame.out.append(leaving)


def _forget(frame: Frame, loop: ast.For | ast.AsyncFor | ast.While) -> None:
    """What a loop assigns is unknown at its start, except what is a rank or a model each time."""
    for name in _assigned(frame, loop):
        old = frame.env.get(name)
        if old is not None and not (old.ranked or old.kind in ("wrapped", "many")):
            frame.env[name] = unknown(f"{name}@{loop.lineno}")


def _assigned(frame: Frame, loop: ast.For | ast.AsyncFor | ast.While | ast.If) -> frozenset[str]:
    """The names that a loop, or a branch, assigns; each statement is looked at once, however many loops stand around it."""
    known = frame.summaries.assigned
    if id(loop) not in known:
        found: set[str] = set()
        todo: list[ast.AST] = [*loop.body, *loop.orelse]
        while todo:
            node = todo.pop()
            targets: list[ast.AST] = []
            if isinstance(node, ast.For | ast.AsyncFor | ast.While):
                found |= _assigned(frame, node)
                targets = [node.target] if not isinstance(node, ast.While) else []
            elif isinstance(node, ast.Assign):
                targets = list(node.targets)
            elif isinstance(node, ast.AugAssign):
                targets = [node.target]
            elif isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case):
                for part in ("body", "orelse", "finalbody", "handlers", "cases"):
                    todo += getattr(node, part, ()) if not isinstance(node, ast.FunctionDef | ast.ClassDef) else ()
            for target in targets:
                parts = target.elts if isinstance(target, ast.Tuple | ast.List) else (target,)
                found.update(filter(None, map(written, parts)))
        known[id(loop)] = frozenset(found)
    return known[id(loop)]


def _with(frame: Frame, node: ast.With | ast.AsyncWith) -> bool:
    exits: list[list[Node]] = []
    for item in node.items:
        before, after = enter(frame, item)
        frame.out += before
        exits.append(after)
    begun = len(frame.out)
    alive = block(frame, node.body)
    if any(map(switches_off, node.items)):
        frame.out[begun:] = only_exits(frame.out[begun:])
    for steps in reversed(exits):
        if alive:
            frame.out += steps
        elif steps and frame.out and frame.out[-1].kind == "exit":
            frame.out[-1:-1] = steps
    return alive


def _try(frame: Frame, node: ast.Try | ast.TryStar) -> bool:
    if node.finalbody:
        frame.finals.append(node.finalbody)
    before = dict(frame.env)
    outer, frame.out = frame.out, []
    alive = block(frame, node.body)
    body = frame.out
    if alive and node.orelse:
        alive = block(frame, node.orelse)
    whole, frame.out = frame.out, outer
    _handlers(frame, node, whole, body, before)
    if node.finalbody:
        frame.finals.pop()
        ended = not block(frame, node.finalbody)
        alive = alive and not ended
    if not alive and node.handlers and any(step.kind == "exit" and step.op == "raise" for step in body[-1:]):
        return True  # raised to be caught here
    return alive


def _handlers(frame: Frame, node: ast.Try | ast.TryStar, whole: list[Node], body: list[Node], before: dict[str, Value]) -> None:
    """The body, or what a handler does instead: a choice that ranks need not share."""
    instead: list[Node] | None = None
    states = [frame.env]
    for handler in node.handlers:
        outer, frame.out = frame.out, []
        kept, frame.env = frame.env, dict(before)
        ended = not block(frame, handler.body)
        steps, frame.out = frame.out, outer
        if not ended or (steps and steps[-1].kind == "exit" and steps[-1].op != "raise"):
            if instead is None and _catches(handler.type) and not _raises(handler):
                instead = steps
            if not ended:
                states.append(frame.env)
        frame.env = kept
    if len(states) > 1:
        frame.env = join(states, node.lineno, "")
    if instead is not None and (has_events(body) or (frame.summaries.writes and has_events(instead) and _reads(frame, node))):
        step = Node("choice", f"except@{node.lineno}", spot=frame.spot(node), node=node, branches=(tuple(instead), tuple(whole)), group="except")
        if frame.guards:
            step.guard = frame.guards[-1]
        frame.out.append(step)
    else:
        frame.out += whole


def _reads(frame: Frame, node: ast.Try | ast.TryStar) -> bool:
    """Whether a body reads what a file holds: a handler makes it where there is none."""
    calls = (inner for inner in own_nodes(node.body) if isinstance(inner, ast.Call))
    return any(_READS.match((frame.facts.names.origin(call.func) or called_name(call.func)).rpartition(".")[2]) for call in calls)


_READS = re.compile(r"(load|read|open|restore)(_|$)|from_pretrained$")


def _catches(kind: ast.expr | None) -> bool:
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    names = [written(one).rpartition(".")[2] for one in kinds if one is not None]
    return kind is None or any(name in _SWALLOWED or (name.endswith("Error") and name not in _ALIKE) for name in names)


def _raises(handler: ast.ExceptHandler) -> bool:
    return bool(handler.body) and isinstance(handler.body[-1], ast.Raise)


def _match(frame: Frame, node: ast.Match) -> bool:
    subject = value(frame, node.subject)
    before = dict(frame.env)
    states: list[dict[str, Value]] = []
    outer = frame.out
    arms: list[tuple[str, list[Node]]] = []
    for case in node.cases:
        frame.out, frame.env = [], dict(before)
        ended = not block(frame, case.body)
        _keep(frame, states, ended)
        arms.append((f"{values.name(subject)} is case@{case.pattern.lineno}", frame.out))
    steps: list[Node] = []
    for key, taken in reversed(arms):
        steps = choice(key, taken, steps, None, node, frame.spot(node))
    frame.out, frame.env = outer + steps, join(states, node.lineno, "") if states else before
    return bool(states) or not node.cases


_WHO = re.compile(r"rank|master|main_proc|primary|leader|chief", re.I)


def _asks_who(test: ast.expr) -> bool:
    """Whether a condition is a question for the rank by the name of what is called, although nobody knows how it is answered."""
    return isinstance(test, ast.Call) and _WHO.search(called_name(test.func)) is not None


def _refuses(body: list[ast.stmt]) -> bool:
    """Whether a branch says what is wrong with what it was given, and returns: every rank is given the same."""
    said = body[-2].value if len(body) > 1 and isinstance(body[-2], ast.Expr) and isinstance(body[-1], ast.Return) else None
    return isinstance(said, ast.Call) and isinstance(said.func, ast.Attribute) and said.func.attr in ("error", "critical")


def _return(frame: Frame, node: ast.Return) -> bool:
    found = value(frame, node.value)
    frame.returned.append(found._replace(ranked=True) if frame.guards else found)  # that it is given back depends on the rank
    return _leave(frame, node, "return")


def _raise(frame: Frame, node: ast.Raise) -> bool:
    error = node.exc
    if error is not None:
        value(frame, error)
    leaves = written(error.func if isinstance(error, ast.Call) else error) == "SystemExit"
    failed = isinstance(error, ast.Call) and bool(error.args) and not (isinstance(error.args[0], ast.Constant) and not error.args[0].value)
    return _leave(frame, node, "exit" if leaves and not failed else "raise")


def _jump(frame: Frame, node: ast.Break | ast.Continue) -> bool:
    frame.emit("exit", "break" if isinstance(node, ast.Break) else "continue", node)
    return False


def _leave(frame: Frame, node: ast.stmt, how: str) -> bool:
    """Leave the function: what stands under ``finally`` runs first."""
    finals, frame.finals = frame.finals, []
    returned = len(frame.returned)
    for body in reversed(finals):
        block(frame, body)
    frame.finals = finals
    del frame.returned[returned:]
    frame.emit("exit", how, node)
    return False


def _define(frame: Frame, node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """A handler runs later on the ranks that hand it to the engine."""
    if registered(node) and frame.summaries.may_follow(frame):
        summary = frame.summaries.run(Target(frame.facts, node), frame.cls, {}, frame)
        if has_events(summary.steps):
            frame.emit("call", node.name, node, branches=(summary.steps,))
    return True


def _nothing(_frame: Frame, _node: ast.stmt) -> bool:
    return True


def _simple(frame: Frame, node: ast.stmt) -> bool:
    for child in children(node):
        if isinstance(child, ast.expr):
            value(frame, child)
    return True


_READERS: dict[type, Callable[[Frame, Any], bool]] = {
    ast.Expr: _expression,
    ast.FunctionDef: _define,
    ast.AsyncFunctionDef: _define,
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.AugAssign: _augmented,
    ast.If: _if,
    ast.For: _for,
    ast.AsyncFor: _for,
    ast.While: _while,
    ast.With: _with,
    ast.AsyncWith: _with,
    ast.Try: _try,
    ast.TryStar: _try,
    ast.Match: _match,
    ast.Return: _return,
    ast.Raise: _raise,
    ast.Break: _jump,
    ast.Continue: _jump,
    ast.Delete: _nothing,
    ast.Assert: _simple,
}
