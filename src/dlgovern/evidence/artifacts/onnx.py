"""Read what an ONNX model says of itself: opsets, operators, tensors, and the files it reads beside it."""

from __future__ import annotations

import os
import stat
from typing import Any, NamedTuple

from dlgovern.evidence.artifacts.blob import Blob, Broken
from dlgovern.evidence.artifacts.protobuf import BYTES, VARINT, Field, Wire
from dlgovern.evidence.artifacts.values import Findings

DEPTH = 24  # graphs in graphs
STANDARD = frozenset(("", "ai.onnx", "ai.onnx.ml", "ai.onnx.preview.training", "ai.onnx.training"))
"""Domains of operators that the specification defines."""

_KEYS = frozenset(("location", "offset", "length", "checksum", "basepath"))
_TYPES = (
    "? float32 uint8 int8 uint16 int16 int32 int64 string bool float16 float64 uint32 uint64 complex64 complex128"
    " bfloat16 float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz uint4 int4 float4e2m1 float8e8m0 uint2 int2"
).split()


class External(NamedTuple):
    """Where the data of one tensor lie outside the model."""

    tensor: str
    location: str
    offset: int
    length: int  # -1: to the end


def looks_like(blob: Blob) -> bool:
    """Whether the bytes are fields as a model has them: a version, a graph, sets of operators."""
    if blob.read(0, 1) not in (b"\x08", b"\x12", b"\x3a"):
        return False
    seen: set[int] = set()
    try:
        for field in Wire(blob).fields(0, blob.size):
            if _KINDS.get(field.number) != field.kind:
                return False
            seen.add(field.number)
    except Broken:
        return False
    return {1, 7} <= seen


_KINDS = {1: VARINT, 5: VARINT, **dict.fromkeys((2, 3, 4, 6, 7, 8, 14, 20, 25, 26), BYTES)}
"""The fields of ModelProto."""


def read(blob: Blob, findings: Findings, folder: str = "") -> None:
    """Say what a model holds; with ``folder`` also whether the files beside it are there. Raises `Broken`."""
    model = _Model(Wire(blob), findings)
    for field in model.wire.fields(0, blob.size):
        if _KINDS.get(field.number) != field.kind:
            findings.undecided("has a field that no model has")
            continue
        model.take(field)
    if not model.graphs:
        raise Broken("has no graph")
    facts = findings.facts
    facts["opset"] = dict(sorted(model.opsets.items()))
    custom = sorted(one for one in model.operators if one.partition("::")[0] not in STANDARD)
    if custom:
        facts["custom operators"] = custom[:200]
    if model.functions:
        facts["functions"] = sorted(model.functions)[:200]
    if model.external:
        facts["external files"] = sorted({one.location for one in model.external})
        _check_external(model.external, folder, findings)


class _Model:
    """What has been seen of one model."""

    def __init__(self, wire: Wire, findings: Findings) -> None:
        self.wire = wire
        self.findings = findings
        self.opsets: dict[str, int] = {}
        self.operators: set[str] = set()
        self.functions: set[str] = set()
        self.external: list[External] = []
        self.graphs = 0
        self.metadata: dict[str, str] = {}

    def take(self, field: Field) -> None:
        """One field of ModelProto."""
        facts = self.findings.facts
        if field.number == 1:
            facts["ir version"] = field.value
        elif field.number in (2, 3):
            facts["producer" if field.number == 2 else "framework version"] = self.wire.text(field, 200)  # noqa: PLR2004
        elif field.number == 7:  # noqa: PLR2004
            self.graph(field, 0)
        elif field.number == 8:  # noqa: PLR2004
            self.opset(field)
        elif field.number == 14:  # noqa: PLR2004
            key, value = self.pair(field)
            self.metadata[key[:200]] = value[:1000]
            facts["metadata"] = self.metadata
        elif field.number == 25:  # noqa: PLR2004
            self.function(field)
        elif field.number == 20:  # noqa: PLR2004
            for inner in self.wire.fields(field.start, field.end):
                if inner.number in (1, 2) and inner.kind == BYTES:
                    self.graph(inner, 1)

    def opset(self, field: Field) -> None:
        """OperatorSetIdProto."""
        domain, version = "", 0
        for inner in self.wire.fields(field.start, field.end):
            if inner.number == 1 and inner.kind == BYTES:
                domain = self.wire.text(inner, 200)
            elif inner.number == 2 and inner.kind == VARINT:  # noqa: PLR2004
                version = inner.value
        self.opsets[domain or "ai.onnx"] = max(version, self.opsets.get(domain or "ai.onnx", 0))

    def graph(self, field: Field, depth: int) -> None:
        """GraphProto, and the graphs in its nodes."""
        if depth > DEPTH:
            raise Broken("nests graphs too deeply")
        self.graphs += 1
        for inner in self.wire.fields(field.start, field.end):
            if inner.kind != BYTES:
                continue
            if inner.number == 1:
                self.node(inner, depth)
            elif inner.number == 5:  # noqa: PLR2004
                self.tensor(inner)
            elif inner.number == 15:  # noqa: PLR2004
                self.sparse(inner)

    def node(self, field: Field, depth: int) -> None:
        """NodeProto."""
        kind = domain = ""
        for inner in self.wire.fields(field.start, field.end):
            if inner.kind != BYTES:
                continue
            if inner.number == 4:  # noqa: PLR2004
                kind = self.wire.text(inner, 200)
            elif inner.number == 7:  # noqa: PLR2004
                domain = self.wire.text(inner, 200)
            elif inner.number == 5:  # noqa: PLR2004
                self.attribute(inner, depth)
        if len(self.operators) < 10_000:  # noqa: PLR2004
            self.operators.add(f"{domain}::{kind}")

    def attribute(self, field: Field, depth: int) -> None:
        """AttributeProto: tensors and graphs in it."""
        for inner in self.wire.fields(field.start, field.end):
            if inner.kind != BYTES:
                continue
            if inner.number in (5, 10):
                self.tensor(inner, listed=False)
            elif inner.number in (6, 11):
                self.graph(inner, depth + 1)
            elif inner.number in (22, 23):
                self.sparse(inner)

    def sparse(self, field: Field) -> None:
        """SparseTensorProto."""
        for inner in self.wire.fields(field.start, field.end):
            if inner.number in (1, 2) and inner.kind == BYTES:
                self.tensor(inner)

    def tensor(self, field: Field, *, listed: bool = True) -> None:
        """TensorProto; its data are not read."""
        dims: list[int] = []
        name, kind = "", 0
        entries: dict[str, str] = {}
        outside = False
        for inner in self.wire.fields(field.start, field.end):
            if inner.number == 1:
                dims += self.wire.numbers(inner)
            elif inner.number == 2 and inner.kind == VARINT:  # noqa: PLR2004
                kind = inner.value
            elif inner.number == 8 and inner.kind == BYTES:  # noqa: PLR2004
                name = self.wire.text(inner, 1000)
            elif inner.number == 13 and inner.kind == BYTES:  # noqa: PLR2004
                key, value = self.pair(inner)
                if key in entries:
                    self.findings.undecided(f"says where a tensor lies twice: {name[:80]!r}")
                entries[key] = value
            elif inner.number == 14 and inner.kind == VARINT:  # noqa: PLR2004
                outside = inner.value == 1
        if any(size >= 1 << 62 for size in dims) or len(dims) > 64:  # noqa: PLR2004
            self.findings.undecided(f"has a tensor with a size that cannot be: {name[:80]!r}")
            dims = []
        if listed:
            self.findings.tensor(name, _TYPES[kind] if kind < len(_TYPES) else "?", dims)
        if outside or entries:
            self.outside(name, entries)

    def outside(self, name: str, entries: dict[str, str]) -> None:
        """Where external data lie."""
        wrong = sorted(set(entries) - _KEYS)
        if wrong:
            self.findings.undecided(f"has an unknown word about external data: {wrong[0][:40]!r}")
        numbers = [_number(entries.get("offset", "0")), _number(entries.get("length", "-1"))]
        if None in numbers or "location" not in entries or numbers[0] < 0 or (numbers[1] < 0 and "length" in entries):  # type: ignore[operator]
            self.findings.undecided(f"says no usable place for the data of a tensor: {name[:80]!r}")
        if "basepath" in entries:
            self.findings.undecided("says a base path for external data")
        offset, length = (number if number is not None else 0 for number in numbers)
        self.external.append(External(name, entries.get("location", ""), offset, length))

    def pair(self, field: Field) -> tuple[str, str]:
        """StringStringEntryProto."""
        key = value = ""
        for inner in self.wire.fields(field.start, field.end):
            if inner.kind == BYTES and inner.number == 1:
                key = self.wire.text(inner)
            elif inner.kind == BYTES and inner.number == 2:  # noqa: PLR2004
                value = self.wire.text(inner)
        return key, value

    def function(self, field: Field) -> None:
        """FunctionProto: its name, domain and nodes."""
        name = domain = ""
        for inner in self.wire.fields(field.start, field.end):
            if inner.kind != BYTES:
                continue
            if inner.number == 1:
                name = self.wire.text(inner, 200)
            elif inner.number == 10:  # noqa: PLR2004
                domain = self.wire.text(inner, 200)
            elif inner.number == 7:  # noqa: PLR2004
                self.node(inner, 1)
        self.functions.add(f"{domain}::{name}")


def _number(text: str) -> int | None:
    return int(text) if text.lstrip("-").isascii() and text.lstrip("-").isdigit() and len(text) < 20 else None  # noqa: PLR2004


def _check_external(places: list[External], folder: str, findings: Findings) -> None:
    """External data lie in the folder of the model, in a plain file of their own, within its length."""
    known: dict[str, Any] = {}
    for one in places:
        parts = one.location.replace("\\", "/").split("/")
        if not one.location or one.location.startswith(("/", "\\")) or ".." in parts or ":" in parts[0] or "\0" in one.location:
            findings.unsafe(f"reads a file outside its folder: {one.location[:120]!r}", name="")
            continue
        if not folder:
            continue
        if one.location not in known:
            known[one.location] = _status(folder, one.location, findings)
        size = known[one.location]
        if size is not None and (one.offset < 0 or one.offset + max(one.length, 0) > size):
            findings.undecided(f"says data beyond the end of {one.location[:120]!r}")


def _status(folder: str, location: str, findings: Findings) -> int | None:
    path = os.path.join(folder, location)
    try:
        status = os.lstat(path)
    except (OSError, ValueError):
        findings.undecided(f"needs {location[:120]!r}, which is not there")
        return None
    real = os.path.realpath(path)
    if real != os.path.join(os.path.realpath(folder), os.path.normpath(location)):
        findings.unsafe(f"reads through a link: {location[:120]!r}")
    elif not stat.S_ISREG(status.st_mode):
        findings.unsafe(f"reads what is no regular file: {location[:120]!r}")
    elif status.st_nlink != 1:
        findings.undecided(f"reads a file with more than one name: {location[:120]!r}")
    return status.st_size
