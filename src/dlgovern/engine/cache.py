"""Raw results of earlier runs, valid while the file, what was read for it, the policy and the tool are the same.

With them is kept what was learned of functions that stand elsewhere: who changes one file of many need not follow them again.
"""

from __future__ import annotations

import sys

from dlgovern.engine import result as results
from dlgovern.engine.parts import PARTS, Grounds, Lessons, Parts
from dlgovern.engine.result import FileResult
from dlgovern.engine.shard import Shard
from dlgovern.engine.stamps import Stamps
from dlgovern.policy import Policy
from dlgovern.repository.window import Windows
from dlgovern.store import Store, key


class Cache:
    """The results of one repository under one policy.

    Outside CI, size, times and inode stand for a file's bytes; in CI (``$CI``) the bytes are read.
    """

    def __init__(
        self, store: Store, root: str, policy: Policy, windows: Windows, version: str, parts: int = PARTS,
        stamps: Stamps | None = None,
    ) -> None:
        """``stamps``: where other answers of this run rest on the same files, which are then looked at once."""
        self.folder = store.folder
        rules = [policy.tailored, *((rule.id, rule.levels) for rule in policy.rules)]  # the fingerprint covers the rest
        about = key(root, version, policy.fingerprint, rules, windows.digest, sys.version_info[:3])
        self._grounds = Grounds(store, about[:16], root, stamps)
        self._results = Parts(self._grounds, "results", parts)
        self.lessons = Lessons(self._grounds, parts)

    @property
    def name(self) -> str:
        """The name under which all this is kept."""
        return self._grounds.name

    def get(self, path: str) -> FileResult | None:
        """The result kept for a file, if everything it rests on is as it was."""
        if not self.folder:
            return None
        self._grounds.stamps.of(path)  # before it is read, if it has to be
        found = self._results.of(path).get(path)
        if found is None:
            return None
        try:
            return results.revive(path, *found)
        except (TypeError, ValueError, IndexError, KeyError):
            return None

    def put(self, result: FileResult) -> None:
        """Keep a result; what was not judged or did not finish is never kept."""
        if not self.folder:
            return
        self._grounds.layout.add(result.looked)
        if result.not_judged or result.failed:
            return
        files = self._grounds.files
        row = files.row(result.path, result.digest)
        self._results.of(result.path).put(result.path, row, files.rows(result.reads), results.essence(result))
        for path, question, answer, reads in result.learned:
            rows = files.rows(reads)
            self.lessons.of(path).add(path, files.row(*next(pair for pair in reads if pair[0] == path)), rows, question, answer)

    def save(self) -> None:
        """Write what is new."""
        if self._changed():
            self._save_parts(self._grounds.layout.after())
        elif len(self._grounds.files):
            self._grounds.files.save()
        if self._grounds.layout.changed:
            self._grounds.layout.save()

    def _save_parts(self, layout: str) -> None:
        files = self._grounds.files
        if files.is_worn:
            shards = [*self._results.all(), *self.lessons.all()]
            used = 0
            for shard in shards:
                used |= shard.tidy()
            numbers = files.only(used)
            for shard in shards:
                shard.renumber(numbers)
        else:
            for shard in self._changed():
                shard.tidy()
        mark = files.save()
        for shard in self._changed():
            shard.save(layout, mark)

    def _changed(self) -> list[Shard]:
        return [*self._results.changed(), *self.lessons.changed()]
