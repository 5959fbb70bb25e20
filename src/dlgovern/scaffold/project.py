"""Make the files of a project from a template and answers, in memory."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from typing import NamedTuple

from dlgovern.errors import Mistake, StandardError
from dlgovern.report.display import display
from dlgovern.scaffold.answers import DEVICES, names
from dlgovern.scaffold.load import Template
from dlgovern.scaffold.render import Renderer, Unrenderable
from dlgovern.scaffold.template import Answer, Owner
from dlgovern.source.globs import matcher

LOCK = "dlgovern.lock"
_ENDING = ".jinja"
_NAME = re.compile(r"__([a-z][a-z0-9_]*?)__")
_LONGEST = 200  # bytes of a name: file systems hold 255, temporary names need some


class Made(NamedTuple):
    """One file of a project as the template makes it."""

    path: str  # POSIX, relative to the project
    data: bytes
    owner: Owner
    executable: bool = False

    @property
    def digest(self) -> str:
        """SHA-256 of the content."""
        return sha256(self.data).hexdigest()


def make(template: Template, answers: Mapping[str, Answer], standard: Mapping[str, str]) -> dict[str, Made]:
    """Every file of the project by its path, without the lock. Raises StandardError: it is the template's mistake."""
    renderer = Renderer(names(template, answers, standard), template.parts)
    shown = f"templates/{template.id}/{template.version}/project"
    made: dict[str, Made] = {}
    folded: dict[str, str] = {LOCK: LOCK}
    mistakes: list[Mistake] = []
    for source in sorted(template.sources):
        try:
            if (one := _file(template, renderer, source)) is None:
                continue
        except Unrenderable as error:
            mistakes.append(Mistake(f"{shown}/{source}", error.line, error.why))
            continue
        why = _unfit(one.path)
        if other := folded.get(one.path.casefold(), ""):
            why = f"makes {one.path}, and {other} is made already"
        if why:
            mistakes.append(Mistake(f"{shown}/{source}", 0, why))
        folded[one.path.casefold()] = one.path
        made[one.path] = one
    for path in made:  # a file where another needs a folder
        parts = path.casefold().split("/")
        if above := next((folded[up] for end in range(1, len(parts)) if (up := "/".join(parts[:end])) in folded), ""):
            mistakes.append(Mistake(shown, 0, f"makes both {above} and {path}"))
    if mistakes:
        raise StandardError(mistakes)
    return made


def _file(template: Template, renderer: Renderer, source: str) -> Made | None:
    owner: Owner = "merged"
    executable = False
    target = source.removesuffix(_ENDING)
    for table in template.files:
        if not _pattern(table.path).match(target):
            continue
        if not renderer.holds(table.when):
            return None
        owner = table.owner or owner
        executable = executable if table.executable is None else table.executable
    spelled = _NAME.sub(lambda match: f"<@ {match[1]} @>" if match[1] in renderer.names else match[0], target)
    path = "/".join(renderer.text(part) for part in spelled.split("/")) if "<@" in spelled else spelled
    data = template.sources[source]
    if source.endswith(_ENDING):
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Unrenderable(f"is not UTF-8: {error}") from None
        data = renderer.text(text).encode("utf-8")
    return Made(path, data, owner, executable)


@cache
def _pattern(path: str) -> re.Pattern[str]:
    """What a table's path matches; a template asks it for each of its files."""
    return matcher([path]) or re.compile(r"(?!)")


def _unfit(path: str) -> str:
    """Why this may not be a file of a project, "" where it may."""
    for name in path.split("/"):
        if name in ("", ".", "..") or display(name) != name or set(name) & set('\\:*?"<>|') or name != name.strip(" "):
            return f"makes {path!r}, which is no name for a file everywhere"
        if name.endswith(".") or name.partition(".")[0].lower() in DEVICES or len(name.encode()) > _LONGEST:
            return f"makes {path!r}, which is no name for a file everywhere"
        if name.lower() == ".git":
            return f"makes {path!r}, which lies in git's own folder"
    return ""
