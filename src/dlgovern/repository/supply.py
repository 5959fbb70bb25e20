"""What a repository says about the distributions it needs: every statement with its place, from every kind of file."""

from __future__ import annotations

import posixpath
from typing import NamedTuple

from dlgovern.evidence.installs import Install, installs
from dlgovern.evidence.recipe import Image, Recipe
from dlgovern.evidence.values import IndexOption, Manifest, PythonRange, Requirement
from dlgovern.evidence.versions import Range, home, is_aside, versions_of
from dlgovern.repository.view import View
from dlgovern.repository.window import parse_version

MANIFESTS = ("pyproject", "requirements", "setup-cfg", "setup-py", "pipfile", "environment")
"""Kinds of files that declare what is needed."""

INSTALLERS = ("dockerfile", "shell", "yaml", "make", "just", "tox", "jenkins")
"""Kinds of files whose commands install."""


STATEMENTS = frozenset({*MANIFESTS, "lock", *INSTALLERS})
"""Kinds of files that say something about a distribution."""

_DEFAULT = ("requirements.txt", "constraints.txt", "environment.yml", "environment.yaml")


class Said(NamedTuple):
    """One statement about one distribution. ``how``: manifest, constraint, lock or install.

    ``folder`` is the part of the repository it speaks for; ``role`` tells apart what is never installed together:
    an extra, a group, a file of its own.
    """

    name: str
    specifier: str
    how: str
    folder: str
    role: str
    marker: str
    url: str
    conda: bool
    path: str
    line: int
    column: int
    end_column: int

    @property
    def range(self) -> Range:
        """The versions it allows."""
        return versions_of(self.specifier)

    @property
    def place(self) -> tuple[int, int, int, int]:
        """Its span, as hits have it."""
        return self.line, self.column, self.line, self.end_column


class Supply(NamedTuple):
    """Everything that is said. ``partial`` are the folders in which something is computed, or cannot be read, and so not known."""

    said: tuple[Said, ...]
    manifests: tuple[Manifest, ...]
    installs: tuple[tuple[str, Install], ...]  # with the path of the file
    indexes: tuple[IndexOption, ...]
    pythons: tuple[PythonRange, ...]
    images: tuple[tuple[str, Image], ...]
    partial: frozenset[str]

    def named(self, *names: str) -> list[Said]:
        """The statements about these distributions."""
        return [one for one in self.said if one.name in names]


def supply(view: View) -> Supply:
    """The statements of a repository, collected once."""
    found: Supply = view.once("supply", collect)
    return found


def collect(view: View) -> Supply:
    """The statements of the repository behind a view."""
    manifests: list[Manifest] = view.of(*MANIFESTS)
    locks: list[Manifest] = view.of("lock")
    recipes: list[Recipe] = view.of(*INSTALLERS)
    said = [_of_requirement(one, manifest) for manifest in manifests for one in manifest.requirements if one.name]
    said += [
        Said(one.name, f"=={one.version}", "lock", home(one.path), "", "", "", False, one.path, one.line, 1, 2)
        for lock in locks
        for one in lock.locked
        if parse_version(one.version)
    ]
    found = [(recipe.path, one) for recipe in recipes for one in installs(recipe.commands, recipe.path)]
    said += [_of_install(one, path) for path, install in found for one in install.requirements if one.name]
    indexes = [index for manifest in manifests for index in manifest.indexes]
    indexes += [index for _, install in found for index in install.indexes]
    pythons: list[Manifest] = view.of("python-version")
    paths = {manifest.path for manifest in manifests}
    return Supply(
        tuple(said),
        tuple(manifests),
        tuple(found),
        tuple(indexes),
        tuple(python for manifest in (*manifests, *pythons) for python in manifest.pythons),
        tuple((recipe.path, image) for recipe in recipes for image in recipe.images),
        frozenset(home(one.path) for one in manifests if (one.partial or (one.problems and not one.requirements)) and not any(i.target in paths for i in one.includes)),
    )


def _of_requirement(one: Requirement, manifest: Manifest) -> Said:
    constrains = manifest.kind == "constraints" or one.group in ("constraint", "override")
    own = manifest.path if manifest.kind in ("requirements", "constraints", "environment") else ""
    role = one.group or (own if own and (is_aside(one) or posixpath.basename(own) not in _DEFAULT) else "")
    return Said(
        one.name, one.specifier, "constraint" if constrains else "manifest", home(one.path), role, one.marker, one.url,
        one.conda, one.path, one.line, one.column, one.end_column,
    )  # fmt: skip


def _of_install(one: Requirement, path: str) -> Said:
    return Said(
        one.name, one.specifier, "install", "", path, one.marker, one.url, one.conda, path, one.line, one.column,
        one.end_column,
    )  # fmt: skip
