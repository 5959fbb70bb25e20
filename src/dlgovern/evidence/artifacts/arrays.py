"""What numpy's own constructors build in a pickle, when their arguments are those that numpy writes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from dlgovern.evidence.artifacts.allowed import ARRAYS
from dlgovern.evidence.artifacts.machine import Global, Machine, Node, parts, whole

NAMES = tuple(ARRAYS)
"""The constructors that `call` knows."""

_DTYPE = re.compile(r"[<>|=]?(?:[?bBhHiIlLqQefdgFDG]|[biufcmMOSUV]\d{0,9})\Z")


def call(m: Machine, function: Global, given: Sequence[Any], _offset: int) -> Any:
    """An array, a scalar or a dtype; None where the arguments are not numpy's."""
    last = function.name.rpartition(".")[2]
    if last == "dtype":
        text = plain(given[0]) if given else None
        if text is None or not _DTYPE.match(text) or any(type(one) not in (bool, int) for one in given[1:]):
            return None
        return m.node("numpy", None, ("dtype", text))
    if last == "_reconstruct":
        kind, shape = (given[0], given[1]) if len(given) == 3 else (None, None)  # noqa: PLR2004
        if type(kind) is not Global or kind.name != "numpy.ndarray" or parts(shape) != (0,):
            return None
        return m.node("numpy", None, ("array", "", ()))
    if last == "NumpyArrayWrapper":
        return None if given else m.node("numpy", None, ("wrapper",))
    if last == "scalar":
        dtype = given[0] if len(given) == 2 else None  # noqa: PLR2004
        if type(dtype) is not Node or dtype.kind != "numpy" or dtype.what[0] != "dtype" or "O" in dtype.what[1]:
            return None
        return m.node("numpy", None, ("scalar",)) if plain(given[1]) is not None or _is_bytes(given[1]) else None
    return None


def build(m: Machine, owner: Node, state: Any) -> bool:
    """Whether this is the state that numpy writes for a dtype or an array."""
    if owner.what[0] == "wrapper":
        return _wrapper(owner, state)
    items = parts(state) or ()
    if owner.what[0] == "dtype":
        return 8 <= len(items) <= 9 and all(type(one) in (int, str, type(None)) for one in (*items[:1], *items[5:8]))  # noqa: PLR2004
    if owner.what[0] != "array" or len(items) != 5:  # noqa: PLR2004
        return False
    _version, shape, dtype, _fortran, data = items
    sizes = whole(shape)
    if sizes is None or type(dtype) is not Node or dtype.kind != "numpy" or dtype.what[0] != "dtype":
        return False
    objects = "O" in dtype.what[1]
    good = type(data) is Node and data.kind == "list" if objects else _is_bytes(data) or type(data) is str
    owner.what = ("array", dtype.what[1], sizes)
    if good:
        m.hold(owner, [data])
    return good


_WIDTHS = {"?": 1, "b": 1, "B": 1, "h": 2, "H": 2, "i": 4, "I": 4, "l": 8, "L": 8, "q": 8, "Q": 8, "e": 2, "f": 4, "d": 8}


def _wrapper(owner: Node, state: Any) -> bool:
    """The state of joblib's NumpyArrayWrapper: what array stands behind it in the stream."""
    pairs = state.items or [] if type(state) is Node and state.kind == "dict" else []
    said = {key: value for key, value in zip(pairs[::2], pairs[1::2], strict=True) if type(key) is str}
    kind, shape, dtype = said.get("subclass"), said.get("shape"), said.get("dtype")
    if len(said) * 2 != len(pairs) or not set(said) <= _WRAPPED or type(kind) is not Global or kind.name != "numpy.ndarray":
        return False
    if type(shape) is not Node or shape.kind != "tuple" or type(dtype) is not Node or dtype.kind != "numpy" or dtype.what[0] != "dtype":
        return False
    sizes = shape.items or []
    text = dtype.what[1].lstrip("<>|=")
    width = 0 if "O" in text else _WIDTHS.get(text) or (int(text[1:]) * (4 if text[0] == "U" else 1) if text[1:].isdigit() else -1)
    if width < 0 or text[0] in "mM" or not all(type(one) is int and one >= 0 for one in sizes):
        return False
    owner.what = ("wrapper", "O" if "O" in text else dtype.what[1], tuple(sizes), said.get("numpy_array_alignment_bytes") is not None, width)
    return True


_WRAPPED = frozenset("subclass shape order dtype allow_mmap numpy_array_alignment_bytes".split())


def plain(value: Any) -> str | None:
    """The text of a short string or of short bytes."""
    if type(value) is str:
        return value
    if type(value) is Node and value.kind == "bytes" and type(value.what) is bytes:
        return value.what.decode("latin-1")
    return None


def _is_bytes(value: Any) -> bool:
    return type(value) is Node and value.kind in ("bytes", "text")
