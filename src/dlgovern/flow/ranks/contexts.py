"""Functions as they are called: with wrapped models, or with what classes of ranks are given differently."""

from __future__ import annotations

import ast
from typing import NamedTuple

from dlgovern.flow.ranks.project import Target
from dlgovern.flow.ranks.summaries import Given, Summaries
from dlgovern.flow.ranks.trace import Node, Spot
from dlgovern.flow.ranks.values import FIRST, OTHER, Value, unknown


class Context(NamedTuple):
    """A function, what it is given by class of ranks, and where it is called so."""

    target: Target
    given: Given
    site: Spot


def contexts(summaries: Summaries) -> list[Context]:
    """The functions that are called with wrapped models or given something else on some ranks, each way once; those of other files for the latter."""
    seen: dict[object, Context] = {}
    for (_, site), (target, given) in summaries.contexts.items():
        home = target.facts is summaries.facts
        known = apart(given)
        if known is not None or (home and any(one.kind == "wrapped" for told in given.values() for one in told.values())):
            seen.setdefault((target.key, repr(sorted((known or given).items())), None if home else site), Context(target, known or given, site))
    return list(seen.values())


def apart(given: Given) -> Given | None:
    """What a function is given where rank 0 gives something else than other ranks, which counts as decided by the rank; None where it does not."""
    if not {FIRST, OTHER} <= given.keys():
        return None
    every = list(dict.fromkeys(name for told in given.values() for name in told))
    differing = [name for name in every if given[FIRST].get(name) != given[OTHER].get(name)]
    if not any(_decides(told.get(name)) for told in given.values() for name in differing):
        return None
    return {cls: {**told, **{name: told.get(name, unknown(name))._replace(ranked=True) for name in differing}} for cls, told in given.items()}


def _decides(one: Value | None) -> bool:
    """Whether a value is a truth or nothing, which conditions ask for."""
    return one is not None and one.kind == "const"


def at(context: Context, inner: Node, summaries: Summaries) -> Node | None:
    """The call of a context as a step that leads to what ``inner`` is in the function."""
    calls = summaries.facts.tree.of(ast.Call)
    node = next((one for one in calls if (one.lineno, one.col_offset + 1) == context.site[1:]), None)  # type: ignore[attr-defined]
    called = f"{inner.op}()" if inner.op.isidentifier() else inner.op
    return Node("call", f"{called} in {context.target.node.name}()", spot=context.site, node=node, branches=((inner,),)) if node is not None else None
