"""What is a share of one rank, with as many items as chance gives it: slices by rank, shards, files of the rank, data sets made of these."""

from __future__ import annotations

import ast
import re

from dlgovern.flow.paths import called_name, context_managers, written
from dlgovern.flow.ranks.frame import Frame
from dlgovern.flow.ranks.project import Function, Target
from dlgovern.flow.ranks.tables import Tables
from dlgovern.flow.ranks.trace import Node
from dlgovern.flow.ranks.values import MANY, Value

SHARE = "share"
_KEEP = frozenset("list tuple range iter sorted reversed enumerate tqdm trange zip map filter Subset TensorDataset DataLoader StatefulDataLoader select batch cycle prefetch".split())
"""Calls that give as many items as they were given, or fewer by a fixed factor."""

_PARTS = frozenset({"array_split", "tensor_split", "chunk"})
"""Calls that cut into a number of parts, the last ones smaller where it does not come out even."""

_LINKS = 6
_EVEN = re.compile(rb"drop_last|\bJoin\b|\.join\(\)|\bpad|\beven|_even|equal|cycle|islice|truncat|remainder|divisible|infinite|repeat", re.I)
"""Words of code that takes care that ranks have equally many items."""


def sliced(frame: Frame, node: ast.Slice) -> bool:
    """Whether a slice is ``[rank::size]``."""
    from dlgovern.flow.ranks.expressions import value  # expressions ask for shares

    if node.lower is None or node.step is None or node.upper is not None:
        return False
    return value(frame.outside(), node.lower).kind == "rank" and value(frame.outside(), node.step) == MANY


def parted(frame: Frame, node: ast.Subscript) -> bool:
    """Whether one of as many parts as there are ranks is the rank's, and they need not be as large as each other: ``np.array_split(x, size)[rank]``."""
    from dlgovern.flow.ranks.expressions import value  # expressions ask for shares

    binding = frame.facts.names.binding(node.value) if isinstance(node.value, ast.Name) else None
    made = binding.value if binding is not None else node.value
    if not isinstance(made, ast.Call) or (frame.facts.names.origin(made.func) or called_name(made.func)).rpartition(".")[2] not in _PARTS:
        return False
    return value(frame.outside(), node.slice).kind == "rank" and any(value(frame.outside(), one) == MANY for one in made.args)


def picked(frame: Frame, test: ast.expr) -> bool:
    """Whether a test takes every item whose turn it is for the rank: ``i % size == rank``."""
    from dlgovern.flow.ranks.expressions import value  # expressions ask for shares

    if not isinstance(test, ast.Compare) or not isinstance(test.ops[0], ast.Eq) or len(test.comparators) > 1:
        return False
    sides = (test.left, test.comparators[0])
    for turn, mine in (sides, sides[::-1]):
        if isinstance(turn, ast.BinOp) and isinstance(turn.op, ast.Mod) and value(frame.outside(), turn.right) == MANY:
            return value(frame.outside(), mine).kind == "rank"
    return False


def shared(frame: Frame, node: ast.Call, origin: str, last: str, positional: list[Value], keywords: dict[str, Value]) -> bool:
    """Whether a call gives a share of the rank."""
    last = origin.rpartition(".")[2] or last
    every = [*positional, *keywords.values()]
    if last in _KEEP and any(one.taint == SHARE for one in every):
        return keywords.get("drop_last") is None and "sampler" not in keywords and "batch_sampler" not in keywords
    if origin == "range" and len(positional) == 3:  # noqa: PLR2004 - start, stop, step
        return positional[0].kind == "rank" and positional[2] == MANY
    if (last == "shard" and isinstance(node.func, ast.Attribute)) or last == "split_dataset_by_node":
        return any(one.kind == "rank" for one in every) and any(one == MANY for one in every)
    return False


def chosen(frame: Frame, node: ast.Call, last: str) -> bool:
    """Whether a call counts items that a mask picks out of the rank's own tensor: ``x[mask.bool()].numel()``."""
    if last != "numel" or not isinstance(node.func, ast.Attribute):
        return False
    counted: ast.AST = node.func.value
    for _ in range(_LINKS):
        if isinstance(counted, ast.Name):
            binding = frame.facts.names.binding(counted)
            if binding is None or binding.kind != "value" or binding.value is None:
                return False
            counted = binding.value
        elif isinstance(counted, ast.Call) and isinstance(counted.func, ast.Attribute):
            if counted.func.attr in ("masked_select", "nonzero"):
                return True
            counted = counted.func.value
        else:
            break
    return isinstance(counted, ast.Subscript) and (
        isinstance(counted.slice, ast.Compare) or (isinstance(counted.slice, ast.Call) and written(counted.slice.func).endswith(".bool"))
    )


def uneven(step: Node, target: Target, tables: Tables) -> bool:
    """Whether nothing in a function, or in the class of a method, makes the turns of its loop even on all ranks."""
    loop = step.node
    if not isinstance(loop, ast.AST):
        return False
    if any("oin" in written(item.context_expr.func).rpartition(".")[2] for item in context_managers(loop) if isinstance(item.context_expr, ast.Call)):
        return False
    lines = target.facts.data.splitlines(keepends=True)
    node: Function | ast.ClassDef = target.owner or target.node
    text = b"".join(lines[node.lineno - 1 : node.end_lineno] if target.node.name else lines)
    return _EVEN.search(text) is None and _divides(tables).search(text) is None


def _divides(tables: Tables) -> re.Pattern[bytes]:
    """A division by the number of ranks."""
    names = sorted({name.rpartition(".")[2] for name, kind in {**tables.names, **tables.calls}.items() if kind == "size"})
    return re.compile(rb"(?://|%|\bdivmod\([^)]*,)\s*\(?(?:\w+\.)*(?:" + "|".join(names).encode() + rb")\b(?!(?:\(\))?\)?\s*==\s*(?:\w+\.)*(?:get_)?\w*rank)")
