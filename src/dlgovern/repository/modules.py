"""Find the file of the repository that an import means, without importing anything."""

from __future__ import annotations

import os


class Modules:
    """The importable files below one root, looked up on demand and remembered.

    An absolute import is searched as Python would with the repository's folders on the path: from the folder
    above the importer's outermost package, then upwards to the root, and in ``src`` beside each of them.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self._files: dict[str, bool] = {}
        self._folders: dict[str, bool] = {}
        self._paths: dict[str, list[str]] = {}

    def find(self, importer: str, level: int, dotted: str) -> str | None:
        """The POSIX path, relative to the root, of the module ``dotted`` as ``importer`` sees it.

        ``level`` counts the leading dots of a relative import. A folder without ``__init__.py`` has no file,
        so it gives None; ask `owns` whether the name belongs to the repository.
        """
        inner = dotted.replace(".", "/")
        for base in self._bases(importer, level):
            path = f"{base}/{inner}" if base and inner else base or inner
            for candidate in (f"{path}.py", f"{path}/__init__.py" if path else "__init__.py"):
                if self._is_file(candidate):
                    return candidate
        return None

    def owns(self, importer: str, dotted: str) -> bool:
        """Whether the first part of an absolute import is a module or a folder of the repository."""
        first = dotted.partition(".")[0]
        for base in self._bases(importer, 0):
            path = f"{base}/{first}" if base else first
            if self._is_file(f"{path}.py") or self._is_package(path):
                return True
        return False

    def _bases(self, importer: str, level: int) -> list[str]:
        folder = os.path.dirname(importer)
        if level:
            for _ in range(level - 1):
                folder = os.path.dirname(folder)
            return [folder]
        found = self._paths.get(folder)
        if found is None:
            found = self._paths[folder] = self._search(folder)
        return found

    def _search(self, folder: str) -> list[str]:
        while folder and self._is_file(f"{folder}/__init__.py"):
            folder = os.path.dirname(folder)
        bases = []
        while True:
            bases.append(folder)
            source = f"{folder}/src" if folder else "src"
            if self._is_folder(source):
                bases.append(source)
            if not folder:
                return bases
            folder = os.path.dirname(folder)

    def _is_file(self, path: str) -> bool:
        known = self._files.get(path)
        if known is None:
            known = self._files[path] = os.path.isfile(os.path.join(self.root, path))
        return known

    def _is_folder(self, path: str) -> bool:
        known = self._folders.get(path)
        if known is None:
            known = self._folders[path] = os.path.isdir(os.path.join(self.root, path))
        return known

    def _is_package(self, path: str) -> bool:
        """A folder that holds Python files, directly or one level down: data folders are no packages."""
        if not self._is_folder(path):
            return False
        if self._is_file(f"{path}/__init__.py"):
            return True
        try:
            with os.scandir(os.path.join(self.root, path)) as entries:
                return any(entry.name.endswith(".py") for entry in entries)
        except OSError:
            return False
