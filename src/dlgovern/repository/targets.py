"""Find the files of the repository that a command names: scripts, modules, configurations."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from functools import cached_property
from typing import NamedTuple

from dlgovern.evidence.recipe import Recipe
from dlgovern.repository.launch import Launch
from dlgovern.repository.launchers import launcher_of
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

    def is_nowhere(self, recipe: Recipe, launch: Launch, named: str) -> bool:
        """Whether no file of this name is in the repository, nor comes into it by a command of the same recipe."""
        name = named.rpartition("/")[2]
        if self.names[name] or named.startswith(("/", "~", "..")) or _FOREIGN.search(named):
            return False
        if any(text.rpartition("/")[2] == name for text in recipe.written):
            return False
        for command in recipe.commands:
            words = [word.text for word in command.words]
            if any(word.rpartition("/")[2] in _FETCHING for word in words[:3]):
                return False
            if command.line != launch.command.line and _makes(words, name):
                return False
        return True


_FOREIGN = re.compile(r"third.?part|external|vendor|submodule|site-packages", re.I)
_SAYING = frozenset(("echo", "printf"))
_OUTPUT = re.compile(r"--?\S*(?:out|save|write|dest|export|dump)|-o$", re.I)


def _makes(words: list[str], name: str) -> bool:
    """Whether a command may make a file of this name: a program that is no launch, or an option about output."""
    for index, word in enumerate(words):
        if word == name or word.endswith((f"/{name}", f"={name}")):
            if launcher_of(words[:4]) is None:
                return words[0] not in _SAYING
            return bool(_OUTPUT.match(words[index - 1] if index and "=" not in word else word))
    return False


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
