"""Which events of a trace a rank is sure to reach as one of many: what may be one rank's alone is left out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dlgovern.flow.facts import Facts
from dlgovern.flow.ranks.shares import SHARE
from dlgovern.flow.ranks.trace import Node, Spot
from dlgovern.flow.ranks.values import FIRST

Chain = tuple[Node, ...]


def reached(traces: dict[int, Chain], facts: Facts) -> dict[int, list[tuple[Node, Chain]]]:
    """The events of the traces of classes of ranks, each with the calls that lead to it; what may be one rank's is left out."""
    open_to_first = frozenset(_asked(traces[FIRST]))
    return {cls: _reached(steps, facts, None if cls == FIRST else open_to_first, ()) for cls, steps in traces.items()}


def _asked(steps: Chain) -> Iterator[Spot]:
    """The places of choices in which the rank is asked, and something else that is not known."""
    todo = list(steps)
    while todo:
        step = todo.pop()
        if step.kind == "choice" and step.guard is not None and step.guard.spot == step.spot:
            yield step.spot
        todo += [inner for branch in step.branches for inner in branch]


def _reached(steps: Chain, facts: Facts, open_to_first: frozenset[Spot] | None, chain: Chain) -> list[tuple[Node, Chain]]:
    found: list[tuple[Node, Chain]] = []
    for step in steps:
        if step.is_event:
            found.append((step, chain))
        elif step.kind != "choice" or not (_is_ones(step, facts) or _is_settled(step, open_to_first)):
            inner = (*chain, step) if step.kind == "call" else chain
            for branch in step.branches:
                found += _reached(branch, facts, open_to_first, inner)
        elif step.exits and not (step.spot[0] == facts.path and _fails(step)):
            break  # who goes on may be one rank
    return found


def _fails(step: Node) -> bool:
    """Whether all exits in a step are errors: they end the program, whoever meets them."""
    return step.op == "raise" if step.kind == "exit" else all(_fails(inner) for branch in step.branches for inner in branch if inner.exits)


def _is_settled(step: Node, open_to_first: frozenset[Spot] | None) -> bool:
    """Whether the rank is asked and the first rank has its answer: what the others do hangs on something else."""
    return open_to_first is not None and step.guard is not None and step.guard.spot == step.spot and step.spot not in open_to_first


def _is_ones(step: Node, facts: Facts) -> bool:
    """Whether a condition may choose one rank, or some of them, although no rank is known to decide it.

    What a helper of another file makes where it is not there yet is a cache: as a rule it stands a race.
    """
    if (step.group == "files" and step.spot[0] != facts.path) or step.group in ("rank", "member", "mixed", SHARE) or _ONE.search(step.op):
        return True
    return any(re.search(rb"self\.%b\s*=(?!=).*(?:\n.*){0,3}rank" % name.encode(), facts.data) for name in re.findall(r"self\.(\w+)", step.op))


_ONE = re.compile(
    r"^(?![\w.]*(?:num_|max_|min_|top_?k|limit|keep|freq|interval|every|step|epoch|iter|count|total|size))[\w.@#]+ Eq const:0$|rank|(?<!__)main(?!tain|_grad|_param)|master(?!_weight|_param|_grad)|primary|leader|chief|coordinator|should_save|save_logs|save_to_disk|stand_?alone"
    r"|single_?(gpu|proc|device)|writer|logger|wandb|tensorboard|verbose|debug|int8|quantiz|(each|every|per)_node|(fabric|accelerator|strategy|group|mesh|dist) Is const:None",
    re.I,
)
"""Conditions that may choose one rank although no rank is seen in them: a number that is 0 and is no amount by its name, a word for
the first, for the only one or for what the first alone has."""
