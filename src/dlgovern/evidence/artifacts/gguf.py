"""Read the header of a GGUF file, every count bounded by the bytes that are left before anything is kept."""

from __future__ import annotations

from struct import Struct
from typing import Any

from dlgovern.evidence.artifacts.blob import Blob, Broken
from dlgovern.evidence.artifacts.values import Findings

MAGIC = b"GGUF"
ARRAY, KEYS, TENSORS = 1_000_000, 100_000, 1_000_000
VALUES = 3_000_000
STRING = 16 * 1024 * 1024
NESTED = 4

_WINDOW = 1 << 18
_NUMBERS = {
    0: Struct("<B"), 1: Struct("<b"), 2: Struct("<H"), 3: Struct("<h"), 4: Struct("<I"), 5: Struct("<i"),
    6: Struct("<f"), 7: Struct("<?"), 10: Struct("<Q"), 11: Struct("<q"), 12: Struct("<d"),
}
_TEXT, _ARRAY = 8, 9

TYPES = {
    0: ("F32", 1, 4), 1: ("F16", 1, 2), 2: ("Q4_0", 32, 18), 3: ("Q4_1", 32, 20), 6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24), 8: ("Q8_0", 32, 34), 9: ("Q8_1", 32, 40), 10: ("Q2_K", 256, 84), 11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144), 13: ("Q5_K", 256, 176), 14: ("Q6_K", 256, 210), 15: ("Q8_K", 256, 292),
    16: ("IQ2_XXS", 256, 66), 17: ("IQ2_XS", 256, 74), 18: ("IQ3_XXS", 256, 98), 19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18), 21: ("IQ3_S", 256, 110), 22: ("IQ2_S", 256, 82), 23: ("IQ4_XS", 256, 136),
    24: ("I8", 1, 1), 25: ("I16", 1, 2), 26: ("I32", 1, 4), 27: ("I64", 1, 8), 28: ("F64", 1, 8),
    29: ("IQ1_M", 256, 56), 30: ("BF16", 1, 2), 34: ("TQ1_0", 256, 54), 35: ("TQ2_0", 256, 66),
    39: ("MXFP4", 32, 17), 40: ("NVFP4", 64, 36), 41: ("Q1_0", 128, 18),
}
"""Number -> name, elements a block, bytes a block."""


class _Reader:
    """A position in a file, and a window on it."""

    def __init__(self, blob: Blob) -> None:
        self.size = blob.size
        self.at = 0
        self.values = 0  # in arrays whose members have no fixed size
        self._blob = blob
        self._base = 0
        self._data = b""

    def take(self, length: int) -> bytes:
        """The next bytes. Raises `Broken` where there are not so many."""
        if length > self.size - self.at:
            raise Broken(f"says {length:,} bytes where {self.size - self.at:,} are left")
        start = self.at - self._base
        if start < 0 or start + length > len(self._data):
            self._base, start = self.at, 0
            self._data = self._blob.read(self.at, max(_WINDOW, length))
        self.at += length
        return self._data[start : start + length]

    def number(self, kind: int) -> Any:
        """A number of a kind."""
        form = _NUMBERS[kind]
        return form.unpack(self.take(form.size))[0]

    def skip(self, length: int) -> None:
        """Pass over bytes."""
        if length > self.size - self.at:
            raise Broken(f"says {length:,} bytes where {self.size - self.at:,} are left")
        self.at += length

    def text(self, keep: int = STRING) -> str:
        """A text with its length before it; only its first ``keep`` bytes are looked at."""
        length = self.number(10)
        if length > STRING:
            raise Broken(f"has a text of {length:,} bytes")
        data = self.take(min(length, keep)) if keep else b""
        self.skip(length - len(data))
        return data.decode("utf-8", "replace")


def read(blob: Blob, findings: Findings) -> None:
    """Say what a GGUF file holds. Raises `Broken`."""
    reader = _Reader(blob)
    reader.take(4)
    version = reader.number(4)
    if version not in (2, 3):
        raise Broken(f"is of version {version}" if version < 1 << 16 else "is of the other byte order")
    count, keys = reader.number(10), reader.number(10)
    if count > min(TENSORS, reader.size // 24) or keys > min(KEYS, reader.size // 13):
        raise Broken(f"says that it has {count:,} tensors and {keys:,} keys")
    findings.facts["gguf version"] = version
    values: dict[str, Any] = {}
    for _ in range(keys):
        key = reader.text(4096)
        if key in values:
            findings.undecided(f"has a key twice: {key[:80]!r}")
        values[key] = _value(reader, reader.number(4), 0, key)
    _facts(values, findings)
    spans = [_tensor(reader, findings) for _ in range(count)]
    alignment = values.get("general.alignment", 32)
    if type(alignment) is not int or not 0 < alignment <= 1 << 20 or alignment & (alignment - 1):
        raise Broken("has an alignment that is no power of two")
    start = (reader.at + alignment - 1) // alignment * alignment
    position = 0
    for offset, length in sorted(spans):
        if offset % alignment or offset < position or start + offset + length > blob.size:
            findings.undecided("has tensors that overlap, or reach past its end")
            break
        position = offset + length
    end = start + (position + alignment - 1) // alignment * alignment
    if spans and blob.size > end:
        findings.undecided(f"has {blob.size - end:,} bytes after its tensors", offset=end)


def _value(reader: _Reader, kind: int, depth: int, key: str) -> Any:
    if kind == _TEXT:
        return reader.text(STRING if "template" in key or key.startswith("general.") else 0)
    if kind == _ARRAY:
        inner, length = reader.number(4), reader.number(10)
        if depth >= NESTED or length > min(ARRAY, reader.size - reader.at):
            raise Broken(f"has an array of {length:,} values, nested {depth} deep")
        if inner in _NUMBERS:
            reader.skip(length * _NUMBERS[inner].size)
        else:
            reader.values += length
            if reader.values > VALUES:
                raise Broken(f"has more than {VALUES:,} values in its arrays")
            for _ in range(length):
                _value(reader, inner, depth + 1, "")
        return None
    if kind not in _NUMBERS:
        raise Broken(f"has a value of kind {kind}")
    return reader.number(kind)


def _facts(values: dict[str, Any], findings: Findings) -> None:
    facts = findings.facts
    for key, name in (("general.architecture", "architecture"), ("general.name", "name"), ("general.license", "license")):
        if isinstance(values.get(key), str):
            facts[name] = values[key][:200]
    if type(values.get("general.file_type")) is int:
        facts["file type"] = values["general.file_type"]
    for key, value in sorted(values.items()):
        if "chat_template" in key and isinstance(value, str):
            from dlgovern.evidence.artifacts.templates import judge  # cold: a parser of templates comes with it

            judge(value, findings, key)


def _tensor(reader: _Reader, findings: Findings) -> tuple[int, int]:
    name = reader.text(256)
    dims = reader.number(4)
    if not 0 <= dims <= 4:  # noqa: PLR2004
        raise Broken(f"has a tensor of {dims} dimensions")
    shape = [reader.number(10) for _ in range(dims)]
    kind, offset = reader.number(4), reader.number(10)
    elements = 1
    for one in shape:
        elements *= one
    known = TYPES.get(kind)
    if elements >= 1 << 62 or offset >= 1 << 62:
        raise Broken("has a tensor of more elements than there can be")
    if known is None:
        findings.undecided(f"has a tensor of an unknown kind, {kind}: {name[:80]!r}")
        findings.tensor(name, "?", reversed(shape))
        return offset, 0
    label, block, width = known
    if shape and shape[0] % block:
        findings.undecided(f"has a tensor whose rows are no whole blocks: {name[:80]!r}")
    findings.tensor(name, label, reversed(shape))
    return offset, elements // block * width
