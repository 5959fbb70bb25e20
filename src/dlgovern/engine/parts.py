"""What is kept of a repository lies in parts, by folder: a run over five files reads what is kept of their folders only."""

from __future__ import annotations

import binascii
from collections.abc import Iterator
from typing import Any

from dlgovern.engine.layout import Layout
from dlgovern.engine.ledger import Ledger
from dlgovern.engine.shard import Shard
from dlgovern.engine.stamps import Stamps
from dlgovern.store import Store

PARTS = 32


class Grounds:
    """What kept answers of one repository rest on: the status of its files, the list of what was read, the folders looked into."""

    def __init__(self, store: Store, name: str, root: str, stamps: Stamps | None = None) -> None:
        self.store = store
        self.name = name
        self.stamps = stamps or Stamps(root)
        self.layout = Layout(store, f"results-{name}-layout.json", root, self.stamps)
        self.files = Ledger(store, f"results-{name}-files.json", self.stamps, self.layout.concerns)


class Parts:
    """The parts of one kind of answers, opened when they are asked for."""

    def __init__(self, grounds: Grounds, kind: str, count: int = PARTS) -> None:
        self._grounds = grounds
        self._kind = kind
        self._count = count
        self._open: dict[int, Shard] = {}

    def of(self, path: str) -> Shard:
        """The part in which the answers about a file are."""
        return self._part(binascii.crc32(path.rpartition("/")[0].encode("utf-8", "surrogatepass")) % self._count)

    def all(self) -> Iterator[Shard]:
        """All parts."""
        return map(self._part, range(self._count))

    def changed(self) -> list[Shard]:
        """The parts that have to be written."""
        return [shard for shard in self._open.values() if shard.changed]

    def _part(self, number: int) -> Shard:
        shard = self._open.get(number)
        if shard is None:
            on = self._grounds
            shard = self._open[number] = Shard(on.store, f"{self._kind}-{on.name}-{number:02}.json", on.stamps, on.files)
            if (moved := on.layout.moved_since(shard.layout)) != frozenset():
                shard.distrust(moved)
        return shard


class Lessons(Parts):
    """What earlier runs learned of single files (see `repository.learned`)."""

    def __init__(self, grounds: Grounds, count: int = PARTS) -> None:
        super().__init__(grounds, "lessons", count)
        self.recorded = grounds.files.known

    def recall(self, path: str) -> Iterator[tuple[Any, Any, Any]]:
        """The questions about a file with their answers, as far as they hold, and what tells what each rests on."""
        for held, rows in self.of(path).all(path):
            if not isinstance(held, list) or len(held) != len(("question", "answer")):
                continue  # damaged
            yield *held, lambda rows=rows: self._grounds.files.reads(rows)
