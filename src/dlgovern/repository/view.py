"""A repository as detectors of shape `repository` see it: documents, names and windows, each read on the first question."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

from dlgovern.evidence import registry
from dlgovern.evidence.python import Imports
from dlgovern.evidence.registry import kind_of
from dlgovern.repository.documents import Documents
from dlgovern.repository.modules import Modules
from dlgovern.repository.window import Windows
from dlgovern.source.discover import discover
from dlgovern.store import Store, key


class View:
    """One repository. ``paths`` are the files under judgement, POSIX, relative to ``root``, sorted.

    ``asked`` remembers the questions whose answers do not come from these files: name -> digest of the answer.
    """

    def __init__(
        self,
        root: str,
        paths: Iterable[str],
        windows: Windows,
        tables: dict[str, Any] | None = None,
        documents: Documents | None = None,
    ) -> None:
        self.root = root
        self.paths = tuple(sorted(set(paths)))
        self.windows = windows
        self.tables = tables or {}
        self.documents = documents or Documents(root, Store(""))
        self.modules = Modules(root)
        self.asked: dict[str, str] = {}
        self._made: dict[str, Any] = {}

    @cached_property
    def kinds(self) -> dict[str, list[str]]:
        """The files under judgement by kind; those that no reader knows are left out."""
        found: dict[str, list[str]] = {}
        for path in self.paths:
            kind = kind_of(path, self.root)
            if kind in registry.READERS:
                found.setdefault(kind, []).append(path)
                if kind == "setup-py":
                    found.setdefault("python", []).append(path)
        return found

    def of(self, *kinds: str) -> list[Any]:
        """The documents of these kinds, sorted by path; what cannot be read is said elsewhere."""
        found = []
        for kind in kinds:
            for path in self.kinds.get(kind, ()):
                # a setup.py is read twice, as a manifest and as Python
                document = self.imports(path) if kind == "python" else self.documents.get(path, kind)
                if document is not None:
                    found.append((path, document))
        return [document for _, document in sorted(found, key=lambda pair: pair[0])]

    def document(self, path: str) -> Any:
        """The document of one file under judgement; None where there is none."""
        kind = kind_of(path, self.root)
        return self.documents.get(path, kind) if kind in registry.READERS and path in self.paths else None

    def imports(self, path: str) -> Imports | None:
        """What a Python file imports, by its bytes."""
        if path.rpartition("/")[2] != "setup.py":
            found: Imports | None = self.documents.get(path, "python")
            return found
        reading = registry.read_file(self.root, path, "python")
        return None if reading.kind else reading.document

    @cached_property
    def own_names(self) -> frozenset[str]:
        """The first parts of dotted names that modules and packages of this repository may have, wherever they lie."""
        found = set()
        for path in self.kinds.get("python", ()):
            *folders, name = path.split("/")
            found.add(name.rpartition(".")[0])
            found.update(folders)
        return frozenset(found)

    @cached_property
    def own_roots(self) -> frozenset[str]:
        """The names by which a search path could find something of this repository: what does not lie in a package."""
        paths = self.kinds.get("python", ())
        packages = {path.rpartition("/")[0] for path in paths if path.endswith("/__init__.py")}
        found: set[str] = set()
        for path in paths:
            *folders, name = path.split("/")
            around = ["/".join(folders[:depth]) for depth in range(len(folders) + 1)]
            names = [*folders, name.rpartition(".")[0]]
            found.update(own for own, folder in zip(names, around, strict=True) if folder not in packages)
        return frozenset(found)

    def names(self, folder: str) -> tuple[str, ...]:
        """The names in a folder, sorted; none where there is no such folder."""
        try:
            found = tuple(sorted(os.listdir(os.path.join(self.root, folder))))
        except OSError:
            found = ()
        self.asked[f"names:{folder}"] = key(found)
        return found

    def text(self, path: str, limit: int = 1_000_000) -> str | None:
        """The text of any file of the repository, None where it cannot be had: for what no reader knows."""
        from dlgovern.source.read import Unreadable, read

        try:
            found: str | None = read(os.path.join(self.root, path), limit).decode("utf-8", "replace")
        except Unreadable:
            found = None
        self.asked[f"text:{path}"] = key(found)
        return found

    def status(self, path: str) -> tuple[int, ...]:
        """Size, time of change and number of any file of the repository: a detector asks before it reads one by itself."""
        try:
            now = os.lstat(os.path.join(self.root, path))
            found: tuple[int, ...] = (now.st_size, now.st_mtime_ns, now.st_ino)
        except (OSError, ValueError):
            found = ()
        self.asked[f"status:{path}"] = key(found)
        return found

    def everything(self) -> tuple[str, ...]:
        """Every file of the repository that is not excluded or ignored, whatever it is."""
        if "everything" not in self._made:
            self._made["everything"] = discover(self.root, [self.root], wanted=lambda _path: True).files
            self.asked["everything:"] = key(self._made["everything"])
        found: tuple[str, ...] = self._made["everything"]
        return found

    def answers_as(self, asked: dict[str, str]) -> bool:
        """Whether the same questions get the same answers today."""
        ask: dict[str, Callable[[str], object]] = {
            "names": self.names, "text": self.text, "status": self.status, "everything": lambda _: self.everything(),
        }
        for question in asked:
            word, _, about = question.partition(":")
            if word not in ask:
                return False
            ask[word](about)
        return all(self.asked[question] == answer for question, answer in asked.items())

    def once(self, name: str, make: Callable[[View], Any]) -> Any:
        """What ``make`` makes of this view, made once: the launch graph, the versions of all distributions."""
        if name not in self._made:
            self._made[name] = make(self)
        return self._made[name]
