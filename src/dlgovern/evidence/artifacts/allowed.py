"""Which names a pickle may use: the allow-list of one torch version, and what a standard adds."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence

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

    def __init__(self, version: str, kinds: dict[str, str], extra: Iterable[str] = (), elsewhere: dict[str, str] | None = None) -> None:
        self.version = version
        self.elsewhere = {**DATA, **(elsewhere or {})}
        """What is not on the list and builds data alone all the same: what Python and numpy write, what another torch loads."""
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


def newest(rows: Sequence[Sequence[str]], extra: Iterable[str] = (), reaches: Callable[[tuple[int, ...]], bool] | None = None) -> Allowed:
    """The allow-list from rows of (torch since, torch until, name, kind): of the newest torch there is, or that ``reaches`` allows.

    A list holds until the next release that changed it.
    """
    versions = sorted({_numbers(text) for row in rows for text in row[:2] if text != _EVER})
    if not versions:
        return Allowed("", {}, extra)
    chosen = max((one for one in versions if reaches is None or reaches(one)), default=versions[0])
    kinds = {row[2]: row[3] for row in rows if _numbers(row[0]) <= chosen and (row[1] == _EVER or chosen < _numbers(row[1]))}
    return Allowed(".".join(map(str, chosen)), kinds, extra, {row[2]: row[3] for row in rows if row[2] not in kinds})


_EVER = "-"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in version.split("."))
