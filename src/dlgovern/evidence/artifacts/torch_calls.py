"""The functions of torch's allow-list, and the arguments that its own writers give them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dlgovern.evidence.artifacts.machine import Global, Machine, Node, parts, told, whole

Given = Sequence[Any]
"""The arguments of a call."""

Call = Callable[[Machine, Global, Given, int], Any]
"""Takes the machine, the function, its arguments and the offset; gives the result."""

_HOOKS = "_backward_hooks"
_LEAST = {"torch._utils._rebuild_tensor": 4, "torch._utils._rebuild_tensor_v2": 6, "torch._utils._rebuild_tensor_v3": 7}

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



def no_hooks(m: Machine, value: Any, offset: int) -> None:
    """Hooks run when gradients flow: a file brings none."""
    if value is None or (type(value) is Node and value.kind == "dict" and not value.items):
        return
    m.findings.unsafe("would register functions that run in backward", m.member, offset)


def _tensor(m: Machine, function: Global, given: Given, offset: int) -> Any:
    """_rebuild_tensor(storage, offset, size, stride), _v2(…, requires_grad, hooks), _v3(…, dtype)."""
    least = _LEAST[function.name]
    count = len(given)
    if count != least and (count != least + 1 or not _flags(given[least])):
        return None
    storage, start, size, stride = given[0], given[1], whole(given[2]), whole(given[3])
    if type(storage) is not Node or storage.kind != "storage" or size is None or stride is None:
        return None
    if type(start) is not int or start < 0 or len(size) != len(stride):
        return None
    dtype, held = storage.what
    if least >= 6:  # noqa: PLR2004
        no_hooks(m, given[5], offset)
    if least == 7:  # noqa: PLR2004
        if type(given[6]) is not Global or given[6].kind != "data":
            return None
        dtype = given[6].name.rpartition(".")[2]
        held //= _BYTES.get(dtype, 1)
    last = start
    for length, step in zip(size, stride, strict=True):
        last += (length - 1) * step
    if last >= held and 0 not in size:
        m.findings.undecided("holds a tensor that reaches outside its storage", m.member, offset)
    return m.node("tensor", None, (dtype, size))


def _flags(value: Any) -> bool:
    """What torch says of a tensor beyond its numbers: whether it is conjugated or negated."""
    if value is None:
        return True
    items = value.items or [] if type(value) is Node and value.kind == "dict" else [None]
    return all(type(key) is str for key in items[::2]) and all(type(one) is bool for one in items[1::2])


def _meta(m: Machine, _function: Global, given: Given, _offset: int) -> Any:
    """_rebuild_meta_tensor_no_storage(dtype, size, stride, requires_grad)."""
    size = whole(given[1]) if len(given) == 4 else None  # noqa: PLR2004
    if size is None or type(given[0]) is not Global or given[0].kind != "data":
        return None
    return m.node("tensor", None, (given[0].name.rpartition(".")[2], size))


def _quantized(m: Machine, _function: Global, given: Given, offset: int) -> Any:
    """_rebuild_qtensor(storage, offset, size, stride, quantizer, requires_grad, hooks)."""
    if len(given) != 7:  # noqa: PLR2004
        return None
    no_hooks(m, given[6], offset)
    size = whole(given[2])
    if size is None or type(given[0]) is not Node or given[0].kind != "storage":
        return None
    return m.node("tensor", None, (given[0].what[0], size))


def _parameter(m: Machine, function: Global, given: Given, offset: int) -> Any:
    """_rebuild_parameter(data, requires_grad, hooks), and one with a state that becomes attributes."""
    with_state = function.name.endswith("_with_state")
    if len(given) != 3 + with_state or type(given[0]) is not Node or given[0].kind not in ("tensor", "instance"):
        return None
    no_hooks(m, given[2], offset)
    if with_state:
        attributes(m, given[3], offset)
    return m.node("tensor", None, given[0].what if given[0].kind == "tensor" else ("", ()))


def attributes(m: Machine, state: Any, offset: int) -> None:
    """Attributes of a tensor: names that hide none of its methods cannot be told without torch."""
    inner = parts(state)
    for part in (state,) if inner is None else inner:
        if part is None or (type(part) is Node and part.kind == "dict" and not part.items):
            continue
        keys = (part.items or [])[::2] if type(part) is Node and part.kind == "dict" else [None]
        if any(type(key) is not str or key.startswith("__") or key == _HOOKS for key in keys):
            m.findings.unsafe("would replace what a tensor is made of", m.member, offset)
        else:
            m.findings.undecided("gives a tensor attributes of its own", m.member, offset)


def _wrapper(m: Machine, _function: Global, given: Given, offset: int) -> Any:
    """_rebuild_wrapper_subclass(class, dtype, size, …)."""
    if len(given) < 3 or type(given[0]) is not Global:  # noqa: PLR2004
        return None
    if given[0].kind not in ("class", "tensor"):
        m.findings.unsafe(f"would create a {told(given[0])}", m.member, offset, given[0].name)
    size = whole(given[2])
    return None if size is None else m.node("tensor", None, (told(given[1]).rpartition(".")[2], size))


def _cpu(m: Machine, _function: Global, given: Given, _offset: int) -> Any:
    """_rebuild_device_tensor_from_cpu_tensor(tensor, dtype, device, requires_grad)."""
    if len(given) != 4 or type(given[0]) is not Node or given[0].kind != "tensor":  # noqa: PLR2004
        return None
    return m.node("tensor", None, given[0].what)


def _sparse(m: Machine, _function: Global, given: Given, _offset: int) -> Any:
    """_rebuild_sparse_tensor(layout, (indices, values, size, …)): torch checks these when it loads."""
    inner = parts(given[1]) if len(given) == 2 else None  # noqa: PLR2004
    if inner is None:
        return None
    values = [one for one in inner if type(one) is Node and one.kind == "tensor"]
    return m.node("tensor", None, values[-1].what) if values else None


def _nested(m: Machine, function: Global, given: Given, offset: int) -> Any:
    """_rebuild_nested_tensor(buffer, sizes, strides, offsets): torch believes these, and later versions dropped it."""
    m.findings.undecided(f"calls {function.name}, which believes what the file says about its buffer", m.member, offset)
    if len(given) != 4 or not all(type(one) is Node and one.kind == "tensor" for one in given):  # noqa: PLR2004
        return None
    return m.node("tensor", None, (given[0].what[0], ()))


def _size(_m: Machine, _function: Global, given: Given, _offset: int) -> Any:
    return whole(given[0]) if len(given) == 1 else None


def _device(m: Machine, function: Global, given: Given, _offset: int) -> Any:
    if not given or type(given[0]) is not str or any(type(one) is not int for one in given[1:]):
        return None
    return m.node("value", None, function.name)


def _layout(m: Machine, function: Global, given: Given, _offset: int) -> Any:
    return m.node("value", None, function.name) if len(given) == 1 and type(given[0]) is str else None


CALLS: dict[str, Call] = {
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
    "torch.serialization._get_layout": _layout,
    "torch.Size": _size,
    "torch.device": _device,
}
"""The functions of torch's allow-list. None: not as its writers call it."""
