"""Raw results of earlier runs, valid while the file, what was read for it, the policy and the tool are the same.

They lie in parts, by folder: a run over five files reads what is kept of their folders only, a run over all reads all. The
files they rest on are listed once, in the ledger.
"""

from __future__ import annotations

import binascii
import sys

from dlgovern.engine import result as results
from dlgovern.engine.layout import Layout
from dlgovern.engine.ledger import Ledger
from dlgovern.engine.result import FileResult
from dlgovern.engine.shard import Shard
from dlgovern.engine.stamps import Stamps
from dlgovern.policy import Policy
from dlgovern.repository.window import Windows
from dlgovern.store import Store, key

_PARTS = 32


class Cache:
    """The results of one repository under one policy.

    Outside CI, size, times and inode stand for a file's bytes; in CI (``$CI``) the bytes are read.
    """

    def __init__(
        self, store: Store, root: str, policy: Policy, windows: Windows, version: str, parts: int = _PARTS
    ) -> None:
        self._store = store
        self._parts = parts
        self._stamps = Stamps(root)
        rules = [policy.tailored, *((rule.id, rule.levels) for rule in policy.rules)]  # the fingerprint covers the rest
        about = key(root, version, policy.fingerprint, rules, windows.digest, sys.version_info[:3])
        self._name = f"results-{about[:16]}"
        self._layout = Layout(store, f"{self._name}-layout.json", root, self._stamps)
        self._files = Ledger(store, f"{self._name}-files.json", self._stamps, self._layout.concerns)
        self._shards: dict[int, Shard] = {}

    def get(self, path: str) -> FileResult | None:
        """The result kept for a file, if everything it rests on is as it was."""
        if not self._store.folder:
            return None
        self._stamps.of(path)  # before it is read, if it has to be
        found = self._shard(path).get(path)
        if found is None:
            return None
        try:
            return results.revive(path, *found)
        except (TypeError, ValueError, IndexError, KeyError):
            return None

    def put(self, result: FileResult) -> None:
        """Keep a result; what was not judged or did not finish is never kept."""
        if not self._store.folder:
            return
        self._layout.add(result.looked)
        if not (result.not_judged or result.failed):
            rows = self._files.rows(pair for pair in result.reads)
            self._shard(result.path).put(result.path, self._files.row(result.path, result.digest), rows, results.essence(result))

    def save(self) -> None:
        """Write what is new."""
        if any(shard.changed for shard in self._shards.values()):
            self._save_parts(self._layout.after())
        elif len(self._files):
            self._files.save()
        if self._layout.changed:
            self._layout.save()

    def _save_parts(self, layout: str) -> None:
        if self._files.is_worn:
            shards = [self._part(number) for number in range(self._parts)]
            used = 0
            for shard in shards:
                used |= shard.tidy()
            numbers = self._files.only(used)
            for shard in shards:
                shard.renumber(numbers)
        changed = [shard for shard in self._shards.values() if shard.changed]
        mark = self._files.save()
        for shard in changed:
            shard.tidy()
            shard.save(layout, mark)

    def _shard(self, path: str) -> Shard:
        return self._part(binascii.crc32(path.rpartition("/")[0].encode("utf-8", "surrogatepass")) % self._parts)

    def _part(self, number: int) -> Shard:
        shard = self._shards.get(number)
        if shard is None:
            shard = self._shards[number] = Shard(self._store, f"{self._name}-{number:02}.json", self._stamps, self._files)
            if (moved := self._layout.moved_since(shard.layout)) != frozenset():
                shard.distrust(moved)
        return shard
