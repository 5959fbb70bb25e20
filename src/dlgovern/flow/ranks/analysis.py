"""Where the ranks of one file's functions disagree on what they do together."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from dlgovern.flow.facts import Facts
from dlgovern.flow.ranks import values
from dlgovern.flow.ranks.candidates import candidates
from dlgovern.flow.ranks.compare import Comparison, Divergence
from dlgovern.flow.ranks.contexts import Context, at, contexts
from dlgovern.flow.ranks.frame import GaveUp, Meter
from dlgovern.flow.ranks.project import Function, Target
from dlgovern.flow.ranks.roles import split
from dlgovern.flow.ranks.shares import SHARE, uneven
from dlgovern.flow.ranks.summaries import Given, Summaries, start
from dlgovern.flow.ranks.summary import Summary
from dlgovern.flow.ranks.tables import NOTHING, WHETHER_FIRST, WHICH, Tables
from dlgovern.flow.ranks.trace import Node, Spot, events, has_events
from dlgovern.flow.ranks.values import FIRST, NODE_FIRST, OTHER, Value

_CONTEXTS = 40  # functions of one file that are judged again as they are called

Classes = tuple[int, ...]
Unfinished = tuple[ast.AST, str]
"""A function, or the module, and why the analysis did not follow it to its end."""

BRANCHED = "it has more ways through it than are followed"
CUT = "a call that only some ranks make leads deeper, or does more, than is followed"
NESTED = "it is nested deeper than is read"


class Disagreement(NamedTuple):
    """A divergence in a function of the judged file, and which classes of ranks have the event."""

    what: Divergence
    target: Target | None  # None: the module's own body
    classes: Classes
    traces: tuple[str, str]  # which classes the two traces belong to


class Analysis(NamedTuple):
    """What was found in a file, and the functions that were not followed to their end."""

    found: list[Disagreement]
    gave_up: list[Unfinished]
    reads: set[str]


def analysis(facts: Facts, tables: Tables) -> Analysis:
    """The disagreements of a file, computed once."""
    return facts.once(Analysis, lambda: _noted(facts, _analyse(facts, tables)))


def _noted(facts: Facts, found: Analysis) -> Analysis:
    facts.reads |= found.reads
    facts.gave_up += found.gave_up
    return found


def _analyse(facts: Facts, tables: Tables) -> Analysis:
    summaries = Summaries(facts, tables)
    found: list[Disagreement] = []
    gave_up: list[Unfinished] = []
    known = candidates(facts, tables)
    summaries.trains, summaries.whole = known.trains, tables.leaves_whole(facts.data)
    summaries.project.reads |= known.reads
    grouped: dict[str, Summaries] = {}
    for target in filter(known.wants, known.targets):
        summaries.groups.clear()
        summaries.spoken.clear()
        _judge(summaries, target, {}, found, gave_up, parts=known.parts(target))
        for group in sorted(summaries.groups & summaries.spoken):
            _in_group(grouped, group, summaries, target, found)
    for context in contexts(summaries)[:_CONTEXTS]:
        if context.target.facts is facts:
            _judge(summaries, context.target, context.given, found, gave_up, parts=True)
        else:
            _handed(summaries, context, found)
    found = [one for one in found if not split(one.what.site, one.what.guard, facts, summaries.project, tables)]
    return Analysis(_unique(_uncompensated(found)), gave_up, summaries.project.reads)


def _handed(summaries: Summaries, context: Context, found: list[Disagreement]) -> None:
    """The disagreements inside of a function of another file that ranks give something else: it is told of here."""
    alone: list[Disagreement] = []
    inside: list[Disagreement] = []
    _judge(summaries, context.target, {}, alone, [], parts=True)
    _judge(summaries, context.target, context.given, inside, [], parts=True)
    own = {one.what.event.spot for one in alone}
    for one in inside:
        site = at(context, one.what.site, summaries)
        if site is not None and one.what.event.spot not in own and not one.what.taint and one.what.cause in ("branch", "exit"):
            found.append(one._replace(what=one.what._replace(site=site)))


def _on(cls: int, given: Given) -> dict[str, Value]:
    """What a function is given on a class of ranks: the same as on others where nobody asked for this one."""
    return given[cls] if cls in given else given.get(OTHER) or next(iter(given.values()), {})


def _told(given: Given) -> int:
    """What a function is told of the class of its rank by what it is given."""
    if _on(NODE_FIRST, given) != _on(OTHER, given):
        return WHICH
    return WHETHER_FIRST if _on(FIRST, given) != _on(OTHER, given) else NOTHING


def _part_unseen(world: Summaries, target: Target, given: Given) -> bool:
    """Whether classes of ranks differ in the calls that are not followed, told anew: what is remembered stems from several depths."""
    fresh = Summaries(world.facts, world.tables, alone=True)
    fresh.trains, fresh.whole, fresh.group = world.trains, world.whole, world.group
    cuts = [_trace(fresh, target, cls, _on(cls, given), Meter())[1] for cls in (OTHER, FIRST)]
    return cuts[0] != cuts[1]


def _node(target: Target) -> ast.AST:
    return target.node if target.node.name else target.facts.tree.module


def _in_group(known: dict[str, Summaries], group: str, world: Summaries, target: Target, found: list[Disagreement]) -> None:
    """The disagreements of a function among the ranks of one group, over which it communicates and whose ranks it asks for."""
    summaries = known.get(group)
    if summaries is None:
        summaries = known[group] = Summaries(world.facts, world.tables)
        summaries.trains, summaries.whole, summaries.group = world.trains, world.whole, group
    inside: list[Disagreement] = []
    _judge(summaries, target, {}, inside, [], parts=True)
    found += [one._replace(classes=(), traces=("rank 0 of the group", "its other ranks")) for one in inside if one.what.cause != "turns" and not one.what.taint]
    world.project.reads |= summaries.project.reads


def _judge(summaries: Summaries, target: Target, given: Given, found: list[Disagreement], gave_up: list[Unfinished], *, parts: bool) -> None:
    meter = Meter()
    try:
        summaries.memo.asked = NOTHING
        other, cut = _trace(summaries, target, OTHER, _on(OTHER, given), meter)
        asked = max(summaries.memo.asked, _told(given)) if parts else NOTHING
        first, cut_first = _trace(summaries, target, FIRST, _on(FIRST, given), meter) if asked else (other, cut)
        if meter.deep or (cut != cut_first and _part_unseen(summaries, target, given)):
            gave_up.append((_node(target), NESTED if meter.deep else CUT))
        if not has_events(first) and not has_events(other):
            return
        traces = [first, _trace(summaries, target, NODE_FIRST, _on(NODE_FIRST, given), meter)[0] if asked == WHICH else other, other]
        for one, two in _pairs(traces):
            comparison = Comparison(meter)
            comparison.run(traces[one], traces[two])
            found += [_named(what, target, traces, (one, two)) for what in comparison.found]
        alone = Comparison(meter)
        groups = any(step.kind == "group" for step in events(traces[OTHER]))
        alone.differ(traces[OTHER], values.DIFFER | {"member"} if groups else values.DIFFER)
        found += [Disagreement(what, target if target.node.name else None, (), ("some ranks", "the others")) for what in alone.found]
        found += [_turns(step, target) for step in _loops(traces[OTHER]) if _parts(step, target, summaries.tables)]
    except GaveUp:
        gave_up.append((_node(target), BRANCHED))


def _trace(summaries: Summaries, target: Target, cls: int, given: dict[str, Value], meter: Meter) -> tuple[tuple[Node, ...], frozenset[Spot]]:
    """What a function does, and the calls in it that were not followed to their end."""
    begun = start(summaries, target, cls, given, meter)
    steps = begun.steps
    if target.node.name == "__enter__" and target.owner is not None:
        leave = next((one for one in target.owner.body if isinstance(one, Function) and one.name == "__exit__"), None)
        if leave is not None:
            more: Summary = start(summaries, Target(target.facts, leave, target.owner), cls, given, meter)
            steps = (Node("call", "", branches=(steps,)), Node("call", "", branches=(more.steps,)))
    return steps, begun.cut


def _pairs(traces: list[tuple[Node, ...]]) -> list[tuple[int, int]]:
    shapes = [[step.shape for step in steps] for steps in traces]
    pairs = [(FIRST, OTHER)] if shapes[FIRST] != shapes[OTHER] else []
    if shapes[NODE_FIRST] not in (shapes[FIRST], shapes[OTHER]) or (not pairs and shapes[NODE_FIRST] != shapes[FIRST]):
        pairs.append((FIRST, NODE_FIRST))
    return pairs


def _named(what: Divergence, target: Target, traces: list[tuple[Node, ...]], pair: tuple[int, int]) -> Disagreement:
    have = tuple(cls for cls, steps in enumerate(traces) if any(one.spot == what.event.spot for one in events(steps)))
    if what.cause in ("exit", "order") or not have or len(have) == len(traces):
        have = (pair[what.here],)
        same = [cls for cls in range(len(traces)) if [s.shape for s in traces[cls]] == [s.shape for s in traces[pair[what.here]]]]
        have = tuple(sorted({*have, *same}))
    sides = [who((cls,) if cls == FIRST else tuple(c for c in (NODE_FIRST, OTHER))) for cls in pair]
    if pair == (FIRST, OTHER) and [s.shape for s in traces[NODE_FIRST]] == [s.shape for s in traces[FIRST]]:
        sides = [who((FIRST, NODE_FIRST)), who((OTHER,))]
    return Disagreement(what, target if target.node.name else None, have, (sides[0], sides[1]))


def who(classes: Classes) -> str:
    """Classes of ranks in words."""
    return {
        (FIRST,): "rank 0",
        (FIRST, NODE_FIRST): "local rank 0 of each node",
        (NODE_FIRST, OTHER): "the ranks other than 0",
        (OTHER,): "the ranks other than local rank 0",
        (NODE_FIRST,): "local rank 0 of the other nodes",
        (FIRST, OTHER): "rank 0, and ranks that are not local rank 0",
    }.get(classes, "some ranks")


def _loops(steps: tuple[Node, ...]) -> Iterator[Node]:
    todo = list(steps)
    while todo:
        step = todo.pop()
        if step.kind == "loop":
            yield step
        if step.kind != "call":
            todo += [inner for branch in step.branches for inner in branch]


def _parts(step: Node, target: Target, tables: Tables) -> bool:
    """Whether ranks can make different numbers of turns of a loop in which they meet."""
    return step.group in (SHARE, "clock", "signal") and has_events(step.branches[0]) and (step.group != SHARE or uneven(step, target, tables))


def _turns(step: Node, target: Target) -> Disagreement:
    first = next(events(step.branches[0]))
    what = Divergence("turns", first, step, 0, None, None, (), (tuple(events(step.branches[0]))[:3], ()), step.group)
    return Disagreement(what, target if target.node.name else None, (), ("ranks with more turns", "ranks with fewer turns"))


def _uncompensated(found: list[Disagreement]) -> list[Disagreement]:
    """Without what another function of the file makes good: ``begin()`` in which the others wait, ``end()`` in which rank 0 joins them."""
    branches = {
        (one.what.event.shape, one.target.key, id(one.target.owner), one.classes)
        for one in found
        if one.what.cause == "branch" and one.target is not None and one.classes
    }
    kept = []
    for one in found:
        mirrored = one.what.cause == "branch" and one.target is not None and bool(one.classes) and any(
            shape == one.what.event.shape and key != one.target.key and owner == id(one.target.owner) and not set(classes) & set(one.classes)
            for shape, key, owner, classes in branches
        )
        if not mirrored:
            kept.append(one)
    return kept


def _unique(found: list[Disagreement]) -> list[Disagreement]:
    """One for each place and reason; of what lies behind one exit the first."""
    seen: dict[object, Disagreement] = {}
    for one in found:
        what = one.what
        key = (what.left.spot, what.cause) if what.left else (what.site.spot, what.event.kind, what.cause, what.taint)
        seen.setdefault(key, one)
    return list(seen.values())
