"""Read a zip archive's two directories, and say where they disagree, for one reader follows one and one the other."""

from __future__ import annotations

import zlib
from struct import Struct
from typing import NamedTuple

from dlgovern.evidence.artifacts.blob import Blob, Broken, Held, Part, exactly, expand
from dlgovern.evidence.artifacts.values import Findings

MEMBERS = 100_000
DIRECTORY = 16 * 1024 * 1024
UNPACKED = 512 * 1024 * 1024
"""Bytes that are unpacked from one archive in all."""

RATIO = 200
CHECKED = 4 * 1024 * 1024
"""Members up to this size have their checksum tested; larger ones hold tensors, which nobody reads here."""

STORED, DEFLATED = 0, 8

_LOCAL = Struct("<4sHHHHHIIIHH")
_CENTRAL = Struct("<4sHHHHHHIIIHHHHHII")
_END = Struct("<4sHHHHIIH")
_END64 = Struct("<4sQHHIIQQQQ")
_LOCATOR = Struct("<4sIQI")


class Member(NamedTuple):
    """One entry of an archive."""

    name: str
    method: int
    flags: int
    crc: int
    packed: int
    size: int
    header: int  # offset of the local header
    data: int  # offset of the bytes
    local: str  # the name that the local header says


def read_zip(blob: Blob, findings: Findings) -> list[Member]:
    """The members of an archive in the order of their bytes. Raises `Broken` where there is no archive."""
    start, count, size, end = _find_directory(blob, findings)
    if size > DIRECTORY:
        raise Broken(f"has an archive directory of {size:,} bytes")
    members = _central(blob, exactly(blob, start, size), count, start, findings)
    members.sort(key=lambda member: member.header)
    _names(members, findings)
    _tiles(blob, members, start, findings)
    if end != blob.size:
        findings.undecided(f"has {blob.size - end:,} bytes after its archive", offset=end)
    return members


def content(blob: Blob, member: Member, findings: Findings) -> Blob:
    """The bytes of a member. Raises `Broken` for what cannot be read."""
    if member.flags & 0x2041:
        raise Broken("is encrypted")
    packed = Part(blob, member.data, member.packed)
    if packed.size != member.packed:
        raise Broken("reaches past the end of the archive")
    if member.method == STORED:
        if member.packed != member.size:
            raise Broken("is stored, yet has two sizes")
        made: Blob = packed
    elif member.method == DEFLATED:
        if member.size > RATIO * max(member.packed, 1):
            raise Broken(f"is compressed more than {RATIO} times")
        findings.spent += member.size
        if findings.spent > UNPACKED or findings.late:
            raise Broken("is not decided: its members are more than will be unpacked")
        made = Held(expand(packed, "deflate"))
        if made.size != member.size:
            raise Broken("is not as long as the archive says")
    else:
        raise Broken(f"is compressed by method {member.method}")
    if made.size > CHECKED or findings.spent > UNPACKED // 4:
        return made
    findings.spent += made.size
    if zlib.crc32(made.read(0, made.size)) != member.crc:
        findings.undecided("has a wrong checksum", member.name, member.data)
    return made


def _find_directory(blob: Blob, findings: Findings) -> tuple[int, int, int, int]:
    """Start, count and size of the central directory, and where the archive ends."""
    tail_start = max(0, blob.size - 65536 - _END.size)
    tail = blob.read(tail_start, 65536 + _END.size)
    at = tail.rfind(b"PK\5\6")
    if at < 0 or at + _END.size > len(tail):
        raise Broken("has no archive directory")
    _one_end(tail, at, findings)
    _, disk, other, here, count, size, start, comment = _END.unpack_from(tail, at)
    where = tail_start + at
    end = where + _END.size + comment
    if comment:
        findings.undecided("has a comment on its archive", offset=where)
    if end > blob.size:
        findings.undecided("has a comment that reaches past the end", offset=where)
    if disk or other or here != count:
        findings.undecided("is one of several parts of an archive, or says so", offset=where)
    directory_end = where
    locator = blob.read(where - _LOCATOR.size, _LOCATOR.size) if where >= _LOCATOR.size else b""
    if locator[:4] == b"PK\6\7":
        _, _, at64, disks = _LOCATOR.unpack(locator)
        record = blob.read(at64, _END64.size)
        if len(record) != _END64.size or record[:4] != b"PK\6\6":
            raise Broken("points to an end of a large archive that is not there")
        _, length, _, _, disk, other, here, count64, size64, start64 = _END64.unpack(record)
        directory_end = at64
        if length != _END64.size - 12 or at64 + _END64.size != where - _LOCATOR.size or disk or other or disks > 1 or here != count64:
            findings.undecided("has an end of a large archive that does not fit", offset=at64)
        for small, large, top in ((count, count64, 0xFFFF), (size, size64, 0xFFFFFFFF), (start, start64, 0xFFFFFFFF)):
            if small not in (large, top):
                findings.undecided("has two ends that contradict each other", offset=at64)
        count, size, start = count64, size64, start64
    if start + size != directory_end:
        findings.undecided("has a directory that does not end where the archive ends", offset=start)
    if count > MEMBERS:
        raise Broken(f"has more than {MEMBERS:,} members")
    return start, count, size, end


def _one_end(tail: bytes, last: int, findings: Findings) -> None:
    """No other record may claim to be the end: a reader that searches for one would stop there."""
    at = tail.find(b"PK\5\6")
    while 0 <= at < last:
        comment = int.from_bytes(tail[at + 20 : at + 22], "little")
        if at + _END.size + comment in (len(tail), last) or last - at < _END.size + 76:
            findings.undecided("has more than one end of an archive")
            return
        at = tail.find(b"PK\5\6", at + 1)


def _central(blob: Blob, data: bytes, count: int, start: int, findings: Findings) -> list[Member]:
    members: list[Member] = []
    position = 0
    while position < len(data):
        if findings.late:
            raise Broken("is not decided: its directory takes too long")
        if len(members) >= MEMBERS:
            raise Broken(f"has more than {MEMBERS:,} members")
        if data[position : position + 4] != b"PK\1\2" or position + _CENTRAL.size > len(data):
            findings.undecided("has something else in its directory", offset=start + position)
            break
        (_, made, _, flags, method, _, _, crc, packed, size, name_size, extra_size, comment, disk, _, attributes, header) = (
            _CENTRAL.unpack_from(data, position)
        )
        position += _CENTRAL.size
        name = data[position : position + name_size]
        extra = data[position + name_size : position + name_size + extra_size]
        position += name_size + extra_size + comment
        size, packed, header = _large(extra, (size, packed, header), findings)
        if disk not in (0, 0xFFFF) or position > len(data):
            findings.undecided("has a member on another disk, or one cut off", offset=start + position)
        if made >> 8 == 3 and attributes >> 16 & 0o170000 == 0o120000:  # noqa: PLR2004 - made on Unix: a link
            findings.undecided("has a member that is a symbolic link", _text(name, flags))
        members.append(_local(blob, _text(name, flags), (flags, method, crc, packed, size, header), findings))
    if len(members) != count:
        findings.undecided(f"says that it has {count:,} members, and lists {len(members):,}", offset=start)
    return members


def _local(
    blob: Blob, name: str, said: tuple[int, int, int, int, int, int], findings: Findings
) -> Member:
    """The member with what its local header says; a contradiction is reported."""
    flags, method, crc, packed, size, header = said
    record = blob.read(header, _LOCAL.size)
    if len(record) != _LOCAL.size or record[:4] != b"PK\3\4":
        findings.undecided("has no header where the directory says", name, header)
        return Member(name, method, flags, crc, packed, size, header, header, "")
    _, _, own_flags, own_method, _, _, own_crc, own_packed, own_size, name_size, extra_size = _LOCAL.unpack(record)
    tail = blob.read(header + _LOCAL.size, name_size + extra_size)
    own_size, own_packed, _ = _large(tail[name_size:], (own_size, own_packed, 0), findings)
    own = _text(tail[:name_size], own_flags)
    wrong = []
    if tail[:name_size] != _bytes(name, flags):
        wrong.append("name")
    if own_method != method:
        wrong.append("compression")
    if own_flags != flags:
        wrong.append("flags")
    later = own_flags & 8 and (own_crc, own_packed, own_size) == (0, 0, 0)
    if not later and own_crc != crc:
        wrong.append("checksum")
    if not later and (own_packed, own_size) != (packed, size):
        wrong.append("size")
    if wrong:
        findings.undecided(f"has two directories that disagree on the {' and the '.join(wrong)} of a member", name, header)
    return Member(name, method, flags, crc, packed, size, header, header + _LOCAL.size + name_size + extra_size, own)


def _large(extra: bytes, values: tuple[int, int, int], findings: Findings) -> tuple[int, int, int]:
    """Size, packed size and header with those that stand in the extra field for large archives."""
    position = 0
    found = list(values)
    while position + 4 <= len(extra):
        kind = int.from_bytes(extra[position : position + 2], "little")
        length = int.from_bytes(extra[position + 2 : position + 4], "little")
        if kind == 1:
            inner = extra[position + 4 : position + 4 + length]
            at = 0
            for index in range(3):
                if found[index] == 0xFFFFFFFF and at + 8 <= len(inner):
                    found[index] = int.from_bytes(inner[at : at + 8], "little")
                    at += 8
                elif found[index] != 0xFFFFFFFF and at + 8 <= len(inner) and index < 2:  # noqa: PLR2004
                    if int.from_bytes(inner[at : at + 8], "little") != found[index]:
                        findings.undecided("says a size twice, and differently")
                    at += 8
        position += 4 + length
    return found[0], found[1], found[2]


def _names(members: list[Member], findings: Findings) -> None:
    """Names that two readers, or two file systems, take for different files."""
    seen: dict[str, str] = {}
    for member in members:
        name = member.name
        if seen.get(name.lower()) == name:
            findings.undecided("has a member twice", name, member.header)
        elif name.lower() in seen:
            findings.undecided("has two members whose names differ only by case", name, member.header)
        seen[name.lower()] = name
        parts = name.replace("\\", "/").split("/")
        if "\0" in name or name.startswith(("/", "\\")) or ".." in parts or (len(parts[0]) > 1 and parts[0][1] == ":"):
            findings.undecided("has a member whose name leads out of the archive", name, member.header)


def _tiles(blob: Blob, members: list[Member], directory: int, findings: Findings) -> None:
    """Members must follow each other without a gap or an overlap, from the first byte to the directory."""
    position = 0
    for index, member in enumerate(members):
        if member.header > position:
            hidden = " that look like another member" if blob.read(position, 4) == b"PK\3\4" else ""
            what = "before its archive" if index == 0 else "between two members"
            findings.undecided(f"has {member.header - position:,} bytes {what}{hidden}", offset=position)
        elif member.header < position:
            findings.undecided("has members that overlap", member.name, member.header)
        end = member.data + member.packed
        if member.flags & 8:
            following = members[index + 1].header if index + 1 < len(members) else directory
            for length in (16, 12, 24, 20):
                if end + length == following and _describes(blob.read(end, length), member):
                    end += length
                    break
            else:
                findings.undecided("has no description behind a member that says so", member.name, end)
                end = max(end, following if following - end <= 24 else end)  # noqa: PLR2004
        position = max(position, end)
    if position != directory:
        findings.undecided("has bytes between its last member and its directory", offset=position)


def _describes(data: bytes, member: Member) -> bool:
    if data[:4] == b"PK\7\x08" and len(data) in (16, 24):
        data = data[4:]
    half = (len(data) - 4) // 2
    crc, packed, size = data[:4], data[4 : 4 + half], data[4 + half :]
    said = tuple(int.from_bytes(part, "little") for part in (crc, packed, size))
    return said == (member.crc, member.packed, member.size)


def _text(name: bytes, flags: int) -> str:
    return name.decode("utf-8", "surrogateescape") if flags & 0x800 else name.decode("cp437")


def _bytes(name: str, flags: int) -> bytes:
    return name.encode("utf-8", "surrogateescape") if flags & 0x800 else name.encode("cp437")


def head(blob: Blob, member: Member, length: int) -> bytes:
    """The first bytes of a deflated member. Raises `Broken`."""
    if member.flags & 0x2041:
        raise Broken("is encrypted")
    unpack = zlib.decompressobj(-15)
    out = b""
    position = 0
    try:
        while len(out) < length and not unpack.eof:
            chunk = unpack.unconsumed_tail or Part(blob, member.data, member.packed).read(position, 8192)
            if not chunk:
                break
            if not unpack.unconsumed_tail:
                position += len(chunk)
            out += unpack.decompress(chunk, length - len(out))
    except zlib.error:
        raise Broken("holds damaged deflate data") from None
    return out
