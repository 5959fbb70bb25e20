"""The manifest of released model files: what each is, its digest, and what made it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from typing import Any

from dlgovern.evidence.artifacts.blob import File
from dlgovern.evidence.artifacts.values import Artifact
from dlgovern.source.read import Unreadable

FILE = "artifacts.json"
"""What the manifest is called; it lies at the root of a repository."""

_CHUNK = 1 << 20


def digest(path: str) -> str:
    """The SHA-256 of a file, in hexadecimal. Raises `Unreadable`."""
    file = File(path)
    try:
        found = hashlib.sha256()
        for offset in range(0, file.size, _CHUNK):
            found.update(file.read(offset, _CHUNK))
        return found.hexdigest()
    finally:
        file.close()


def beside(path: str, locations: Iterable[str]) -> dict[str, str]:
    """The digests of the files beside a model that hold its weights, by location; "" for one that is not there, or not below its folder."""
    return {location: _beside(os.path.dirname(path), location) for location in locations}


def _beside(folder: str, location: str) -> str:
    parts = location.replace("\\", "/").split("/")
    if os.path.isabs(location) or ".." in parts or ":" in parts[0]:
        return ""
    try:
        return digest(os.path.join(folder, location))
    except Unreadable:
        return ""


def entry(artifact: Artifact, sha256: str, external: dict[str, str], commit: str) -> dict[str, Any]:
    """What a manifest says about one file; ``external`` are the digests of the files that hold its weights."""
    facts = artifact.facts
    made = {
        "path": artifact.path,
        "format": artifact.format,
        "size": artifact.size,
        "sha256": sha256,
        "external": external,
        "verdict": artifact.verdict,
        "producer": facts.get("producer", ""),
        "framework_version": facts.get("framework version", ""),
        "opset": facts.get("opset", {}),
        "precision": facts.get("dtypes", []),
        "tensors": facts.get("tensors", 0),
        "elements": facts.get("elements", 0),
        "commit": commit,
    }
    return {key: value for key, value in made.items() if value not in ("", {}, []) or key in ("path", "format", "sha256")}


def render(entries: Iterable[dict[str, Any]]) -> str:
    """The manifest as text, sorted by path."""
    made = {"schema": "dlgovern-artifacts/1", "artifacts": sorted(entries, key=lambda one: str(one["path"]))}
    return json.dumps(made, indent=2, ensure_ascii=True) + "\n"
