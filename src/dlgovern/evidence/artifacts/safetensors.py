"""Read the header of a safetensors file as strictly as its own specification, and duplicates more so."""

from __future__ import annotations

import json
from typing import Any

from dlgovern.evidence.artifacts.blob import Blob, Broken, exactly
from dlgovern.evidence.artifacts.values import Findings

HEADER = 100_000_000
"""Bytes that a header may have by the specification; `READ` is what is read here."""

READ = 8 * 1024 * 1024
BRACKETS = 600_000  # three a tensor
MOST = 1 << 62

BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32, "C64": 64, "F64": 64,
    "I64": 64, "U64": 64, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
}
"""Bits of an element of each type."""


def looks_like(blob: Blob) -> bool:
    """Whether the first bytes are a length and the start of a JSON object."""
    head = blob.read(0, 10)
    if len(head) < 10:  # noqa: PLR2004
        return False
    length = int.from_bytes(head[:8], "little")
    return 2 <= length <= HEADER and head[8:9] == b"{" and head[9:10] in b'"}\n \t\r'


def read(blob: Blob, findings: Findings) -> None:
    """Say what a safetensors file holds. Raises `Broken`."""
    length = int.from_bytes(exactly(blob, 0, 8), "little")
    if length > min(HEADER, blob.size - 8):
        raise Broken(f"says that its header has {length:,} bytes")
    if length > READ:
        raise Broken(f"has a header of {length:,} bytes, more than is read here")
    data = exactly(blob, 8, length)
    if data.count(b"[") + data.count(b"{") > BRACKETS:
        raise Broken("has a header of more parts than are read here")
    if data[:1] != b"{":
        findings.undecided("has a header that does not begin with a brace", offset=8)
    try:
        header = json.loads(data.decode("utf-8"), object_pairs_hook=lambda pairs: _unique(pairs, findings))
    except (ValueError, RecursionError):
        raise Broken("has a header that is not JSON") from None
    if not isinstance(header, dict):
        raise Broken("has a header that is no object")
    _metadata(header.pop("__metadata__", {}), findings)
    spans = []
    for name, entry in header.items():
        span = _tensor(name, entry, findings)
        if span:
            spans.append(span)
    _cover(sorted(spans), blob.size - 8 - length, findings)


def _unique(pairs: list[tuple[str, Any]], findings: Findings) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        findings.undecided("says a name twice in its header, and readers differ in which one counts", offset=8)
    return made


def _metadata(said: Any, findings: Findings) -> None:
    if not isinstance(said, dict) or not all(isinstance(value, str) for value in said.values()):
        findings.undecided("has metadata that are not texts", offset=8)
        return
    findings.facts["metadata"] = {key[:200]: value[:1000] for key, value in sorted(said.items())[:200]}
    if "format" in said:
        findings.facts["producer"] = {"pt": "torch", "tf": "tensorflow", "np": "numpy", "flax": "flax"}.get(said["format"], said["format"][:40])


def _tensor(name: str, entry: Any, findings: Findings) -> tuple[int, int] | None:
    good = isinstance(entry, dict) and {"dtype", "shape", "data_offsets"} <= set(entry)
    dtype, shape, span = (entry["dtype"], entry["shape"], entry["data_offsets"]) if good else ("", [], [])
    bits = BITS.get(dtype) if isinstance(dtype, str) else None
    if (
        bits is None
        or not isinstance(shape, list)
        or not isinstance(span, list)
        or len(span) != 2  # noqa: PLR2004
        or any(type(one) is not int or not 0 <= one < MOST for one in (*shape, *span))
        or len(shape) > 64  # noqa: PLR2004
    ):
        findings.undecided(f"describes a tensor in a way that is not understood: {name[:80]!r}", offset=8)
        return None
    if len(entry) > 3:  # noqa: PLR2004
        findings.note(f"has unknown words about a tensor: {name[:80]!r}", offset=8)
    count = 1
    for one in shape:
        count *= one
        if count >= MOST:
            findings.undecided(f"has a tensor of more elements than there can be: {name[:80]!r}", offset=8)
            return None
    if span[1] < span[0] or (span[1] - span[0]) * 8 != count * bits:
        findings.undecided(f"gives a tensor other bytes than its shape needs: {name[:80]!r}", offset=8)
    findings.tensor(name, dtype, shape)
    return span[0], span[1]


def _cover(spans: list[tuple[int, int]], size: int, findings: Findings) -> None:
    position = 0
    for start, end in spans:
        if start != position:
            findings.undecided("has tensors that overlap" if start < position else "has bytes that belong to no tensor", offset=8)
            return
        position = end
    if position != size:
        findings.undecided(f"has {size:,} bytes of data and tensors for {position:,}", offset=8)
