"""Repairs of one requirement in a manifest: the same library under its new name."""

from __future__ import annotations

import re
from hashlib import sha256

from dlgovern.finding import Edit, Fix, Hit
from dlgovern.policy import Rule
from dlgovern.source.encoding import line_starts

_REQUIREMENT = re.compile(r"[A-Za-z0-9][\w.-]*(\[[\w\s,.-]*\])?\s*([<>=!~][^;#\\'\"]*)?(;[^#\\'\"]*)?")


def repair(rule: Rule, hit: Hit, path: str, data: bytes) -> Fix | None:
    """The requirement of a requirements file or of pyproject.toml written as the slot ``renamed`` says.

    Only where the hit's span is one plain requirement on one line, in UTF-8 and without hashes; None elsewhere.
    """
    new = hit.slots.get(str(rule.fix.get("slot", "")), "")
    if rule.fix.get("action") != "replace-text" or not new or set(new) & set("\"'\\\n\r") or hit.line != hit.end_line:
        return None
    starts = line_starts(data)
    if hit.line >= len(starts) + 1:
        return None
    start = starts[hit.line - 1]
    end = starts[hit.line] if hit.line < len(starts) else len(data)
    try:
        line = data[start:end].decode()
    except UnicodeDecodeError:
        return None
    old = line[hit.column - 1 : hit.end_column - 1].rstrip()
    lead = hit.column - 1
    if old[:1] in ("'", '"') and old[-1:] == old[:1]:
        old, lead = old[1:-1], lead + 1
    if not _REQUIREMENT.fullmatch(old) or "--hash" in line:
        return None
    first = start + len(line[:lead].encode())
    return Fix(bool(rule.fix.get("safe")), (Edit(path, sha256(data).hexdigest(), first, first + len(old.encode()), new),))
