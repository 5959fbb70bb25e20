"""Read the headers of numpy's own formats; an array of objects is a pickle."""

from __future__ import annotations

import re

from dlgovern.evidence.artifacts import pickles, zips
from dlgovern.evidence.artifacts.allowed import Allowed
from dlgovern.evidence.artifacts.blob import Blob, Broken, Held, Part, exactly
from dlgovern.evidence.artifacts.values import Findings
from dlgovern.evidence.artifacts.zips import Member

MAGIC = b"\x93NUMPY"
HEADER = 10_000
"""Bytes; numpy reads no longer one unless it is told to trust the file."""

_HEADER = re.compile(
    r"\{'descr': (?P<descr>'[^']{1,40}'|\[[^\]\n]{1,8000}\]), 'fortran_order': (?:True|False),"
    r" 'shape': \((?P<shape>(?:\d{1,18}, ?)*(?:\d{1,18})?)\),? ?\} *\n\Z"
)
_PLAIN = re.compile(r"[<>|=]?(?:\?|[biufc](?P<size>\d{1,3})|[SV](?P<bytes>\d{1,9})|U(?P<chars>\d{1,9})|[mM]8(?:\[[0-9a-zA-Z/]{1,12}\])?)\Z")
_FIELD = re.compile(r"\('([^'\\]{0,200})', '([^'\\]{1,40})'(?:, \((?:\d{1,9}, ?)*(?:\d{1,9})?\))?\)")


def read(blob: Blob, allowed: Allowed, findings: Findings, name: str = "", *, size: int = -1) -> None:
    """Say what a ``.npy`` file holds; ``size`` where ``blob`` is only the beginning. Raises `Broken`."""
    findings.facts.setdefault("producer", "numpy")
    head = exactly(blob, 0, 8)
    if head[:6] != MAGIC or head[6] not in (1, 2, 3):
        raise Broken("is no array of numpy")
    width = 2 if head[6] == 1 else 4
    length = int.from_bytes(exactly(blob, 8, width), "little")
    if length > HEADER:
        raise Broken(f"has a header of {length:,} bytes")
    match = _HEADER.match(exactly(blob, 8 + width, length).decode("latin-1"))
    if match is None:
        raise Broken("has a header that numpy does not write")
    start = 8 + width + length
    total = blob.size if size < 0 else size
    shape = tuple(int(part) for part in match["shape"].replace(" ", "").split(",") if part)
    descr = match["descr"].strip("'")
    item = _width(match["descr"])
    findings.tensor(name.removesuffix(".npy"), descr, shape)
    if item is None:
        _objects(blob, start, total, allowed, findings, name)
        return
    count = 1
    for one in shape:
        count *= one
    if count * item != total - start:
        findings.undecided(f"has {total - start:,} bytes of data for a shape that needs {count * item:,}", name, start)


def _width(descr: str) -> int | None:
    """Bytes of one element; None for objects, and for types that are not read here and may hold some."""
    if descr.startswith("'"):
        return _plain_width(descr[1:-1])
    fields = _FIELD.findall(descr)
    shown = ", ".join(match[0] for match in _FIELD.finditer(descr))
    if not fields or f"[{shown}]" != descr:
        return None
    total = 0
    for match in _FIELD.finditer(descr):
        width = _plain_width(match[2])
        if width is None:
            return None
        count = 1
        for part in re.findall(r"\d+", match[0].rpartition("', ")[2]) if match[0].endswith("))") else ():
            count *= int(part)
        total += width * count
    return total


def _plain_width(text: str) -> int | None:
    match = _PLAIN.match(text)
    if match is None:
        return None
    if match["size"]:
        return int(match["size"])
    if match["chars"]:
        return 4 * int(match["chars"])
    if match["bytes"]:
        return int(match["bytes"])
    return 1 if text.endswith("?") else 8


def _objects(blob: Blob, start: int, total: int, allowed: Allowed, findings: Findings, name: str) -> None:
    findings.note("is an array of objects, which numpy loads only with allow_pickle=True", name)
    if total != blob.size:
        raise Broken("is an array of objects too large to be looked at")
    inner = Part(blob, start, blob.size - start)
    found = pickles.walk(inner, 0, pickles.ARRAYS, allowed, findings, name)
    if 0 <= found.end < inner.size:
        findings.undecided(f"has {inner.size - found.end:,} bytes after its pickle", name, start + found.end)


def is_npz(members: list[Member]) -> bool:
    """Whether an archive holds arrays alone."""
    return bool(members) and all(member.name.endswith(".npy") for member in members)


def read_npz(blob: Blob, members: list[Member], allowed: Allowed, findings: Findings) -> None:
    """Say what the arrays of an archive are; large compressed ones are unpacked only as far as their header."""
    findings.facts["producer"] = "numpy"
    for member in members:
        try:
            if member.method == zips.DEFLATED:
                head = zips.head(blob, member, HEADER + 16)
                if head[:6] == MAGIC and not _may_hold_objects(head):
                    read(Held(head), allowed, findings, member.name, size=member.size)
                    continue
            read(zips.content(blob, member, findings), allowed, findings, member.name)
        except Broken as error:
            findings.undecided(str(error), member.name, member.header)


def _may_hold_objects(head: bytes) -> bool:
    match = re.search(rb"'descr': ('[^']{1,40}'|\[[^\]\n]{1,8000}\])", head)
    return match is None or _width(match[1].decode("latin-1")) is None
