"""See where ranks disagree on the calls that they must make together, by comparing what each class of ranks does."""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.finding import Hit
from dlgovern.flow.facts import Facts
from dlgovern.flow.paths import called_name
from dlgovern.flow.ranks.analysis import Disagreement, analysis, who
from dlgovern.flow.ranks.compare import Divergence
from dlgovern.flow.ranks.frame import surely
from dlgovern.flow.ranks.leaving import within
from dlgovern.flow.ranks.tables import Tables, rank_text, tables_of, tells_ranks
from dlgovern.flow.ranks.trace import Guard, Node, events
from dlgovern.policy import Rule
from dlgovern.source.tree import statement, symbol, up

CAUSES = ("branch", "exit", "order", "flag", "leave", "turns")
"""Only some ranks take the branch; some have left before; the order differs; a variable that only some ranks set, or that
ranks see differently, decides, or decides who leaves; the number of turns of a loop depends on the rank."""

PARAMETERS = {
    "causes": Parameter("strings", f"why ranks disagree: {', '.join(CAUSES)}", required=True),
    "kinds": Parameter("strings", "kinds of calls, as the table of collectives names them", required=True),
    "reasons": Parameter("strings", "why ranks of one class may disagree: data, files, clock, signal, except, rank, share; none, as without this parameter: classes disagree", default=[]),
    "more": Parameter("any", "kinds of calls that count besides for one of the reasons", default={}),
    "place": Parameter("string", "what is reported: the call, or the exit that takes ranks away from it", default="call"),
}
_NEXT = 2  # events shown after the one without a partner


def triggers(_parameters: dict[str, Any], tables: dict[str, Any]) -> list[dict[str, Any]]:
    """The file tells ranks apart itself."""
    return [rank_text(tables)._asdict()]


def watch(rules: list[Rule], facts: Facts, tables: dict[str, Any]) -> dict[type | None, Callable[[Any], Iterator[Hit]]]:
    """One handler for the whole file; the rules share the analysis."""

    def see(_file: None) -> Iterator[Hit]:
        if not tells_ranks(facts, tables):
            return
        known = tables_of(tables)
        for one in analysis(facts, known).found:
            for rule in rules:
                node = _place(facts, one, rule.parameters.get("place", "call"))
                if node is not None and _means(rule.parameters, one):
                    yield _hit(rule, facts, known, one, node)

    return {None: see}


def _means(parameters: dict[str, Any], one: Disagreement) -> bool:
    what = one.what
    kinds = (*parameters["kinds"], *parameters.get("more", {}).get(what.taint, ()))
    if _cause(one) not in parameters["causes"] or what.event.kind not in kinds:
        return False
    if (what.event.kind == "gather" and _is_whole(what)) or (what.left is not None and what.left.op == "exit" and _is_expected(what.site)):
        return False
    if what.site.op == "__exit__" and _is_in_loop(what.site, what.event):
        return False  # a manager that has collected nothing has nothing to do when it is left
    reasons = parameters.get("reasons", ())
    return (what.taint or "none") in (reasons or ("none",))


def _is_in_loop(step: Node, event: Node) -> bool:
    """Whether an event stands in a loop of what a call runs."""
    inside = [inner for branch in step.branches for inner in branch]
    return any(any(one is event for one in events((inner,))) if inner.kind == "loop" else _is_in_loop(inner, event) for inner in inside)


def _is_expected(site: Node) -> bool:
    """Whether the program is ready for a call that fails because another rank has ended: it ends, too."""
    if not isinstance(site.node, ast.Call):
        return False
    around = up(statement(site.node))
    if not isinstance(around, ast.Try) or len(around.body) > 1:
        return False
    ends = [handler.body[-1] for handler in around.handlers]
    return any(isinstance(end, ast.Expr) and isinstance(end.value, ast.Call) and "exit" in called_name(end.value.func) for end in ends)


def _is_whole(what: Divergence) -> bool:
    """Whether a model is sharded only after what would gather its shards."""
    return any(step.kind == "wrap" for step in what.after[what.here]) and not any(step.kind == "wrap" for step in what.before)


def _cause(one: Disagreement) -> str:
    """The cause; what lets ranks leave at a moment of their own is told apart from what lets them skip."""
    what = one.what
    leaves = what.left is not None or (isinstance(what.guard, Node) and what.guard.exits)
    if (what.cause == "flag" and what.taint in _MOMENTS and leaves) or (what.cause == "turns" and what.taint == "signal"):
        return "leave"
    return what.cause


_MOMENTS = ("", "clock", "signal")


def _place(facts: Facts, one: Disagreement, wanted: str) -> Any:
    """The syntax node at which a disagreement is reported: in this file, else it is reported there."""
    what = one.what
    way = what.guard if isinstance(what.guard, Node) else None
    left = what.left if way is None or id(what.left) in within(way) else None  # an exit that all ranks share is not what parts them
    for step in (left, way, what.site) if wanted == "exit" else (what.site, what.left):
        if step is not None and step.spot[0] == facts.path and step.node is not None:
            return step.node
    return None


def _hit(rule: Rule, facts: Facts, known: Tables, one: Disagreement, node: Any) -> Hit:
    what = one.what
    line, column, end_line, end_column = facts.span(node)
    if end_line > line + 3:  # noqa: PLR2004 - a loop or a long call: its first line is the place
        end_line, end_column = line, len(facts.lines[line - 1]) + 1
    slots = {
        "call": _called(what.site),
        "op": what.event.op,
        "who": who(one.classes) if one.classes else one.traces[what.here],
        "others": one.traces[1 - what.here],
        "exit": {"exit": "sys.exit"}.get(what.left.op, what.left.op) if what.left else "",
        "reason": _REASONS.get(what.taint, ""),
    }
    sure = "medium" if what.cause == "flag" or what.taint else surely(what.event, facts, known)
    return Hit(
        rule.id, line, column, end_line, end_column, symbol(node), slots, tuple(_related(one)),
        sure if sure != "high" else "",
    )


_REASONS = {
    "data": "a value of this rank's own data",
    "files": "what this rank sees of the file system",
    "clock": "this rank's clock",
    "signal": "when a signal reaches this rank",
    "share": "how many items this rank has",
    "": "a variable that only some ranks set",
    "except": "an exception on this rank",
    "rank": "a number that differs between ranks",
}


def _called(site: Node) -> str:
    return f"{site.op}()" if site.op.isidentifier() else site.op


def _related(one: Disagreement) -> Iterator[tuple[str, int, int, str]]:
    what = one.what
    if isinstance(what.guard, Guard):
        yield (*what.guard.spot, f"ranks part here: `{what.guard.text}`")
    elif isinstance(what.guard, Node):
        yield (*what.guard.spot, "ranks may part here")
    if what.left is not None:
        yield (*what.left.spot, f"{one.traces[1 - what.here]} left here: {what.left.op}")
    for side in (what.here, 1 - what.here):
        shown = [*what.before, *what.after[side][: 1 + _NEXT if side == what.here else _NEXT]]
        text = " -> ".join(f"{step.op} ({os.path.basename(step.spot[0])}:{step.spot[1]})" for step in shown) or "nothing"
        place = shown[len(what.before)].spot if len(shown) > len(what.before) else what.event.spot
        yield (*place, f"{one.traces[side]}: {text}")
