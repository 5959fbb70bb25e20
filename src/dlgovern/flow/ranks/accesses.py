"""Paths that one rank writes and the others read too early, and paths that every rank has for itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from dlgovern.flow.facts import Facts
from dlgovern.flow.paths import own_nodes, written
from dlgovern.flow.ranks.analysis import BRANCHED
from dlgovern.flow.ranks.callers import kept_to_the_first
from dlgovern.flow.ranks.candidates import Candidates, candidates
from dlgovern.flow.ranks.folders import may_race
from dlgovern.flow.ranks.frame import GaveUp, Meter
from dlgovern.flow.ranks.project import Target, functions, module_body
from dlgovern.flow.ranks.summaries import Summaries, start
from dlgovern.flow.ranks.tables import Tables
from dlgovern.flow.ranks.trace import Node, events
from dlgovern.flow.ranks.values import FIRST, OTHER
from dlgovern.source.tree import function, up


class Access(NamedTuple):
    """A step on a path with the call of the judged function that leads to it, and how many meetings of ranks lie before it."""

    step: Node
    site: Node
    met: int


class Unsafe(NamedTuple):
    """A use of a path that goes wrong.

    ``why``: early (it needs what ``write`` of the first rank may not have made yet), own (a save of all ranks, to a path
    that is another on each), lost (each rank looks at a path of its own for what ``write`` made), late (it raises where it finds
    what ``write`` of a faster rank has made already).
    """

    why: str
    use: Access
    write: Access | None


_FILES = frozenset({"write", "read", "test", "maybe"})
_TESTS = frozenset({"exists", "isfile", "isdir", "is_file", "is_dir"})
_MADE = frozenset({"save", "dump", "write"})


def unsafe(facts: Facts, tables: Tables) -> list[Unsafe]:
    """What is wrong with the paths of a file's functions."""
    return facts.once(Unsafe, lambda: _find(facts, tables))


def _find(facts: Facts, tables: Tables) -> list[Unsafe]:
    summaries = Summaries(facts, tables)
    summaries.files = True
    known = candidates(facts, tables)
    targets = [module_body(facts), *functions(facts)]
    own = {word.decode() for word in tables.own_words}
    own_words = {target.key for target in targets if not own.isdisjoint(known.names(target))}
    found: dict[object, Unsafe] = {}
    for target in _telling(facts, targets, known, tables):
        meter = Meter()
        try:
            traces = [start(summaries, target, cls, {}, meter).steps for cls in (FIRST, OTHER)]
        except GaveUp:
            facts.gave_up.append((target.node if target.node.name else facts.tree.module, BRANCHED))
            continue
        first, other = (list(_accesses(steps)) for steps in traces)
        late = [*_late(first, other, tables), *_makes(facts, first, other)]
        if late and kept_to_the_first(facts, target, summaries):
            late = []  # no other rank comes there
        for one in (*_early(first, other, _shared(traces)), *_own(first, other), *late):
            if one.why == "early" or target.key in own_words or one.use.step.spot[0] == facts.path:
                found.setdefault((one.why, one.use.step.spot), one)  # else it is told where the name is made
    facts.reads |= summaries.project.reads
    return list(found.values())


def _telling(facts: Facts, targets: list[Target], known: Candidates, tables: Tables) -> Iterator[Target]:
    """Functions in whose words, or in those of functions of the file that they name, all stands that can go wrong together."""
    parting = {target.node.name for target in targets if target.node.name and known.speaks(target)}
    files = tables.file_words
    writing, reading, moments, saving = (
        {word.decode() for word in words} for words in (files["write"], files["read"], tables.own_words, tables.save_words)
    )
    aliases = [one for node in facts.tree.of(ast.ImportFrom) for one in node.names if one.asname]  # type: ignore[attr-defined]
    makers = set(tables.makers)
    for names in (writing, reading, moments, saving, makers):
        names |= {one.asname for one in aliases if one.name in names}
        names |= {target.node.name for target in targets if target.node.name and not names.isdisjoint(known.names(target))}
    for target in targets:
        mine = known.names(target)
        reads = not reading.isdisjoint(mine)
        early = reads and not writing.isdisjoint(mine) and (known.speaks(target) or not parting.isdisjoint(mine))
        late = known.speaks(target) and not _TESTS.isdisjoint(mine) and not (writing | _MADE | makers).isdisjoint(mine)
        if early or late or (not moments.isdisjoint(mine) and (reads or not saving.isdisjoint(mine))):
            yield target


def _accesses(steps: tuple[Node, ...]) -> Iterator[Access]:
    """Writes, reads and saves in order, both sides of every choice."""
    met = 0
    todo: list[tuple[Node, Node | None]] = [(step, None) for step in reversed(steps)]
    while todo:
        step, site = todo.pop()
        if step.kind in _FILES or (step.kind == "save" and step.group):
            yield Access(step, site or step, met)
        if step.is_event and step.kind not in _FILES:
            met += 1
        outer = site or (step if step.kind == "call" else None)
        for branch in reversed(step.branches):
            todo += [(inner, outer) for inner in reversed(branch)]


def _shared(traces: list[tuple[Node, ...]]) -> list[bool]:
    """Of each meeting that the first rank comes to, in order, whether the others come there too."""
    first, other = ([step.spot for step in events(steps) if step.kind not in _FILES] for steps in traces)
    theirs = set(other)
    return [spot in theirs for spot in first]


def _early(first: list[Access], other: list[Access], shared: list[bool]) -> Iterator[Unsafe]:
    """What the others use although only the first rank makes it, and nothing has let them wait since; ``shared``: its meetings that are theirs too."""
    seen = {one.step.spot for one in other}
    alone = [one for one in first if one.step.kind == "write" and one.step.spot not in seen and not one.step.group.startswith("~")]
    for write in alone if other else ():
        made: set[str] = set()
        waited = {one.step.spot for one in first if any(shared[write.met : one.met])}  # what the first rank does after it met the others
        for use in other:
            if use.step.kind == "write" and use.step.group == write.step.group:
                made.add(use.step.group)  # the others make it too
            elif use.met <= write.met and use.step.spot not in waited and write.step.group not in made and _below(use, write) and _after(use, write):
                yield Unsafe("early", use, write)
                break


def _below(use: Access, write: Access) -> bool:
    """Whether one path is the other, or lies in the folder that it is."""
    if use.step.group == write.step.group:
        return use.step.kind == "read"
    return write.step.op in ("makedirs", "mkdir") and use.step.group.startswith(f"{write.step.group}/")


def _after(use: Access, write: Access) -> bool:
    return use.site.spot[0] == write.site.spot[0] and use.site.spot[1] > write.site.spot[1]


def _late(first: list[Access], other: list[Access], tables: Tables) -> Iterator[Unsafe]:
    """Tests of all ranks that raise where a path is there, although a rank that is done with its own test makes it."""
    tests = [one for one in other if one.step.kind == "test" and not one.step.group.startswith("~") and _raises(one.step.node)]
    reached = {one.step.spot for one in other}
    for test in tests:
        for write in first:
            made = write.step.kind == "write" or write.step.op in tables.makers or (write.step.kind == "maybe" and write.step.spot not in reached)
            if made and _may_be(test.step.op, write.step.op) and _one_path(test.step, write.step) and write.met == test.met and _after(write, test):
                yield Unsafe("late", test, write)
                break


def _makes(facts: Facts, first: list[Access], other: list[Access]) -> Iterator[Unsafe]:
    """Folders that all ranks make where they do not see them, and that raise where another rank was faster."""
    reached = {one.step.spot for one in first}
    tests = [one for one in other if one.step.kind == "test"]
    for write in other:
        if write.step.op in ("makedirs", "mkdir") and write.step.spot in reached and not write.step.group.startswith("~"):
            if any(one.met == write.met and _one_path(one.step, write.step) and may_race(facts, one.step.node, write.step.node) for one in tests):
                yield Unsafe("late", write, write)


def _may_be(test: str, write: str) -> bool:
    """Whether a test for a file, a folder or either can find what a call makes."""
    return test == "exists" or (test in ("isdir", "is_dir")) is (write in ("makedirs", "mkdir"))


def _one_path(test: Node, write: Node) -> bool:
    """Whether both are about one path: of one value, or written as one variable that nothing assigns between them."""
    if test.group == write.group:
        return True
    if not isinstance(test.node, ast.Call) or not isinstance(write.node, ast.Call) or test.spot[0] != write.spot[0]:
        return False
    names = {written(one) for one in test.node.args[:1] if isinstance(one, ast.Name)}
    if not names or names.isdisjoint(map(written, write.node.args[:1])):
        return False
    owner = function(test.node)
    between = range(test.spot[1], write.spot[1] + 1)
    return owner is not None and owner is function(write.node) and not any(
        isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in names and node.lineno in between for node in own_nodes(owner.body)
    )


def _raises(test: object) -> bool:
    """Whether the branch that is taken where a test, and at most plain flags beside it, succeeds ends in ``raise``."""
    if not isinstance(test, ast.AST):
        return False
    above = up(test)
    if isinstance(above, ast.BoolOp) and isinstance(above.op, ast.And) and all(one is test or written(one.operand if isinstance(one, ast.UnaryOp) else one) for one in above.values):
        test, above = above, up(above)
    return isinstance(above, ast.If) and test is above.test and isinstance(above.body[-1], ast.Raise)


def _own(first: list[Access], other: list[Access]) -> Iterator[Unsafe]:
    """Paths made of what every process has for itself, where ranks take them for one."""
    seen = {one.step.spot for one in other}
    for use in other:
        if not use.step.group.startswith("~"):
            continue
        if use.step.kind == "save":
            yield Unsafe("own", use, None)
        elif use.step.kind == "read":
            write = next((one for one in first if one.step.kind == "write" and one.step.group == use.step.group and one.step.spot not in seen), None)
            if write is not None:
                yield Unsafe("lost", use, write)
