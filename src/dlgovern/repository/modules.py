"""Find the file of the repository that an import means, without importing anything."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable

Folder = tuple[str, tuple[str, ...]]
"""A folder that was looked into, and the names in it that an import could mean: modules with their suffix, folders."""


_LIBRARIES = frozenset("accelerate apex datasets deepspeed evaluate ignite lightning peft tensorboard timm tokenizers torch torchvision transformers wandb".split())
"""What folders are called as well: inside of a package the library is meant."""


class Modules:
    """The importable files below one root, looked up on demand and remembered.

    An absolute import is searched as Python would with the repository's folders on the path: from the folder
    above the importer's outermost package, then upwards to the root, and in ``src`` beside each of them. What is
    in none of them is searched in the package's own folders: a script there has its folder on the path.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self._folders: dict[str, dict[str, os.DirEntry[str]]] = {}
        self._paths: dict[str, list[str]] = {}
        self._roots: dict[tuple[str, str], bool] = {}
        self._found: dict[tuple[str, int, str], str | None] = {}
        self._looked: list[str] = []  # into these folders, which exist, since `looked` was last asked

    def find(self, importer: str, level: int, dotted: str) -> str | None:
        """The POSIX path, relative to the root, of the module ``dotted`` as ``importer`` sees it.

        ``level`` counts the leading dots of a relative import. A folder without ``__init__.py`` has no file,
        so it gives None; ask `owns` whether the name belongs to the repository.
        """
        key = (importer.rpartition("/")[0], level, dotted)
        if key not in self._found:
            self._found[key] = self._find(*key)
        return self._found[key]

    def _find(self, folder: str, level: int, dotted: str) -> str | None:
        inner = dotted.replace(".", "/")
        for base in self._bases(folder, level) if level else self._all_bases(folder, dotted) if self._has_root(folder, dotted) else ():
            found = self._module(f"{base}/{inner}" if base and inner else base or inner)
            if found is not None:
                return found
        return None

    def _module(self, path: str) -> str | None:
        for candidate in (f"{path}.py", f"{path}/__init__.py" if path else "__init__.py"):
            if self._is_file(candidate):
                return candidate
        return None

    def _has_root(self, folder: str, dotted: str) -> bool:
        """Whether anything around the importer has the name of the first part: most imports are from outside."""
        key = (folder, dotted.partition(".")[0])
        known = self._roots.get(key)
        if known is None:
            known = self._roots[key] = any(
                not self._entries(base).keys().isdisjoint((key[1], f"{key[1]}.py")) for base in self._all_bases(folder, dotted)
            )
        return known

    def owns(self, importer: str, dotted: str) -> bool:
        """Whether the first part of an absolute import is a module or a folder of the repository."""
        first = dotted.partition(".")[0]
        for base in self._bases(importer.rpartition("/")[0], 0):
            path = f"{base}/{first}" if base else first
            if self._is_file(f"{path}.py") or self._is_package(path):
                return True
        return False

    def looked(self) -> tuple[Folder, ...]:
        """The folders that were looked into since the last time."""
        found = tuple((folder, modules_in(self._folders[folder].values())) for folder in self._looked)
        self._looked.clear()
        return found

    def _bases(self, folder: str, level: int) -> list[str]:
        if level:
            for _ in range(level - 1):
                folder = folder.rpartition("/")[0]
            return [folder]
        found = self._paths.get(folder)
        if found is None:
            found = self._paths[folder] = self._search(folder)
        return found

    def _all_bases(self, folder: str, dotted: str) -> list[str]:
        """Where an absolute import is searched: of a name that no library has, in the folders of the package too."""
        bases = self._bases(folder, 0)
        first = dotted.partition(".")[0]
        if first in _LIBRARIES or first in sys.stdlib_module_names or folder == bases[0]:
            return bases
        inner = [folder]
        while inner[-1] and (outer := inner[-1].rpartition("/")[0]) != bases[0]:
            inner.append(outer)
        return bases + inner

    def _search(self, folder: str) -> list[str]:
        while folder and self._is_file(f"{folder}/__init__.py"):
            folder = folder.rpartition("/")[0]
        bases = []
        while True:
            bases.append(folder)
            source = f"{folder}/src" if folder else "src"
            if self._is_folder(source):
                bases.append(source)
            if not folder:
                return bases
            folder = folder.rpartition("/")[0]

    def _is_file(self, path: str) -> bool:
        folder, _, name = path.rpartition("/")
        entry = self._entries(folder).get(name)
        return entry is not None and _is(entry.is_file)

    def _is_folder(self, path: str) -> bool:
        folder, _, name = path.rpartition("/")
        entry = self._entries(folder).get(name)
        return entry is not None and _is(entry.is_dir)

    def _is_package(self, path: str) -> bool:
        """A folder that holds Python files, directly or one level down: data folders are no packages."""
        if not self._is_folder(path):
            return False
        return self._is_file(f"{path}/__init__.py") or any(name.endswith(".py") for name in self._entries(path))

    def _entries(self, folder: str) -> dict[str, os.DirEntry[str]]:
        known = self._folders.get(folder)
        if known is None:
            try:
                with os.scandir(os.path.join(self.root, folder)) as entries:
                    known = {entry.name: entry for entry in entries}
                self._looked.append(folder)
            except OSError:
                known = {}
                if folder:  # the first folder above that is there will show it when it comes
                    self._entries(folder.rpartition("/")[0])
            self._folders[folder] = known
        return known


def _is(question: Callable[[], bool]) -> bool:
    try:
        return question()
    except OSError:
        return False


def modules_in(entries: Iterable[os.DirEntry[str]]) -> tuple[str, ...]:
    """The names of the modules among the entries of a folder, and of the folders that an import could name; sorted."""
    return tuple(sorted(e.name for e in entries if e.name.endswith(".py") or (_may_be_package(e.name) and _is(e.is_dir))))


def _may_be_package(name: str) -> bool:
    return name.isidentifier() and name != "__pycache__"
