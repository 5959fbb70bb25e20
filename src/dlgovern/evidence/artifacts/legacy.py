"""Torch's formats before its zip archives: five pickles and raw storages in one stream, and a tar archive."""

from __future__ import annotations

from typing import Any

from dlgovern.evidence.artifacts import pickles
from dlgovern.evidence.artifacts.allowed import Allowed
from dlgovern.evidence.artifacts.blob import Blob, Broken, Part, exactly
from dlgovern.evidence.artifacts.machine import Node
from dlgovern.evidence.artifacts.torch_calls import WIDTH
from dlgovern.evidence.artifacts.values import Findings

MAGIC = b"l\xfc\x9cF\xf9 j\xa8P\x19."
"""The end of the first pickle of a legacy checkpoint: the number 0x1950a86a20f9469cfc6c."""

_PARTS = ("magic number", "protocol version", "system information", "object", "storage keys")
_PROTOCOL = 1001
_TAR = 512


def looks_like(blob: Blob) -> bool:
    """Whether a file begins with the magic number of the legacy format."""
    return MAGIC in blob.read(0, 40)


def read(blob: Blob, allowed: Allowed, findings: Findings) -> None:
    """Say what a legacy checkpoint holds."""
    findings.facts["producer"] = "torch"
    position = 0
    values: list[Any] = []
    storages: dict[str, tuple[str, int]] = {}
    for part in _PARTS:
        found = pickles.walk(blob, position, pickles.TORCH, allowed, findings, part)
        if found.end < 0:
            return
        position = found.end
        values.append(found.value)
        if part == "object":
            storages = found.storages
        elif found.storages or found.names:
            findings.undecided("holds names where torch writes none", part)
    if values[1] != _PROTOCOL:
        findings.undecided("has a protocol version that torch does not write", "protocol version")
    pickles.tensors(values[3], findings)
    keys = values[4].items or [] if isinstance(values[4], Node) and values[4].kind == "list" else None
    if keys is None or any(type(key) is not str for key in keys) or sorted(keys) != sorted(storages):
        findings.undecided("lists other storages than its object names", "storage keys")
        return
    for key in keys:
        name, size = storages[key]
        count = int.from_bytes(exactly(blob, position, 8), "little", signed=True)
        position += 8
        width = WIDTH[name]
        if count < 0 or count * width != size:
            findings.unsafe(f"has {count:,} elements for a storage of {size // width:,}: what loads it reads past the end", key, position)
            return
        position += size
        if position > blob.size:
            findings.undecided("ends before its storages do", key, blob.size)
            return
    if position != blob.size:
        findings.undecided(f"has {blob.size - position:,} bytes after its storages", offset=position)


def is_tar(blob: Blob) -> bool:
    """Whether a file begins with the header of a tar archive: its sum fits. No word marks the oldest form."""
    header = blob.read(0, _TAR)
    said = _octal(header[148:156].split(b"\0")[0]) if len(header) == _TAR else None
    if said is None or not header.strip(b"\0"):
        return False
    rest = header[:148] + b" " * 8 + header[156:]
    return said in (sum(rest), sum(byte - 256 if byte > 127 else byte for byte in rest))  # noqa: PLR2004 - signed, as some wrote it


def read_tar(blob: Blob, allowed: Allowed, findings: Findings) -> None:
    """Say what the pickles in a tar archive would call; torch itself refuses the format with weights_only."""
    findings.undecided("is a tar archive, which torch.load(weights_only=True) refuses")
    position = 0
    count = 0
    while position + _TAR <= blob.size:
        header = blob.read(position, _TAR)
        if not header.strip(b"\0"):
            break
        name = header[:100].split(b"\0")[0].decode("utf-8", "replace")
        size = _octal(header[124:136])
        kind = header[156:157]
        if size is None or position + _TAR + size > blob.size:
            findings.undecided("has a member that reaches past its end", name, position)
            return
        if kind in (b"1", b"2"):
            findings.undecided("has a member that is a link", name, position)
        if name.startswith("/") or ".." in name.split("/"):
            findings.undecided("has a member whose name leads out of the archive", name, position)
        part = Part(blob, position + _TAR, size)
        head = part.read(0, 2)
        if name.rpartition("/")[2] in ("storages", "tensors", "pickle", "sys_info") or (head[:1] == b"\x80" and head[1:] in b"\1\2\3\4\5"):
            _members(part, allowed, findings, name)
        position += _TAR + (size + _TAR - 1) // _TAR * _TAR
        count += 1
        if count > 10_000:  # noqa: PLR2004
            raise Broken("has more than 10,000 members")


def _members(part: Blob, allowed: Allowed, findings: Findings, name: str) -> None:
    """Every pickle that begins in a member: a count, then pickles with raw bytes between them."""
    position = 0
    for _ in range(1000):
        found = pickles.walk(part, position, pickles.TORCH, allowed, findings, name)
        if found.end < 0 or found.end >= part.size:
            return
        position = found.end
        if part.read(position, 1) != b"\x80":
            findings.undecided("has bytes after its pickles", name, position)
            return


def _octal(text: bytes) -> int | None:
    try:
        return int(text.strip(b" \0") or b"0", 8)
    except ValueError:
        return None
