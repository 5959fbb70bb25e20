"""Whether a file still has the bytes it had: by its status where that can be trusted, else by its digest."""

from __future__ import annotations

import os
import time

from dlgovern.repository.reads import digest, file_of
from dlgovern.repository.status import stamp

Stamp = tuple[int, int, int, int]  # size, time of the bytes, time of the status, inode

UNKNOWN: Stamp = (0, 0, 0, 0)
"""Equals no status: the bytes have to be read."""

_TICK = 2_000_000_000  # nanoseconds: the coarsest time that a file system keeps


_HELD = 8_000_000
"""Bytes of changed files that are held, since they may be asked for more than one thing."""


class Stamps:
    """The status of the files of one repository, each looked at once a run. ``$CI``: only bytes count."""

    def __init__(self, root: str) -> None:
        self._root = os.path.join(root, "")
        self.trusts = not os.environ.get("CI")
        self._start = time.time_ns() - _TICK
        self._seen: dict[str, Stamp | None] = {}
        self._digests: dict[str, str] = {}
        self._bytes: dict[str, bytes] = {}

    def of(self, path: str) -> Stamp | None:
        """The status of a file or folder now, None where there is none."""
        try:
            return self._seen[path]
        except KeyError:
            pass
        try:
            status = os.stat(self._root + path)
        except (OSError, ValueError):
            found = None
        else:
            found = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
        self._seen[path] = found
        return found

    def mark(self, path: str) -> list[object]:
        """What changes when the file does: its status, in CI its bytes; empty where there is none."""
        if not self.trusts:
            return stamp(self._root, path)
        return list(self.of(path) or ())

    def kept(self, path: str) -> Stamp:
        """What to keep of a file whose bytes were read in this run.

        A file that changed about when the run began may have changed again since it was read, within one tick of
        the clock: its status says nothing.
        """
        now = self.of(path)
        if now is None or not self.trusts or max(now[1], now[2]) >= self._start:
            return UNKNOWN
        return now

    def renewed(self, path: str, stamp: object) -> Stamp | None:
        """What to keep instead of a status under which the bytes had to be read; None where nothing better is known."""
        if not self.trusts or self.of(path) == stamp:
            return None
        now = self.kept(path)
        return None if now == UNKNOWN else now

    def same(self, read: str, stamp: object, known: str) -> bool:
        """Whether what was read of a file (see `repository.reads`) has this digest; "" for a file that is empty or not there."""
        path = file_of(read)
        now = self.of(path)
        if now is None:
            return not known
        if self.trusts and now == stamp:
            return True
        if not known:
            return now[0] == 0
        if read not in self._digests:
            self._digests[read] = self._digest(path, read)
        return self._digests[read] == known

    def _digest(self, path: str, read: str) -> str:
        if path not in self._bytes:
            try:
                with open(self._root + path, "rb") as file:
                    data = file.read()
            except OSError:
                return ""
            if sum(map(len, self._bytes.values())) > _HELD:
                self._bytes.clear()
            self._bytes[path] = data
        return digest(self._bytes[path], read)
