"""What a function of the project does and returns on one class of ranks, remembered for each set of telling arguments."""

from __future__ import annotations

import ast
import weakref
from collections.abc import Callable, Iterable
from typing import Any

from dlgovern.flow.facts import Facts
from dlgovern.flow.leads import elsewhere
from dlgovern.flow.paths import called_name, written
from dlgovern.flow.ranks import values
from dlgovern.flow.ranks.arguments import switches
from dlgovern.flow.ranks.body import finished
from dlgovern.flow.ranks.candidates import candidates
from dlgovern.flow.ranks.frame import Frame, Meter, Quiet
from dlgovern.flow.ranks.memo import DEPTH, Kept, Memo, holds_for
from dlgovern.flow.ranks.project import Function, Project, Target
from dlgovern.flow.ranks.sharded import asks_inside
from dlgovern.flow.ranks.shared import shared
from dlgovern.flow.ranks.summary import EMPTY, Summary, strip
from dlgovern.flow.ranks.tables import ASKS, WHICH, Tables
from dlgovern.flow.ranks.trace import Guard, Spot, events
from dlgovern.flow.ranks.values import Value, truth
from dlgovern.repository.exports import Repository
from dlgovern.repository.outline import Seeds, outlines
from dlgovern.repository.questions import asks_own

Given = dict[int, dict[str, Value]]
"""What a function is given, by class of ranks."""


class Summaries:
    """The functions that one judged file leads to; ``contexts`` are functions as they were called by its own, by place."""

    def __init__(self, facts: Facts, tables: Tables, *, alone: bool = False) -> None:
        """``alone``: nothing that other files of the repository led to is taken over."""
        self.facts = facts
        self.tables = tables
        me = weakref.proxy(self)  # a file that nobody holds goes at once
        self.project = Project(facts, lambda method: me.may_act(method))
        self.memo = Memo()
        self.contexts: dict[tuple[tuple[str, int, int], Spot], tuple[Target, Given]] = {}
        self.assigned: dict[int, frozenset[str]] = {}
        self.tested: dict[int, frozenset[str]] = {}
        self.trains = False
        self.whole = False  # the models of the judged file lie in no shards
        self.group = ""  # the process group whose ranks are told apart; empty: the world
        self.groups: set[str] = set()  # groups whose own ranks the judged function asked for
        self.spoken: set[str] = set()  # groups over which it communicates
        self.files = False  # paths that are written and read are asked for too
        self.writes = False  # what files are written is asked for, not what ranks do together
        self._running: set[tuple[object, ...]] = set()
        self._skips: dict[tuple[object, ...], bool] = {}
        self._shared = None if alone else shared(facts.repository)
        self._asks: dict[tuple[str, int, int], bool] = {}  # functions that ask whether what they are given lies in shards
        self._open: set[object] = set()  # what the interpretation that goes on took for nothing because it goes on itself
        self._partial: set[object] = set()  # answers that rest on such

    def leads_nowhere(self, frame: Frame, func: ast.expr, given: Iterable[Value]) -> bool:
        """Whether a call of a name of another file leads to no word of the tables: that file need not be opened."""
        if self.files or (place := elsewhere(frame.facts, func)) is None or any(one.kind in ("wrapped", "callee") for one in given):
            return False
        return not self._may_matter(*place)

    def may_lead(self, frame: Frame, func: ast.expr) -> bool:
        """Whether a function, or a method of an object, can be about ranks by its name and that of the object."""
        return frame.quiet is None or not isinstance(func, ast.Attribute) or candidates(frame.facts, self.tables).leads(func)

    def leads_on(self, frame: Frame, node: ast.Call) -> bool:
        """Whether a call that lies too deep to be followed is one of a function in which ranks may meet."""
        if frame.depth < DEPTH or frame.static:
            return False
        place = elsewhere(frame.facts, node.func)
        if place is not None:
            return self._reaches(*place, self.tables.acting)
        own = isinstance(node.func, ast.Name) or (isinstance(node.func, ast.Attribute) and written(node.func.value) in ("self", "cls"))
        if not own:
            return False
        known = candidates(frame.facts, self.tables)
        self.project.reads |= known.reads
        return called_name(node.func) in known.acting

    def may_follow(self, frame: Frame) -> bool:
        """Whether calls are still followed this deep."""
        self.memo.reach(frame.depth)
        return frame.depth < DEPTH and frame.static <= 2  # noqa: PLR2004 - a value of a value

    def run(self, target: Target, cls: int, given: dict[str, Value], caller: Frame, *, manager: bool = False, site: Spot | None = None) -> Summary:
        """The summary of a function called from ``caller`` at ``site``."""
        key = (target.key, tuple(sorted(given.items(), key=lambda item: item[0])), manager)
        home = target.facts is self.facts
        wrapped = home and site is not None and any(one.kind == "wrapped" for one in given.values())
        if site is not None and (wrapped or (caller.depth == 0 and caller.facts is self.facts)):
            self.contexts.setdefault((target.key, site), (target, {}))[1][cls] = given
        about = () if home else (*key, self.trains, self.whole, self.writes, self.files, self.group)
        known = self.memo.known(key, cls, caller.depth, None if home else lambda of: self._taken_over(about, of, caller.depth))
        if known is not None:
            if key in self._partial:
                self._open.add(key)
            return known.answer  # type: ignore[no-any-return]
        running = (*key, cls)
        self.memo.reach(caller.depth)
        if running in self._running:
            self._open.add(running)
            return EMPTY
        if caller.depth >= DEPTH or self._is_silent(target, given):
            return EMPTY
        outer, self.project.reads = self.project.reads, {target.facts.path}
        around, self._open = self._open, set()
        try:
            kept = self.memo.make(key, cls, caller.depth, lambda: self._run(running, target, cls, given, caller, manager))
            self._open.discard(running)
            if wrapped:
                self._open.add(key)  # who asks has to come here
            if not home:
                strip(kept.answer.steps)
                if not self._open and self._shared is not None:
                    at = () if caller.depth + kept.deep < DEPTH else (caller.depth,)  # followed to its end, or as far as from this depth
                    self._shared.put((*about, holds_for(cls)[kept.asked], *at), kept, frozenset(self.project.reads))
            if self._open:
                self._partial.add(key)
        finally:
            self.project.reads |= outer
            self._open |= around
        return kept.answer  # type: ignore[no-any-return]

    def _taken_over(self, about: tuple[Any, ...], of: int, depth: int) -> Kept | None:
        """The summary of a function of another file that somebody else has asked for."""
        if self._shared is None:
            return None
        known = self._shared.get((*about, of))
        if known is None or depth + known[0].deep >= DEPTH:
            known = self._shared.get((*about, of, depth))
        if known is None:
            return None
        self.project.reads |= known[1]
        return known[0]

    def static(self, key: tuple[str, int], cls: int, depth: int, evaluate: Callable[[], Value]) -> Value:
        """The value of an expression that stands outside of what is interpreted, by its file and identity."""
        known = self.memo.known(key, cls, depth) or self.memo.make(key, cls, depth, evaluate, meanwhile=EMPTY.value)
        return known.answer  # type: ignore[no-any-return]

    def _run(self, key: tuple[object, ...], target: Target, cls: int, given: dict[str, Value], caller: Frame, manager: bool) -> Summary:
        guarded = None if manager else self._skipped(target, cls, caller)
        if guarded is True:
            return Summary((), values.NONE)
        self._running.add(key)
        try:
            frame = Frame(self, target.facts, target, cls, caller.meter, caller.depth + 1)
            if isinstance(guarded, Guard):
                frame.guards.append(guarded)
            frame.quiet = self._quiet(target)
            for name, one in {**switches(target.node), **given}.items():
                frame.give(name, one)
            return finished(frame, target.node.body)
        finally:
            self._running.discard(key)

    def _is_silent(self, target: Target, given: dict[str, Value]) -> bool:
        """Whether a function leads to no word of the tables: only what it is given can act there."""
        if self.files or any(one.kind in ("wrapped", "callee") for one in given.values()):
            return False
        if self.whole and self._asks_for_shards(target):
            return False
        if self.writes and target.facts is self.facts:
            return False
        if target.facts is not self.facts and not self._may_matter(target.facts.path, f"{target.owner.name}.{target.node.name}" if target.owner else target.node.name):
            return True
        if self.writes:
            return False
        known = candidates(target.facts, self.tables)
        self.project.reads |= known.reads
        return not known.matters(target)

    def _asks_for_shards(self, target: Target) -> bool:
        key = target.key
        if key not in self._asks:
            self._asks[key] = asks_inside(target.facts, target.node, self.tables)
        return self._asks[key]

    def _may_matter(self, path: str, name: str) -> bool:
        """Whether the text of a function of another file leads to a word of the tables."""
        made = f"{name}.__init__"
        if name.endswith(".__init__") or made in outlines(self.facts.repository).of(path):  # nothing but what it does can matter
            self.project.reads.add(path)
            return self._reaches(path, name if name.endswith(".__init__") else made, self.tables.writing if self.writes else self.tables.acting)
        if self.writes:
            return self._reaches(path, name, self.tables.writing) or self._reaches(path, name, self.tables.telling)
        if self._reaches(path, name, self.tables.acting) or self._reaches(path, name, self.tables.telling):
            return True
        self.project.reads.add(path)
        if asks_own(outlines(self.facts.repository), path, name, self.tables.apart):
            return True
        known = _WRAPPING.setdefault(self.facts.repository, {})
        if path not in known:
            known[path] = self.tables.wraps(self.facts.repository.data(path))
        return known[path]

    def may_act(self, method: Target) -> bool:
        """Whether the text of a method leads to what ranks do together, to what writes where that is asked for, or to a question for the rank."""
        if self.files or method.facts is self.facts:
            return not self.files
        path, name = method.facts.path, f"{method.owner.name}.{method.node.name}" if method.owner else method.node.name
        seeds = (self.tables.writing if self.writes else self.tables.acting, self.tables.asking)
        return any(self._reaches(path, name, one) for one in seeds) or asks_own(outlines(self.facts.repository), path, name, self.tables.apart)

    def _reaches(self, path: str, name: str, seeds: Seeds) -> bool:
        return outlines(self.facts.repository).reaches(path, name, seeds, self.project.reads)

    def _quiet(self, target: Target) -> Quiet | None:
        return None if self.writes or self.files else candidates(target.facts, self.tables).quiet

    def _skipped(self, target: Target, cls: int, caller: Frame) -> bool | Guard | None:
        """Whether a decorator keeps this class of ranks out; the guard where it keeps others out; None without one."""
        for decorator in target.node.decorator_list:
            func = decorator.func if isinstance(decorator, ast.Call) else decorator
            name = target.facts.names.origin(func) or written(func)
            kind = self.tables.decorators.get(name.rpartition(".")[2])
            spot = (target.facts.path, decorator.lineno, decorator.col_offset + 1)
            if kind is not None:
                self.memo.ask(ASKS[kind])
                inside = truth(values.source(kind, cls, name))
                return Guard(spot, f"@{name}") if inside else True
            place = elsewhere(target.facts, func)
            if place is not None and not self._reaches(*place, self.tables.apart):
                continue
            made = self.project.function(target.facts, func)
            if made is not None and not isinstance(decorator, ast.Call):
                asked = self.memo.asked
                runs = [self._runs(made, one, caller) for one in range(len(values.CLASSES))]
                self.memo.asked = asked
                if False in runs and True in runs:
                    self.memo.ask(WHICH)
                if False in runs and True in runs:
                    return Guard(spot, f"@{name}") if runs[cls] else True
        return None

    def _runs(self, decorator: Target, cls: int, caller: Frame) -> bool:
        """Whether what a decorator returns calls the function that it was given."""
        key = (decorator.key, cls)
        if key in self._skips:
            return self._skips[key]
        self._skips[key] = True
        names = [arg.arg for arg in decorator.node.args.args]
        inner = next((one for one in decorator.node.body if isinstance(one, Function)), None)
        if names and inner is not None:
            frame = Frame(self, decorator.facts, Target(decorator.facts, inner), cls, caller.meter, caller.depth + 1)
            frame.env[names[0]] = Value("callee")
            summary = finished(frame, inner.body)
            self._skips[key] = any(step.kind == "body" for step in events(summary.steps))
        return self._skips[key]


_WRAPPING: weakref.WeakKeyDictionary[Repository, dict[str, bool]] = weakref.WeakKeyDictionary()
"""Of each repository: whether a file wraps models, or says of one that it is wrapped."""




def start(summaries: Summaries, target: Target, cls: int, given: dict[str, Value], meter: Meter) -> Summary:
    """The trace of a function of the judged file, called by nobody known or with the telling arguments ``given``."""
    frame = Frame(summaries, target.facts, target, cls, meter, 0)
    if (guarded := summaries._skipped(target, cls, frame)) is not None:  # noqa: SLF001 - one module
        if guarded is True:
            return Summary((), values.NONE)
        if not isinstance(guarded, bool):
            frame.guards.append(guarded)
    frame.quiet = summaries._quiet(target)  # noqa: SLF001 - one module
    for name, one in given.items():
        frame.give(name, one)
    finished(frame, target.node.body)
    return Summary(tuple(frame.out), values.NONE, frame.cut)
