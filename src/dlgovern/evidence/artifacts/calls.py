"""What a pickle would call, and whether the arguments are those that its writer gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dlgovern.evidence.artifacts import arrays
from dlgovern.evidence.artifacts.machine import Global, Machine, Malformed, Node, told

WIDTH = {
    "ByteStorage": 1, "CharStorage": 1, "BoolStorage": 1, "ShortStorage": 2, "HalfStorage": 2, "BFloat16Storage": 2,
    "IntStorage": 4, "FloatStorage": 4, "LongStorage": 8, "DoubleStorage": 8, "ComplexFloatStorage": 8,
    "ComplexDoubleStorage": 16, "QInt8Storage": 1, "QUInt8Storage": 1, "QInt32Storage": 4, "QUInt4x2Storage": 1,
    "QUInt2x4Storage": 1, "UntypedStorage": 1,
}
"""Bytes an element of each storage class of torch."""

DTYPE = {
    "ByteStorage": "uint8", "CharStorage": "int8", "BoolStorage": "bool", "ShortStorage": "int16",
    "HalfStorage": "float16", "BFloat16Storage": "bfloat16", "IntStorage": "int32", "FloatStorage": "float32",
    "LongStorage": "int64", "DoubleStorage": "float64", "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128", "QInt8Storage": "qint8", "QUInt8Storage": "quint8", "QInt32Storage": "qint32",
    "QUInt4x2Storage": "quint4x2", "QUInt2x4Storage": "quint2x4", "UntypedStorage": "bytes",
}
"""What a storage class of torch holds."""

_BYTES = {"uint16": 2, "uint32": 4, "uint64": 8, "complex32": 4, "float16": 2, "bfloat16": 2, "float32": 4, "int64": 8, "float64": 8}
"""Bytes an element of the types that torch keeps in untyped storages; the others have one."""

_METHODS = frozenset(dir(dict)) | {"move_to_end", "most_common", "elements", "subtract", "total"}
_HOOKS = "_backward_hooks"


def call(m: Machine, function: Any, arguments: Any, offset: int, *, new: bool = False) -> Any:
    """What REDUCE, NEWOBJ and their like give; says what is not allowed."""
    if not isinstance(function, Global):
        what = told(function)
        m.findings.unsafe(f"would call {what}", m.member, offset)
        return m.node("unknown", None, f"the result of {what[:100]}")
    if not function.kind:
        m.findings.unsafe(f"would {'create' if new else 'call'} {function.name}", m.member, offset, function.name)
        return m.node("unknown", None, f"the result of {function.name}")
    if type(arguments) is not Node or arguments.kind != "tuple":
        raise Malformed("arguments are no tuple")
    given = arguments.items or []
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
    return m.allowed.kind(*_split(str(owner.what)), arrays=False) == "user"


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
    items = key.items or [] if type(key) is Node and key.kind == "tuple" else []
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
    size = count * WIDTH[short]
    before = m.storages.setdefault(name, (short, size))
    if before[1] != size:
        m.findings.unsafe(f"gives storage {name[:40]!r} two sizes", m.member, offset)
    if len(items) > 5 and items[5] is not None:  # noqa: PLR2004 - legacy: a view of another storage
        m.findings.undecided("holds a storage that is a view of another", m.member, offset)
    return m.node("storage", None, (DTYPE[short], count))


# -- the functions of the allow-list. None: not as its writers call it.

_Call = Callable[[Machine, Global, list[Any], int], Any]


def _ints(value: Any) -> tuple[int, ...] | None:
    """A tuple of sizes."""
    if type(value) is not Node or value.kind != "tuple":
        return None
    items = value.items or []
    return tuple(items) if all(type(item) is int and item >= 0 for item in items) else None


def _no_hooks(m: Machine, value: Any, offset: int) -> None:
    """Hooks run when gradients flow: a file brings none."""
    if value is None or (type(value) is Node and value.kind == "dict" and not value.items):
        return
    m.findings.unsafe("would register functions that run in backward", m.member, offset)


def _tensor(m: Machine, function: Global, given: list[Any], offset: int) -> Any:
    """_rebuild_tensor(storage, offset, size, stride), _v2(…, requires_grad, hooks), _v3(…, dtype)."""
    least = {"_rebuild_tensor": 4, "_rebuild_tensor_v2": 6, "_rebuild_tensor_v3": 7}[function.name.rpartition(".")[2]]
    if not least <= len(given) <= least + 1 or (len(given) > least and not _flags(given[least])):
        return None
    storage, start, size, stride = given[0], given[1], _ints(given[2]), _ints(given[3])
    if type(storage) is not Node or storage.kind != "storage" or size is None or stride is None:
        return None
    if type(start) is not int or start < 0 or len(size) != len(stride):
        return None
    dtype, count = storage.what
    if least >= 6:  # noqa: PLR2004
        _no_hooks(m, given[5], offset)
    if least == 7:  # noqa: PLR2004
        if type(given[6]) is not Global or given[6].kind != "data":
            return None
        dtype = given[6].name.rpartition(".")[2]
        count //= _BYTES.get(dtype, 1)
    if 0 not in size and start + sum((n - 1) * step for n, step in zip(size, stride, strict=True)) >= count:
        m.findings.undecided("holds a tensor that reaches outside its storage", m.member, offset)
    return m.node("tensor", None, (dtype, size))


def _flags(value: Any) -> bool:
    """What torch says of a tensor beyond its numbers: whether it is conjugated or negated."""
    if value is None:
        return True
    items = value.items or [] if type(value) is Node and value.kind == "dict" else [None]
    return all(type(key) is str for key in items[::2]) and all(type(one) is bool for one in items[1::2])


def _meta(m: Machine, _function: Global, given: list[Any], _offset: int) -> Any:
    """_rebuild_meta_tensor_no_storage(dtype, size, stride, requires_grad)."""
    size = _ints(given[1]) if len(given) == 4 else None  # noqa: PLR2004
    if size is None or type(given[0]) is not Global or given[0].kind != "data":
        return None
    return m.node("tensor", None, (given[0].name.rpartition(".")[2], size))


def _quantized(m: Machine, _function: Global, given: list[Any], offset: int) -> Any:
    """_rebuild_qtensor(storage, offset, size, stride, quantizer, requires_grad, hooks)."""
    if len(given) != 7:  # noqa: PLR2004
        return None
    _no_hooks(m, given[6], offset)
    size = _ints(given[2])
    if size is None or type(given[0]) is not Node or given[0].kind != "storage":
        return None
    return m.node("tensor", None, (given[0].what[0], size))


def _parameter(m: Machine, function: Global, given: list[Any], offset: int) -> Any:
    """_rebuild_parameter(data, requires_grad, hooks), and one with a state that becomes attributes."""
    with_state = function.name.endswith("_with_state")
    if len(given) != 3 + with_state or type(given[0]) is not Node or given[0].kind not in ("tensor", "instance"):
        return None
    _no_hooks(m, given[2], offset)
    if with_state:
        _state(m, given[3], offset)
    return m.node("tensor", None, given[0].what if given[0].kind == "tensor" else ("", ()))


def _state(m: Machine, state: Any, offset: int) -> None:
    """Attributes of a tensor: names that hide none of its methods cannot be told without torch."""
    parts = [state]
    if type(state) is Node and state.kind == "tuple":
        parts = state.items or []
    for part in parts:
        if part is None or (type(part) is Node and part.kind == "dict" and not part.items):
            continue
        keys = (part.items or [])[::2] if type(part) is Node and part.kind == "dict" else [None]
        if any(type(key) is not str or key.startswith("__") or key == _HOOKS for key in keys):
            m.findings.unsafe("would replace what a tensor is made of", m.member, offset)
        else:
            m.findings.undecided("gives a tensor attributes of its own", m.member, offset)


def _from_type(m: Machine, _function: Global, given: list[Any], offset: int) -> Any:
    """_rebuild_from_type_v2(function, type, arguments, state): calls the first with the third."""
    if len(given) != 4:  # noqa: PLR2004
        return None
    inner = call(m, given[0], given[2], offset)
    if type(given[1]) is not Global or not given[1].kind:
        m.findings.unsafe(f"would make a tensor into {told(given[1])}", m.member, offset)
    _state(m, given[3], offset)
    return inner


def _wrapper(m: Machine, _function: Global, given: list[Any], offset: int) -> Any:
    """_rebuild_wrapper_subclass(class, dtype, size, …)."""
    if len(given) < 3 or type(given[0]) is not Global:  # noqa: PLR2004
        return None
    if given[0].kind not in ("class", "tensor"):
        m.findings.unsafe(f"would create a {told(given[0])}", m.member, offset, given[0].name)
    size = _ints(given[2])
    return None if size is None else m.node("tensor", None, (told(given[1]).rpartition(".")[2], size))


def _cpu(m: Machine, _function: Global, given: list[Any], _offset: int) -> Any:
    """_rebuild_device_tensor_from_cpu_tensor(tensor, dtype, device, requires_grad)."""
    if len(given) != 4 or type(given[0]) is not Node or given[0].kind != "tensor":  # noqa: PLR2004
        return None
    return m.node("tensor", None, given[0].what)


def _sparse(m: Machine, _function: Global, given: list[Any], _offset: int) -> Any:
    """_rebuild_sparse_tensor(layout, (indices, values, size, …)): torch checks these when it loads."""
    if len(given) != 2 or type(given[1]) is not Node or given[1].kind != "tuple":  # noqa: PLR2004
        return None
    values = [one for one in given[1].items or [] if type(one) is Node and one.kind == "tensor"]
    return m.node("tensor", None, values[-1].what) if values else None


def _nested(m: Machine, function: Global, given: list[Any], offset: int) -> Any:
    """_rebuild_nested_tensor(buffer, sizes, strides, offsets): torch believes these, and later versions dropped it."""
    m.findings.undecided(f"calls {function.name}, which believes what the file says about its buffer", m.member, offset)
    if len(given) != 4 or not all(type(one) is Node and one.kind == "tensor" for one in given):  # noqa: PLR2004
        return None
    return m.node("tensor", None, (given[0].what[0], ()))


def _mapping(m: Machine, function: Global, given: list[Any], offset: int) -> Any:
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
    items = value.items if type(value) is Node and value.kind in ("tuple", "list") else None
    if items is None or len(items) != 2:  # noqa: PLR2004
        raise Malformed("a dict is made of something else than pairs")
    return list(items)


def _codec(m: Machine, _function: Global, given: list[Any], offset: int) -> Any:
    """_codecs.encode(text, "latin1"): how bytes are written for Python 2."""
    text = given[0] if given else None
    if len(given) != 2 or not (isinstance(text, str) or (isinstance(text, Node) and text.kind == "text")):  # noqa: PLR2004
        return None
    if given[1] not in ("latin1", "latin-1", "utf-8", "utf8", "ascii"):
        m.findings.unsafe("would look up a codec that its writer does not use", m.member, offset, "_codecs.encode")
    if isinstance(text, str):
        return m.node("bytes", None, text.encode("latin-1", "replace"))
    return m.node("bytes", None, text.what)


def _set(m: Machine, _function: Global, given: list[Any], _offset: int) -> Any:
    if len(given) > 1 or (given and (type(given[0]) is not Node or given[0].kind not in ("list", "tuple", "set"))):
        return None
    return m.node("set", list(given[0].items or []) if given else None)


def _bytearray(m: Machine, _function: Global, given: list[Any], _offset: int) -> Any:
    text = given[0] if given else None
    if given and not (type(text) is str or (type(text) is Node and text.kind in ("bytes", "text"))):
        return None  # a number would be a size
    return m.node("bytes", None, 0)


def _complex(_m: Machine, _function: Global, given: list[Any], _offset: int) -> Any:
    return 0j if len(given) == 2 and all(type(one) in (int, float) for one in given) else None  # noqa: PLR2004


def _size(m: Machine, _function: Global, given: list[Any], _offset: int) -> Any:
    inner = _ints(given[0]) if len(given) == 1 else None
    return None if inner is None else m.node("tuple", list(inner))


def _device(m: Machine, function: Global, given: list[Any], _offset: int) -> Any:
    if not given or type(given[0]) is not str or any(type(one) is not int for one in given[1:]):
        return None
    return m.node("value", None, function.name)


def _layout(m: Machine, function: Global, given: list[Any], _offset: int) -> Any:
    return m.node("value", None, function.name) if len(given) == 1 and type(given[0]) is str else None


def _split(name: str) -> tuple[str, str]:
    module, _, last = name.rpartition(".")
    return module, last


_CALLS: dict[str, _Call] = {
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_tensor_v3": _tensor,
    "torch._utils._rebuild_parameter": _parameter,
    "torch._utils._rebuild_parameter_with_state": _parameter,
    "torch._utils._rebuild_qtensor": _quantized,
    "torch._utils._rebuild_sparse_tensor": _sparse,
    "torch._utils._rebuild_nested_tensor": _nested,
    "torch._utils._rebuild_meta_tensor_no_storage": _meta,
    "torch._utils._rebuild_wrapper_subclass": _wrapper,
    "torch._utils._rebuild_device_tensor_from_cpu_tensor": _cpu,
    "torch._tensor._rebuild_from_type_v2": _from_type,
    "torch.serialization._get_layout": _layout,
    "torch.Size": _size,
    "torch.device": _device,
    "collections.OrderedDict": _mapping,
    "collections.Counter": _mapping,
    "_codecs.encode": _codec,
    "builtins.set": _set,
    "builtins.bytearray": _bytearray,
    "builtins.complex": _complex,
    **dict.fromkeys(arrays.NAMES, arrays.call),
}
