"""Which files of a repository run together, and which of them say certain words; kept while the files stay as they are."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from dlgovern import bundled
from dlgovern.digest import sha256
from dlgovern.engine.stamps import Stamps
from dlgovern.repository.exports import Repository
from dlgovern.store import Store, key

_MOST = 20_000  # files; in a larger repository nothing is claimed to be nowhere
_SKIPPED = frozenset({"node_modules", "site-packages", "__pycache__"})
_SKIPPED_AT_ROOT = frozenset({"build", "dist"})

_MAIN = ("__main__",)
"""What a file says that is a program of its own."""

_Row = list[Any]
"""Of one file: its digest, which of the words it has, the numbers of the files that it imports, and its status."""


class Programs:
    """The Python files of a repository. A program: the files that a file imports, that import it, and what these import."""

    def __init__(self, root: str, words: Sequence[tuple[str, ...]], store: Store, stamps: Stamps | None = None) -> None:
        """``words``: what may be asked of `holding`."""
        self._words = [*words, _MAIN]
        self._store = store
        self._name = f"programs-{key(root, bundled.version(), self._words)}.json"
        self._stamps = stamps or Stamps(root)
        self._repository = Repository(root)
        self.files = list(_python_files(root))
        self.too_many = len(self.files) >= _MOST
        self._numbers = {path: number for number, path in enumerate(self.files)}
        self._changed = False
        self._rows = [] if self.too_many else self._read()
        self._importers: dict[int, set[int]] = {}
        self._around: dict[str, frozenset[int]] = {}
        self._holders: dict[tuple[str, ...], frozenset[int]] = {}

    def holding(self, path: str, words: tuple[str, ...], *, beside: bool) -> list[str]:
        """The files of the program around a file that have one of the words; ``beside`` adds those of its folder that are no programs."""
        holders, here = self._holding(words), self._numbers.get(path)
        if not holders or holders == {here}:
            return [path] if holders else []
        if beside:
            folder = posixpath.dirname(path)
            others = holders - self._holding(_MAIN)
            found = [self.files[n] for n in others if posixpath.dirname(self.files[n]) == folder]
            if any(other != path for other in found):
                return sorted(found)
        return sorted(self.files[number] for number in holders & self._program(path))

    def around(self, path: str) -> list[str]:
        """The other files of the program around a file."""
        return sorted(self.files[number] for number in self._program(path) if self.files[number] != path)

    def data(self, path: str) -> bytes:
        """The bytes of a file of the repository."""
        data: bytes = self._repository.data(path)
        self._repository.forget(path)
        return data

    def _holding(self, words: tuple[str, ...]) -> frozenset[int]:
        if words not in self._holders:
            bit = 1 << self._words.index(words)
            self._holders[words] = frozenset(number for number, row in enumerate(self._rows) if row[1] & bit)
        return self._holders[words]

    def save(self) -> None:
        """Keep what was read of files that are new."""
        if self._changed:
            self._store.put(self._name, {"layout": self._layout(), "rows": self._rows})

    def _read(self) -> list[_Row]:
        kept = self._store.get(self._name)
        try:
            known = kept["rows"] if kept["layout"] == self._layout() else []
            rows = [self._row(number, path, known[number] if known else None) for number, path in enumerate(self.files)]
        except (TypeError, ValueError, LookupError):
            rows = [self._row(number, path, None) for number, path in enumerate(self.files)]
        return rows

    def _row(self, number: int, path: str, kept: _Row | None) -> _Row:
        if kept is not None:
            digest, words, imports, stamp = kept
            sane = isinstance(words, int) and (not imports or 0 <= imports[0] <= imports[-1] < len(self.files))
            if sane and self._stamps.same(path, tuple(stamp), digest):
                if now := self._stamps.renewed(path, tuple(stamp)):
                    kept[3], self._changed = now, True
                return kept
        self._changed = True
        self._stamps.of(path)  # before it is read
        data = self._repository.data(path)
        words = sum(1 << bit for bit, group in enumerate(self._words) if any(word.encode() in data for word in group))
        imports = sorted({self._numbers[inner] for inner in self._repository.imported(path) if inner in self._numbers} - {number})
        digest = sha256(data) if data else ""
        self._repository.forget(path)
        return [digest, words, imports, self._stamps.kept(path)]

    def _layout(self) -> str:
        """Where an import leads depends on nothing but which files there are."""
        return sha256("\n".join(self.files).encode("utf-8", "surrogatepass"))

    def _program(self, path: str) -> frozenset[int]:
        if path not in self._around:
            if not self._importers:
                for importer, row in enumerate(self._rows):
                    if not _is_test(self.files[importer]):
                        for inner in row[2]:
                            self._importers.setdefault(inner, set()).add(importer)
            if path in self._numbers:
                start = _reach({self._numbers[path]}, lambda file: self._importers.get(file, ()))
            else:  # a notebook, or a file in a folder of copies
                start = {self._numbers[inner] for inner in self._repository.imported(path) if inner in self._numbers}
            self._around[path] = frozenset(_reach(start, lambda file: self._rows[file][2]))
        return self._around[path]


def _reach(start: set[int], step: Callable[[int], Iterable[int]]) -> set[int]:
    found = set(start)
    todo = list(start)
    while todo:
        for inner in step(todo.pop()):
            if inner not in found:
                found.add(inner)
                todo.append(inner)
    return found


def _is_test(path: str) -> bool:
    """A test imports what no program runs together."""
    *folders, name = path.split("/")
    return name.startswith("test_") or name == "conftest.py" or bool({"test", "tests"} & set(folders))


def _python_files(root: str) -> Iterator[str]:
    count = 0
    todo = [""]
    while todo:
        start = todo.pop()
        skipped = _SKIPPED if start else _SKIPPED | _SKIPPED_AT_ROOT
        folders, names = _inside(os.path.join(root, start))
        todo += [f"{start}{name}/" for name in sorted(folders, reverse=True) if not name.startswith(".") and name not in skipped]
        for name in sorted(names):
            count += 1
            if count > _MOST:
                return
            yield start + name


def _inside(folder: str) -> tuple[list[str], list[str]]:
    """The folders in a folder, no links among them, and its Python files."""
    folders: list[str] = []
    names: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.endswith(".py") and not entry.is_dir():
                    names.append(entry.name)
                elif entry.is_dir(follow_symlinks=False):
                    folders.append(entry.name)
    except OSError:
        pass  # whatever may not be read is not judged either, which discovery says
    return folders, names
