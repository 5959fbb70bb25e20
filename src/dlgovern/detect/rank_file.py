"""See paths that one rank writes and the others use too early, or that every rank has for itself, by what each class of ranks does."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.finding import Hit
from dlgovern.flow.facts import Facts
from dlgovern.flow.ranks.accesses import Access, Unsafe, unsafe
from dlgovern.flow.ranks.tables import rank_text, tables_of, tells_ranks
from dlgovern.flow.ranks.trace import Node
from dlgovern.policy import Rule

REASONS = ("early", "own", "lost", "late")
"""The others read what rank 0 may not have written yet; all ranks save together, each at a path of its own; the others look
at a path of their own for what rank 0 wrote; a rank raises where it finds what a faster one has made."""

PARAMETERS = {"reasons": Parameter("strings", f"what is wrong: {', '.join(REASONS)}", required=True)}


def triggers(_parameters: dict[str, Any], tables: dict[str, Any]) -> list[dict[str, Any]]:
    """The file tells ranks apart itself."""
    return [rank_text(tables)._asdict()]


def watch(rules: list[Rule], facts: Facts, tables: dict[str, Any]) -> dict[type | None, Callable[[Any], Iterator[Hit]]]:
    """One handler for the whole file; the rules share the analysis."""
    known = tables_of(tables)

    def see(_file: None) -> Iterator[Hit]:
        data = facts.data
        if not tells_ranks(facts, tables):
            return
        wanted = {reason for rule in rules for reason in rule.parameters["reasons"]}
        moments = any(word in data for word in known.own_words)
        late = "late" in wanted and any(word in data for word in (b"raise", b"makedirs", b"mkdir")) and any(word in data for word in (b"exists", b"isfile", b"isdir", b"is_file", b"is_dir"))
        if not late and not (moments and wanted - {"early", "late"}) and not ("early" in wanted and all(any(word in data for word in words) for words in known.file_words.values())):
            return
        for one in unsafe(facts, known):
            for rule in rules:
                if one.why in rule.parameters["reasons"] and one.use.site.spot[0] == facts.path and one.use.site.node is not None:
                    place = _place(facts, one)
                    hit = facts.hit(rule.id, place.node, call=f"{place.op}()", write=f"{one.write.site.op}()" if one.write else "")  # type: ignore[arg-type]
                    yield hit._replace(related=tuple(_related(one.use, one.write) if place is one.use.site else ()))

    return {None: see}


def _place(facts: Facts, one: Unsafe) -> Node:
    """Where to report: at the step itself where the ranks have paths of their own and the file has it, else at the call that leads to it."""
    step = one.use.step
    here = one.why == "own" and step.spot[0] == facts.path and isinstance(step.node, ast.AST)
    return step if here else one.use.site


def _related(use: Access, write: Access | None) -> Iterator[tuple[str, int, int, str]]:
    if use.site is not use.step:
        yield (*use.step.spot, f"{use.step.op} here")
    if write is not None:
        yield (*write.step.spot, f"made here: {write.step.op}")
