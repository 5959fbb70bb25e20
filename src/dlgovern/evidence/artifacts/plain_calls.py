"""The functions of Python itself that are on the allow-list, and the arguments that pickle gives them."""

from __future__ import annotations

from typing import Any

from dlgovern.evidence.artifacts.machine import Global, Machine, Malformed, Node, parts
from dlgovern.evidence.artifacts.torch_calls import Call, Given


def _mapping(m: Machine, function: Global, given: Given, offset: int) -> Any:
    """OrderedDict() and Counter(): empty, or from one dict or list of pairs."""
    if len(given) > 1 or (given and (type(given[0]) is not Node or given[0].kind not in ("list", "dict"))):
        return None
    made = m.node("dict", None, function.name)
    if given:
        source = given[0].items or []
        pairs = source if given[0].kind == "dict" else [part for one in source for part in _pair(one)]
        m.extend(made, list(pairs), offset)
    return made


def _pair(value: Any) -> list[Any]:
    items = value.items if type(value) is Node and value.kind == "list" else parts(value)
    if items is None or len(items) != 2:  # noqa: PLR2004
        raise Malformed("a dict is made of something else than pairs")
    return list(items)


def _codec(m: Machine, _function: Global, given: Given, offset: int) -> Any:
    """_codecs.encode(text, "latin1"): how bytes are written for Python 2."""
    text = given[0] if given else None
    if len(given) != 2 or not (isinstance(text, str) or (isinstance(text, Node) and text.kind == "text")):  # noqa: PLR2004
        return None
    if given[1] not in ("latin1", "latin-1", "utf-8", "utf8", "ascii"):
        m.findings.unsafe("would look up a codec that its writer does not use", m.member, offset, "_codecs.encode")
    if isinstance(text, str):
        return m.node("bytes", None, text.encode("latin-1", "replace"))
    return m.node("bytes", None, text.what)


def _set(m: Machine, _function: Global, given: Given, _offset: int) -> Any:
    if not given:
        return m.node("set")
    inner = given[0].items or () if type(given[0]) is Node and given[0].kind in ("list", "set") else parts(given[0])
    return None if len(given) > 1 or inner is None else m.node("set", list(inner))


def _bytes(m: Machine, _function: Global, given: Given, _offset: int) -> Any:
    """bytes(): how old protocols write b""."""
    return None if given else m.node("bytes", None, b"")


def _frozenset(m: Machine, _function: Global, given: Given, _offset: int) -> Any:
    """frozenset([…]): how old protocols write it."""
    inner = given[0] if len(given) == 1 else None
    return m.node("set", list(inner.items or ())) if type(inner) is Node and inner.kind == "list" else None


def _bytearray(m: Machine, _function: Global, given: Given, _offset: int) -> Any:
    text = given[0] if given else None
    if given and not (type(text) is str or (type(text) is Node and text.kind in ("bytes", "text"))):
        return None  # a number would be a size
    return m.node("bytes", None, 0)


def _complex(_m: Machine, _function: Global, given: Given, _offset: int) -> Any:
    return 0j if len(given) == 2 and all(type(one) in (int, float) for one in given) else None  # noqa: PLR2004


CALLS: dict[str, Call] = {
    "collections.OrderedDict": _mapping,
    "collections.Counter": _mapping,
    "_codecs.encode": _codec,
    "builtins.set": _set,
    "builtins.bytes": _bytes,
    "builtins.frozenset": _frozenset,
    "builtins.bytearray": _bytearray,
    "builtins.complex": _complex,
}
"""Those functions."""
