"""Which words the functions of a file hold, told from its bytes, and which functions they lead to in other files.

What an analysis follows costs a parsed file; this says beforehand where following cannot lead to what it looks for.
It works on text, so comments and strings count too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from weakref import WeakKeyDictionary

from dlgovern.repository import members
from dlgovern.repository.exports import Repository
from dlgovern.repository.reads import decorated, heads, of_surface
from dlgovern.source.imports import ImportLine
from dlgovern.source.patterns import lazy
from dlgovern.source.words import dotted_words

_OPENING = lazy(rb"^[ \t]*(?:class[ \t]+[\w\x80-\xff]+[ \t]*(?:\(([^)]*))?|(?:async[ \t]+)?def\b)", re.M)

Place = tuple[str, str, int]
"""A file, a name in it, and how many files lie before it."""


class Seeds(NamedTuple):
    """What is looked for: words wherever they stand, full names for words that mean many things, and words behind a dot."""

    words: frozenset[str]
    names: frozenset[str] = frozenset()
    methods: frozenset[str] = frozenset()
    most: int = 6  # files one behind the other that are looked through
    beyond: bool = True  # what is said of a way that leads on from the last of them


class Said(NamedTuple):
    """What the functions of one name say: the parts of their dotted words, those of them behind a dot, and what all of it means.

    ``names``: what imports from outside of the repository make of the words; ``onward``: the functions of the repository that
    they may mean, each by file and name and with whether that is another file.
    """

    parts: frozenset[str]
    methods: frozenset[str]
    names: frozenset[str]
    onward: list[tuple[str, str, bool]]

    def means(self, seeds: Seeds) -> bool:
        """Whether one of the words is or means a seed."""
        return not (
            self.parts.isdisjoint(seeds.words) and self.methods.isdisjoint(seeds.methods) and self.names.isdisjoint(seeds.names)
        )


class Outline:
    """The functions and classes of a file by name, each with its text; those inside of others too, also as ``outer.inner``."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._spans: dict[str, list[tuple[int, int]]] = {}
        self._inside: dict[str, set[str]] = {}
        self._read()

    def _read(self) -> None:
        data = self._data
        opened: list[tuple[int, str, int]] = []  # column, name, start
        for at, space, name in heads(data):
            indent, start = len(space.expandtabs()), decorated(data, at)
            while opened and opened[-1][0] >= indent:
                self._close(opened.pop(), start, opened[-1][1] if opened else "")
            opened.append((indent, name.decode("utf-8", "replace"), start))
        while opened:
            self._close(opened.pop(), len(data), opened[-1][1] if opened else "")

    def _close(self, opened: tuple[int, str, int], end: int, around: str) -> None:
        for name in (opened[1], f"{around}.{opened[1]}") if around else (opened[1],):
            self._spans.setdefault(name, []).append((opened[2], end))
        self._inside.setdefault(around, set()).add(opened[1])

    def __contains__(self, name: str) -> bool:
        """Whether a function or class has this name."""
        return name in self._spans

    def inside(self, name: str) -> set[str]:
        """The functions and classes inside of those of a name."""
        return self._inside.get(name, _NONE)

    def text(self, name: str) -> bytes:
        """The text of all functions and classes of a name, with their decorators and what they hold."""
        return b"\n".join(self._data[start:end] for start, end in self._spans.get(name, ()))

    def words(self, name: str) -> tuple[str, ...]:
        """The dotted words of all functions and classes of a name."""
        return tuple(word.decode("utf-8", "replace") for word in dotted_words(self.text(name)))

    def bases(self, name: str) -> frozenset[str]:
        """The dotted words between the brackets behind the names of classes, keywords and their values too."""
        found: set[bytes] = set()
        for start, end in self._spans.get(name, ()):
            if (opening := _OPENING.search(self._data, start, end)) and opening.group(1):
                found.update(dotted_words(opening.group(1)))
        return frozenset(word.decode("utf-8", "replace") for word in found)


class Outlines:
    """The outlines of a repository's files, and what their functions reach."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._of: dict[str, Outline] = {}
        self._said: dict[tuple[str, str], Said] = {}
        self._reaches: dict[tuple[str, str, Seeds], tuple[bool, frozenset[str]]] = {}
        self._inner: dict[str, dict[str, tuple[str, str]]] = {}
        self._outer: dict[str, dict[str, str]] = {}
        self._made: dict[str, dict[str, set[str]]] = {}
        self._above: dict[tuple[str, str], list[tuple[str, str, bool]]] = {}

    def of(self, path: str) -> Outline:
        """The outline of a file of the repository."""
        found = self._of.get(path)
        if found is None:
            found = self._of[path] = Outline(self._repository.data(path))
        return found

    def reaches(self, path: str, name: str, seeds: Seeds, reads: set[str]) -> bool:
        """Whether what the file at ``path`` calls ``name`` can lead to one of the ``seeds``; the files read for it join ``reads``."""
        key = (path, name, seeds)
        if key not in self._reaches:
            self._search(path, name, seeds)
        found, read = self._reaches[key]
        reads |= read
        return found

    def may_have(self, path: str, owner: str, name: str, reads: set[str], depth: int = 8) -> bool:
        """Whether a class that the file at ``path`` calls ``owner`` can have a method, its own or of a base of the repository."""
        outline = self.of(path)
        reads.add(path if owner in outline else of_surface(path))
        if f"{owner}.{name}" in outline:
            return True
        if not depth:
            return False
        if owner not in outline:
            places = self.origins(path, owner)
            if not places:
                return re.search(rb"^[ \t]*%b[ \t]*[:=]" % re.escape(owner.encode()), self._repository.data(path), re.M) is not None
        else:
            places = self.bases(path, owner)
        return any(self.may_have(inner, base, name, reads, depth - 1) for inner, base, _ in places)

    def bases(self, path: str, owner: str) -> list[tuple[str, str, bool]]:
        """Where the bases of a class come from, as far as they are of the repository."""
        known = self._above.get((path, owner))
        if known is None:
            said = self._understood(path, self.of(path).bases(owner))
            known = self._above[path, owner] = [place for place in said.onward if place[:2] != (path, owner)]
        return known

    def _search(self, path: str, name: str, seeds: Seeds) -> None:
        """Remember the answer for a name, and for the names on the way for which it is the same."""
        reads: set[str] = set()
        todo: list[Place] = [(path, name, 0)]
        came: dict[tuple[str, str], tuple[str, str] | None] = {(path, name): None}
        cut = found = False
        here = (path, name)
        while todo and not found:
            path, name, deep = todo.pop()
            here = (path, name)
            if (known := self._reaches.get((path, name, seeds))) is not None:
                reads |= known[1]
                found = known[0]
                continue
            outline = self.of(path)
            reads.add(path if name in outline else of_surface(path))
            if name in outline:
                said = self.said(path, name)
                if said.means(seeds):
                    found = True
                    break
                onward = said.onward
            else:
                onward = self.origins(path, name)
            for file, called, beyond in onward:
                if beyond and deep >= seeds.most:
                    cut = True
                    found = found or seeds.beyond
                elif (step := (file, called)) not in came:
                    came[step] = here
                    todo.append((file, called, deep + beyond))
        answer = (found, frozenset(reads))
        same = [next(iter(came))]
        if found and not cut:
            one: tuple[str, str] | None = here
            while one is not None:  # who leads here on the way reaches it too
                same.append(one)
                one = came[one]
        elif not cut:
            same = list(came)  # all of it was looked through
        for one in same:
            self._reaches.setdefault((*one, seeds), answer)

    def said(self, path: str, name: str) -> Said:
        """What the functions and classes of a name say in a file."""
        known = self._said.get((path, name))
        if known is None:
            known = self._said[path, name] = self._understood(path, self.of(path).words(name))
        return known

    def _understood(self, path: str, words: Iterable[str]) -> Said:
        """What dotted words mean in a file: names of outside, functions of the same file, names imported from others."""
        outline = self.of(path)
        inner, outer = self.imported(path), self._outer[path]
        parts: set[str] = set()
        methods: set[str] = set()
        names: set[str] = set()
        onward: dict[tuple[str, str, bool], None] = {}
        for word in words:
            first, *behind = word.split(".")
            parts.add(first)
            parts.update(behind)
            methods.update(behind)
            if first in outer:
                names.add(".".join([outer[first], *behind]))
            if first in inner:
                module, name = inner[first]
                if name or behind:
                    onward[module, name or behind[0], True] = None
            else:
                onward.update(((path, part, False), None) for part in (first, *behind) if part in outline)
                if first == "self" and len(behind) > 1:
                    onward.update((place, None) for place in self._held(path, behind[0], behind[1]))
        return Said(frozenset(parts), frozenset(methods), frozenset(names), list(onward))

    def _held(self, path: str, attribute: str, method: str) -> Iterator[tuple[str, str, bool]]:
        """The methods, or whole classes, of the repository that ``self.attribute.method`` may mean."""
        known = self._made.get(path)
        if known is None:
            known = self._made[path] = members.made(self._repository.data(path))
        inner = self.imported(path)
        for word in known.get(attribute, ()):
            first, *behind = word.split(".")
            module, name = inner.get(first, (path, first))
            name = name or (behind[0] if behind else "")
            if name and (module != path or name in self.of(path)):
                own = f"{name}.{method}"
                yield module, own if own in self.of(module) else name, module != path

    def origins(self, path: str, name: str) -> list[tuple[str, str, bool]]:
        """Where a name comes from that no function of a file has."""
        inner = self.imported(path)
        found = [(*inner[name], True)] if name in inner and inner[name][1] else []
        for line in self._repository.imports(path):
            if line.name == "*":
                star = self._repository.modules.find(path, line.level, line.module)
                if star is not None and star != path and name.encode() in self._repository.data(star):
                    found.append((star, name, True))
        return found

    def imported(self, path: str) -> dict[str, tuple[str, str]]:
        """The names that imports bind in a file to modules of the repository, name "", or to what these hold."""
        known = self._inner.get(path)
        if known is None:
            known, self._outer[path] = self.bound(path, self._repository.imports(path))
            self._inner[path] = known
        return known

    def bound(self, path: str, lines: Iterable[ImportLine]) -> tuple[dict[str, tuple[str, str]], dict[str, str]]:
        """What import statements bind in a file at ``path``: names of the repository as `imported` has them, origins outside."""
        inner: dict[str, tuple[str, str]] = {}
        outer: dict[str, str] = {}
        find = self._repository.modules.find
        for level, module, name, local, _top in lines:
            if name == "*":
                continue
            whole = find(path, level, f"{module}.{name}".strip(".") if name else module)
            if whole is not None:
                inner[local] = (whole, "")
            elif name and (holder := find(path, level, module)) is not None:
                if holder != path:
                    inner[local] = (holder, name)
            elif not level:
                outer[local] = f"{module}.{name}" if name else module
        return inner, outer


def outlines(repository: Repository) -> Outlines:
    """The outlines of a repository, made once."""
    found = _KNOWN.get(repository)
    if found is None:
        found = _KNOWN[repository] = Outlines(repository)
    return found


_NONE: set[str] = set()
_KNOWN: WeakKeyDictionary[Repository, Outlines] = WeakKeyDictionary()
