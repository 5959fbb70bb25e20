"""Which modules lie in which folder: an import that found nothing, or one file, may find another tomorrow."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Any

from dlgovern.digest import sha256
from dlgovern.engine.stamps import UNKNOWN, Stamps
from dlgovern.repository.modules import Folder, modules_in
from dlgovern.source.imports import normal
from dlgovern.store import Store

_LONGEST = 64  # steps of the history that are kept


class Layout:
    """The folders that imports were looked up in with the names in them, and what has come and gone in these.

    Each state has a digest. Where an import leads can change only for a file that writes a name which came or went, so
    the answers that hold for an earlier state hold for this one too, but for such files.
    """

    def __init__(self, store: Store, name: str, root: str, stamps: Stamps) -> None:
        self._store = store
        self._name = name
        self._root = root
        self._stamps = stamps
        self._folders: dict[str, list[Any]] = {}  # folder -> names, status
        self._history: list[list[Any]] = []  # digest, and the names that came or went on the way to it
        self._concerned: dict[tuple[str, frozenset[str]], bool] = {}
        self.changed = False
        self._torn = False
        kept = store.get(name)
        try:
            folders = {folder: [list(names), tuple(stamp)] for folder, (names, stamp) in kept["folders"].items()}
            self._history = [[str(digest), [str(name) for name in names]] for digest, names in kept["history"]]
            self._folders = folders
            self._catch_up()
        except (TypeError, ValueError, KeyError, AttributeError):
            self._folders, self._history = {}, []

    def moved_since(self, digest: str) -> frozenset[str] | None:
        """The names that came or went since the state with this digest; None where that is not known."""
        for index in range(len(self._history) - 1, -1, -1):
            if self._history[index][0] == digest:
                return frozenset(name for step in self._history[index + 1 :] for name in step[1])
        return None

    def concerns(self, path: str, names: frozenset[str]) -> bool:
        """Whether a file may mean one of these names by an import."""
        key = (path, names)
        if key not in self._concerned:
            self._concerned[key] = _writes(os.path.join(self._root, path), names)
        return self._concerned[key]

    def add(self, looked: Iterable[Folder]) -> None:
        """Note that imports were looked up in these folders too, and what was seen there."""
        for folder, names in looked:
            known = self._folders.get(folder)
            if known is None:
                self._folders[folder] = [list(names), UNKNOWN]
                self.changed = True
            elif known[0] != list(names):
                self._torn = True  # it changed during the run

    def after(self) -> str:
        """The digest of what the run has seen; "" where a folder changed meanwhile."""
        for folder, row in self._folders.items():
            stamp = self._stamps.kept(folder)
            if stamp == UNKNOWN and self._list(folder) != row[0]:
                self._torn = True
            row[1] = stamp
        if self._torn:
            return ""
        digest = self._digest()
        if not self._history or self._history[-1][0] != digest:
            self._history.append([digest, []])  # more folders, but nothing came or went in them
            self.changed = True
        return digest

    def save(self) -> None:
        """Keep what was seen."""
        if self.changed and not self._torn:
            self._store.put(self._name, {"folders": self._folders, "history": self._history[-_LONGEST:]})

    def _catch_up(self) -> None:
        """See what has come and gone since the last run."""
        moved: set[str] = set()
        for folder, row in self._folders.items():
            if self._stamps.trusts and row[1] == self._stamps.of(folder):
                continue
            now = self._list(folder)
            if now != row[0]:
                moved |= {name.removesuffix(".py") for name in {*now} ^ {*row[0]}}
            row[:] = [now, self._stamps.kept(folder)]
            self.changed = True
        if moved:
            self._history.append([self._digest(), sorted(moved)])

    def _list(self, folder: str) -> list[str]:
        try:
            with os.scandir(os.path.join(self._root, folder)) as entries:
                return list(modules_in(entries))
        except OSError:
            return []

    def _digest(self) -> str:
        text = "\n".join(f"{folder}\0{chr(0).join(row[0])}" for folder, row in sorted(self._folders.items()))
        return sha256(text.encode("utf-8", "surrogatepass"))


def _writes(path: str, names: frozenset[str]) -> bool:
    """Whether a file has one of the words; a package that begins or ends, and ``src``, concern every file."""
    if names & {"__init__", "src"}:
        return True
    try:
        with open(path, "rb") as file:
            data = normal(file.read())
    except OSError:
        return True
    words = b"|".join(re.escape(name.encode("utf-8", "surrogatepass")) for name in sorted(names))
    return re.search(rb"(?<![\w\x80-\xff])(?:%b)(?![\w\x80-\xff])" % words, data) is not None
