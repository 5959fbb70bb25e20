"""Match paths against patterns like those of ``.gitignore``, in time that no pattern can make explode."""

from __future__ import annotations

import re
from collections.abc import Iterable

from dlgovern.errors import ConfigurationError
from dlgovern.source.patterns import lazy

_PART = lazy(r"\\.|\[!?\]?[^\]]*\]|.", re.DOTALL)


def translate(pattern: str) -> str:
    """A regular expression that matches, from its beginning, each path that the pattern names or contains.

    ``*`` and ``?`` stay within a name, ``**`` spans folders, a leading or inner ``/`` anchors the pattern to the
    root, a trailing one asks for a folder; without any the pattern may name something at every depth.
    Everything before the last star of a name, and the last ``**``, is atomic: the leftmost match is as good as
    any later one there, so nothing has to be tried twice.
    """
    if pattern.startswith("!"):
        raise ConfigurationError(f"the pattern {pattern!r} begins with '!'", do="name what to leave out instead")
    folder = pattern.endswith("/")
    names = [name for name in pattern.strip("/").split("/") if name not in ("", ".")]
    if not names:
        raise ConfigurationError(f"the pattern {pattern!r} names nothing", do="name a file or a folder")
    names = ["*" if name == "**" and pattern.strip("/") == "**" else name for name in names]
    inside = names[-1] == "**" and len(names) > 1
    if "/" not in pattern.removesuffix("/"):
        names.insert(0, "**")
    runs: list[list[str]] = [[]]
    for name in names[:-1] if inside else names:
        if name == "**":
            runs.append([])
        else:
            runs[-1].append(_name(name))
    head, *rest = ["/".join(run) for run in runs]
    *middle, last = [run for run in rest if run] or [""]
    parts = [head]
    for run in middle:
        parts.append(f"{'/' if parts != [''] else ''}(?>(?:[^/]+/)*?{run}(?=/))")
    if rest:
        parts.append(f"{'/' if parts != [''] else ''}(?:[^/]+/)*?{last or '[^/]+'}")
    return "".join(parts) + ("/." if inside or folder else r"(?:/|\Z)")


def matcher(patterns: Iterable[str]) -> re.Pattern[str] | None:
    """One expression for all patterns, for use with ``match``; None where there are none."""
    translated = [translate(pattern) for pattern in patterns]
    return re.compile("|".join(f"(?:{one})" for one in translated), re.DOTALL) if translated else None


def _name(name: str) -> str:
    """One name of a pattern. Each star but the last stops at the first place where what follows it fits."""
    pieces = [""]
    for part in _PART.findall(name):
        if part == "*":
            pieces.append("")
        elif part == "?":
            pieces[-1] += "[^/]"
        elif len(part) > 2 and part.startswith("["):
            pieces[-1] += _choice(part[1:-1])
        else:
            pieces[-1] += re.escape(part[-1])
    first, *rest = pieces
    if not rest:
        return first
    *middle, last = [piece for piece in rest[:-1] if piece] + rest[-1:]
    return first + "".join(f"(?>[^/]*?{piece})" for piece in middle) + f"[^/]*{last}(?=/|\\Z)"


def _choice(inside: str) -> str:
    """A set of characters, never a slash."""
    negated = inside.startswith("!")
    text = inside[1:] if negated else inside
    text = "".join("\\" + char if char in "\\[]^&~|" else char for char in text)
    try:
        re.compile(f"[{text}]")
    except re.error:
        raise ConfigurationError(f"the set [{inside}] makes no sense", do="write it as in [a-z0-9]") from None
    return f"(?!/)[{'^' if negated else ''}{text}]"
