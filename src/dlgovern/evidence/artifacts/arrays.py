"""What numpy's own constructors build in a pickle, when their arguments are those that numpy writes."""

from __future__ import annotations

import re
from typing import Any

from dlgovern.evidence.artifacts.allowed import ARRAYS
from dlgovern.evidence.artifacts.machine import Global, Machine, Node

NAMES = tuple(ARRAYS)
"""The constructors that `call` knows."""

_DTYPE = re.compile(r"[<>|=]?(?:[?bBhHiIlLqQefdgFDG]|[biufcmMOSUV]\d{0,9})\Z")


def call(m: Machine, function: Global, given: list[Any], _offset: int) -> Any:
    """An array, a scalar or a dtype; None where the arguments are not numpy's."""
    last = function.name.rpartition(".")[2]
    if last == "dtype":
        text = plain(given[0]) if given else None
        if text is None or not _DTYPE.match(text) or any(type(one) not in (bool, int) for one in given[1:]):
            return None
        return m.node("numpy", None, ("dtype", text))
    if last == "_reconstruct":
        kind, shape = (given[0], given[1]) if len(given) == 3 else (None, None)  # noqa: PLR2004
        if type(kind) is not Global or kind.name != "numpy.ndarray" or type(shape) is not Node or shape.items != [0]:
            return None
        return m.node("numpy", None, ("array", "", ()))
    if last == "scalar":
        dtype = given[0] if len(given) == 2 else None  # noqa: PLR2004
        if type(dtype) is not Node or dtype.kind != "numpy" or dtype.what[0] != "dtype" or "O" in dtype.what[1]:
            return None
        return m.node("numpy", None, ("scalar",)) if plain(given[1]) is not None or _is_bytes(given[1]) else None
    return None


def build(m: Machine, owner: Node, state: Any) -> bool:
    """Whether this is the state that numpy writes for a dtype or an array."""
    items = state.items or [] if type(state) is Node and state.kind == "tuple" else []
    if owner.what[0] == "dtype":
        return 8 <= len(items) <= 9 and all(type(one) in (int, str, type(None)) for one in items[:1] + items[5:8])  # noqa: PLR2004
    if owner.what[0] != "array" or len(items) != 5:  # noqa: PLR2004
        return False
    _version, shape, dtype, _fortran, data = items
    if type(shape) is not Node or type(dtype) is not Node or dtype.kind != "numpy" or dtype.what[0] != "dtype":
        return False
    sizes = shape.items or []
    if not all(type(one) is int and one >= 0 for one in sizes):
        return False
    objects = "O" in dtype.what[1]
    good = type(data) is Node and data.kind == "list" if objects else _is_bytes(data) or type(data) is str
    owner.what = ("array", dtype.what[1], tuple(sizes))
    if good:
        m.hold(owner, [data])
    return good


def plain(value: Any) -> str | None:
    """The text of a short string or of short bytes."""
    if type(value) is str:
        return value
    if type(value) is Node and value.kind == "bytes" and type(value.what) is bytes:
        return value.what.decode("latin-1")
    return None


def _is_bytes(value: Any) -> bool:
    return type(value) is Node and value.kind in ("bytes", "text")
