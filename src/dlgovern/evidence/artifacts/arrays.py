"""What numpy's own constructors build in a pickle, when their arguments are those that numpy writes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from dlgovern.evidence.artifacts.allowed import DATA
from dlgovern.evidence.artifacts.machine import Global, Machine, Node, parts, whole

NAMES = tuple(name for name, kind in DATA.items() if kind == "numpy")
"""The constructors that `call` knows."""


class Kind(NamedTuple):
    """A type of elements."""

    text: str  # as numpy abbreviates it: f8
    width: int  # bytes of one element
    exact: bool = False  # its state was set, and is what numpy writes

    @property
    def objects(self) -> bool:
        """Whether the elements are Python objects."""
        return "O" in self.text


class Wrapped(NamedTuple):
    """An array whose bytes follow in the stream, behind the object of joblib that describes it."""

    kind: Kind
    shape: tuple[int, ...]
    aligned: bool


_DTYPE = re.compile(r"[<>|=]?(?:(?P<letter>[?bBhHiIlLqQefd])|O8?|(?P<type>[biufcmMSUV])(?P<size>\d{1,9}))\Z")
_LETTERS = {"?": 1, "b": 1, "B": 1, "h": 2, "H": 2, "i": 4, "I": 4, "l": 8, "L": 8, "q": 8, "Q": 8, "e": 2, "f": 4, "d": 8}
_OWN_SIZE = "SUV"
"""Types whose size stands in their state once more."""


def call(m: Machine, function: Global, given: Sequence[Any], _offset: int) -> Any:
    """An array, a scalar or a dtype; None where the arguments are not numpy's."""
    last = function.name.rpartition(".")[2]
    if last == "dtype":
        kind = _kind(plain(given[0]) if given else None)
        return None if kind is None or any(type(one) not in (bool, int) for one in given[1:]) else m.node("numpy", None, kind)
    if last == "_reconstruct":
        good = len(given) == 3 and _is_ndarray(given[0]) and parts(given[1]) == (0,) and plain(given[2]) == "b"  # noqa: PLR2004
        return m.node("numpy", None, ("empty",)) if good else None
    if last == "NumpyArrayWrapper":
        return None if given else m.node("numpy", None, ("wrapper",))
    kind = _exact(given[1 if last == "_frombuffer" else 0]) if len(given) > 1 else None
    if kind is None or kind.objects:
        return None
    if last == "scalar":
        return m.node("numpy", None, ("scalar",)) if len(given) == 2 and _is_bytes(given[1]) else None  # noqa: PLR2004
    if last == "_frombuffer" and len(given) in (4, 5) and _is_bytes(given[0]) and given[3] in ("C", "F"):
        shape, axes = whole(given[2]), whole(given[4]) if len(given) == 5 and given[4] is not None else ()  # noqa: PLR2004
        return None if shape is None or axes is None else m.node("numpy", None, ("array", kind.text, shape))
    return None


def _kind(text: str | None) -> Kind | None:
    found = _DTYPE.match(text) if text is not None else None
    if text is None or found is None:
        return None
    if found["letter"]:
        return Kind(text, _LETTERS[found["letter"]])
    return Kind(text, int(found["size"]) * (4 if found["type"] == "U" else 1)) if found["type"] else Kind(text, 8)


def build(m: Machine, owner: Node, state: Any) -> bool:
    """Whether this is the state that numpy or joblib writes for a dtype, an array or an array in the stream."""
    if isinstance(owner.what, Kind):
        if not _is_state(owner.what, parts(state) or ()):
            return False
        owner.what = owner.what._replace(exact=True)
        return True
    if owner.what == ("wrapper",):
        return _wrapper(owner, state)
    items = parts(state) or ()
    if owner.what != ("empty",) or len(items) != 5:  # noqa: PLR2004
        return False
    version, shape, dtype, fortran, data = items
    sizes, kind = whole(shape), _exact(dtype)
    if version != 1 or sizes is None or kind is None or type(fortran) is not bool:
        return False
    if not (type(data) is Node and data.kind == "list" if kind.objects else _is_bytes(data)):
        return False
    owner.what = ("array", kind.text, sizes)
    m.hold(owner, [data])
    return True


def _is_state(kind: Kind, items: Sequence[Any]) -> bool:
    """The state of a dtype without parts: version, byte order, three times nothing, size, alignment, flags, perhaps a unit of time."""
    letter = kind.text.lstrip("<>|=")[:1]
    if len(items) not in (8, 9) or items[0] not in (3, 4) or items[1] not in ("<", ">", "|", "=") or tuple(items[2:5]) != (None, None, None):
        return False
    if any(type(one) is not int for one in items[5:8]) or (len(items) == 9 and letter not in "mM"):  # noqa: PLR2004
        return False
    return bool(items[5] == (kind.width if letter in _OWN_SIZE else -1)) and items[7] == {"O": 63, "U": 8}.get(letter, 0)


def _exact(value: Any) -> Kind | None:
    """The type of elements that a value stands for, with the state that numpy writes."""
    return value.what if type(value) is Node and isinstance(value.what, Kind) and value.what.exact else None


def _is_ndarray(value: Any) -> bool:
    return type(value) is Global and value.name == "numpy.ndarray"


_WRAPPED = frozenset("subclass shape order dtype allow_mmap numpy_array_alignment_bytes".split())


def _wrapper(owner: Node, state: Any) -> bool:
    """The state of joblib's NumpyArrayWrapper."""
    pairs = state.items or [] if type(state) is Node and state.kind == "dict" else []
    said = {key: value for key, value in zip(pairs[::2], pairs[1::2], strict=True) if type(key) is str}
    shape, kind = whole(said.get("shape")), _exact(said.get("dtype"))
    if len(said) * 2 != len(pairs) or not set(said) <= _WRAPPED or not _is_ndarray(said.get("subclass")) or shape is None or kind is None:
        return False
    if said.get("order") not in ("C", "F") or type(said.get("allow_mmap")) is not bool or said.get("numpy_array_alignment_bytes", 16) != 16:  # noqa: PLR2004
        return False
    owner.what = Wrapped(kind, shape, "numpy_array_alignment_bytes" in said)
    return True


def plain(value: Any) -> str | None:
    """The text of a short string or of short bytes."""
    if type(value) is str:
        return value
    if type(value) is Node and value.kind == "bytes" and type(value.what) is bytes:
        return value.what.decode("latin-1")
    return None


def _is_bytes(value: Any) -> bool:
    return type(value) is str or (type(value) is Node and value.kind in ("bytes", "text"))
