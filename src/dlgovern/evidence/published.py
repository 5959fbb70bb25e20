"""Which lists of requirements a published project hands on to those who install it."""

from __future__ import annotations

import hashlib
import os
import posixpath
import re

from dlgovern.evidence.manifests import read_at
from dlgovern.evidence.text import CONFIG_LIMIT, Unreadable, read_text
from dlgovern.source import read as source

_BUILD_FILES = ("pyproject.toml", "setup.cfg", "setup.py")


class Published:
    """The published projects of a repository, each of its build files read once."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._texts: dict[str, str] = {}
        self._digests: dict[str, str] = {}

    def hands_on(self, path: str) -> bool:
        """Whether a build file of a published project, beside ``path`` or above, names this list."""
        parts = path.split("/")
        for depth in range(len(parts)):
            named = "/".join(parts[depth:])
            if re.search(rf"(?<![\w./-]){re.escape(named)}(?![\w.-])", self._text("/".join(parts[:depth]))):
                return True
        return False

    def asked(self, path: str) -> tuple[tuple[str, str], ...]:
        """The build files that `hands_on` reads for this path, with their digests: "" for one that is not there."""
        folders = path.split("/")[:-1]
        files = [
            posixpath.join("/".join(folders[:depth]), name) for depth in range(len(folders) + 1) for name in _BUILD_FILES
        ]
        return tuple((file, self._digest(file)) for file in sorted(files))

    def _digest(self, path: str) -> str:
        if path not in self._digests:
            try:
                self._digests[path] = hashlib.sha256(source.read(os.path.join(self._root, path))).hexdigest()
            except source.Unreadable:
                self._digests[path] = ""
        return self._digests[path]

    def _text(self, folder: str) -> str:
        """What the build files of a published project in ``folder`` say, "" where there is none."""
        if folder not in self._texts:
            files = [posixpath.join(folder, name) for name in _BUILD_FILES]
            published = any(read_at(self._root, path).published for path in files)
            self._texts[folder] = "\n".join(map(self._read, files)) if published else ""
        return self._texts[folder]

    def _read(self, path: str) -> str:
        try:
            return read_text(self._root, path, CONFIG_LIMIT)
        except Unreadable:
            return ""
