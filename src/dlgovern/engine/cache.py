"""Raw results of earlier runs, valid while the file, what was read for it, the policy and the tool are the same."""

from __future__ import annotations

import hashlib
import os
import sys

from dlgovern.engine import result as results
from dlgovern.engine.result import FileResult
from dlgovern.policy import Policy
from dlgovern.repository.window import Windows
from dlgovern.store import Store, key

_MANY = 200_000  # entries kept for one repository


class Cache:
    """The results of one repository under one policy, in one JSON file.

    Outside CI, size, time and inode stand for a file's bytes; in CI (``$CI``) the bytes are read.
    """

    def __init__(self, store: Store, root: str, policy: Policy, windows: Windows, version: str) -> None:
        self.store = store
        self.root = root
        self._trust_stat = not os.environ.get("CI")
        rules = [policy.tailored, *((rule.id, rule.levels) for rule in policy.rules)]  # the fingerprint covers the rest
        self._name = f"results-{key(root, version, policy.fingerprint, rules, windows.digest, sys.version_info[:3])}.json"
        known = store.get(self._name)
        self._entries: dict[str, list[object]] = known if isinstance(known, dict) else {}
        self._digests: dict[str, str] = {}
        self._stamps: dict[str, list[int] | None] = {}  # one look a file and run: what is read later is not older
        self._changed = False

    def get(self, path: str) -> FileResult | None:
        """The result kept for a file, if everything it rests on is as it was."""
        entry = self._entries.get(path)
        if entry is None:
            return None
        try:
            stamp, digest, reads, kept = entry
            if not self._same(path, stamp, str(digest)):
                return None
            for other, its_stamp, its_digest in reads:  # type: ignore[attr-defined]
                if not self._same(other, its_stamp, its_digest):
                    return None
            if kept is None:
                return FileResult(path, str(digest))
            return results.load(kept)  # type: ignore[arg-type]
        except (TypeError, ValueError, IndexError, KeyError):
            return None

    def put(self, result: FileResult) -> None:
        """Keep a result; what was not judged or did not finish is never kept."""
        if not self.store.folder or result.not_judged or result.failed:
            return
        reads = [[path, self._stamp(path), digest] for path, digest in result.reads]
        empty = not (result.hits or result.excuses or result.stand)
        self._entries[result.path] = [
            self._stamp(result.path), result.digest, reads, None if empty else results.dump(result),
        ]
        self._changed = True

    def save(self) -> None:
        """Write what is new."""
        if self._changed and len(self._entries) <= _MANY:
            self.store.put(self._name, self._entries)

    def _same(self, path: str, stamp: object, digest: str) -> bool:
        now = self._stamp(path)
        if now is None:
            return digest == ""
        if self._trust_stat:
            return now == stamp
        if path not in self._digests:
            self._digests[path] = _digest(os.path.join(self.root, path))
        return self._digests[path] == digest

    def _stamp(self, path: str) -> list[int] | None:
        if path not in self._stamps:
            try:
                status = os.lstat(os.path.join(self.root, path))
            except OSError:
                self._stamps[path] = None
            else:
                self._stamps[path] = [status.st_size, status.st_mtime_ns, status.st_ino]
        return self._stamps[path]


def _digest(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except OSError:
        return ""
