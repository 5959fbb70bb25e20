"""Find the files of the repository that a command names: scripts, modules, configurations."""

from __future__ import annotations

import posixpath
from collections import Counter
from functools import cached_property
from typing import NamedTuple

from dlgovern.evidence.recipe import Recipe
from dlgovern.repository.launch import Launch
from dlgovern.repository.view import View

_FETCHING = frozenset(("git", "wget", "curl", "unzip", "tar", "cp", "mv", "aws", "gsutil", "rsync", "scp", "huggingface-cli", "hf", "gdown"))


class Found(NamedTuple):
    """Where a named file is looked for: ``path`` is "" where it is nowhere in the repository."""

    path: str
    sure: bool  # that it is this file, or that there is none


class Targets:
    """The files of one repository by path and by name."""

    def __init__(self, view: View) -> None:
        self.view = view

    @cached_property
    def files(self) -> frozenset[str]:
        """Every file that is not ignored."""
        return frozenset(self.view.everything())

    @cached_property
    def names(self) -> Counter[str]:
        """How many files have each name."""
        return Counter(path.rpartition("/")[2] for path in self.files)

    def file(self, recipe: Recipe, launch: Launch, named: str) -> str | None:
        """The file of the repository that a command of ``recipe`` names, None where there is none."""
        for folder in folders(recipe, launch):
            path = posixpath.normpath(posixpath.join(folder, named))
            if path in self.files:
                return path
        return None

    def is_nowhere(self, recipe: Recipe, named: str) -> bool:
        """Whether no file of this name is in the repository, nor comes into it by a command of the same recipe."""
        if self.names[named.rpartition("/")[2]] or named.startswith(("/", "~", "..")):
            return False
        return all(command.words[0].text.rpartition("/")[2] not in _FETCHING for command in recipe.commands)


def folders(recipe: Recipe, launch: Launch) -> list[str]:
    """Where a command may run: where a ``cd`` before it leads, beside its file, at the root and on the way there."""
    here = posixpath.dirname(recipe.path)
    found: list[str] = []
    for command in recipe.commands:
        if (command.line, command.column) >= (launch.command.line, launch.command.column):
            break
        if command.words[0].text == "cd" and len(command.words) > 1 and command.words[1].known:
            found[:0] = [posixpath.join(here, command.words[1].text), command.words[1].text.strip("/")]
    above = here
    while above:
        found.append(above)
        above = posixpath.dirname(above)
    return [*found, ""]
