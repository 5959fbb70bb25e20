"""The versions that a lock file fixes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from dlgovern.evidence import toml
from dlgovern.evidence.values import Locked, Manifest, Problem, normal
from dlgovern.source.patterns import lazy

_HEADER = lazy(r"^[ \t]*\[\[[ \t]*(packages?)[ \t]*\]\]", re.MULTILINE)
_VERSION = lazy(r"^[ \t]*version[ \t]*=", re.MULTILINE)


def read_toml_lock(text: str, path: str) -> Manifest:
    """A uv.lock, poetry.lock, pdm.lock or pylock.toml. Raises `toml.Broken`."""
    data = toml.load(text)
    key = "packages" if isinstance(data.get("packages"), list) else "package"
    entries = data.get(key)
    packages: list[Any] = entries if isinstance(entries, list) else []
    lines = _lines(text, key, len(packages))
    found = []
    written: list[tuple[str, str]] = []
    for number, package in enumerate(packages):
        if not isinstance(package, dict):
            continue
        name, version = package.get("name"), package.get("version")
        if _is_own(package):
            written += _written_for(package)
        if isinstance(name, str) and isinstance(version, str) and not _is_own(package):
            found.append(Locked(normal(name), version, path, lines[number]))
    return Manifest(path, "lock", locked=tuple(found), written_for=tuple(written))


def _written_for(package: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What a uv.lock says that the project itself asked for when it was made."""
    metadata = package.get("metadata")
    asked = metadata.get("requires-dist") if isinstance(metadata, dict) else None
    for entry in asked if isinstance(asked, list) else []:
        if isinstance(entry, dict) and isinstance(entry.get("name"), str) and "marker" not in entry:
            specifier = entry.get("specifier", "")
            yield normal(entry["name"]), specifier if isinstance(specifier, str) else ""


def read_pipfile_lock(text: str, path: str) -> Manifest:
    """A Pipfile.lock."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return Manifest(path, "lock", problems=(Problem(path, 0, "is not JSON"),))
    found = []
    lines = _json_lines(text)
    for section in ("default", "develop"):
        table = data.get(section) if isinstance(data, dict) else None
        for name, entry in table.items() if isinstance(table, dict) else ():
            version = entry.get("version") if isinstance(entry, dict) else None
            if isinstance(version, str):
                found.append(Locked(normal(name), version.lstrip("="), path, lines.get(name, 1)))
    return Manifest(path, "lock", locked=tuple(found))


def _is_own(package: dict[str, Any]) -> bool:
    """Whether the lock names a part of the project itself."""
    source = package.get("source")
    return isinstance(source, dict) and any(key in source for key in ("editable", "virtual", "workspace"))


def _lines(text: str, key: str, count: int) -> list[int]:
    """The line of each package's version; 1 where the file is not laid out as its tool does."""
    starts = [match.start() for match in _HEADER.finditer(text) if match[1] == key]
    if len(starts) != count:
        return [1] * count
    lines = []
    line, done = 1, 0
    for number, start in enumerate(starts):
        stop = starts[number + 1] if number + 1 < count else len(text)
        version = _VERSION.search(text, start, stop)
        at = version.start() if version else start
        line += text.count("\n", done, at)
        done = at
        lines.append(line)
    return lines


def _json_lines(text: str) -> dict[str, int]:
    lines: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), 1):
        match = re.match(r'\s*"([^"\\]+)": \{', line)
        if match:
            lines.setdefault(match[1], number)
    return lines
