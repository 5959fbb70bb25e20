"""See two files of a repository that ask for versions of one library which cannot both be installed."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from dlgovern.detect import Parameter
from dlgovern.detect.fitting import overlap
from dlgovern.evidence.values import Manifest
from dlgovern.evidence.versions import versions_of
from dlgovern.finding import Hit
from dlgovern.policy import Rule
from dlgovern.repository.supply import Said, Supply, supply
from dlgovern.repository.view import View

PARAMETERS = {
    "locks": Parameter("boolean", "hold lock files against the manifests they were made from too", default=False),
}
GUARDS = ("other-role", "other-folder", "condition")
"""What the detector is silent under; examples of its rules must show each."""

_RANK = {"constraint": 0, "manifest": 1, "install": 2}


def judge_repository(rules: list[Rule], view: View) -> Iterator[tuple[str, Hit]]:
    """The hits at the file that follows, with the place it contradicts beside it."""
    found = supply(view)
    for rule in rules:
        off = rule.parameters.get("without_guards", ())
        yield from _between(rule, found, off)
        if rule.parameters.get("locks"):
            yield from _locked(rule, found, view, off)


def _between(rule: Rule, found: Supply, off: Collection[str]) -> Iterator[tuple[str, Hit]]:
    """Each statement against those of other files that come before it."""
    by_name: dict[str, list[Said]] = {}
    for one in found.said:
        if one.how in _RANK and one.range != ((), ()) and not one.url:
            by_name.setdefault(one.name, []).append(one)
    for name, statements in sorted(by_name.items()):
        statements.sort(key=lambda one: (_RANK[one.how], _order(one.path), one.path, one.line))
        for number, later in enumerate(statements):
            for earlier in statements[:number]:
                if earlier.path != later.path and _together(earlier, later, off) and not overlap(earlier.range, later.range):
                    yield later.path, _hit(rule, name, later.specifier, later.place, earlier)
                    break


def _locked(rule: Rule, found: Supply, view: View, off: Collection[str]) -> Iterator[tuple[str, Hit]]:
    """Each locked version against the manifest beside the lock; and what a lock says that it was made from."""
    versions: dict[tuple[str, str], list[Said]] = {}
    for one in found.said:
        if one.how == "lock":
            versions.setdefault((one.path, one.name), []).append(one)
    main = [one for one in found.said if one.how == "manifest" and one.range != ((), ()) and not one.url and not one.conda]
    for manifest in main:
        for (path, name), locked in versions.items():
            if name != manifest.name or not _together(manifest, locked[0], off):
                continue
            if _made_from(path, manifest.path) and not any(overlap(one.range, manifest.range) for one in locked):
                yield path, _hit(rule, name, locked[0].specifier, locked[0].place, manifest)
    locks: list[Manifest] = view.of("lock")
    for lock in locks:
        written = dict(lock.written_for)
        for manifest in main if written else ():
            if not _made_from(lock.path, manifest.path) or not _same_folder(lock.path, manifest.path) or manifest.role:
                continue
            said = written.get(manifest.name)
            if said is not None and not manifest.marker and _clauses(said) != _clauses(manifest.specifier):
                if overlap(manifest.range, versions_of(said)):
                    words = f"{said or ' in any version'} (it was made before the manifest changed)"
                    yield lock.path, _hit(rule, manifest.name, words, (1, 1, 1, 2), manifest)


def _hit(rule: Rule, name: str, specifier: str, place: tuple[int, int, int, int], other: Said) -> Hit:
    slots = {"library": name, "declared": f"{name}{specifier}", "other": f"{name}{other.specifier}", "path": other.path}
    related = ((other.path, other.line, other.column, f"{name}{other.specifier} is said here"),)
    return Hit(rule.id, *place, slots=slots, related=related)


def _together(one: Said, other: Said, off: Collection[str]) -> bool:
    """Whether two statements are meant for one environment: the same part, the same purpose, no condition."""
    if "other-folder" not in off and one.folder != other.folder:
        return False
    if "other-role" not in off and (one.role or other.role):
        return False
    return "condition" in off or not (one.marker or other.marker)


def _order(path: str) -> int:
    name = path.rpartition("/")[2]
    return 0 if name == "pyproject.toml" else 1 if name.startswith("setup.") else 2


def _made_from(lock: str, manifest: str) -> bool:
    """Whether the tool of this lock reads that manifest."""
    name, source = lock.rpartition("/")[2], manifest.rpartition("/")[2]
    if name == "Pipfile.lock":
        return source == "Pipfile"
    return source == "pyproject.toml" if name.endswith((".lock", ".toml")) else False


def _same_folder(one: str, other: str) -> bool:
    return one.rpartition("/")[0] == other.rpartition("/")[0]


def _clauses(specifier: str) -> frozenset[str]:
    return frozenset(part for part in specifier.replace(" ", "").split(",") if part)

