"""Find the files that the arguments name: sorted, each once, none outside the root."""


import os
import stat
from collections.abc import Callable, Iterable
from typing import NamedTuple

from dlgovern.errors import UsageError
from dlgovern.source import git
from dlgovern.source.classify import classify, possible
from dlgovern.source.globs import matcher
from dlgovern.source.models import file_may_be_model
from dlgovern.source.read import Unreadable, demand_regular, reason

EXCLUDE = (
    *(".bzr", ".direnv", ".eggs", ".git", ".hg", ".ipynb_checkpoints", ".mypy_cache", ".nox", ".pants.d", ".pyenv"),
    *(".pytest_cache", ".pytype", ".ruff_cache", ".svn", ".tox", ".venv", "__pycache__", "__pypackages__"),
    *("_build", "/build", "/dist", "node_modules", "site-packages", "venv"),
)
"""What is left out unless a project says otherwise. Further down `dist` is more often about distributed training."""

_NEVER = frozenset((".git", ".hg", ".svn"))  # left out whatever a project says: not the project's files


class Discovery(NamedTuple):
    """What there is to judge. Paths are POSIX and relative to the root, odd bytes in them surrogate-escaped."""

    files: tuple[str, ...]
    problems: tuple[tuple[str, str], ...]  # (path, why) of what is in scope and cannot be judged
    notes: tuple[str, ...] = ()  # why .gitignore was not respected, where it should have been


def discover(
    root: str,
    arguments: Iterable[str] = (".",),
    *,
    exclude: Iterable[str] = EXCLUDE,
    extend_exclude: Iterable[str] = (),
    respect_gitignore: bool = True,
    force_exclude: bool = False,
    wanted: Callable[[str], bool] = possible,
    models: bool = False,
) -> Discovery:
    """The files below ``root`` that ``arguments`` (files and folders, relative to the working folder) name.

    Below a folder, files that are excluded, ignored by git or not ``wanted`` are left out; links to folders are not
    followed. What is named itself is taken whatever excludes say, unless ``force_exclude``. ``models``: files that are
    not wanted by their name are taken where their first bytes are those of a model.
    Raises UsageError for an argument that does not exist or lies outside the root.
    """
    root, exclude = os.path.realpath(root), tuple(exclude)
    if exclude == EXCLUDE:
        exclude = tuple(pattern for pattern in exclude if not _is_package(root, pattern))
    search = _Search(root, [*exclude, *extend_exclude], wanted, models)
    folders = []
    for argument in arguments:
        name, status = search.locate(argument)
        if status is None or (force_exclude and name and search.excluded(name)):
            continue
        if stat.S_ISDIR(status.st_mode):
            folders.append(name)
        else:
            search.take(name, status, named=True)
    search.demand_all_found()
    if folders:
        search.take_folders(folders, respect_gitignore)
    return Discovery(tuple(sorted(search.files)), tuple(sorted(search.problems.items())), tuple(search.notes))


def _is_package(root: str, pattern: str) -> bool:
    """Whether a pattern for what tools build at the root means a package of that name."""
    return pattern[:1] == "/" and os.path.isfile(os.path.join(root, pattern[1:], "__init__.py"))


class _Search:
    """What has been found so far below one root."""

    def __init__(self, root: str, exclude: list[str], wanted: Callable[[str], bool], models: bool) -> None:
        self.root = root
        self.inside = os.path.join(root, "")
        self.by_name = wanted
        self.models = models
        self.files: set[str] = set()
        self.problems: dict[str, str] = {}
        self.notes: list[str] = []
        self.missing: list[str] = []
        plain = {pattern for pattern in exclude if not any(char in pattern for char in "/*?[\\!")}
        self._names = plain | _NEVER
        rooted = {pattern for pattern in exclude if pattern[:1] == "/" and not any(char in pattern[1:] for char in "/*?[\\!")}
        self._at_root = {pattern[1:] for pattern in rooted}
        self._globs = matcher(pattern for pattern in exclude if pattern not in plain | rooted)

    def wanted(self, path: str) -> bool:
        """Whether a file is taken, by its name or by its first bytes."""
        return self.by_name(path) or (self.models and file_may_be_model(os.path.join(self.root, path)))

    def locate(self, argument: str) -> tuple[str, os.stat_result | None]:
        """The path relative to the root, and the status; None where nothing is left to do for this argument."""
        try:
            parent, last = os.path.split(os.path.abspath(argument))
            real = os.path.join(os.path.realpath(parent), last) if last else parent
            if not self._is_inside(real) and os.path.isdir(real) and self._is_inside(target := os.path.realpath(real)):
                return _posix(target[len(self.inside) :]), os.lstat(target)  # a link from outside to the project, or into it
            if not self._is_inside(real):
                raise UsageError("lies outside the project's root", argument, f"name something below {self.root}")
            name = _posix(real[len(self.inside) :])
            status = os.lstat(real)
            if stat.S_ISLNK(status.st_mode) and os.path.isdir(real):
                return self._linked_folder(name, real)
        except (FileNotFoundError, NotADirectoryError):
            self.missing.append(argument)
            return "", None
        except (OSError, ValueError) as error:
            raise UsageError(reason(error), argument, "name a file or folder that can be read") from None
        return name, status

    def _is_inside(self, path: str) -> bool:
        return path == self.root or path.startswith(self.inside)

    def _linked_folder(self, name: str, real: str) -> tuple[str, os.stat_result | None]:
        target = os.path.realpath(real)
        if not self._is_inside(target):
            self.problems[name] = "is a symbolic link to a folder outside the project"
            return name, None
        return _posix(target[len(self.inside) :]), os.lstat(target)

    def demand_all_found(self) -> None:
        """Raise UsageError that lists every argument that does not exist."""
        if self.missing:
            names = ", ".join(sorted(self.missing))
            raise UsageError(f"no such file or folder: {names}", do="check the spelling; paths count from here")

    def excluded(self, path: str, below: str = "") -> bool:
        """Whether a pattern names this path or a folder that holds it; folders down to ``below`` do not count."""
        if not below:
            parts = path.split("/")
            if parts[0] in self._at_root or not self._names.isdisjoint(parts):
                return True
            return self._globs is not None and self._globs.match(path) is not None
        if not self._names.isdisjoint(path[len(below) :].split("/")):
            return True
        if self._globs is None:
            return False
        # A pattern that names the folder itself does not count, one that reaches further does.
        found = self._globs.match(path)
        return found is not None and self._globs.match(below) is None

    def take_folders(self, folders: list[str], respect_gitignore: bool) -> None:
        """Add what lies below these folders."""
        folders = sorted(set(folders))
        listed = git.listed(self.root, folders) if respect_gitignore else ""
        if isinstance(listed, str):
            if listed:
                self.notes.append(f"{listed}; .gitignore is not respected")
            for folder in folders:
                self._walk(folder, folder)
            return
        for folder in folders:
            start = f"{folder}/" if folder else ""
            below = [path for path in listed if path.startswith(start)] if len(folders) > 1 else listed
            if below:
                self._take_listed(below, folder)
            else:  # a folder that git ignores as a whole was named on purpose
                self._walk(folder, folder)

    def _take_listed(self, paths: list[str], folder: str) -> None:
        spared = folder if folder and self.excluded(folder) else ""
        submodules = os.path.lexists(os.path.join(self.root, ".gitmodules"))
        for path in paths:
            inner = path.rstrip("/")
            if inner.startswith("../") or self.excluded(inner, spared):
                continue
            if path != inner:
                self._walk(inner, spared)
            elif self.wanted(path) or (submodules and os.path.isdir(os.path.join(self.root, path))):
                self._take_found(path, spared)

    def _take_found(self, path: str, spared: str) -> None:
        try:
            status = os.lstat(os.path.join(self.root, path))
        except (FileNotFoundError, NotADirectoryError):
            return  # tracked, but deleted
        except OSError as error:
            self.problems[path] = reason(error)
            return
        if stat.S_ISDIR(status.st_mode):
            self._walk(path, spared)
        else:
            self.take(path, status)

    def _walk(self, folder: str, spared: str) -> None:
        """Add everything wanted below a folder, without git."""
        todo = [folder]
        while todo:
            folder = todo.pop()
            start = f"{folder}/" if folder else ""
            try:
                with os.scandir(os.path.join(self.root, folder)) as entries:
                    for entry in entries:
                        path = start + entry.name
                        if self.excluded(path, spared):
                            continue
                        if entry.is_dir(follow_symlinks=False):
                            todo.append(path)
                        elif self.wanted(path):
                            self.take(path, entry.stat(follow_symlinks=False))
            except FileNotFoundError:
                continue
            except OSError as error:
                self.problems[folder or "."] = reason(error)

    def take(self, path: str, status: os.stat_result, *, named: bool = False) -> None:
        """Add one file; a link stands for the file that it leads to."""
        try:
            if stat.S_ISLNK(status.st_mode):
                path = self._followed(path, named)
                if not path:
                    return
            else:
                demand_regular(status)
        except Unreadable as error:
            if named or classify(path) not in (None, "artifact"):  # a link to data elsewhere is no gap in what is judged
                self.problems[path] = error.why
            return
        self.files.add(path)

    def _followed(self, path: str, named: bool) -> str:
        """Where a link leads, "" where there is nothing to judge."""
        target = os.path.realpath(os.path.join(self.root, path))
        if not target.startswith(self.inside):
            raise Unreadable("is a symbolic link to something outside the project")
        try:
            status = os.lstat(target)
        except OSError:
            if named:
                raise Unreadable("is a symbolic link to nothing") from None
            return ""  # an editor's lock, or a file not there yet
        if stat.S_ISDIR(status.st_mode):
            return ""
        if stat.S_ISLNK(status.st_mode):
            raise Unreadable("is a symbolic link that leads back to itself")
        demand_regular(status)
        real = _posix(target[len(self.inside) :])
        kind = classify(path)
        if kind and classify(real) != kind:
            raise Unreadable(f"is a symbolic link to {real}, which by its own name is something else")
        return real


def _posix(path: str) -> str:
    return path.replace(os.sep, "/") if os.sep != "/" else path
