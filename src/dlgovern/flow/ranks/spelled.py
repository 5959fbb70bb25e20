"""Summaries of functions as JSON-ready values, and back."""

from __future__ import annotations

from typing import Any

from dlgovern.flow.ranks.memo import Kept
from dlgovern.flow.ranks.summary import Summary
from dlgovern.flow.ranks.trace import Guard, Node, row, rows_of
from dlgovern.flow.ranks.values import Value

_PLAIN = (str, int, float, bool, type(None))
_HUGE = 1 << 60


class Unspellable(Exception):
    """A value that JSON has no like of."""


def question(key: tuple[Any, ...]) -> list[Any]:
    """The key of a summary of a function of the file that is its first part. Raises Unspellable."""
    (_, *place), given, *rest = key
    return [place, [[name, _value(one)] for name, one in given], rest]


def key_of(path: str, values: Any) -> tuple[Any, ...]:
    """The key from what `question` became in JSON. Raises TypeError, ValueError or IndexError for anything else."""
    place, given, rest = values
    return ((path, *place), tuple((str(name), _read_value(one)) for name, one in given), *rest)


def answer(kept: Kept) -> list[Any]:
    """A summary, what it asks of ranks and how deep it is. Raises Unspellable."""
    steps, value, cut = kept.answer
    return [[_step(step) for step in steps], _value(value), sorted(cut), kept.asked, kept.deep, _rows(steps, value)]


def kept_of(values: Any) -> Kept:
    """The summary from what `answer` became in JSON. Raises TypeError, ValueError or IndexError for anything else."""
    steps, value, cut, asked, deep, rows = values
    for word, keys in rows:
        row(word, keys)
    spots = frozenset((str(path), int(line), int(column)) for path, line, column in cut)
    return Kept(Summary(tuple(map(_read_step, steps)), _read_value(value), spots), int(asked), int(deep))


def _value(value: Value) -> list[Any]:
    data = value.data
    if isinstance(data, tuple):
        if value.kind != "tuple":
            raise Unspellable
        data = [_value(one) for one in data]
    elif not isinstance(data, _PLAIN) or data != data or (isinstance(data, int | float) and abs(data) > _HUGE):  # noqa: PLR0124 - NaN
        raise Unspellable
    return [value.kind, data, value.taint, value.ranked]


def _read_value(values: Any) -> Value:
    kind, data, taint, ranked = values
    return Value(kind, tuple(map(_read_value, data)) if kind == "tuple" else data, taint, ranked)


def _step(step: Node) -> list[Any]:
    guard = [*step.guard.spot, step.guard.text] if step.guard is not None else []
    return [step.kind, step.op, step.spot, guard, [[_step(inner) for inner in branch] for branch in step.branches], step.group, step.sure]


def _read_step(values: Any) -> Node:
    kind, op, spot, guard, branches, group, sure = values
    return Node(
        kind, op, spot=_spot(spot), guard=Guard(_spot(guard[:3]), guard[3]) if guard else None,
        branches=tuple(tuple(map(_read_step, branch)) for branch in branches), group=group, sure=sure,
    )


def _spot(values: Any) -> tuple[str, int, int]:
    path, line, column = values
    return (path, line, column)


def _rows(steps: tuple[Node, ...], value: Value) -> list[Any]:
    """The rows of conditions (see `trace.row`) that the keys of choices and the value mean, inner ones first."""
    found: dict[str, list[Any]] = {}
    todo = list(steps)
    keys = [value.data] if value.kind == "key" else []
    while todo:
        step = todo.pop()
        if step.kind == "choice":
            keys.append(step.op)
        for branch in step.branches:
            todo += branch
    for key in keys:
        for word, parts in rows_of(str(key)):
            found.setdefault(f"{word} {parts}", [word, list(parts)])
    return list(found.values())
