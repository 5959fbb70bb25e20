"""Merge three versions of a TOML file by key, and its dependencies by package, keeping how yours is written."""

from __future__ import annotations

import copy
from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

import tomli
import tomlkit
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from tomlkit.exceptions import TOMLKitError

from dlgovern.evidence import toml as places
from dlgovern.scaffold.render import toml
from dlgovern.scaffold.textmerge import Side, merge

Path = tuple[str | int, ...]

_IDENTITY = ("name", "id", "module", "path", "url", "package")
"""Keys by which one table of an array is the same in two versions of the file."""
_NOTHING = object()


class Clash(NamedTuple):
    """A value that both sides changed, each in its own way."""

    path: Path
    theirs: Any  # None: the template has removed it


class MergedToml(NamedTuple):
    """The merged text, the clashes that are noted in it, and what was left as you have it."""

    data: bytes
    clashes: list[str]
    notes: list[str]


def merge_toml(base: bytes, yours: bytes, theirs: bytes, label: str, side: Side = "marker") -> MergedToml | None:
    """The merge by key; ``label`` names the template's side. None where one of the three is no TOML."""
    try:
        texts = [data.decode("utf-8") for data in (base, yours, theirs)]
        values = [tomli.loads(text) for text in texts]
        documents = [tomlkit.parse(text) for text in texts]
    except (ValueError, RecursionError, TOMLKitError):
        return None
    wanted = copy.deepcopy(values[1])
    walk = _Walk(side)
    walk.tables((), values[0], wanted, values[2], values[2])
    lines = merge(base, yours, theirs, ("yours", "base", label))
    if lines and not lines.conflicts and not walk.clashes and _loads(lines.data) == wanted:
        return MergedToml(lines.data, [], walk.notes)  # line by line gives the same, and keeps comments of both
    try:
        _Walk(side).tables((), values[0], documents[1], values[2], documents[2])
        data = tomlkit.dumps(documents[1]).encode("utf-8")
    except (TOMLKitError, KeyError, ValueError, IndexError, TypeError, AttributeError):
        return None  # a way of writing that tomlkit cannot change; the merge by line is left
    if _full(_loads(data)) != _full(wanted):
        return None
    noted = _noted(data.decode("utf-8"), walk.clashes, label)
    return MergedToml(noted.encode("utf-8"), [f"{_shown(one.path)}: {_said(one, label)}" for one in walk.clashes], walk.notes)


class _Walk:
    """One walk over the three versions that changes yours: plain values, or a document that keeps its formatting."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self.clashes: list[Clash] = []
        self.notes: list[str] = []

    def tables(self, path: Path, base: dict[str, Any], yours: Any, theirs: dict[str, Any], written: Any) -> None:
        """Bring what the template changed between ``base`` and ``theirs`` into ``yours``; ``written`` is theirs to copy from."""
        for key in theirs:
            at = (*path, key)
            before, now = base.get(key, _NOTHING), theirs[key]
            if before is not _NOTHING and _same(before, now):
                continue
            if key not in yours:
                if before is _NOTHING:
                    yours[key] = copy.deepcopy(written[key])
                else:
                    self.notes.append(f"{_shown(at)} stays deleted; the template has changed it")
                continue
            self._value(at, before, yours, key, now, written[key])
        for key in [key for key in base if key not in theirs and key in yours]:
            self._gone((*path, key), base[key], yours, key)

    def _value(self, at: Path, before: Any, holder: Any, key: Any, now: Any, written: Any) -> None:
        """One value that the template changed or added, and that is there in yours."""
        mine = holder[key]
        if _same(mine, now):
            return
        if isinstance(mine, dict) and isinstance(now, dict) and (before is _NOTHING or isinstance(before, dict)):
            self.tables(at, before if isinstance(before, dict) else {}, mine, now, written)
        elif (name := _naming(at, [] if before is _NOTHING else before, mine, now)) is not None:
            self._lists(at, [] if before is _NOTHING else before, mine, now, written, name)
        elif before is not _NOTHING and _same(mine, before):
            holder[key] = copy.deepcopy(written)
        else:
            self._clash(at, holder, key, now, written)

    def _gone(self, at: Path, before: Any, holder: Any, key: Any) -> None:
        """One value that the template removed, and that is there in yours."""
        mine = holder[key]
        if _same(mine, before):
            del holder[key]
        elif isinstance(mine, dict) and isinstance(before, dict):
            self.tables(at, before, mine, {}, {})
        else:
            self.notes.append(f"{_shown(at)} is kept: you changed it; the template has removed it")

    def _lists(self, at: Path, base: Any, yours: Any, theirs: Any, written: Any, name: Callable[[Any], Hashable]) -> None:
        """Lists whose items have names."""
        before = {name(item): item for item in base}
        now = {name(item): index for index, item in enumerate(theirs)}
        for called, index in now.items():
            mine = _find(yours, called, name)
            old = before.get(called, _NOTHING)
            if old is not _NOTHING and _same(old, theirs[index]):
                continue
            if mine is not None:
                self._value((*at, mine), old, yours, mine, theirs[index], written[index])
            elif old is _NOTHING:
                yours.insert(_slot(yours, theirs, index, name), copy.deepcopy(written[index]))
            else:
                self.notes.append(f"{_shown(at)}: {called} stays deleted; the template has changed it")
        for called, item in before.items():
            mine = _find(yours, called, name)
            if called not in now and mine is not None:
                if _same(yours[mine], item):
                    del yours[mine]
                else:
                    self.notes.append(f"{_shown(at)}: {called} is kept: you changed it; the template has removed it")

    def _clash(self, at: Path, holder: Any, key: Any, now: Any, written: Any) -> None:
        if self.side == "theirs":
            holder[key] = copy.deepcopy(written)
        elif self.side == "marker":
            self.clashes.append(Clash(at, _plain(now)))


def _naming(at: Path, *lists: Any) -> Callable[[Any], Hashable] | None:
    """By what the items of these lists are told apart; None where one is no list, or nothing tells them apart."""
    if not all(isinstance(one, list) for one in lists):
        return None
    for name in (_package, _scalar, *(_key(word) for word in _IDENTITY)):
        if name is _package and not _of_packages(at):
            continue
        try:
            if all(len({name(item) for item in one}) == len(one) for one in lists):
                return name
        except (InvalidRequirement, KeyError, TypeError):
            continue
    return None


def _of_packages(at: Path) -> bool:
    words = [word for word in at if isinstance(word, str)]
    return bool(words) and (
        words[-1] in ("dependencies", "requires", "dev-dependencies", "constraint-dependencies")
        or "optional-dependencies" in words or "dependency-groups" in words
    )  # fmt: skip


def _package(item: Any) -> Hashable:
    if not isinstance(item, str):
        raise TypeError
    found = Requirement(item)
    return canonicalize_name(found.name) + (f" ; {found.marker}" if found.marker else "")


def _scalar(item: Any) -> Hashable:
    if isinstance(item, dict | list):
        raise TypeError
    return item if isinstance(item, str) else (type(_plain(item)).__name__, _plain(item))


def _key(word: str) -> Callable[[Any], Hashable]:
    def name(item: Any) -> Hashable:
        if not isinstance(item, dict):
            raise TypeError
        return toml(_plain(item[word]))

    return name


def _find(items: Any, called: Hashable, name: Callable[[Any], Hashable]) -> int | None:
    return next((index for index, item in enumerate(items) if name(item) == called), None)


def _slot(yours: Any, theirs: Any, index: int, name: Callable[[Any], Hashable]) -> int:
    """Where the item of theirs belongs in yours: behind the nearest one before it that both have."""
    for before in range(index - 1, -1, -1):
        if (mine := _find(yours, name(theirs[before]), name)) is not None:
            return mine + 1
    return 0


def _plain(value: Any) -> Any:
    return value.unwrap() if hasattr(value, "unwrap") else value


def _same(left: Any, right: Any) -> bool:
    a, b = _plain(left), _plain(right)
    return type(a) is type(b) and bool(a == b)


def _loads(data: bytes) -> Any:
    try:
        return tomli.loads(data.decode("utf-8"))
    except ValueError:
        return None


def _full(value: Any) -> Any:
    """The value without tables that hold nothing: whether one is written at all is a matter of form."""
    if not isinstance(value, dict):
        return value
    inner = {key: _full(item) for key, item in value.items()}
    return {key: item for key, item in inner.items() if item != {}}


def _noted(text: str, clashes: list[Clash], label: str) -> str:
    """The text with a comment above each value that both sides changed."""
    lines = text.split("\n")
    document = places.parse(text)
    found = [(document.place(*clash.path).line, clash) for clash in clashes]
    for line, clash in sorted(found, key=lambda one: -one[0]):
        above = lines[line - 1]
        lead = above[: len(above) - len(above.lstrip())]
        lines.insert(line - 1, f"{lead}# dlgovern: conflict: {_shown(clash.path)}: {_said(clash, label)}; yours is below")
    return "\n".join(lines)


def _said(clash: Clash, label: str) -> str:
    try:
        return f"{label} says {toml(clash.theirs)}"
    except TypeError:  # a date
        return f"{label} says {clash.theirs}"


def _shown(path: Path) -> str:
    return ".".join(str(part) for part in path)
