"""The lines of a requirements or constraints file, as pip reads them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import NamedTuple

from dlgovern.evidence.specifiers import At, requirement
from dlgovern.evidence.values import Include, IndexOption, Manifest, Problem, Requirement
from dlgovern.source.patterns import lazy

_COMMENT = lazy(r"(?:^|\s)#.*$")
_HASH = lazy(r"\s--hash[=\s]\s*\S+")
_OTHER = lazy(
    r"\s(?:--(?:config-settings?|global-option|install-option|(?:extra-)?index-url|find-links|trusted-host|no-binary|only-binary)[=\s]"
    r"|--(?:pre|no-index|prefer-binary|require-hashes)(?=\s|$)|-[if]\s).*$"
)  # pip takes these behind a requirement too, and passes over those that are for the whole file
_OPTION = lazy(r"(-[rceif]|--[a-z][a-z-]*)(?:\s*=\s*|\s+|(?<=^-[rceif])|$)(.*)")
_MOST_PROBLEMS = 20
_CONDA = "conda create"  # `conda list --export` says so in its first lines, and pip cannot read the rest
_HEAD = 300

_INDEXES = {
    "-i": "index-url",
    "--index-url": "index-url",
    "--pypi-url": "index-url",
    "--extra-index-url": "extra-index-url",
    "-f": "find-links",
    "--find-links": "find-links",
    "--trusted-host": "trusted-host",
    "--pre": "pre",
    "--no-index": "no-index",
}
_INCLUDES = {"-r": "requirements", "--requirement": "requirements", "-c": "constraints", "--constraint": "constraints"}
_SILENT = frozenset(
    ("--no-binary", "--only-binary", "--prefer-binary", "--require-hashes", "--no-require-hashes", "--all-releases", "--only-final",
     "--use-feature", "--config-settings", "--config-setting")
)
_REFUSED = frozenset(
    ("--no-cache-dir", "--upgrade", "--no-deps", "--user", "--target", "--quiet", "--verbose", "--force-reinstall", "--ignore-installed",
     "--no-build-isolation", "--use-pep517", "--upgrade-strategy", "--cache-dir", "--proxy", "--timeout", "--break-system-packages")
)
"""Options of ``pip install`` for which pip ends with "no such option" where they stand in a file."""


class _Line(NamedTuple):
    text: str  # continuations joined, comments gone, no space around it
    number: int
    column: int
    end_column: int


class _Found(NamedTuple):
    path: str
    requirements: list[Requirement]
    indexes: list[IndexOption]
    includes: list[Include]
    problems: list[Problem]
    skipped: list[Problem]


def read_requirements(text: str, path: str, kind: str = "requirements") -> Manifest:
    """What a requirements file says. Includes are named, not followed."""
    found = _Found(path, [], [], [], [], [])
    if _CONDA in text[:_HEAD]:
        return Manifest(path, kind, skipped=(Problem(path, 1, "is a list for conda"),))
    for line in _lines(text):
        if line.text.startswith("-"):
            _option(line, found)
            continue
        entry = _requirement(line, line.text, path)
        if entry:
            found.requirements.append(entry)
        elif len(found.problems) < _MOST_PROBLEMS:
            found.problems.append(Problem(path, line.number, "has a line that is no requirement"))
    return Manifest(
        path,
        kind,
        requirements=tuple(found.requirements),
        indexes=tuple(found.indexes),
        includes=tuple(found.includes),
        problems=tuple(found.problems),
        skipped=tuple(found.skipped),
    )


def _lines(text: str) -> Iterator[_Line]:
    pieces: list[str] = []
    first = (0, "")
    for number, physical in enumerate(text.split("\n"), 1):
        line = physical.rstrip("\r")
        if not pieces:
            first = (number, line)
        if line.endswith("\\") and not line.lstrip().startswith("#"):
            pieces.append(line[:-1])
            continue
        pieces.append(line)
        yield from _joined(pieces, *first)
        pieces = []
    if pieces:
        yield from _joined(pieces, *first)


def _joined(pieces: list[str], number: int, first: str) -> Iterator[_Line]:
    text = _COMMENT.sub("", "".join(pieces)).strip()
    if not text:
        return
    column = len(first) - len(first.lstrip()) + 1
    seen = _COMMENT.sub("", first.rstrip("\\")).rstrip()
    yield _Line(text, number, column, max(len(seen) + 1, column))


def _requirement(line: _Line, text: str, path: str) -> Requirement | None:
    hashed = bool(_HASH.search(text))
    bare = _OTHER.sub("", _HASH.sub("", text)).strip()
    offset = line.text.find(bare) if bare else 0
    column = line.column + max(offset, 0)
    return requirement(bare, At("", path, line.number, column, min(column + len(bare), line.end_column)), hashed=hashed)


def _option(line: _Line, found: _Found) -> None:
    match = _OPTION.match(line.text)
    name, value = (match[1], match[2].strip()) if match else (line.text.split()[0], "")
    value, more, rest = f" {value}".partition(" -")  # further options on the line
    value = value.strip()
    if more:
        _option(line._replace(text=f"-{rest}"), found)
    if name in _INDEXES:
        span = (found.path, line.number, line.column, line.end_column)
        found.indexes.append(IndexOption(_INDEXES[name], _unquoted(value), False, *span))
    elif name in _INCLUDES:
        made = included(name, _unquoted(value), (found.path, line.number, line.column, line.end_column))
        if isinstance(made, Include):
            found.includes.append(made)
        else:
            found.skipped.append(made)
    elif name in ("-e", "--editable"):
        entry = _requirement(line, _unquoted(value), found.path)
        if entry:
            found.requirements.append(entry)
    elif name in _REFUSED and len(found.problems) < _MOST_PROBLEMS:
        found.problems.append(Problem(found.path, line.number, f"has the option {name}, which pip takes on its command line only"))
    elif name not in _SILENT and len(found.skipped) < _MOST_PROBLEMS:
        found.skipped.append(Problem(found.path, line.number, "has an option that is unknown here"))


def included(option: str, target: str, span: tuple[str, int, int, int]) -> Include | Problem:
    """What ``-r`` or ``-c`` (or their long forms) at ``span`` names, or why that is not followed."""
    path, line, *columns = span
    if re.match(r"[a-z][a-z+]+:", target, re.IGNORECASE):
        return Problem(path, line, "reads a file on the network")
    inner = posixpath.normpath(posixpath.join(posixpath.dirname(path), target.replace("\\", "/")))
    if inner.startswith(("../", "/")) or inner in ("..", "."):
        return Problem(path, line, "reads a file outside the project's root")
    return Include(_INCLUDES[option], inner, line, *columns)


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text
