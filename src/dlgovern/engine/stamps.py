"""Whether a file still has the bytes it had: by its status where that can be trusted, else by its digest."""

from __future__ import annotations

import os
import time

from dlgovern.digest import sha256

Stamp = tuple[int, int, int, int]  # size, time of the bytes, time of the status, inode

UNKNOWN: Stamp = (0, 0, 0, 0)
"""Equals no status: the bytes have to be read."""

_TICK = 2_000_000_000  # nanoseconds: the coarsest time that a file system keeps


class Stamps:
    """The status of the files of one repository, each looked at once a run. ``$CI``: only bytes count."""

    def __init__(self, root: str) -> None:
        self._root = os.path.join(root, "")
        self.trusts = not os.environ.get("CI")
        self._start = time.time_ns() - _TICK
        self._seen: dict[str, Stamp | None] = {}
        self._digests: dict[str, str] = {}

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

    def same(self, path: str, stamp: object, digest: str) -> bool:
        """Whether a file has the bytes of which this is the digest; "" for one that is empty or not there."""
        now = self.of(path)
        if now is None:
            return not digest
        if self.trusts and now == stamp:
            return True
        if not digest:
            return now[0] == 0
        if path not in self._digests:
            self._digests[path] = _digest(self._root + path)
        return self._digests[path] == digest


def _digest(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return sha256(file.read())
    except OSError:
        return ""
