"""Say where in the file system a file of the project may be written."""

from __future__ import annotations

import os
import stat

from dlgovern.source.read import LIMIT, Unreadable, demand_regular, read, reason


class Refused(Exception):
    """A file that is not written; ``why`` completes the sentence "FILE …"."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def resolve(root: str, path: str) -> str:
    """The real, absolute path of a POSIX path below ``root``; links inside are followed, out of it refused."""
    names = path.split("/")
    if os.path.isabs(path) or ".." in names or "" in names or (os.name == "nt" and (":" in path or "\\" in path)):
        raise Refused("is no path inside the project")
    real_root = os.path.realpath(root)
    try:
        real = os.path.realpath(os.path.join(real_root, *names))
    except (OSError, ValueError):
        raise Refused("has a name that the file system cannot hold") from None
    if not real.startswith(os.path.join(real_root, "")):
        raise Refused("leads out of the project by a symbolic link")
    if ".git" in real[len(real_root) :].split(os.sep):
        raise Refused("lies in git's own folder")
    return real


def current(real: str, limit: int = LIMIT) -> tuple[bytes, os.stat_result | None]:
    """Bytes and status of the file at a resolved path; no bytes and None where there is no file yet."""
    try:
        status = os.lstat(real)
        demand_regular(status)
        return read(real, limit), status
    except FileNotFoundError:
        return b"", None
    except Unreadable as error:
        raise Refused(error.why) from None
    except (OSError, ValueError) as error:
        raise Refused(reason(error)) from None


def demand_replaceable(real: str, status: os.stat_result) -> None:
    """Raise `Refused` where replacing the file would lose something that its bytes do not hold."""
    if status.st_nlink > 1:
        raise Refused("has other names (hard links), which would keep the old text")
    if stat.S_IMODE(status.st_mode) & (stat.S_ISUID | stat.S_ISGID):
        raise Refused("runs with the rights of its owner and is left to them")
    if not os.access(real, os.W_OK):
        raise Refused("may not be written")
    if hasattr(os, "geteuid") and os.geteuid() not in (0, status.st_uid):
        raise Refused("belongs to another user")
