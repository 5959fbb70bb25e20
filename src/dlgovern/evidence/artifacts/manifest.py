"""The manifest of released model files: what each is, its digest, and what made it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from dlgovern.evidence.artifacts.blob import File
from dlgovern.evidence.artifacts.values import Artifact

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


def entry(artifact: Artifact, sha256: str, commit: str) -> dict[str, Any]:
    """What a manifest says about one file."""
    facts = artifact.facts
    made = {
        "path": artifact.path,
        "format": artifact.format,
        "size": artifact.size,
        "sha256": sha256,
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
