"""Which names a pickle may use: the allow-list of one torch version, and what a standard adds."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

NEVER = frozenset(("sys", "os", "posix", "nt"))
"""Modules that torch refuses whatever its user allows."""

DATA = {
    "builtins.bytes": "data of Python",
    "builtins.frozenset": "data of Python",
    "numpy._core.multiarray._reconstruct": "numpy",
    "numpy._core.multiarray.scalar": "numpy",
    "numpy.core.multiarray._reconstruct": "numpy",
    "numpy.core.multiarray.scalar": "numpy",
    "numpy._core.numeric._frombuffer": "numpy",
    "numpy.core.numeric._frombuffer": "numpy",
    "numpy.dtype": "numpy",
    "joblib.numpy_pickle.NumpyArrayWrapper": "numpy",
    "numpy.ndarray": "numpy",
}
"""What pickle writes for data that torch does not load: it builds data alone when the arguments are those that pickle and numpy write."""


class Allowed:
    """The names of one torch version and their kinds: data, function, class, storage, tensor, user."""

    def __init__(self, version: str, kinds: dict[str, str], extra: Iterable[str] = ()) -> None:
        self.version = version
        self.extra = tuple(sorted(set(extra)))
        self._kinds = dict(kinds)
        for name in self.extra:
            if name.partition(".")[0] not in NEVER:
                self._kinds.setdefault(name, "user")

    def kind(self, module: str, name: str, *, data: bool) -> str:
        """The kind of a name, "" for one that is not allowed. The name has no dot: nothing is reached through it."""
        if "." in name or module in NEVER:
            return ""
        full = f"{module}.{name}"
        return self._kinds.get(full, "") or (DATA.get(full, "") if data else "")

    def hint(self, full: str) -> str:
        """What is odd about a name that is not allowed."""
        if full.isascii():
            return ""
        plain = unicodedata.normalize("NFKC", full)
        return " (written with look-alike characters)" if plain != full or plain.isascii() is False else ""


def newest(rows: Sequence[Sequence[str]], extra: Iterable[str] = (), version: str = "") -> Allowed:
    """The allow-list from rows of (torch version, name, kind): of ``version``, or of the newest there is."""
    versions = sorted({row[0] for row in rows}, key=_numbers)
    if not versions:
        return Allowed("", {}, extra)
    chosen = version if version in versions else versions[-1]
    return Allowed(chosen, {row[1]: row[2] for row in rows if row[0] == chosen}, extra)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in version.split("."))
