"""See model files that git would keep for ever: larger than a limit, and not handed to Git LFS."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.errors import ConfigurationError
from dlgovern.evidence.artifacts.document import Here
from dlgovern.evidence.text import Unreadable, read_text
from dlgovern.finding import Hit
from dlgovern.policy import Rule
from dlgovern.repository.window import Windows
from dlgovern.source.globs import matcher

PARAMETERS = {
    "limit": Parameter("integer", "bytes up to which a model file may be in git itself", default=0),
}
KINDS = frozenset(("artifact",))
"""Kinds of evidence that are read."""

GUARDS = ("lfs",)
"""What the detector is silent under; examples of its rules must show it."""


def judge(rules: list[Rule], here: Here, _tables: dict[str, Any], _windows: Windows) -> Iterator[Hit]:
    """The hits of these rules on one file, at its first line."""
    try:
        size = os.lstat(os.path.join(here.root, here.path)).st_size
    except OSError:
        return
    for rule in rules:
        limit = rule.parameters.get("limit", 0)
        unguarded = "lfs" in rule.parameters.get("without_guards", ())
        if size > limit and (unguarded or not in_lfs(here.root, here.path)):
            yield Hit(rule.id, 1, 1, 1, 1, slots={"size": f"{size:,}", "limit": f"{limit:,}"})


def _names(pattern: str, path: str) -> bool:
    try:
        found = matcher([pattern])
    except (ConfigurationError, re.error):
        return False
    return found is not None and found.match(path) is not None


def in_lfs(root: str, path: str) -> bool:
    """Whether a .gitattributes on the way to a file gives it to Git LFS; the last line that speaks of it counts."""
    answer = False
    folder = ""
    for part in ("", *posixpath.dirname(path).split("/")):
        if part:
            folder = posixpath.join(folder, part)
        elif folder:
            continue
        try:
            text = read_text(root, posixpath.join(folder, ".gitattributes"))
        except Unreadable:
            continue
        inner = path[len(folder) :].lstrip("/")
        for line in text.splitlines():
            words = line.split()
            if len(words) < 2 or words[0].startswith("#"):  # noqa: PLR2004
                continue
            said = [word for word in words[1:] if word.lstrip("-!").partition("=")[0] == "filter"]
            if said and _names(words[0], inner):
                answer = said[-1] == "filter=lfs"
    return answer
