"""Regular expressions that are compiled when they are first used, since most runs use few of them."""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast


class _Lazy:
    """Stands for a compiled pattern until one of its methods is asked for."""

    def __init__(self, text: Any, flags: int) -> None:
        self._given = (text, flags)

    def __getattr__(self, name: str) -> Any:
        compiled = re.compile(*self._given)
        for method in ("match", "search", "fullmatch", "findall", "finditer", "sub", "split", "pattern"):
            setattr(self, method, getattr(compiled, method))
        return getattr(compiled, name)


def lazy(text: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """A pattern as from ``re.compile``, compiled on its first use."""
    return cast("re.Pattern[AnyStr]", _Lazy(text, flags))
