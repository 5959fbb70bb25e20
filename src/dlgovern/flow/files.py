"""Other files of the repository, parsed once for all who follow a name into them."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Callable
from weakref import WeakKeyDictionary

from dlgovern.flow.facts import Facts
from dlgovern.repository.exports import Repository
from dlgovern.repository.reads import file_of
from dlgovern.source.parse import Unparsable, parse
from dlgovern.source.tree import Tree

_LARGEST = 600_000  # bytes; a larger file is generated, and following it costs more than it tells
_FOLLOWED, _JUDGED = 1_200_000, 300_000
"""Bytes of source whose trees are kept: of files that a name led into, and of files that were judged and may be next.

A tree needs about two hundred times as much.
"""


class _Files:
    """The facts of files of one repository: those that were followed into last, and those that were judged last."""

    def __init__(self) -> None:
        self.reads: dict[str, set[str]] = {}  # of every file that was ever here
        self.named: dict[str, set[str]] = {}  # likewise: what its names come from
        self.gone: list[Facts] = []  # kept no longer, but perhaps in use until the file is done that is judged now
        self._held: list[tuple[weakref.ref[Facts], Tree]] = []  # gone, but something that is remembered of another file holds them
        self._followed = _Shelf(_FOLLOWED)
        self._judged = _Shelf(_JUDGED)

    def follow(self, path: str, read: Callable[[], Facts | None]) -> Facts | None:
        """The facts of a file that a name leads into; ``read`` gives them where they are not kept."""
        if path in self._followed.facts:
            return self._followed.touched(path)
        found = self._judged.taken(path) if path in self._judged.facts else self._noted(path, read())
        self.gone += self._followed.put(path, found)
        return found

    def known(self, path: str) -> Facts | None:
        """The facts of a file that is kept."""
        return self._followed.facts.get(path) or self._judged.facts.get(path)

    def judge(self, facts: Facts) -> None:
        """Keep a file that is judged."""
        self.gone += self._judged.put(facts.path, self._noted(facts.path, facts))

    def let_go(self) -> None:
        """Free the trees of the files that are gone and that nobody holds."""
        while self.gone:
            facts = self.gone.pop()
            facts.forget()
            self._held.append((weakref.ref(facts), facts.tree))
            del facts  # this hold on it would count too
        held, self._held = self._held, []
        for one, tree in held:
            if one() is None:
                tree.free()
            else:
                self._held.append((one, tree))

    def _noted(self, path: str, found: Facts | None) -> Facts | None:
        if found is not None:
            found.reads |= self.reads.get(path, set())
            self.reads[path] = found.reads
            found.named |= self.named.get(path, _NONE)
            self.named[path] = found.named
        return found


class _Shelf:
    """Facts up to a number of bytes of source; those that were put or touched last stay."""

    def __init__(self, most: int) -> None:
        self.facts: OrderedDict[str, Facts | None] = OrderedDict()
        self._most = most
        self._size = 0

    def put(self, path: str, found: Facts | None) -> list[Facts]:
        """Keep these, and give those back that are kept no longer."""
        self.facts[path] = found
        self._size += _size(found)
        gone = []
        while self._size > self._most and len(self.facts) > 1:
            if (old := self.facts.popitem(last=False)[1]) is not None:
                self._size -= len(old.data)
                gone.append(old)
        return gone

    def touched(self, path: str) -> Facts | None:
        self.facts.move_to_end(path)
        return self.facts[path]

    def taken(self, path: str) -> Facts | None:
        found = self.facts.pop(path)
        self._size -= _size(found)
        return found


def _size(found: Facts | None) -> int:
    return len(found.data) if found is not None else 0


_FILES: WeakKeyDictionary[Repository, _Files] = WeakKeyDictionary()


def other(facts: Facts, path: str, read: str = "", reads: set[str] | None = None) -> Facts | None:
    """The facts of another file of the repository, None when it does not parse.

    ``read`` is what counts as read of it, all of it where nothing is said; it joins ``reads``, or those of the file.
    """
    (facts.reads if reads is None else reads).add(read or path)
    if path == facts.path:
        return facts
    return _files(facts.repository).follow(path, lambda: _read(facts, path))


def kept(repository: Repository, path: str, data: bytes) -> Facts | None:
    """The facts that are known of a file with these bytes already, because somebody followed a name into it."""
    found = _files(repository).known(path)
    return found if found is not None and found.data == data else None


def keep(facts: Facts) -> None:
    """Keep the facts of a file that is judged: others may follow names into it."""
    files = _files(facts.repository)
    if len(facts.data) <= _LARGEST and files.known(facts.path) is None:
        files.judge(facts)
    else:
        files.gone.append(facts)


def done(repository: Repository) -> None:
    """A file is judged: what is kept no longer is freed, without the search for cycles that costs more than all of it."""
    _files(repository).let_go()


def reach(facts: Facts) -> set[str]:
    """The files that the answers about a file rest on: those that it read, and those that these read.

    What is known of another file is shared by all who follow a name into it, so who asked first is no matter.
    """
    known = _files(facts.repository).reads
    found = set(facts.reads)
    todo = list(found)
    while todo:
        more = known.get(todo.pop(), _NONE) - found
        found |= more
        todo += more
    return {read for read in found if (file := file_of(read)) != facts.path and (file == read or file not in found)}


def named(repository: Repository, reads: frozenset[str]) -> set[str]:
    """What an answer rests on that was taken from the text of some files and the names in it: these, and where such names come from."""
    known = _files(repository).named
    found = set(reads)
    for read in reads:
        found |= known.get(read, _NONE)
    return {read for read in found if (file := file_of(read)) == read or file not in reads}


_NONE: set[str] = set()


def _files(repository: Repository) -> _Files:
    found = _FILES.get(repository)
    if found is None:
        found = _FILES[repository] = _Files()
    return found


def _read(facts: Facts, path: str) -> Facts | None:
    data = facts.repository.data(path)
    if not data or len(data) > _LARGEST:
        return None
    try:
        return Facts(path, data, parse(data), facts.repository, facts.windows)
    except Unparsable:
        return None
