"""Which modules and folders lie where: an import that found nothing may find something tomorrow."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from typing import Any

from dlgovern.engine.stamps import UNKNOWN, Stamp, Stamps
from dlgovern.store import Store


class Layout:
    """The names in all folders that imports were looked up in, as one digest, from the store while no folder changed."""

    def __init__(self, store: Store, name: str, root: str, stamps: Stamps) -> None:
        self._store = store
        self._name = name
        self._root = root
        self._stamps = stamps
        known = store.get(name)
        self._known: dict[str, list[Any]] = known if isinstance(known, dict) else {}
        self._now: dict[str, str] = {}
        self._changed = False
        self.before = self._digest()

    def add(self, folders: Iterable[str]) -> None:
        """Note that imports were looked up in these folders too."""
        for folder in folders:
            if folder not in self._known:
                self._known[folder] = ["", *UNKNOWN]
                self._changed = True

    def after(self) -> str:
        """The digest with what was added; "" where a folder may have changed after somebody looked into it."""
        for folder, row in self._known.items():
            before = self._now.get(folder)
            if self._stamps.kept(folder) == UNKNOWN and self._stamps.of(folder) is not None:
                if _names(os.path.join(self._root, folder)) != before:
                    return ""
            elif before is None:
                self._look(folder, row)
        return self._sum()

    def save(self) -> None:
        """Keep what was seen."""
        if self._changed:
            self._store.put(self._name, self._known)

    def _digest(self) -> str:
        try:
            for folder, row in self._known.items():
                self._look(folder, row)
        except (TypeError, ValueError, IndexError, AttributeError):
            self._known, self._changed = {}, True
        return self._sum()

    def _look(self, folder: str, row: list[Any]) -> None:
        names, *stamp = row
        now: Stamp | None = self._stamps.of(folder)
        if now is None:
            self._now[folder] = ""
        elif self._stamps.trusts and tuple(stamp) == now:
            self._now[folder] = str(names)
        else:
            self._now[folder] = _names(os.path.join(self._root, folder))
            row[:] = [self._now[folder], *self._stamps.kept(folder)]
            self._changed = True

    def _sum(self) -> str:
        text = "\n".join(f"{folder}\0{names}" for folder, names in sorted(self._now.items()))
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _names(folder: str) -> str:
    """The digest of the modules in a folder, and of the folders that an import could name."""
    try:
        with os.scandir(folder) as entries:
            found = [
                entry.name
                for entry in entries
                if entry.name.endswith(".py") or (entry.name.isidentifier() and entry.name != "__pycache__" and entry.is_dir())
            ]
    except OSError:
        return ""
    return hashlib.sha256("\n".join(sorted(found)).encode("utf-8", "surrogatepass")).hexdigest()[:16]
