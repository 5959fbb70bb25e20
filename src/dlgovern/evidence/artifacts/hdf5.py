"""Read an HDF5 file, as Keras writes them: its tensors, what leads out of it, and the classes that loading it would create."""

from __future__ import annotations

import json

from dlgovern.evidence.artifacts import keras, pickles
from dlgovern.evidence.artifacts.allowed import Allowed
from dlgovern.evidence.artifacts.blob import Blob, Broken, Held
from dlgovern.evidence.artifacts.hdf5_file import (
    ATTRIBUTE,
    ATTRIBUTE_INFO,
    DATASPACE,
    DATATYPE,
    DEPTH,
    EXTERNAL,
    LAYOUT,
    MAGIC,
    OBJECTS,
    Hdf5,
    Message,
)
from dlgovern.evidence.artifacts.hdf5_values import attribute, dtype, shape
from dlgovern.evidence.artifacts.values import Findings

_SEARCHED = 64 * 1024 * 1024
_CONFIGS = ("model_config", "training_config")
_FACTS = {"keras_version": "framework version", "backend": "backend"}


def begins_later(blob: Blob) -> bool:
    """Whether an HDF5 file begins behind bytes of its user, where the library looks for it too: at 512 and its doubles."""
    start = 512
    while start < blob.size:
        if blob.read(start, 8) == MAGIC:
            return True
        start *= 2
    return False


def read(blob: Blob, allowed: Allowed, findings: Findings, member: str = "") -> None:
    """Say what an HDF5 file holds; what is stored in a way that is not read here leaves it undecided."""
    try:
        if blob.read(0, 8) != MAGIC and begins_later(blob):
            raise Broken("has an HDF5 file behind bytes of its user, which is not read here")
        _walk(Hdf5(blob), allowed, findings, member)
    except Broken as error:
        findings.undecided(str(error), member)
        if keras.scan(blob, _SEARCHED):
            findings.unsafe("holds a Lambda layer of Keras: loading or calling it runs code from the file", member, name="Lambda")


def _walk(file: Hdf5, allowed: Allowed, findings: Findings, member: str) -> None:
    todo = [("", file.root, 0)]
    seen: set[int] = set()
    while todo:
        name, address, depth = todo.pop()
        if address in seen:
            continue
        seen.add(address)
        if depth > DEPTH or len(seen) > OBJECTS or findings.late:
            raise Broken("has too many groups and datasets")
        messages = file.messages(address)
        messages += [Message(ATTRIBUTE, made) for one in messages if one.kind == ATTRIBUTE_INFO for made in file.dense(one.data, 2)]
        _object(file, name, messages, findings, member)
        _attributes(file, name, messages, allowed, findings, member)
        inner = []
        for link in file.links(messages):
            full = f"{name}/{link.name}" if name else link.name
            if link.where:
                what = "leads to another file" if link.where == "external" else f"is a {link.where} link"
                findings.undecided(f"has a name that {what}: {full[:120]}", member)
            else:
                inner.append((full, link.address, depth + 1))
        todo += reversed(inner)


def _object(file: Hdf5, name: str, messages: list[Message], findings: Findings, member: str) -> None:
    by_kind = {one.kind: one.data for one in messages}
    if EXTERNAL in by_kind:
        findings.undecided(f"keeps the numbers of {name[:120]} in another file", member)
    if LAYOUT in by_kind:
        layout = by_kind[LAYOUT]
        if file.number(layout, 0, 1) > 3 and file.number(layout, 1, 1) == 3:  # noqa: PLR2004 - version 4, virtual
            findings.undecided(f"puts {name[:120]} together from other files", member)
        findings.tensor(name, dtype(file, by_kind.get(DATATYPE, b"")), shape(file, by_kind.get(DATASPACE, b"")))


def _attributes(file: Hdf5, name: str, messages: list[Message], allowed: Allowed, findings: Findings, member: str) -> None:
    for message in messages:
        if message.kind != ATTRIBUTE:
            continue
        key, texts = attribute(file, message.data)
        if texts and (not name or key in _CONFIGS):
            _said(key, texts[0].decode("utf-8", "replace"), findings, member)
        elif key in _CONFIGS:
            findings.undecided("has a configuration that is no text", member or key)
        if texts == [b"object"] and key == "PSEUDOATOM":
            findings.undecided(f"holds pickled objects in {name[:120]}, which PyTables and pandas load", member)
        for text in texts or ():
            _pickled(text, f"{name}@{key}"[:120], allowed, findings, member)


def _pickled(text: bytes, place: str, allowed: Allowed, findings: Findings, member: str) -> None:
    """PyTables, and so pandas, unpickles every text that ends like a pickle."""
    if len(text) <= 2 or text[-1:] != b".":  # noqa: PLR2004 - as PyTables asks
        return
    inner = Findings()
    found = pickles.walk(Held(text), 0, pickles.PLAIN, allowed, inner)
    if inner.verdict == "unsafe":
        first = next(one for one in inner.reasons if one.verdict == "unsafe")
        findings.unsafe(f"has an attribute that PyTables and pandas unpickle ({place}): it {first.what}", member, name=first.name)
    elif found.end < 0 and (b"\n" in text or max(text) > 127):  # noqa: PLR2004 - without either no opcode names anything
        findings.undecided(f"has an attribute that may be a pickle ({place})", member)


def _said(key: str, text: str, findings: Findings, member: str) -> None:
    """What an attribute of the whole file says."""
    if key in _FACTS:
        findings.facts["producer"] = "keras"
        findings.facts[_FACTS[key]] = text[:40]
    elif key in _CONFIGS:
        findings.facts["producer"] = "keras"
        try:
            config = json.loads(text) if text.count("[") + text.count("{") < keras.PARTS else None
        except (ValueError, RecursionError):
            config = None
        if config is None:
            findings.undecided("has a configuration that is not understood", member or key)
            return
        keras.judge(config, findings, member or key)
        if key == "model_config" and isinstance(config, dict):
            findings.facts["layer classes"] = keras.layers(config)


__all__ = ["MAGIC", "read"]
