"""What the manifests of a repository say, read once and remembered: today the version windows."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from dlgovern import bundled
from dlgovern.repository.status import stamp
from dlgovern.repository.window import Windows
from dlgovern.source.classify import classify
from dlgovern.store import Store, key

MANIFESTS = frozenset({"pyproject", "requirements", "setup-cfg", "lock", "pipfile", "environment"})
"""Kinds of files that say which libraries a repository wants."""


def manifests_above(root: str, paths: Iterable[str]) -> list[str]:
    """The manifests in the folders around these files: all that matters for their version windows."""
    folders = {""}
    for path in paths:
        folder = path
        while folder:
            folder = folder.rpartition("/")[0]
            folders.add(folder)
    found: set[str] = set()
    for folder in sorted(folders):
        names = _listed(root, folder)
        found.update(path for path in names if classify(path) in MANIFESTS)
        inner = f"{folder}/{_BESIDE}" if folder else _BESIDE
        if inner in names:
            found.update(path for path in _listed(root, inner) if classify(path) in MANIFESTS)
    return sorted(found)


_BESIDE = "requirements"
"""The folder in which manifests stand that are for the folder around it."""


def _listed(root: str, folder: str) -> list[str]:
    """The paths in a folder; none where it is no folder, or may not be read."""
    try:
        names = os.listdir(os.path.join(root, folder))
    except OSError:
        return []
    return [f"{folder}/{name}" for name in names] if folder else names


def windows(root: str, manifests: Iterable[str], standard: Mapping[str, str], store: Store) -> Windows:
    """The version windows that these manifests give, from the store while no manifest has changed."""
    paths = sorted(manifests)
    name = f"windows-{key(root, bundled.version(), dict(standard), [_stamp(root, path) for path in paths])}.json"
    cached = store.get(name)
    if isinstance(cached, dict) and all(_stamp(root, path) == stamp for path, stamp in cached.get("includes", [])):
        try:
            return Windows.from_json(cached["windows"])
        except (KeyError, TypeError, ValueError):
            pass
    from dlgovern.evidence.manifests import collect  # cold: packaging and tomli come with it
    from dlgovern.evidence.versions import windows as resolve

    read = collect(root, paths)
    found = resolve(read, standard)
    includes = [(path, _stamp(root, path)) for path in sorted(read) if path not in paths]
    store.put(name, {"windows": found.to_json(), "includes": includes})
    return found


def _stamp(root: str, path: str) -> list[object]:
    return [path, *stamp(root, path)]
