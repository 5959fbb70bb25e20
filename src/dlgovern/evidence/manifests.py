"""Which files are manifests or locks, and what each of them says."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable

from dlgovern.evidence import conda, toml
from dlgovern.evidence.locks import read_pipfile_lock, read_toml_lock
from dlgovern.evidence.pyproject import read_pipfile, read_pyproject
from dlgovern.evidence.requirements import read_requirements
from dlgovern.evidence.setup_files import read_setup_cfg, read_setup_py
from dlgovern.evidence.text import CONFIG_LIMIT, LOCK_LIMIT, Unreadable, read_text, text_of
from dlgovern.evidence.values import Include, Manifest, Problem
from dlgovern.source.classify import classify
from dlgovern.source.patterns import lazy

_EXACT = {
    "pyproject.toml": "pyproject",
    "setup.cfg": "setup-cfg",
    "setup.py": "setup-py",
    "Pipfile": "pipfile",
    "uv.lock": "lock",
    "poetry.lock": "lock",
    "pdm.lock": "lock",
    "Pipfile.lock": "lock",
}
_CONDA_LOCK = lazy(r"(?:.*[-_.])?conda-lock\.ya?ml|conda-(?:linux|osx|win)-[\w]+\.lock")
_PYLOCK = lazy(r"pylock(?:\.[^.]+)?\.toml")
_REQUIREMENTS = lazy(r"(?:.*[-_.])?(?:requirements?|reqs?)(?:[-_.].*)?\.(?:txt|in)")
_CONSTRAINTS = lazy(r"(?:.*[-_.])?constraints?(?:[-_.].*)?\.txt")
_FOLDERS = ("requirements", "requires", "reqs")
_MOST_INCLUDED = 200

_READERS: dict[str, Callable[[str, str], Manifest]] = {
    "pyproject": read_pyproject,
    "setup-cfg": read_setup_cfg,
    "setup-py": read_setup_py,
    "pipfile": read_pipfile,
}


def kind(path: str) -> str | None:
    """What sort of manifest ``path`` is by its name: see `Manifest`. None for other files."""
    folder, name = posixpath.split(path)
    if _CONDA_LOCK.fullmatch(name):
        return "lock"
    if name in _EXACT:
        return _EXACT[name]
    if _PYLOCK.fullmatch(name):
        return "lock"
    if _CONSTRAINTS.fullmatch(name):
        return "constraints"
    if _REQUIREMENTS.fullmatch(name):
        return "requirements"
    if classify(path) in ("environment", "python-version"):
        return classify(path)
    parents = folder.split("/")
    if name.endswith((".txt", ".in")) and any(parent in _FOLDERS for parent in parents[-2:]):
        return "requirements"
    return None


def read(path: str, data: bytes) -> Manifest:
    """What the bytes of a manifest say; trouble is a `Problem` of the result."""
    sort = kind(path) or "requirements"
    try:
        return parse(text_of(data), path, sort)
    except Unreadable as error:
        return Manifest(path, sort, problems=(Problem(path, 0, str(error)),))


def read_at(root: str, path: str, known: str | None = None) -> Manifest:
    """What the manifest at ``path`` says; trouble is a `Problem` of the result.

    ``known`` is the kind where the name does not tell: a file that another one includes.
    """
    sort = known or kind(path) or "requirements"
    try:
        text = read_text(root, path, LOCK_LIMIT if sort == "lock" else CONFIG_LIMIT)
        return parse(text, path, sort)
    except Unreadable as error:
        return Manifest(path, sort, problems=(Problem(path, 0, str(error)),))


def parse(text: str, path: str, sort: str) -> Manifest:
    """What ``text`` says, read as a manifest of kind ``sort``; trouble is a `Problem` of the result."""
    try:
        if sort == "lock":
            return _lock(path)(text, path)
        if sort == "environment":
            return conda.read_environment(text, path)
        if sort in _READERS:
            return _READERS[sort](text, path)
        return read_requirements(text, path, sort)
    except toml.Broken as error:
        return Manifest(path, sort, problems=(Problem(path, error.line, str(error)),))


def _lock(path: str) -> Callable[[str, str], Manifest]:
    if path.endswith("Pipfile.lock"):
        return read_pipfile_lock
    return conda.read_lock if _CONDA_LOCK.fullmatch(posixpath.basename(path)) else read_toml_lock


def collect(root: str, paths: Iterable[str]) -> dict[str, Manifest]:
    """The manifests at ``paths`` and those they include, each once, however they include each other."""
    found: dict[str, Manifest] = {}
    waiting = [(path, kind(path)) for path in sorted(paths, reverse=True)]
    included = 0
    while waiting:
        path, sort = waiting.pop()
        if path in found:
            continue
        found[path] = manifest = read_at(root, path, sort)
        for include in manifest.includes if included < _MOST_INCLUDED else ():
            included += 1
            waiting.append((include.target, _kind_of(include)))
    return found


def _kind_of(include: Include) -> str:
    named = kind(include.target)
    return include.kind if include.kind == "constraints" or named not in ("requirements", "constraints") else named
