"""Ask the git repository of a project what changed, keep bytes in it and find them again."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from hashlib import sha256

from dlgovern.errors import ConfigurationError
from dlgovern.source.git import SAFE, environment, find

_SECONDS = 60
_MOST_VERSIONS = 2000  # of one file


class History:
    """The git repository around a project. ``there`` is false where there is none, or no git."""

    def __init__(self, root: str) -> None:
        self._root = os.path.realpath(root)
        self._program = find(self._root)
        self.there = bool(self._program) and self._run("rev-parse", "--is-inside-work-tree").strip() == b"true"

    def commit(self) -> str:
        """The name of the commit that is checked out, "" before the first."""
        return self._run("rev-parse", "--verify", "-q", "HEAD").decode().strip()

    def changed(self) -> tuple[set[str], set[str]]:
        """Paths below the project, relative to it: those that differ from the last commit, and those git does not know."""
        above = os.fsdecode(self._run("rev-parse", "--show-prefix")).rstrip("\n")
        entries = iter(os.fsdecode(self._run("status", "--porcelain", "-z", "--untracked-files=all", "--", ".")).split("\0"))
        edited: set[str] = set()
        unknown: set[str] = set()
        for entry in entries:
            if not entry:
                continue
            (unknown if entry.startswith("??") else edited).add(entry[3:].removeprefix(above))
            if entry[:1] in "RC":
                edited.add(next(entries, "").removeprefix(above))
        return edited, unknown

    def content(self, path: str, digest: str) -> bytes | None:
        """The bytes with this SHA-256 that the file once had, as far as the history of the current commit knows."""
        seen = set()
        for blob in self._blobs(path):
            if blob not in seen:
                seen.add(blob)
                data = self.kept(blob)
                if data is not None and sha256(data).hexdigest() == digest:
                    return data
        return None

    def keep(self, data: bytes) -> str:
        """Keep bytes among git's objects and give their name; they stay for at least two weeks."""
        return self._run("hash-object", "-w", "--no-filters", "--stdin", data=data).decode().strip()

    def kept(self, blob: str) -> bytes | None:
        """The bytes of this name."""
        done = self._start(["cat-file", "blob", blob])
        return done.stdout if done.returncode == 0 else None

    def _blobs(self, path: str) -> Iterator[str]:
        if not self.there or not self.commit():
            return
        words = ("log", f"--max-count={_MOST_VERSIONS}", "-m", "--format=", "--raw", "--no-abbrev", "--no-renames", "--", path)
        for line in self._run(*words).decode("utf-8", "replace").splitlines():
            parts = line.split()
            if len(parts) > 4 and line.startswith(":"):
                yield from (blob for blob in (parts[3], parts[2]) if set(blob) != {"0"})

    def _run(self, *words: str, data: bytes = b"") -> bytes:
        done = self._start(list(words), data)
        return done.stdout if done.returncode == 0 else b""

    def _start(self, words: list[str], data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        command = [self._program, *SAFE, "-C", self._root, *words]
        try:
            return subprocess.run(command, env=environment(), input=data, capture_output=True, timeout=_SECONDS, check=False)
        except (OSError, ValueError, subprocess.TimeoutExpired) as error:
            raise ConfigurationError(f"git did not answer ({type(error).__name__})", self._root) from None
