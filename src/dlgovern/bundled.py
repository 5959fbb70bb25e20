"""Where the shipped rules and templates are, in a wheel as in a checkout."""

from __future__ import annotations

import os
from functools import cache

from dlgovern import __version__

_HERE = os.path.dirname(os.path.abspath(__file__))


@cache
def version() -> str:
    """The version of this very code, for keys of caches: in a checkout every change of a module is another one."""
    if os.path.isdir(os.path.join(_HERE, "_bundled")):
        return __version__
    newest = count = 0
    todo = [_HERE]
    while todo:
        with os.scandir(todo.pop()) as entries:
            for entry in entries:
                if entry.name.endswith(".py"):
                    newest, count = max(newest, entry.stat().st_mtime_ns), count + 1
                elif "." not in entry.name and entry.name != "__pycache__":
                    todo.append(entry.path)
    return f"{__version__}+{count}.{newest}"


def folder(name: str) -> str:
    """Absolute path of the shipped ``rules`` or ``templates`` folder.

    In a wheel they lie under ``_bundled``; an editable install reads the checkout's top level.
    """
    shipped = os.path.join(_HERE, "_bundled", name)
    if os.path.isdir(shipped):
        return shipped
    return os.path.join(os.path.dirname(os.path.dirname(_HERE)), name)
