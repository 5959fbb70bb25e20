"""Torch's zip archives: checkpoints, TorchScript and exported programs, every member read for what it is."""

from __future__ import annotations

import re

from dlgovern.evidence.artifacts import exported, pickles, zips
from dlgovern.evidence.artifacts.allowed import Allowed
from dlgovern.evidence.artifacts.machine import Profile
from dlgovern.evidence.artifacts.opened import Opened, ended, kind_of
from dlgovern.evidence.artifacts.values import Findings
from dlgovern.evidence.artifacts.zips import Member

_NATIVE = (b"\x7fELF", b"MZ", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"\xce\xfa\xed\xfe")
_SOURCE = (".so", ".dll", ".dylib", ".cpp", ".cc", ".cu", ".cubin", ".ptx", ".hsaco", ".o", ".py", ".sh", ".exe")


def read(opened: Opened, kind: str, allowed: Allowed) -> None:
    """Say what a torch archive holds and would run."""
    findings = opened.findings
    if not opened.root:
        findings.undecided("has no single folder that holds all its members")
    for word in ("version", "byteorder", ".format_version"):
        if text := opened.text(word).strip()[:40]:
            findings.facts[f"archive {word.lstrip('.')}"] = text
    findings.facts["producer"] = "torch"
    for member in opened.members:
        if member.method != zips.STORED and not (kind == "torchscript" and opened.short(member).startswith("code/")):
            findings.undecided("is compressed, which torch does not do", member.name, member.header)
    walked: set[str] = set()
    if kind == "torch-zip":
        pickled = [one for one in opened.members if one.name.rpartition("/")[2] == "data.pkl"]
        if len(pickled) != 1 or opened.short(pickled[0]) != "data.pkl":
            findings.undecided(f"has {len(pickled)} members that could be its data.pkl")
        for member in pickled:
            walked.add(member.name)
            _state(opened, member, allowed)
    elif kind == "torchscript":
        findings.unsafe("is a TorchScript archive: it runs a program, and torch.load(weights_only=True) refuses it")
        _script(opened, allowed, walked)
    else:
        exported.read(opened, allowed, walked, read)
    _others(opened, allowed, walked, kind)


def _state(opened: Opened, member: Member, allowed: Allowed) -> None:
    blob = opened.content(member)
    if blob is None:
        return
    found = pickles.walk(blob, 0, pickles.TORCH, allowed, opened.findings, member.name)
    ended(found, blob, opened.findings, member.name)
    if found.value is not None:
        pickles.tensors(found.value, opened.findings)
    below = opened.short(member).removesuffix("data.pkl")
    for one in opened.members:
        folder, _, key = opened.short(one).rpartition("/")
        if f"{folder}/" == f"{below}data/" and key not in found.storages and found.value is not None:
            opened.findings.undecided("holds a storage that its pickle does not name", one.name, one.header)
    for key, (_, size) in sorted(found.storages.items()):
        held = opened.by_name.get(f"{below}data/{key}")
        if held is None:
            opened.findings.undecided(f"lacks the storage {key[:40]!r} that its pickle names", member.name)
        elif held.size != size:
            opened.findings.unsafe(
                f"has {held.size:,} bytes for a storage of {size:,}: what loads it reads past the end", held.name, held.header
            )


def _script(opened: Opened, allowed: Allowed, walked: set[str]) -> None:
    """TorchScript: the names of its classes, and how much code there is."""
    code = [opened.short(member) for member in opened.members if opened.short(member).startswith("code/")]
    opened.findings.facts["code files"] = sum(name.endswith(".py") for name in code)
    scratch = Findings()
    for name in ("data.pkl", "constants.pkl", "traced_inputs.pkl"):
        member = opened.by_name.get(name)
        blob = opened.content(member) if member else None
        if member is None or blob is None:
            continue
        walked.add(member.name)
        found = pickles.walk(blob, 0, _SCRIPT, allowed, scratch, member.name)
        for one in sorted(found.names):
            if not one.startswith(("__torch__.", "torch.jit._pickle.")) and not allowed.kind(*_split(one), data=False):
                opened.findings.unsafe(f"names {one}, which no TorchScript does", member.name, 0, one)
    for member in opened.members:
        if member.name.endswith(".debug_pkl"):
            walked.add(member.name)


_SCRIPT = Profile("script", frozenset(), renames=False, persistent=True)


def _split(name: str) -> tuple[str, str]:
    module, _, last = name.rpartition(".")
    return module, last


_AT_HOME = {
    "torch-zip": re.compile(r"(?:version|byteorder|\.format_version|\.storage_alignment|\.data/serialization_id|data/[0-9]+)\Z"),
    "pt2": re.compile(
        r"(?:archive_format|archive_version|version|byteorder|\.data/(?:version|serialization_id)|models/[^/]+\.json"
        r"|data/(?:weights|constants)/(?:[^/]+_config\.json|weight_[0-9]+|tensor_[0-9]+)"
        r"|serialized_(?:exported_program|example_inputs|state_dict|constants)\.(?:json|pt))\Z"
    ),
}
"""The members that torch writes, beside those that are walked."""


def _others(opened: Opened, allowed: Allowed, walked: set[str], kind: str) -> None:
    """Every other member, by its first bytes: pickles, archives and machine code hide under any name."""
    findings = opened.findings
    for member in opened.members:
        if member.name in walked:
            continue
        name = opened.short(member)
        if kind != "torchscript" and not _AT_HOME[kind].match(name):
            findings.undecided("holds a member that torch does not put there", member.name, member.header)
        if name.startswith("data/") and name[5:].isdigit():
            head = opened.blob.read(member.data, 8)  # numbers of a tensor may look like anything
            if head[:4] in _NATIVE[:1]:
                findings.note("begins like machine code", member.name, member.data)
            continue
        blob = opened.content(member)
        if blob is None:
            continue
        head = blob.read(0, 8)
        if head[:4] in _NATIVE or head[:2] == b"MZ" or name.endswith(_SOURCE[:-3]):
            findings.unsafe("holds machine code or its source", member.name, member.data)
        elif name.endswith(_SOURCE) and not name.startswith("code/"):
            findings.unsafe("holds a program", member.name, member.data)
        elif head[:4] == b"PK\3\4" or name.endswith(".zip"):
            findings.undecided("holds an archive in the archive", member.name, member.data)
        elif name.endswith((".pkl", ".pickle")) or (head[:1] == b"\x80" and head[1:2] in b"\1\2\3\4\5"):
            found = pickles.walk(blob, 0, pickles.PLAIN, allowed, findings, member.name)
            ended(found, blob, findings, member.name)
            findings.undecided("holds a pickle that torch does not put there", member.name, member.data)


def anything(opened: Opened, allowed: Allowed, why: str = "is an archive of no kind that is known here") -> None:
    """An archive of which nothing is promised: every pickle in it is walked."""
    opened.findings.undecided(why)
    for member in opened.members:
        if member.name.endswith("/"):
            continue
        blob = opened.content(member)
        if blob is None:
            continue
        head = blob.read(0, 2)
        if member.name.endswith((".pkl", ".pickle", ".p")) or (head[:1] == b"\x80" and head[1:2] in b"\1\2\3\4\5"):
            found = pickles.walk(blob, 0, pickles.PLAIN, allowed, opened.findings, member.name)
            ended(found, blob, opened.findings, member.name)


__all__ = ["Opened", "anything", "kind_of", "read"]
