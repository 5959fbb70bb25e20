"""See files that several ranks of a distributed program write or remove under one name, by the classes of ranks that reach the write."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.finding import Hit
from dlgovern.flow.facts import Facts
from dlgovern.flow.paths import called_name
from dlgovern.flow.ranks.meets import MEETINGS, MODULES
from dlgovern.flow.ranks.tables import rank_text, tables_of
from dlgovern.flow.ranks.trace import Node, Spot
from dlgovern.flow.ranks.values import FIRST, NODE_FIRST, OTHER
from dlgovern.flow.ranks.writes import STARTERS, STARTS, Write, writes
from dlgovern.policy import Rule

WRITERS = ("all", "node")
"""Every rank writes, or one rank of every node."""

PARAMETERS = {"writers": Parameter("string", f"who writes: {', '.join(WRITERS)}", required=True)}


def triggers(_parameters: dict[str, Any], tables: dict[str, Any]) -> list[dict[str, Any]]:
    """The file starts a process group or wraps a model, has hooks of a framework, or calls what by its name may start a group."""
    known = tables_of(tables)
    starts = [name for name, one in known.functions.items() if one.starts or one.kind in ("wrap", "collective", "save")]
    names = (*starts, *sorted(known.program_calls | known.program_objects | known.hook_classes))
    by_name = [{"parts": list(STARTS), "word": STARTERS}, {"parts": ["setup"], "words": [], "text": r"\bsetup[ \t]*\("}]
    near = rf"(?:(?<![\w.])|\b(?:{'|'.join(MODULES)})\.)(?:{'|'.join(MEETINGS)})[ \t]*\("
    by_name.append({"parts": MEETINGS, "words": [], "text": near})
    return [*({"name": name} for name in names), *by_name, rank_text(tables)._asdict()]


def watch(rules: list[Rule], facts: Facts, tables: dict[str, Any]) -> dict[type | None, Callable[[Any], Iterator[Hit]]]:
    """One handler for the whole file."""

    def see(_file: None) -> Iterator[Hit]:
        for rule in rules:
            told: set[Spot] = set()
            saved: set[str] = set()
            meant = (one for one in writes(facts, tables_of(tables)) if _means(rule.parameters["writers"], one))
            for one in sorted(meant, key=_is_second):
                hit = facts.hit(rule.id, one.site.node, call=f"{_name(one.site)}()", does=_DOES[one.step.group])  # type: ignore[arg-type]
                if one.step.spot in told or (_is_second(one) and hit.symbol in saved):
                    continue  # the copy of what the function has just written is the same mistake, and so is its removal
                told.add(one.step.spot)
                saved.add(hit.symbol)
                related = [(*spot, "reached from here") for spot in one.calls]
                if one.site is not one.step:
                    related.append((*one.step.spot, f"{one.step.op}() {_DOES[one.step.group]}s here"))
                yield hit._replace(related=tuple(related), confidence="" if one.sure == "high" else "medium")

    return {None: see}


_DOES = {"write": "write", "copy": "write", "remove": "remove"}


def _is_second(one: Write) -> bool:
    return one.step.group != "write"


def _name(site: Node) -> str:
    return called_name(site.node.func) if isinstance(site.node, ast.Call) else site.op


def _means(writers: str, one: Write) -> bool:
    if writers == "all":
        return OTHER in one.classes and len(one.classes) > 1
    return {FIRST, NODE_FIRST} == set(one.classes)
