"""Layers of Keras 2 that stand for a function of TensorFlow: by its name, any of its public API can be called."""

from __future__ import annotations

import re
from typing import Any

from dlgovern.evidence.artifacts.values import Findings

_ROOMS = re.compile(r"(?:math|nn|linalg|image|signal|sparse|strings|bitwise|__operators__|compat\.v1\.(?:math|nn))\.\w+\Z")
_NAMES = re.compile(
    r"(?:compat\.v1\.)?(?:abs|add|arg(?:max|min|sort)|boolean_mask|broadcast_to|cast|clip_by_value|concat|constant|convert_to_tensor|cos|cumsum|divide"
    r"|einsum|equal|exp|expand_dims|eye|fill|floor|gather(?:_nd)?|greater(?:_equal)?|identity|less(?:_equal)?|logical_(?:and|or|not)|matmul|maximum|minimum"
    r"|multiply|negative|norm|not_equal|one_hot|ones(?:_like)?|pad|pow|range|rank|reduce_\w+|repeat|reshape|reverse|roll|round|scatter_nd|shape|sigmoid|sign"
    r"|sin|size|slice|softmax|sort|split|sqrt|square|squeeze|stack|stop_gradient|strided_slice|subtract|tanh|tensordot|tile|transpose|truediv|unstack|where"
    r"|zeros(?:_like)?)\Z"
)
_HARMFUL = re.compile(r"(?:compat\.v1\.)?(?:io\.|gfile\.|py_func|numpy_function|load_|saved_model\.|raw_ops\.|train\.|data\.|sysconfig\.|keras\.)")
_METHOD = re.compile(r"[a-z]\w*\Z")


def judge(name: str, config: Any, findings: Findings, place: str) -> None:
    """Say what such a layer calls, unless it is one of the functions that compute with tensors alone."""
    said = config if isinstance(config, dict) else {}
    if name in ("TFOpLambda", "SlicingOpLambda"):
        function = said.get("function")
        if not isinstance(function, str):
            findings.undecided("names a function by something else than a text", place)
        elif _HARMFUL.match(function):
            findings.unsafe(f"would call tensorflow.{function[:80]}", place, name=f"tensorflow.{function[:80]}")
        elif not _ROOMS.match(function) and not _NAMES.match(function):
            findings.undecided(f"calls tensorflow.{function[:80]}, which is not known to compute alone", place)
    elif name in ("InstanceMethod", "InstanceProperty", "ClassMethod"):
        for key in ("method_name", "attr_name"):
            if key in said and not (isinstance(said[key], str) and _METHOD.match(said[key])):
                findings.undecided(f"calls {str(said[key])[:80]} of a tensor", place)
