"""Say of any file what model format it is and what loading it would run, by its ending and by its bytes."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from math import prod
from typing import Any

from dlgovern.evidence.artifacts import (
    archives,
    gguf,
    hdf5,
    keras,
    legacy,
    npy,
    onnx,
    pickles,
    programs,
    safetensors,
    streams,
    zips,
)
from dlgovern.evidence.artifacts.allowed import Allowed
from dlgovern.evidence.artifacts.blob import MOST, Blob, Broken, File
from dlgovern.evidence.artifacts.endings import ending, expected
from dlgovern.evidence.artifacts.values import NO_ARTIFACT, Artifact, Findings, size_of
from dlgovern.source.read import Unreadable

_LFS = b"version https://git-lfs.github.com/spec/v1\n"
_PICKLE_HEADS = b"\x02\x03\x04\x05"


def read_file(path: str, shown: str, allowed: Allowed) -> Artifact:
    """The facts of one file on disk. Raises `Unreadable`."""
    file = File(path)
    try:
        return read_artifact(file, shown, allowed, os.path.dirname(os.path.abspath(path)))
    finally:
        file.close()


def known_by_content(path: str) -> bool:
    """Whether a file has a format of models, whatever its name. Raises `Unreadable`."""
    file = File(path)
    try:
        return _format(file, "", Findings(), "")[0] not in ("", "zip", "unknown", "git-lfs pointer")
    except Broken:
        return False
    finally:
        file.close()


def read_artifact(blob: Blob, path: str, allowed: Allowed, folder: str = "") -> Artifact:
    """The facts of the bytes that lie under ``path``. Never raises for what the bytes are.

    ``folder``: where the file lies on disk, so that files beside it can be looked for; "" where it lies nowhere.
    """
    findings = Findings()
    name, reader = _format(blob, path, findings, folder)
    if not name:
        return Artifact(path, "", blob.size, NO_ARTIFACT)
    try:
        reader(blob, allowed, findings)
    except Broken as error:
        findings.undecided(str(error))
    except (struct.error, ArithmeticError, LookupError, ValueError, RecursionError, MemoryError) as error:
        findings.undecided(f"is not decided: reading it ended with {type(error).__name__}")
    if name in _NO_PICKLE and findings.verdict == "clean":
        _second_nature(blob, allowed, findings)
    wanted = expected(path)
    if wanted and name not in wanted and name != "git-lfs pointer":
        findings.undecided(f"is named {ending(path)}, and is {name}")
    return _made(path, name, blob, findings)


_NO_PICKLE = frozenset(("safetensors", "gguf", "onnx", "npy"))


def _second_nature(blob: Blob, allowed: Allowed, findings: Findings) -> None:
    """A file of another format may be a pickle for whoever takes it for one."""
    scratch = Findings()
    pickles.walk(blob, 0, pickles.PLAIN, allowed, scratch)
    if scratch.verdict == "unsafe":
        findings.undecided(f"is a pickle too, for what takes it for one: it {scratch.reasons[0].what}")


_STATE = "would set the state of the result of "


def _made(path: str, name: str, blob: Blob, findings: Findings) -> Artifact:
    order = {"unsafe": 0, "undecided": 1, "note": 2}
    used = {(one.name, one.member) for one in findings.reasons if one.name and not one.what.startswith("would import ")}
    made = {(one.what.removeprefix("would create ").removeprefix("would call "), one.member) for one in findings.reasons}
    kept = [
        one for one in findings.reasons
        if not (one.what.startswith("would import ") and (one.name, one.member) in used)
        and not (one.what.startswith(_STATE) and (one.what.removeprefix(_STATE), one.member) in made)
    ]
    reasons = sorted(kept, key=lambda one: (order[one.verdict], one.member, one.offset, one.what))
    facts: dict[str, Any] = dict(findings.facts)
    if findings.tensors:
        facts["tensors"] = len(findings.tensors)
        facts["elements"] = sum(prod(one.shape) for one in findings.tensors)
        if (size := size_of(findings.tensors, codes=name not in ("safetensors", "gguf"))) is not None:
            facts["tensor bytes"] = size
        facts["dtypes"] = sorted({one.dtype for one in findings.tensors if one.dtype})
    code = sorted({reason.name for reason in reasons if reason.name})
    if code:
        facts["code it could run"] = code
    if findings.left:
        facts["reasons not listed"] = findings.left
    return Artifact(path, name, blob.size, findings.verdict, tuple(reasons), facts, tuple(findings.tensors))


_Reader = Callable[[Blob, Allowed, Findings], None]


def _format(blob: Blob, path: str, findings: Findings, folder: str) -> tuple[str, _Reader]:
    """What the bytes are, and who reads them; the name counts only where the bytes say nothing."""
    head = blob.read(0, 16)
    known = ending(path)
    if head[:4] == b"PK\3\4":
        return _zip_format(blob, path, findings)
    if head[:6] == npy.MAGIC and not legacy.is_tar(blob):
        return "npy", npy.read
    if legacy.is_tar(blob):  # before all pickles: that is the order in which torch.load tries
        return ("torch-tar", lambda b, a, f: legacy.read_tar(b, a, f)) if known or head[:1] == b"\x80" or _torch_tar(blob) else ("", _nobody)
    if legacy.looks_like(blob):
        return "torch-legacy", lambda b, a, f: legacy.read(b, a, f)
    if blob.read(0, len(_LFS)) == _LFS:
        return "git-lfs pointer", _pointer
    if head[:8] == hdf5.MAGIC or (known in (".h5", ".hdf5") and hdf5.begins_later(blob)):
        return "hdf5", lambda b, a, f: hdf5.read(b, a, f)
    if head[:4] == gguf.MAGIC:
        return "gguf", lambda b, a, f: gguf.read(b, f)
    if safetensors.looks_like(blob):
        return "safetensors", lambda b, a, f: safetensors.read(b, f)
    if head[:1] == b"\x80" and head[1:2] in _PICKLE_HEADS and len(head) > 2:  # noqa: PLR2004
        return "pickle", streams.walk_all
    if name := programs.NAMED.get(head[4:8]):
        return name, lambda b, a, f: programs.read(b, f)
    if known == ".onnx" or ((known or head[:1] == b"\x08") and onnx.looks_like(blob)):
        return "onnx", lambda b, a, f: onnx.read(b, f, folder)
    if known in (".engine", ".plan", ".trt"):
        return "tensorrt", _named
    if (packed := streams.method(head)) and (known or streams.holds_pickle(blob)):
        return f"{packed} pickle", streams.read
    if name := streams.unread(head):
        return name, _packed
    if path.replace("\\", "/").rpartition("/")[2] == "saved_model.pb":
        return "savedmodel", _saved_model
    if known in (".pkl", ".pickle", ".p", ".dill", ".joblib", ".pt", ".pth", ".ckpt", ".bin", ".pt2", ".ptl", ".npy"):
        bare = blob.size and (known != ".bin" or streams.is_pickle(blob))
        return ("pickle", streams.walk_all) if bare else ("unknown", _unknown)
    if streams.is_pickle(blob):
        return "pickle", streams.walk_all
    return ("unknown", _unknown) if known else ("", _nobody)


def _zip_format(blob: Blob, path: str, findings: Findings) -> tuple[str, _Reader]:
    try:
        members = zips.read_zip(blob, findings)
    except Broken as error:
        why = str(error)
        return ("zip", lambda b, a, f: f.undecided(why)) if ending(path) else ("", _nobody)
    if npy.is_npz(members):
        return "npz", lambda b, a, f: npy.read_npz(b, members, a, f)
    opened = archives.Opened(blob, members, findings)
    if "MAR-INF/MANIFEST.json" in {member.name for member in members}:
        return "torchserve", lambda b, a, f: archives.anything(opened, a, "is an archive of TorchServe, whose handler is a program")
    if keras.is_keras(opened):
        return "keras", lambda b, a, f: keras.read(opened, a, f)
    kind = archives.kind_of(opened)
    if kind:
        return kind, lambda b, a, f: archives.read(opened, kind, a)
    return "zip", lambda b, a, f: archives.anything(opened, a)


def _torch_tar(blob: Blob) -> bool:
    return blob.read(0, 100).split(b"\0")[0].rpartition(b"/")[2] in (b"storages", b"tensors", b"pickle", b"sys_info")


def _pointer(blob: Blob, _allowed: Allowed, findings: Findings) -> None:
    for line in blob.read(0, 1024).decode("latin-1").splitlines():
        word, _, value = line.partition(" ")
        if word in ("oid", "size"):
            findings.facts[word] = value[:80]
    findings.undecided("is a pointer of Git LFS: the file itself is not here")


def _named(_blob: Blob, _allowed: Allowed, findings: Findings) -> None:
    findings.undecided("is a compiled program: it is named here, not judged")


_OPERATORS = (b"PyFunc", b"EagerPyFunc", b"PyFuncStateless", b"WriteFile", b"ReadFile")


def _saved_model(blob: Blob, _allowed: Allowed, findings: Findings) -> None:
    """A program of TensorFlow: looked through for operators that call Python or touch files."""
    data = blob.read(0, MOST)
    for name in _OPERATORS:
        if b"\x12" + bytes((len(name),)) + name in data:
            findings.unsafe(f"holds the operator {name.decode()}", name=name.decode())
    findings.undecided("is a program of TensorFlow: it is named here, not judged")


def _packed(_blob: Blob, _allowed: Allowed, findings: Findings) -> None:
    findings.undecided("is packed in a way that is not read here")


def _unknown(_blob: Blob, _allowed: Allowed, findings: Findings) -> None:
    findings.undecided("is no format that is known here")


def _nobody(_blob: Blob, _allowed: Allowed, _findings: Findings) -> None:
    raise AssertionError("what is no artifact is not read")


__all__ = ["Unreadable", "read_artifact", "read_file"]
