"""Put a new project on disk: all of it, or nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable

from dlgovern.errors import UsageError
from dlgovern.scaffold.project import Made


def demand_free(target: str) -> None:
    """Raise UsageError unless a project may be made at the absolute path ``target``."""
    parent = os.path.dirname(target)
    if not os.path.isdir(parent):
        raise UsageError("there is no such folder to make the project in", parent, "make it first")
    if not os.path.lexists(target):
        return
    if os.path.islink(target) or not os.path.isdir(target):
        raise UsageError("exists and is no folder", target, "choose another name")
    if os.path.samefile(target, os.getcwd()):
        raise UsageError("is the folder you are in", target, "go one up and name it, or use `dlgovern adopt`")
    if os.listdir(target):
        raise UsageError("exists and is not empty", target, "choose another name, or use `dlgovern adopt` in it")


def put(target: str, files: Iterable[Made]) -> None:
    """Write the files beside ``target``, then let them take its place. Raises UsageError."""
    temporary = os.path.join(os.path.dirname(target), f".dlgovern-{os.getpid()}-{os.urandom(8).hex()}.tmp")
    try:
        os.mkdir(temporary)
        for one in files:
            path = os.path.join(temporary, *one.path.split("/"))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            mode = 0o777 if one.executable else 0o666
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode), "wb") as file:
                file.write(one.data)
        if os.path.isdir(target):
            os.rmdir(target)  # fails where somebody put something there meanwhile
        os.rename(temporary, target)
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror or error}", target) from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
