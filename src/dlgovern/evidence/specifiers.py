"""One dependency specification, in the words of PEP 508 or of poetry, as a `Requirement`."""

from __future__ import annotations

import re
from typing import NamedTuple

from dlgovern.evidence.values import Requirement, normal
from dlgovern.source.patterns import lazy

_LONGEST = 4096
_ORIGIN = lazy(r"(?:(?:git|hg|svn|bzr)\+|https?://|file:|ssh://)", re.IGNORECASE)
_EGG = lazy(r"[#&]egg=([A-Za-z0-9._-]+)")
_ARCHIVE = lazy(r"([A-Za-z0-9._]+?)-\d[^/]*\.(?:whl|tar\.gz|zip)$")
_WHEEL = lazy(r"[\w.]+-\d[\w.+!-]*\.whl(?=\s|;|$)")  # beside the file, or where the command runs
_POETRY_PART = lazy(r"(?:\^|~=|~|[<>!=]=*|)\s*[\w.*+!-]+")
_LEGACY = lazy(r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[([^\]]*)\])?\s*(.*)")


class At(NamedTuple):
    """Where a requirement stands: the fields of `Requirement` that its text does not give."""

    group: str
    path: str
    line: int
    column: int
    end_column: int


def requirement(text: str, at: At, *, hashed: bool = False) -> Requirement | None:
    """The requirement that ``text`` is; None where it is none."""
    text = text.strip()
    if not text or len(text) > _LONGEST:
        return None
    if _ORIGIN.match(text):
        url, _, marker = _cut(text)
        return Requirement(_name_of(url), text, "", (), marker, url, *at, hashed)
    if text.startswith((".", "/", "~")) or re.match(r"[\w.-]+/", text) or re.match(r"[A-Za-z]:\\", text):
        path, _, marker = _cut(text)
        return Requirement("", text, "", (), marker, f"file:{path}", *at, hashed)
    if _WHEEL.match(text):
        path, _, marker = _cut(text)
        return Requirement(_name_of(path), text, "", (), marker, f"file:{path}", *at, hashed)
    return _named(text, at, hashed)


def poetry_specifier(text: str) -> str:
    """What poetry writes (``^1.2``, ``~1.2``, ``1.2.*``, ``*``) in the words of PEP 440."""
    alternatives = text.split("||")
    if len(alternatives) > 1:
        return ""  # a union has no specifier; to say nothing is to allow everything
    parts = [_poetry_part(part) for part in _POETRY_PART.findall(text)]
    return ",".join(part for part in parts if part)


def _poetry_part(text: str) -> str:
    part = text.strip()
    if part in ("*", ""):
        return ""
    if part.startswith("^"):
        numbers = _numbers(part[1:])
        if not numbers:
            return ""
        first = next((i for i, n in enumerate(numbers) if n), len(numbers) - 1)
        return f">={part[1:].strip()},<{_next(numbers, first)}"
    if part.startswith("~") and not part.startswith("~="):
        numbers = _numbers(part[1:])
        return f">={part[1:].strip()},<{_next(numbers, min(1, len(numbers) - 1))}" if numbers else ""
    if part[0].isdigit():
        return f"=={part}"
    return part.replace(" ", "")


def _numbers(text: str) -> list[int]:
    found = re.match(r"\s*(\d{1,9}(?:\.\d{1,9})*)", text)
    return [int(n) for n in found[1].split(".")] if found else []


def _next(numbers: list[int], index: int) -> str:
    return ".".join(str(n) for n in [*numbers[:index], numbers[index] + 1])


def _named(text: str, at: At, hashed: bool) -> Requirement | None:
    from packaging.requirements import InvalidRequirement
    from packaging.requirements import Requirement as Parsed

    try:
        parsed = Parsed(text)
        marker = str(parsed.marker) if parsed.marker else ""
    except (InvalidRequirement, RecursionError, ValueError):
        return _legacy(text, at, hashed)
    extras = tuple(sorted(normal(extra) for extra in parsed.extras))
    written = text.partition(";")[0].partition("@")[0]
    specifier = "" if parsed.url else _written(written, parsed.name)
    return Requirement(normal(parsed.name), text, specifier, extras, marker, parsed.url or "", *at, hashed)


def _written(text: str, name: str) -> str:
    """The specifier in the author's order, which ``str(SpecifierSet)`` does not keep."""
    rest = text.strip()[len(name) :].strip()
    if rest.startswith("["):
        rest = rest.partition("]")[2].strip()
    return rest.strip("()").replace(" ", "")


def _legacy(text: str, at: At, hashed: bool) -> Requirement | None:
    """A name with a version that PEP 440 does not know: ``torch==1.0-nv``, ``pkg>=1.*``."""
    head, _, marker = _cut(text)
    match = _LEGACY.fullmatch(head)
    if not match or not re.fullmatch(r"(?:\s*(?:[<>=]=?=?|[!~]=)\s*[^\s,;<>=!~\"']+\s*,?)*", match[3]):
        return None
    extras = tuple(sorted(normal(extra) for extra in (match[2] or "").split(",") if extra.strip()))
    return Requirement(normal(match[1]), text, match[3].replace(" ", ""), extras, marker, "", *at, hashed)


def _cut(text: str) -> tuple[str, str, str]:
    head, mark, marker = text.partition(" ;") if _ORIGIN.match(text) else text.partition(";")
    return head.strip(), mark, marker.strip()


def _name_of(url: str) -> str:
    egg = _EGG.search(url)
    if egg:
        return normal(egg[1])
    plain = url.partition("#")[0].partition("?")[0].rstrip("/")
    archive = _ARCHIVE.search(plain.rpartition("/")[2])
    if archive:
        return normal(archive[1])
    if "+" in url[:5]:
        path = plain.partition("://")[2].partition("/")[2] or plain.rpartition(":")[2]
        last = path.partition("@")[0].rpartition("/")[2]  # behind @ is a revision, which may have slashes
        return normal(last.removesuffix(".git"))
    return ""
