"""The user's cache folder: JSON files written by replace. Whatever goes wrong is a miss."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import tempfile
from typing import Any

_LARGEST = 64 * 1024 * 1024
_TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# This folder is a cache of dlgovern and may be deleted.\n"


class Store:
    """JSON values by name. An empty folder name means no cache: every look-up misses, nothing is written."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def get(self, name: str) -> Any:
        """The value kept under a name, or None."""
        if not self.folder:
            return None
        try:
            path = os.path.join(self.folder, name)
            if os.path.getsize(path) > _LARGEST:
                return None
            with open(path, "rb") as file:
                return json.loads(file.read())
        except (OSError, ValueError, RecursionError):
            return None

    def put(self, name: str, value: Any) -> None:
        """Keep a value. Fails silently: a cache that cannot be written is no reason to stop."""
        if not self.folder:
            return
        temporary = ""
        try:
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self.folder, prefix=".new-")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(json.dumps(value, separators=(",", ":")))  # dump would write it piece by piece, in Python
            os.replace(temporary, os.path.join(self.folder, name))
        except (OSError, ValueError, RecursionError):
            with contextlib.suppress(OSError):
                os.unlink(temporary)


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
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:32]
