"""Pickles in a compressed stream, and arrays that joblib writes between the opcodes of a pickle."""

from __future__ import annotations

from dlgovern.evidence.artifacts import pickles
from dlgovern.evidence.artifacts.allowed import Allowed
from dlgovern.evidence.artifacts.arrays import Wrapped
from dlgovern.evidence.artifacts.blob import Blob, Broken, Held, begin, expand
from dlgovern.evidence.artifacts.machine import Machine, Malformed, Node, Profile
from dlgovern.evidence.artifacts.opcodes import TABLE
from dlgovern.evidence.artifacts.values import Findings
from dlgovern.source.models import HEAD, may_be_model

_HEADS = (
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"]\0\0", "lzma"),
    *((bytes((0x78, second)), "zlib") for second in (0x01, 0x3F, 0x5E, 0x9C, 0xDA)),
)
_UNREAD = ((b'\x04"M\x18', "lz4"), (b"(\xb5/\xfd", "zstd"), (b"7z\xbc\xaf\x27\x1c", "7z"), (b"Rar!", "rar"))


def method(head: bytes) -> str:
    """How a file is compressed, "" where it is not, or not by anything that is read here."""
    return next((name for start, name in _HEADS if head.startswith(start)), "")


def unread(head: bytes) -> str:
    """The name of a compression that is known and not read."""
    return next((name for start, name in _UNREAD if head.startswith(start)), "")


def read(blob: Blob, allowed: Allowed, findings: Findings) -> None:
    """Walk the pickle in a compressed file. Raises `Broken`."""
    name = method(blob.read(0, 16))
    findings.facts["compression"] = name
    data = expand(blob, name)
    inner = Held(data)
    if not data or (data[:1] != b"\x80" and not _textual(data)):
        raise Broken(f"holds {name} data that are no pickle")
    walk_all(inner, allowed, findings)


def is_pickle(blob: Blob) -> bool:
    """Whether a file that says nothing of itself is a pickle of protocol 0 or 1: it is one to its end, or calls something before."""
    if not may_be_model(blob.read(0, HEAD)):
        return False
    findings = Findings()
    end = pickles.walk(blob, 0, JOBLIB, _NOTHING, findings).end
    if any(one.name and not one.what.startswith("would import ") for one in findings.reasons):
        return True
    return end == blob.size and all(one.verdict != "undecided" for one in findings.reasons)


def holds_pickle(blob: Blob) -> bool:
    """Whether a compressed file, whatever its name, has a pickle in it: a few bytes are unpacked first, all where they begin like one."""
    name = method(blob.read(0, 16))
    try:
        head = begin(blob, name)
        if head[:1] == b"\x80":
            return may_be_model(head)
        return may_be_model(head) and is_pickle(Held(expand(blob, name)))
    except Broken:
        return False


_NOTHING = Allowed("", {})


def _textual(data: bytearray) -> bool:
    return data[:1] in b"()BCFGIJKLMNSTUVX]ci}"


def walk_all(blob: Blob, allowed: Allowed, findings: Findings) -> None:
    """Walk the pickle at the start of a file; others that follow it are walked too, and are one too many."""
    found = pickles.walk(blob, 0, JOBLIB, allowed, findings)
    if found.protocol:
        findings.facts["pickle protocol"] = found.protocol
    if any(name.startswith("joblib.") for name in found.names):
        findings.facts["producer"] = "joblib"
    if found.value is not None and found.names:  # without a name there is no array
        pickles.tensors(found.value, findings)
    position = found.end
    for _ in range(20):
        if not 0 <= position < blob.size:
            break
        findings.undecided(f"has {blob.size - position:,} bytes after its pickle", offset=position)
        position = pickles.walk(blob, position, JOBLIB, allowed, findings).end
    if blob.read(max(0, blob.size - 22), 4) == b"PK\5\6":
        findings.undecided("ends like an archive: other readers take it for one")


def _after_build(m: Machine, owner: Node, position: int) -> int:
    """Pass over the bytes of an array that joblib writes behind the object that describes it.

    Pickle itself would take them for opcodes. It stops at the first, the number of bytes that align the array, which is no
    opcode; so whatever stands in the array, nobody runs it. joblib before 1.2 aligned nothing.
    """
    what = owner.what
    if not isinstance(what, Wrapped):
        return position
    if m.frame_end > m.base + position:
        raise Malformed("an array stands inside a frame")  # joblib would read on behind the frame
    size = what.kind.width
    for one in what.shape:
        size *= one
    if what.kind.objects:
        m.findings.undecided("holds an array of objects, a pickle within the pickle", m.member, m.at(position))
        inner = pickles.walk(m.blob, m.base + position, JOBLIB, m.allowed, m.findings, m.member)
        if inner.end < 0:
            raise Malformed("an array of objects is no pickle")
        size = inner.end - m.base - position
    elif what.aligned:
        padding = m.blob.read(m.base + position, 17)
        if not padding or not 1 <= padding[0] <= 16 or padding[1 : 1 + padding[0]] != b"\xff" * padding[0]:  # noqa: PLR2004
            raise Malformed("an array is not aligned as joblib aligns it")
        position = m.skip(position, 1 + padding[0])
    elif size and m.blob.read(m.base + position, 1)[:1] in _OPCODES:
        m.findings.undecided("holds an array that only joblib takes for one: pickle would go on in its numbers", m.member, m.at(position))
    owner.what = ("array", what.kind.text, what.shape)
    return m.skip(position, size)


_OPCODES = {bytes((code,)) for code in TABLE}

JOBLIB = Profile("joblib", frozenset(), renames=False, persistent=False, data=True, after_build=_after_build)
"""A pickle by itself, perhaps with numpy's arrays in it, or with those of joblib."""
