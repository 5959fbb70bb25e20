"""What a pickle would call, and whether the arguments are those that its writer gives."""

from __future__ import annotations

from typing import Any

from dlgovern.evidence.artifacts import arrays, plain_calls, torch_calls
from dlgovern.evidence.artifacts.machine import Global, Machine, Malformed, Node, parts, told
from dlgovern.evidence.artifacts.torch_calls import DTYPE, WIDTH, Call, Given

_METHODS = frozenset(dir(dict)) | {"move_to_end", "most_common", "elements", "subtract", "total"}


def call(m: Machine, function: Any, arguments: Any, offset: int, *, new: bool = False) -> Any:
    """What REDUCE, NEWOBJ and their like give; says what is not allowed."""
    if not isinstance(function, Global):
        what = told(function)
        m.findings.unsafe(f"would call {what}", m.member, offset)
        return m.node("unknown", None, f"the result of {what[:100]}")
    if not function.kind:
        m.findings.unsafe(f"would {'create' if new else 'call'} {function.name}", m.member, offset, function.name)
        return m.node("unknown", None, f"the result of {function.name}")
    given = parts(arguments)
    if given is None:
        raise Malformed("arguments are no tuple")
    known = _CALLS.get(function.name)
    if known is None:
        return _unlisted(m, function, offset)
    made = known(m, function, given, offset)
    if made is None:
        m.findings.undecided(f"calls {function.name} in a way that its writers do not", m.member, offset)
        return m.node("instance", None, function.name)
    return made


def _unlisted(m: Machine, function: Global, offset: int) -> Node:
    """An allowed name whose arguments nobody knows: what the standard added, or a class that takes a size."""
    if function.kind in ("tensor", "storage"):
        m.findings.undecided(f"creates a {function.name} of a size that only running it would tell", m.member, offset)
    elif function.kind != "user":
        m.findings.undecided(f"calls {function.name}, whose arguments are not known here", m.member, offset)
    return m.node("instance", None, function.name)


def build(m: Machine, owner: Any, state: Any, offset: int) -> None:
    """BUILD: the state of an object is set, perhaps by a method of its own."""
    if isinstance(owner, Node):
        if owner.kind == "dict" and owner.what == "collections.OrderedDict":
            _attributes(m, state, offset)
            m.hold(owner, [state])
            return
        if owner.kind == "numpy" and arrays.build(m, owner, state):
            return
        if owner.kind == "instance" and _is_added(m, owner):
            return
        if owner.kind in ("unknown", "instance"):
            m.findings.unsafe(f"would set the state of {told(owner)}", m.member, offset)
            return
    if isinstance(owner, Global):
        m.findings.unsafe(f"would set attributes of {owner.name}", m.member, offset, owner.name)
        return
    m.findings.undecided(f"sets the state of {told(owner)}", m.member, offset)


def _is_added(m: Machine, owner: Node) -> bool:
    """Whether the standard itself allows the class of an object, and so its methods."""
    return m.allowed.kind(*_split(str(owner.what)), data=False) == "user"


def _attributes(m: Machine, state: Any, offset: int) -> None:
    """The ``__dict__`` of an OrderedDict: names that hide none of its methods."""
    if type(state) is not Node or state.kind != "dict":
        m.findings.undecided("sets the state of an OrderedDict to something else than a dict", m.member, offset)
        return
    for key in (state.items or [])[::2]:
        if type(key) is not str or key in _METHODS or key.startswith("__"):
            m.findings.unsafe("would replace a method of an OrderedDict", m.member, offset, "collections.OrderedDict")
            return


def into_something_else(m: Machine, owner: Any, kind: str, offset: int) -> None:
    """APPEND, SETITEM and ADDITEMS on what is no list, dict or set."""
    if isinstance(owner, Node) and owner.kind == "instance" and _is_added(m, owner):
        return
    what = {"list": "append", "dict": "__setitem__", "set": "add"}[kind]
    if isinstance(owner, (Node, Global)) and not (isinstance(owner, Node) and owner.kind in ("list", "dict", "set", "tuple")):
        m.findings.unsafe(f"would call {what} of {told(owner)}", m.member, offset)
    else:
        m.findings.undecided(f"calls {what} of {told(owner)}", m.member, offset)


def persistent(m: Machine, key: Any, offset: int) -> Node:
    """BINPERSID: what its loader has under an id; torch keeps storages there."""
    if not m.profile.persistent:
        m.findings.undecided("asks its loader for an object by an id (BINPERSID)", m.member, offset)
        return m.node("unknown", None, "what a persistent id stands for")
    items = parts(key) or ()
    if len(items) < 5 or items[0] != "storage" or type(items[1]) is not Global or type(items[2]) is not str:  # noqa: PLR2004
        if items and items[0] == "module":
            m.findings.unsafe("would load a module with the source it carries", m.member, offset)
        else:
            m.findings.undecided("asks its loader for something else than a storage", m.member, offset)
        return m.node("unknown", None, "what a persistent id stands for")
    _, made, name, where, count = items[:5]
    short = made.name.rpartition(".")[2]
    if made.kind != "storage" or short not in WIDTH or type(where) is not str or type(count) is not int or count < 0:
        m.findings.undecided("names a storage in a way that torch does not", m.member, offset)
        return m.node("unknown", None, "a storage")
    keep(m, name, made, count, offset)
    if len(items) > 5 and items[5] is not None:  # noqa: PLR2004 - legacy: a view of another storage
        m.findings.undecided("holds a storage that is a view of another", m.member, offset)
    return m.node("storage", None, (DTYPE[short], count))


def keep(m: Machine, name: str, made: Global, count: int, offset: int) -> None:
    """Remember the size of a storage that a pickle names."""
    short = made.name.rpartition(".")[2]
    size = count * WIDTH[short]
    if m.storages.setdefault(name, (short, size))[1] != size:
        m.findings.unsafe(f"gives storage {name[:40]!r} two sizes", m.member, offset)


def _from_type(m: Machine, _function: Global, given: Given, offset: int) -> Any:
    """_rebuild_from_type_v2(function, type, arguments, state): calls the first with the third."""
    if len(given) != 4:  # noqa: PLR2004
        return None
    inner = call(m, given[0], given[2], offset)
    if type(given[1]) is not Global or not given[1].kind:
        m.findings.unsafe(f"would make a tensor into {told(given[1])}", m.member, offset)
    torch_calls.attributes(m, given[3], offset)
    return inner


def _split(name: str) -> tuple[str, str]:
    module, _, last = name.rpartition(".")
    return module, last


_CALLS: dict[str, Call] = {
    **torch_calls.CALLS,
    **plain_calls.CALLS,
    "torch._tensor._rebuild_from_type_v2": _from_type,
    **dict.fromkeys(arrays.NAMES, arrays.call),
}
