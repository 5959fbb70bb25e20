"""Say what ExecuTorch's and TFLite's programs are made of. They are compiled programs, so they are never called clean."""

from __future__ import annotations

from dlgovern.evidence.artifacts import flatbuffer
from dlgovern.evidence.artifacts.blob import Blob, Broken, exactly
from dlgovern.evidence.artifacts.flatbuffer import Table
from dlgovern.evidence.artifacts.values import Findings

NAMED = {b"ET12": "executorch", b"ET13": "executorch", b"TFL3": "tflite"}
"""Identifiers at the fifth byte of a flat buffer, and the format that each means."""

_EXTENDED = b"eh00"
_TENSOR = 5  # the kind of value
_DTYPES = ("uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64", "complex32", "complex64", "complex128", "bool")
_OWN = frozenset(("aten", "executorch_prim", "dim_order_ops", "quantized_decomposed"))


def executorch(blob: Blob, findings: Findings) -> None:
    """A ``.pte`` file: schema, methods, operators, the backends that it hands parts to, and its constant tensors."""
    findings.facts["producer"] = "executorch"
    findings.undecided("is a compiled program: what it is made of is listed, not judged")
    _extended(blob, findings)
    program = flatbuffer.root(blob)
    findings.facts["schema version"] = program.number(0, 4)
    methods, operators, backends = [], set(), set()
    for plan in program.tables(1):
        methods.append(plan.text(0)[:80])
        operators |= {".".join(filter(None, (one.text(0), one.text(1)))) for one in plan.tables(6)}
        backends |= {one.text(0)[:80] for one in plan.tables(7)}
        for value in plan.tables(2):
            if value.number(0, 1) == _TENSOR and (tensor := value.table(1)) is not None and tensor.number(5, 4):
                _tensor(tensor, findings)
    findings.facts["methods"] = sorted(methods)
    findings.facts["operators"] = len(operators)
    if custom := sorted(one for one in operators if one.partition("::")[0] not in _OWN):
        findings.facts["custom operators"] = custom[:100]
    if backends:
        findings.facts["backends"] = sorted(backends)


def _extended(blob: Blob, findings: Findings) -> None:
    """The header behind the identifier: the size of the program, and where the segments begin."""
    head = blob.read(8, 24)
    if head[:4] != _EXTENDED or len(head) < 24:  # noqa: PLR2004
        return
    program, base = int.from_bytes(head[8:16], "little"), int.from_bytes(head[16:24], "little")
    if program > blob.size or base > blob.size or (base and base < program):
        findings.undecided("has segments that begin outside the file", offset=8)


def _tensor(tensor: Table, findings: Findings) -> None:
    kind = tensor.number(0, 1)
    extra = tensor.table(9)
    if extra is not None and extra.number(2, 1):
        findings.facts["external data"] = True
    name = extra.text(1) if extra is not None else ""
    findings.tensor(name, _DTYPES[kind] if kind < len(_DTYPES) else "", tensor.numbers(2, 4))


def tflite(blob: Blob, findings: Findings) -> None:
    """A ``.tflite`` file: version, description, and the operators that are not its own."""
    findings.undecided("is a compiled program: what it is made of is listed, not judged")
    model = flatbuffer.root(blob)
    findings.facts["schema version"] = model.number(0, 4)
    if said := model.text(3):
        findings.facts["description"] = said[:80]
    if custom := sorted({text for one in model.tables(1) if (text := one.text(1))}):
        findings.facts["custom operators"] = custom[:100]


def read(blob: Blob, findings: Findings) -> None:
    """Whichever of the two it is. Raises `Broken`."""
    name = NAMED.get(exactly(blob, 4, 4))
    if name is None:
        raise Broken("is no program that is known here")
    (executorch if name == "executorch" else tflite)(blob, findings)
