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
    found = []
    for folder in sorted(folders):
        for inner in (folder, f"{folder}/requirements" if folder else "requirements"):
            try:
                with os.scandir(os.path.join(root, inner)) as entries:
                    names = [entry.name for entry in entries]
            except OSError:
                continue
            candidates = (f"{inner}/{name}" if inner else name for name in names)
            found += [path for path in candidates if classify(path) in MANIFESTS]
    return sorted(set(found))


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
