"""Take back hits that say "nowhere" when a file that belongs to the same program has what is missing."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Iterator

from dlgovern.engine.result import FileResult
from dlgovern.policy import Policy
from dlgovern.repository.exports import Repository

_MOST = 20_000  # files; in a larger repository nothing is claimed to be nowhere
_SKIPPED = frozenset({"node_modules", "site-packages", "__pycache__", "build", "dist"})


def settle(policy: Policy, root: str, results: Iterable[FileResult]) -> list[FileResult]:
    """The results without hits that another file of the program answers.

    The whole repository is asked, whatever part of it is judged: the verdict on a file must not depend on that.
    """
    wanted = {rule.id: tuple(rule.parameters["absent"]) for rule in policy.rules if rule.parameters.get("elsewhere")}
    results = list(results)
    if not any(hit.rule in wanted for result in results for hit in result.hits):
        return results
    repository = Repository(root)
    files = list(_python_files(root))
    holders: dict[tuple[str, ...], list[str]] = {}
    closures: dict[str, frozenset[str]] = {}
    settled = []
    for result in results:
        kept = []
        for hit in result.hits:
            if (absent := wanted.get(hit.rule)) is not None:
                if absent not in holders:
                    holders[absent] = _holders(repository, files, absent)
                if len(files) >= _MOST or _answered(repository, result.path, holders[absent], closures):
                    continue
            kept.append(hit)
        settled.append(result._replace(hits=tuple(kept)) if len(kept) != len(result.hits) else result)
    return settled


def _answered(
    repository: Repository, path: str, holders: list[str], closures: dict[str, frozenset[str]]
) -> bool:
    """Whether a holder lies beside the file, is imported by it or imports it, however far away."""
    own = _closure(repository, path, closures)
    return any(
        holder != path
        and (
            posixpath.dirname(holder) == posixpath.dirname(path)
            or holder in own
            or path in _closure(repository, holder, closures)
        )
        for holder in holders
    )


def _closure(repository: Repository, path: str, known: dict[str, frozenset[str]]) -> frozenset[str]:
    """The files of the repository that a file imports, directly or not, itself included."""
    if path not in known:
        found = {path}
        todo = [path]
        while todo:
            current = todo.pop()
            for inner in _imported(repository, current):
                if inner not in found:
                    found.add(inner)
                    todo.append(inner)
        known[path] = frozenset(found)
    return known[path]


def _imported(repository: Repository, path: str) -> Iterator[str]:
    for level, module, name, _local, _top in repository.imports(path):
        inner = f"{module}.{name}" if module and name else module or name
        for dotted in (inner, module):
            if (found := repository.modules.find(path, level, dotted)) is not None:
                yield found


def _holders(repository: Repository, files: Iterable[str], words: tuple[str, ...]) -> list[str]:
    return [path for path in files if any(word.encode() in repository.data(path) for word in words)]


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


