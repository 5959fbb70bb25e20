"""A model file as evidence: where it lies. Its bytes are read where the allow-list is known, and never all of them."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from dlgovern.evidence.artifacts.allowed import Allowed
from dlgovern.evidence.artifacts.blob import File
from dlgovern.evidence.artifacts.read import Unreadable, known_by_content, read_file
from dlgovern.evidence.artifacts.values import Artifact
from dlgovern.evidence.values import Problem
from dlgovern.source.models import file_may_be_model


class Here(NamedTuple):
    """One model file below a root."""

    path: str
    root: str = ""
    problems: tuple[Problem, ...] = ()


def read(path: str, data: bytes) -> Here:  # noqa: ARG001 - the form of every reader
    """The document of a file whose place on disk is not known."""
    return Here(path)


def place(root: str, path: str) -> Here:
    """The document of a file on disk. Raises `Unreadable` for what cannot be opened."""
    File(os.path.join(root, path)).close()
    return Here(path, root)


def is_model(root: str, path: str) -> bool:
    """Whether a file whose name says nothing is a model by its bytes."""
    full = os.path.join(root, path)
    try:
        return file_may_be_model(full) and known_by_content(full)
    except Unreadable:
        return False


def facts(here: Here, allowed: Allowed) -> Artifact:
    """What the file is and would run. The answer for the last file is kept: several rules ask. Raises `Unreadable`."""
    key = (here.root, here.path, allowed.version, allowed.extra)
    if _LAST.get("key") != key:
        _LAST.clear()
        _LAST["facts"] = read_file(os.path.join(here.root, here.path), here.path, allowed)
        _LAST["key"] = key
    found: Artifact = _LAST["facts"]
    return found


_LAST: dict[str, Any] = {}
