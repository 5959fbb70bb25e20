"""Whether a licence expression can be met with an allowed set of licences: the words of SPDX, no more."""

from __future__ import annotations

import re
from collections.abc import Iterable

_TOKEN = re.compile(r"\(|\)|[^\s()]+")
_MOST = 400  # tokens; a longer expression is none


class Unparsable(ValueError):
    """The text is no licence expression."""


def satisfied(expression: str, allowed: Iterable[str]) -> bool:
    """Whether some choice that the expression offers needs allowed licences only. Raises `Unparsable`.

    An exception (``WITH``) gives permissions, so the licence without it is enough; ``+`` means this or a later one.
    """
    tokens = _TOKEN.findall(expression)
    if not tokens or len(tokens) > _MOST:
        raise Unparsable(expression)
    names = {name.lower().removesuffix("+") for name in allowed}
    value, at = _any(tokens, 0, names, 0)
    if at != len(tokens):
        raise Unparsable(expression)
    return value


def _any(tokens: list[str], at: int, names: set[str], depth: int) -> tuple[bool, int]:
    value, at = _all(tokens, at, names, depth)
    while at < len(tokens) and tokens[at].upper() == "OR":
        other, at = _all(tokens, at + 1, names, depth)
        value = value or other
    return value, at


def _all(tokens: list[str], at: int, names: set[str], depth: int) -> tuple[bool, int]:
    value, at = _one(tokens, at, names, depth)
    while at < len(tokens) and tokens[at].upper() == "AND":
        other, at = _one(tokens, at + 1, names, depth)
        value = value and other
    return value, at


def _one(tokens: list[str], at: int, names: set[str], depth: int) -> tuple[bool, int]:
    if at >= len(tokens) or tokens[at].upper() in ("AND", "OR", "WITH", ")") or depth > 20:  # noqa: PLR2004 - nesting
        raise Unparsable(" ".join(tokens))
    if tokens[at] == "(":
        value, at = _any(tokens, at + 1, names, depth + 1)
        if at >= len(tokens) or tokens[at] != ")":
            raise Unparsable(" ".join(tokens))
        return value, at + 1
    name = tokens[at].lower().removesuffix("+")
    if at + 2 < len(tokens) and tokens[at + 1].upper() == "WITH":
        return name in names or f"{name} with {tokens[at + 2].lower()}" in names, at + 3
    return name in names, at + 1
