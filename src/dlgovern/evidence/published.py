"""Which lists of requirements a published project hands on to those who install it."""

from __future__ import annotations

import posixpath
import re

from dlgovern.evidence.manifests import read
from dlgovern.evidence.text import CONFIG_LIMIT, Unreadable, read_text

_BUILD_FILES = ("pyproject.toml", "setup.cfg", "setup.py")


class Published:
    """The published projects of a repository, each of its build files read once."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._texts: dict[str, str] = {}

    def hands_on(self, path: str) -> bool:
        """Whether a build file of a published project, beside ``path`` or above, names this list."""
        parts = path.split("/")
        for depth in range(len(parts)):
            named = "/".join(parts[depth:])
            if re.search(rf"(?<![\w./-]){re.escape(named)}(?![\w.-])", self._text("/".join(parts[:depth]))):
                return True
        return False

    def _text(self, folder: str) -> str:
        """What the build files of a published project in ``folder`` say, "" where there is none."""
        if folder not in self._texts:
            files = [posixpath.join(folder, name) for name in _BUILD_FILES]
            published = any(read(self._root, path).published for path in files)
            self._texts[folder] = "\n".join(map(self._read, files)) if published else ""
        return self._texts[folder]

    def _read(self, path: str) -> str:
        try:
            return read_text(self._root, path, CONFIG_LIMIT)
        except Unreadable:
            return ""
