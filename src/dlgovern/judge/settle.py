"""Take back hits that say "nowhere" when a file that belongs to the same program has what is missing."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from dlgovern.engine.result import FileResult
from dlgovern.policy import Policy
from dlgovern.repository.exports import Repository

_MOST = 20_000  # files; in a larger repository nothing is claimed to be nowhere
_SKIPPED = frozenset({"node_modules", "site-packages", "__pycache__", "build", "dist"})


def settle(policy: Policy, root: str, results: Iterable[FileResult]) -> list[FileResult]:
    """The results without hits that another file of the program answers.

    The whole repository is asked, whatever part of it is judged: the verdict on a file must not depend on that.
    A rule may also want words that some file of the program must have (``alongside``; ``|`` between words of which one does).
    """
    wanted = {rule.id: rule.parameters for rule in policy.rules if rule.parameters.get("elsewhere")}
    results = list(results)
    if not any(hit.rule in wanted for result in results for hit in result.hits):
        return results
    for rule_id, parameters in wanted.items():
        table = policy.tables.get(parameters.get("frameworks", ""), {})
        more = table.get(parameters.get("do", ""), {}).get("text", ())
        wanted[rule_id] = {**parameters, "absent": [*parameters.get("absent", ()), *more]}
    programs = _Programs(root)
    settled = []
    for result in results:
        kept = tuple(hit for hit in result.hits if hit.rule not in wanted or _stands(programs, result.path, wanted[hit.rule]))
        settled.append(result._replace(hits=kept) if len(kept) != len(result.hits) else result)
    return settled


def _stands(programs: _Programs, path: str, parameters: Mapping[str, Any]) -> bool:
    """Whether no other file of the program has what must be absent, and some file has each word that is wanted."""
    if programs.too_many:
        return False
    beside = bool(parameters.get("beside", False))
    if any(other != path for other in programs.holding(path, tuple(parameters.get("absent", ())), beside=beside)):
        return False
    return all(programs.holding(path, tuple(one.split("|")), beside=False) for one in parameters.get("alongside", ()))


class _Programs:
    """Which files of a repository run together: those that a file imports, that import it, and what these import."""

    def __init__(self, root: str) -> None:
        self._repository = Repository(root)
        self._files = list(_python_files(root))
        self.too_many = len(self._files) >= _MOST
        self._imports: dict[str, frozenset[str]] = {}
        self._importers: dict[str, set[str]] = {}
        self._program: dict[str, frozenset[str]] = {}
        self._holders: dict[tuple[str, ...], frozenset[str]] = {}

    def holding(self, path: str, words: tuple[str, ...], *, beside: bool) -> list[str]:
        """The files of the program around a file that have one of the words; ``beside`` adds the file's folder."""
        if words not in self._holders:
            data = self._repository.data
            self._holders[words] = frozenset(f for f in self._files if any(word.encode() in data(f) for word in words))
        holders = self._holders[words]
        if not holders or holders == {path}:
            return sorted(holders & {path})
        if beside and any(f != path and posixpath.dirname(f) == posixpath.dirname(path) for f in holders):
            return sorted(f for f in holders if posixpath.dirname(f) == posixpath.dirname(path))
        return sorted(holders & self._around(path))

    def _around(self, path: str) -> frozenset[str]:
        if path not in self._program:
            if not self._importers:
                for file in self._files:
                    for inner in self._direct(file):
                        self._importers.setdefault(inner, set()).add(file)
            above = _reach({path}, lambda file: {f for f in self._importers.get(file, ()) if not _is_test(f)})
            self._program[path] = frozenset(_reach(above, self._direct))
        return self._program[path]

    def _direct(self, path: str) -> frozenset[str]:
        if path not in self._imports:
            self._imports[path] = frozenset(_imported(self._repository, path))
        return self._imports[path]


def _reach(start: set[str], step: Callable[[str], Iterable[str]]) -> set[str]:
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


def _imported(repository: Repository, path: str) -> Iterator[str]:
    for level, module, name, _local, _top in repository.imports(path):
        inner = f"{module}.{name}" if module and name else module or name
        for dotted in (inner, module):
            if (found := repository.modules.find(path, level, dotted)) is not None:
                yield found


def _python_files(root: str) -> Iterator[str]:
    count = 0
    for base, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _SKIPPED)
        for name in sorted(names):
            if name.endswith(".py"):
                count += 1
                if count > _MOST:
                    return
                yield os.path.relpath(os.path.join(base, name), root).replace(os.sep, "/")


