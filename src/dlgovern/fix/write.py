"""Write changed files so that each is, at every moment and after every crash, either the old or the new one."""

from __future__ import annotations

import os
import re
import stat
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from typing import NamedTuple

from dlgovern.fix.place import Refused, current, demand_replaceable, resolve
from dlgovern.source.read import reason

PREFIX = ".dlgovern-"
_STRAY = re.compile(r"\.dlgovern-(\d{1,10})-[0-9a-f]{16}\.tmp")
_OLD = 3600.0  # seconds after which a temporary file is nobody's, whatever process has its number now

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL
for _flag in ("O_BINARY", "O_NOFOLLOW", "O_CLOEXEC"):
    _CREATE |= getattr(os, _flag, 0)


class Content(NamedTuple):
    """New bytes for a file, over the old ones that have this SHA-256 ("" for a file that must not exist yet)."""

    path: str  # POSIX, relative to the root
    digest: str
    data: bytes


class Written(NamedTuple):
    """What became of one file: ``why`` is empty where it was written, else it completes "FILE …"."""

    path: str
    why: str


class Interrupted(KeyboardInterrupt):
    """Ctrl-C while writing; ``written`` tells what became of the files before."""

    def __init__(self, written: list[Written]) -> None:
        super().__init__()
        self.written = written


def write(root: str, groups: Iterable[tuple[Content, ...]]) -> list[Written]:
    """Write each group of files as a whole, or none of it; a group that cannot be written does not stop the others.

    Every temporary file of a group is complete on disk before the first file of it is replaced. Raises `Interrupted`.
    """
    done: list[Written] = []
    swept: set[str] = set()
    try:
        for group in groups:
            _write_group(root, group, done, swept)
    except KeyboardInterrupt:
        raise Interrupted(done) from None
    return done


def sweep(folder: str) -> None:
    """Remove the temporary files that a killed run has left in this folder."""
    try:
        names = [name for name in os.listdir(folder) if name.startswith(PREFIX)]
    except OSError:
        return
    for name in names:
        found = _STRAY.fullmatch(name)
        path = os.path.join(folder, name)
        with suppress(OSError):
            status = os.lstat(path)
            old = time.time() - status.st_mtime > _OLD
            if found and stat.S_ISREG(status.st_mode) and (old or not _lives(int(found[1]))):
                os.unlink(path)


def _write_group(root: str, group: tuple[Content, ...], done: list[Written], swept: set[str]) -> None:
    staged: list[_Staged] = []
    replaced: set[str] = set()
    at = ""
    try:
        for content in group:
            at = content.path
            one = _Staged(root, content)
            staged.append(one)
            if one.folder not in swept:
                swept.add(one.folder)
                sweep(one.folder)
            one.stage()
        with _interrupts_wait():
            for one in staged:
                at = one.content.path
                one.demand_unchanged()
            for one in staged:
                at = one.content.path
                one.replace()
                replaced.add(at)
                done.append(Written(at, ""))
    except Refused as error:
        for content in group:
            if content.path not in replaced:
                why = error.why if content.path == at else f"is left because {at} {error.why}"
                done.append(Written(content.path, why))
    finally:
        for one in staged:
            one.discard()


class _Staged:
    """One file about to be replaced, and the temporary file that will take its place."""

    def __init__(self, root: str, content: Content) -> None:
        self.content = content
        self._real = resolve(root, content.path)
        self.folder = os.path.dirname(self._real)
        before, self._status = current(self._real)
        if self._status is None:
            if content.digest:
                raise Refused("does not exist any more")
        elif sha256(before).hexdigest() != content.digest:
            raise Refused("changed on disk" if content.digest else "exists already")
        else:
            demand_replaceable(self._real, self._status)
        name = f"{PREFIX}{os.getpid()}-{os.urandom(8).hex()}.tmp"
        self._temporary = os.path.join(self.folder, name)

    def stage(self) -> None:
        """Put the new bytes on disk, beside the file and with its mode, owner and attributes."""
        try:
            if self._status is None:
                os.makedirs(self.folder, exist_ok=True)
            descriptor = os.open(self._temporary, _CREATE, 0o666 if self._status is None else 0o600)
            try:
                _write_all(descriptor, self.content.data)
                if self._status is not None:
                    _keep(descriptor, self._real, self._status)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise Refused(_unwritten(error)) from None

    def demand_unchanged(self) -> None:
        """Raise `Refused` where somebody else wrote since the bytes were compared."""
        try:
            now: os.stat_result | None = os.lstat(self._real)
        except FileNotFoundError:
            now = None
        except OSError as error:
            raise Refused(reason(error)) from None
        if _identity(now) != _identity(self._status):
            raise Refused("changed on disk")

    def replace(self) -> None:
        """Let the temporary file take the place."""
        try:
            os.replace(self._temporary, self._real)
        except OSError as error:
            raise Refused(_unwritten(error)) from None
        self._temporary = ""
        with suppress(OSError):  # the file is whole either way; not every system can sync a folder
            folder = os.open(self.folder, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def discard(self) -> None:
        """Remove the temporary file, unless it has taken its place."""
        if self._temporary:
            with suppress(OSError):
                os.unlink(self._temporary)


def _write_all(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]


def _keep(descriptor: int, real: str, status: os.stat_result) -> None:
    """Give the temporary file the owner, mode and extended attributes of the file it is to replace."""
    if hasattr(os, "fchown"):
        own = os.fstat(descriptor)
        if (own.st_uid, own.st_gid) != (status.st_uid, status.st_gid):
            os.fchown(descriptor, status.st_uid, status.st_gid)
        os.fchmod(descriptor, stat.S_IMODE(status.st_mode))
    if sys.platform == "linux":
        with suppress(OSError):  # not every file system has them, and some are for the system alone
            for name in os.listxattr(real):
                with suppress(OSError):
                    os.setxattr(descriptor, name, os.getxattr(real, name))


def _identity(status: os.stat_result | None) -> tuple[int, ...]:
    if status is None:
        return ()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_nlink, status.st_mode


def _unwritten(error: OSError) -> str:
    return f"cannot be written ({error.strerror or type(error).__name__})"


def _lives(process: int) -> bool:
    if os.name == "nt":
        return True  # asking would end it; age decides
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


@contextmanager
def _interrupts_wait() -> Iterator[None]:
    """Hold Ctrl-C back while files are replaced, so that a group is written as a whole."""
    import signal  # only here; loading it costs every other run

    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    came: list[int] = []
    try:
        signal.signal(signal.SIGINT, lambda number, _frame: came.append(number))
    except ValueError:  # not the main thread, which alone is interrupted
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if came:
        raise KeyboardInterrupt
