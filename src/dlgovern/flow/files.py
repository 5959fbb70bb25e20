"""Other files of the repository, parsed once for all who follow a name into them."""

from __future__ import annotations

from collections import OrderedDict
from weakref import WeakKeyDictionary

from dlgovern.flow.facts import Facts
from dlgovern.repository.exports import Repository
from dlgovern.source.parse import Unparsable, parse

_LARGEST = 600_000  # bytes; a larger file is generated, and following it costs more than it tells
_KEPT = 1_500_000  # bytes of source whose trees are kept; a tree needs about two hundred times as much


class _Files:
    """The facts of files of one repository, those asked for last."""

    def __init__(self) -> None:
        self.facts: OrderedDict[str, Facts | None] = OrderedDict()
        self.reads: dict[str, set[str]] = {}  # of every file that was ever here
        self._size = 0

    def keep(self, path: str, found: Facts | None) -> None:
        self.facts[path] = found
        if found is not None:
            found.reads |= self.reads.get(path, set())
            self.reads[path] = found.reads
        self._size += len(found.data) if found else 0
        while self._size > _KEPT and len(self.facts) > 1:
            _, old = self.facts.popitem(last=False)
            self._size -= len(old.data) if old else 0


_FILES: WeakKeyDictionary[Repository, _Files] = WeakKeyDictionary()


def other(facts: Facts, path: str) -> Facts | None:
    """The facts of another file of the repository, None when it does not parse. The file counts as read."""
    facts.reads.add(path)
    if path == facts.path:
        return facts
    files = _files(facts.repository)
    if path in files.facts:
        files.facts.move_to_end(path)
    else:
        files.keep(path, _read(facts, path))
    return files.facts[path]


def kept(repository: Repository, path: str, data: bytes) -> Facts | None:
    """The facts that are known of a file with these bytes already, because somebody followed a name into it."""
    found = _files(repository).facts.get(path)
    return found if found is not None and found.data == data else None


def keep(facts: Facts) -> None:
    """Keep the facts of a file that is judged: others may follow names into it."""
    files = _files(facts.repository)
    if len(facts.data) <= _LARGEST and facts.path not in files.facts:
        files.keep(facts.path, facts)


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
    return found - {facts.path}


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
