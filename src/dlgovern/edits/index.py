"""Repair an index of uv that is asked for every package: it becomes explicit, and the packages from it name it."""

from __future__ import annotations

import re

from dlgovern.edits.sheet import Cut, Repair, Sheet
from dlgovern.finding import Hit

_URL = re.compile(r"\s*url\s*=\s*[\"']([^\"']+)[\"']\s*(?:#.*)?")
_NAME = re.compile(r"\s*name\s*=\s*[\"']([\w.-]+)[\"']\s*(?:#.*)?")
_TABLE = re.compile(r"\s*\[")
_INDEX = re.compile(r"\s*\[\[\s*tool\.uv\.index\s*\]\]\s*(?:#.*)?")
_SOURCES = re.compile(r"\s*\[\s*tool\.uv\.sources\s*\]\s*(?:#.*)?")


def explicit_index(sheet: Sheet, hit: Hit, parameters: dict[str, object]) -> Repair | None:
    """Write ``explicit = true`` below the address, and a source for each declared package that the index is known for.

    ``indexes``: beginning of an address -> what is published there. Left where a package has a source already, or the
    manifest declares none of them: then nobody can tell what the index was for.
    """
    lines = [sheet.line(number) for number in range(1, sheet.text.count("\n") + 2)]
    url = _URL.fullmatch(lines[hit.line - 1]) if sheet.kind == "pyproject" else None
    known = parameters.get("indexes")
    if url is None or not isinstance(known, dict):
        return None
    published = {name for prefix, names in known.items() if url[1].startswith(prefix) for name in names}
    first = next((n for n in range(hit.line - 1, 0, -1) if _TABLE.match(lines[n - 1])), 0)
    last = next((n for n in range(hit.line, len(lines)) if _TABLE.match(lines[n])), len(lines))
    table = lines[first:last]
    named = next((found[1] for line in table if (found := _NAME.fullmatch(line))), "")
    if not first or not _INDEX.fullmatch(lines[first - 1]) or not named or any(line.strip().startswith("explicit") for line in table):
        return None
    declared = sorted({one.name for one in sheet.document.requirements if not one.url} & published)
    if not declared or {one.name for one in sheet.document.sources} & set(declared):
        return None
    said = "".join(f'{name} = {{ index = "{named}" }}\n' for name in declared)
    sources = next((n for n, line in enumerate(lines, 1) if _SOURCES.fullmatch(line)), 0)
    indent = lines[hit.line - 1][: len(lines[hit.line - 1]) - len(lines[hit.line - 1].lstrip())]
    end = sheet.line_end(hit.line)
    cuts = [Cut(end, end, f"\n{indent}explicit = true")]
    if sources:
        at = sheet.line_start(sources + 1)
        cuts.append(Cut(at, at, said))
    else:
        at = sheet.line_start(first)
        cuts.append(Cut(at, at, f"[tool.uv.sources]\n{said}\n"))
    return Repair(tuple(sorted(cuts)))
