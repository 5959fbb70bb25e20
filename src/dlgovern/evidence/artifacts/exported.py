"""Exported programs, ``.pt2``: JSON, raw weights, and the places where `torch.export.load` unpickles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dlgovern.evidence.artifacts import exported_code, pickles, zips
from dlgovern.evidence.artifacts.allowed import Allowed
from dlgovern.evidence.artifacts.blob import Broken
from dlgovern.evidence.artifacts.opened import Opened, ended, kind_of
from dlgovern.evidence.artifacts.values import Findings
from dlgovern.evidence.artifacts.zips import Member

Checkpoint = Callable[[Opened, str, Allowed], None]
"""What reads a checkpoint inside the archive."""


def read(opened: Opened, allowed: Allowed, walked: set[str], checkpoint: Checkpoint) -> None:
    """A ``.pt2`` archive: JSON, raw weights, and the places where `torch.export.load` unpickles."""
    findings = opened.findings
    weights: dict[str, int] = {}
    if (said := opened.text("archive_format").strip()) and said != "pt2":
        findings.undecided(f"says archive format {said[:20]!r}")
    for member in opened.members:
        name = opened.short(member)
        last = name.rpartition("/")[2]
        if last.startswith("opaque_obj_"):
            findings.unsafe("holds a pickled object that torch.export.load unpickles without any check", member.name)
            _inner(opened, member, allowed, walked)
        elif last.startswith("custom_obj_"):
            findings.unsafe("holds a custom object: torch.export.load creates its class", member.name)
            walked.add(member.name)
        elif name.startswith("data/sample_inputs/") or name.endswith((".pt", ".pth")):
            walked.add(member.name)
            _nested(opened, member, allowed, checkpoint)
        elif name.endswith("_config.json"):
            weights |= _config(opened, member, name)
        elif (name.startswith("models/") and name.endswith(".json")) or name == "serialized_exported_program.json":
            _program(opened, name)
    for member in opened.members:
        name = opened.short(member)
        if name.startswith(("data/weights/", "data/constants/")) and not name.endswith("_config.json") and member.name not in walked:
            size = weights.pop(name, -1)
            if size < 0:
                findings.undecided("holds a weight that no list names", member.name)
            elif size != member.size:
                findings.unsafe(f"has {member.size:,} bytes for a weight of {size:,}: what loads it reads past the end", member.name)
    for name in sorted(weights):
        findings.undecided(f"lacks {name[:120]!r}, which its list of weights names")


def _config(opened: Opened, member: Member, name: str) -> dict[str, int]:
    """The members that a list of weights names, and the bytes each should have."""
    found: dict[str, int] = {}
    folder = name.rpartition("/")[0]
    config = opened.json(name)
    entries = config.get("config") if isinstance(config, dict) else None
    if not isinstance(entries, dict):
        opened.findings.undecided("has a list of weights that is not understood", member.name)
        return found
    for key, entry in sorted(entries.items()):
        if not isinstance(entry, dict):
            opened.findings.undecided("has a list of weights that is not understood", member.name)
            return found
        path = entry.get("path_name")
        if entry.get("use_pickle") is not False:
            opened.findings.unsafe(
                f"says use_pickle of {key[:60]!r}: torch.export.load unpickles it without any check", member.name
            )
        if not isinstance(path, str) or "/" in path or "\\" in path or path in ("", ".", ".."):
            opened.findings.undecided("names a weight by a path", member.name)
        meta = entry.get("tensor_meta")
        if isinstance(meta, dict) and isinstance(meta.get("sizes"), list):
            said = [one.get("as_int") if isinstance(one, dict) else None for one in meta["sizes"]]
            sizes = [size for size in said if type(size) is int and size >= 0]
            if len(sizes) == len(said):
                dtype = _DTYPES.get(meta.get("dtype", 0), "?") if type(meta.get("dtype")) is int else "?"
                opened.findings.tensor(key, dtype, sizes)
                width = _WIDTHS.get(dtype, 0)
                if isinstance(path, str) and width and _contiguous(meta, sizes):
                    count = 1
                    for size in sizes:
                        count *= size
                    found[f"{folder}/{path}"] = count * width
                elif isinstance(path, str) and (held := opened.by_name.get(f"{folder}/{path}")):
                    found[f"{folder}/{path}"] = held.size  # a view of a larger storage: its own size is not said
    return found


_DTYPES = {
    1: "uint8", 2: "int8", 3: "int16", 4: "int32", 5: "int64", 6: "float16", 7: "float32", 8: "float64",
    9: "complex32", 10: "complex64", 11: "complex128", 12: "bool", 13: "bfloat16", 28: "uint16",
    29: "float8_e4m3fn", 30: "float8_e5m2", 31: "float8_e4m3fnuz", 32: "float8_e5m2fnuz",
}
"""Numbers of torch._export.serde.schema.ScalarType."""


def _contiguous(meta: dict[str, Any], sizes: list[int]) -> bool:
    """Whether a tensor fills its storage: strides from the last dimension on, no offset."""
    strides = [one.get("as_int") if isinstance(one, dict) else None for one in meta.get("strides") or ()]
    offset = meta.get("storage_offset")
    expected, step = [], 1
    for size in reversed(sizes):
        expected.append(step)
        step *= max(size, 1)
    return strides == expected[::-1] and isinstance(offset, dict) and offset.get("as_int") == 0


_WIDTHS = {
    "uint8": 1, "int8": 1, "int16": 2, "int32": 4, "int64": 8, "float16": 2, "float32": 4, "float64": 8, "bool": 1,
    "bfloat16": 2, "complex64": 8, "complex128": 16, "complex32": 4, "uint16": 2,
    "float8_e4m3fn": 1, "float8_e5m2": 1, "float8_e4m3fnuz": 1, "float8_e5m2fnuz": 1,
}


def _program(opened: Opened, name: str) -> None:
    """What a serialized program calls beyond torch's own operators."""
    program = opened.json(name)
    if not isinstance(program, dict):
        opened.findings.undecided("has a program that is not understood", name)
        return
    exported_code.judge(program, opened.findings, name)
    facts = opened.findings.facts
    version = program.get("torch_version")
    if isinstance(version, str):
        facts["framework version"] = version[:40]
    opset = program.get("opset_version")
    if isinstance(opset, dict):
        facts["opset"] = {str(key)[:40]: value for key, value in opset.items() if type(value) is int}
    custom = set()
    module = program.get("graph_module")
    graph = module.get("graph") if isinstance(module, dict) else None
    nodes = graph.get("nodes") if isinstance(graph, dict) else None
    for node in nodes if isinstance(nodes, list) else ():
        target = node.get("target") if isinstance(node, dict) else None
        if isinstance(target, str) and not target.startswith(("torch.ops.aten.", "torch.ops.prims.", "torch.ops.higher_order.", "_operator.", "math.", "torch.sym_")):
            custom.add(target[:120])
    if custom:
        facts["custom operators"] = sorted(custom)


def _inner(opened: Opened, member: Member, allowed: Allowed, walked: set[str]) -> None:
    walked.add(member.name)
    blob = opened.content(member)
    if blob is not None:
        found = pickles.walk(blob, 0, pickles.PLAIN, allowed, opened.findings, member.name)
        ended(found, blob, opened.findings, member.name)


def _nested(opened: Opened, member: Member, allowed: Allowed, checkpoint: Checkpoint) -> None:
    """A checkpoint inside the archive."""
    blob = opened.content(member)
    if blob is None or blob.size == 0:
        return
    if blob.read(0, 4) != b"PK\3\4":
        found = pickles.walk(blob, 0, pickles.TORCH, allowed, opened.findings, member.name)
        ended(found, blob, opened.findings, member.name)
        opened.findings.undecided("holds inputs in the legacy format", member.name)
        return
    inner = Findings()
    try:
        held = Opened(blob, zips.read_zip(blob, inner), inner)
        if kind_of(held) != "torch-zip":
            inner.undecided("is no checkpoint")
        else:
            checkpoint(held, "torch-zip", allowed)
    except Broken as error:
        inner.undecided(str(error))
    for reason in inner.reasons:
        opened.findings.say(
            reason.verdict, reason.what, f"{member.name}!{reason.member}" if reason.member else member.name, reason.offset, reason.name
        )
    opened.findings.say(inner.verdict if inner.verdict != "clean" else "note", "holds example inputs", member.name)
