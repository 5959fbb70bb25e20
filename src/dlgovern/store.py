"""The user's cache folder: JSON files written by replace. Whatever goes wrong is a miss."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from typing import Any

from dlgovern.digest import sha256

_LARGEST = 64 * 1024 * 1024
_BINARY = getattr(os, "O_BINARY", 0)  # Windows would translate line ends
_TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# This folder is a cache of dlgovern and may be deleted.\n"


class Store:
    """JSON values by name. An empty folder name means no cache: every look-up misses, nothing is written."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def get(self, name: str) -> Any:
        """The value kept under a name, or None."""
        try:
            data = self.read(name)
            return json.loads(data) if data else None
        except (ValueError, RecursionError):
            return None

    def put(self, name: str, value: Any) -> None:
        """Keep a value. Fails silently: a cache that cannot be written is no reason to stop."""
        if not self.folder:
            return
        with contextlib.suppress(ValueError, RecursionError):
            self.write(name, json.dumps(value, separators=(",", ":")).encode())  # dump would go piece by piece, in Python

    def read(self, name: str) -> bytes:
        """The bytes kept under a name, empty where there are none."""
        if not self.folder:
            return b""
        try:
            with open(os.path.join(self.folder, name), "rb", buffering=0) as file:
                return file.read() if os.fstat(file.fileno()).st_size <= _LARGEST else b""
        except OSError:
            return b""

    def write(self, name: str, data: bytes) -> None:
        """Keep bytes, whole or not at all, whoever else writes or dies at this moment."""
        if not self.folder:
            return
        temporary = os.path.join(self.folder, f".new-{os.getpid()}-{time.time_ns()}")
        try:
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
            with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o600), "wb") as file:
                file.write(data)
            os.replace(temporary, os.path.join(self.folder, name))
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(temporary)

    def prune(self, days: int = 90) -> None:
        """Delete what nobody has written for so long: entries of other versions, of repositories that are gone."""
        oldest = time.time() - days * 86400
        try:
            with os.scandir(self.folder) as entries:
                for entry in entries:
                    ours = entry.name.endswith(".json") or entry.name.startswith(".new-")
                    if ours and entry.stat(follow_symlinks=False).st_mtime < oldest:
                        os.unlink(entry.path)
        except OSError:
            return


def default_folder() -> str:
    """``$XDG_CACHE_HOME/dlgovern``, or the platform's habit; "" when there is no home."""
    if base := os.environ.get("XDG_CACHE_HOME"):
        return os.path.join(base, "dlgovern") if os.path.isabs(base) else ""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA", "")
        return os.path.join(base, "dlgovern", "cache") if base else ""
    home = os.path.expanduser("~")
    if not os.path.isabs(home):
        return ""
    inner = ("Library", "Caches") if sys.platform == "darwin" else (".cache",)
    return os.path.join(home, *inner, "dlgovern")


def in_tree(folder: str) -> Store:
    """A store inside a project, marked so that backups and git leave it alone."""
    with contextlib.suppress(OSError):
        os.makedirs(folder, mode=0o700, exist_ok=True)
        for name, text in (("CACHEDIR.TAG", _TAG), (".gitignore", "*\n")):
            with open(os.path.join(folder, name), "x", encoding="utf-8") as file:
                file.write(text)
    return Store(folder)


def key(*parts: object) -> str:
    """A file name for what depends on ``parts``."""
    return sha256(json.dumps(parts, sort_keys=True, default=str).encode())[:32]
