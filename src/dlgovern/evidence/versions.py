"""From what manifests and locks say to the version window of each library in each folder."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from dlgovern.evidence.manifests import collect
from dlgovern.evidence.values import Manifest, Requirement, normal
from dlgovern.repository.window import STANDARD, Window, Windows, canonical, parse_version
from dlgovern.source.patterns import lazy

Version = tuple[int, ...]

_CLAUSE = lazy(r"(~=|===?|!=|<=|>=|<|>)\s*([^\s,;()]+)")
_WHEEL = lazy(r"/[A-Za-z0-9._]+-(\d[^-/]*)-[^/]*\.whl")
_ASIDE = lazy(
    r"(?:^|[-_./])(?:dev|develop|tests?|testing|docs?|lint|style|quality|ci|typing|types|build|examples?|extras?"
    r"|optional|readthedocs|benchmarks?|notebooks?)(?:[-_./]|$)"
)
_SHARED_FOLDERS = ("requirements", "requires", "reqs")

LOCK, CONSTRAINT, MAIN, ASIDE = range(4)


class Range(NamedTuple):
    """A half-open range of versions; () is no bound on that side."""

    floor: Version
    below: Version


class _Mention(NamedTuple):
    rank: int
    specific: bool
    environment: tuple[str, str, str]  # file, group, marker: what holds together
    range: Range
    source: str


def resolve(root: str, manifest_paths: Iterable[str], standard_window: Mapping[str, str]) -> Windows:
    """The windows of the repository at ``root``: lock before constraint before manifest before the standard.

    ``standard_window`` maps a library to the specifier the standard supports. Included files are followed.
    """
    return windows(collect(root, manifest_paths), standard_window)


def windows(manifests: Mapping[str, Manifest], standard_window: Mapping[str, str]) -> Windows:
    """The windows that ``manifests`` (path -> facts) and the standard give."""
    standard = {}
    for name, specifier in standard_window.items():
        found = versions_of(specifier)
        standard[normal(name)] = Window(found.floor, found.below, STANDARD)
    mentions: dict[str, dict[str, list[_Mention]]] = {}
    for path in sorted(manifests):
        folder = home(path)
        for name, mention in _mentions(manifests, path):
            mentions.setdefault(folder, {}).setdefault(name, []).append(mention)
    folders = {
        folder: {name: _window(found, standard.get(name)) for name, found in sorted(names.items())}
        for folder, names in sorted(mentions.items())
    }
    return Windows(folders, standard)


def home(path: str) -> str:
    """The folder whose code a manifest speaks for: ``requirements/base.txt`` speaks for the folder above."""
    parts = posixpath.dirname(path).split("/") if "/" in path else []
    for index, part in enumerate(parts):
        if part in _SHARED_FOLDERS:
            return "/".join(parts[:index])
    return "/".join(parts)


def is_aside(requirement: Requirement) -> bool:
    """Whether it is declared for an extra, or for those who test, document or build the project."""
    return bool(requirement.group) or is_aside_file(requirement.path)


def is_aside_file(path: str) -> bool:
    """Whether a list of requirements is for such people, by its name."""
    return bool(_ASIDE.search(posixpath.splitext(path[len(home(path)) :])[0]))


def versions_of(specifier: str) -> Range:
    """The smallest range that holds every version ``specifier`` allows; ``!=`` is ignored."""
    floor: Version = ()
    below: Version = ()
    for operator, text in _CLAUSE.findall(specifier):
        if "!" in text:  # an epoch: its numbers cannot be compared with others
            continue
        found = _clause(operator, text)
        floor = max(floor, found.floor, key=canonical)
        below = min(filter(None, (below, found.below)), default=(), key=canonical)
    return Range(floor, below)


def _clause(operator: str, text: str) -> Range:
    version = parse_version(text)
    if not version or operator == "!=":
        return Range((), ())
    if operator == ">=":
        return Range(version, ())
    if operator == ">":
        return Range(_after(version), ())
    if operator == "<":
        return Range((), version)
    if operator == "<=":
        return Range((), _after(version) if "*" not in text else _next(version))
    if operator == "~=":
        return Range(version, _next(version[:-1]) if len(version) > 1 else ())
    return Range(version, _next(version) if text.endswith("*") else _after(version))


def _after(version: Version) -> Version:
    """The first version past ``version``: past 2.13.0 is 2.13.0.1."""
    return (*version, *(0,) * (3 - len(version)), 1)


def _next(version: Version) -> Version:
    """The first version that does not begin with ``version``: after 2.13.* comes 2.14."""
    return (*version[:-1], version[-1] + 1) if version else ()


def _mentions(manifests: Mapping[str, Manifest], path: str) -> Iterator[tuple[str, _Mention]]:
    seen = set()
    waiting = [(path, manifests[path].kind == "constraints")]
    while waiting:
        current, constrains = waiting.pop()
        if current in seen or current not in manifests:
            continue
        seen.add(current)
        manifest = manifests[current]
        for requirement in manifest.requirements:
            if requirement.name:
                yield requirement.name, _mention(requirement, constrains)
        for locked in manifest.locked:
            version = parse_version(locked.version)
            if version:
                exact = Range(version, _after(version))
                where = f"{locked.path}:{locked.line}"
                yield locked.name, _Mention(LOCK, True, (where, "", ""), exact, where)
        waiting += [(i.target, constrains or i.kind == "constraints") for i in reversed(manifest.includes)]


def _mention(requirement: Requirement, constrains: bool) -> _Mention:
    found = versions_of(requirement.specifier)
    wheel = _WHEEL.search(requirement.url) if requirement.url else None
    if wheel:
        found = _clause("==", wheel[1].replace("%2B", "+"))
    rank = MAIN
    if constrains or requirement.group == "constraint":
        rank = CONSTRAINT
    elif is_aside(requirement):
        rank = ASIDE
    environment = (requirement.path, requirement.group, requirement.marker)
    return _Mention(rank, found != ((), ()), environment, found, f"{requirement.path}:{requirement.line}")


def _window(mentions: list[_Mention], standard: Window | None) -> Window:
    chosen = _chosen(mentions)
    found = _union([_intersection(part) for part in _by_environment(chosen)])
    if chosen[0].rank == CONSTRAINT:
        wanted = [m for m in mentions if m.rank != CONSTRAINT and m.specific]
        if wanted:
            best = min(m.rank for m in wanted)
            declared = _union([_intersection(p) for p in _by_environment([m for m in wanted if m.rank == best])])
            found = _both(found, declared) or found
    below = found.below
    if not below and standard is not None and standard.below:
        below = standard.below if canonical(found.floor) < canonical(standard.below) else _after(found.floor)
    return Window(found.floor, below, chosen[0].source)


def _chosen(mentions: list[_Mention]) -> list[_Mention]:
    """The mentions of the most binding kind; one without versions counts only where no other has any."""
    specific = [mention for mention in mentions if mention.specific] or mentions
    best = min(mention.rank for mention in specific)
    return [mention for mention in specific if mention.rank == best]


def _by_environment(mentions: list[_Mention]) -> list[list[Range]]:
    groups: dict[tuple[str, str, str], list[Range]] = {}
    for mention in mentions:
        groups.setdefault(mention.environment, []).append(mention.range)
    return list(groups.values())


def _intersection(ranges: list[Range]) -> Range:
    found = ranges[0]
    for other in ranges[1:]:
        found = _both(found, other) or found
    return found


def _both(one: Range, other: Range) -> Range | None:
    floor = max(one.floor, other.floor, key=canonical)
    below = min(filter(None, (one.below, other.below)), default=(), key=canonical)
    return None if below and canonical(below) <= canonical(floor) else Range(floor, below)


def _union(ranges: list[Range]) -> Range:
    floors, belows = [r.floor for r in ranges], [r.below for r in ranges]
    return Range(min(floors, key=canonical), max(belows, key=canonical) if all(belows) else ())
