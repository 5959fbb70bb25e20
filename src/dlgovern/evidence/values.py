"""What manifests and lock files say, as plain values with their places.

Lines and columns count from 1, columns in characters, the end is exclusive. Names are normalised as PEP 503 says.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Problem(NamedTuple):
    """Something in a file that could not be read. ``line`` is 0 where the whole file is meant.

    ``why`` completes the sentence "this file …".
    """

    path: str
    line: int
    why: str


class Requirement(NamedTuple):
    """One dependency as a manifest declares it.

    ``specifier`` is in the words of PEP 440 also where the manifest has other ones; ``url`` is what stands after
    ``@``, or where the package comes from (``git+https://…@commit``, ``file:../sibling``). ``group`` is "" for what
    the project itself needs, else the extra or group. ``hashed``: a digest is demanded.
    """

    name: str  # "" where the manifest gives only a place
    raw: str
    specifier: str
    extras: tuple[str, ...]
    marker: str
    url: str
    group: str
    path: str
    line: int
    column: int
    end_column: int
    hashed: bool = False
    conda: bool = False  # installed by conda; ``name`` is then what the same thing is called on the Python index


class Source(NamedTuple):
    """Where a tool table sends one dependency: ``[tool.uv.sources]`` or the ``source`` of a poetry dependency."""

    name: str
    kind: str  # git, url, path, index, workspace
    url: str  # for index: the name of the index
    path: str
    line: int
    column: int
    end_column: int


class IndexOption(NamedTuple):
    """A place that packages may come from.

    ``kind`` is an option of pip (``index-url``, ``extra-index-url``, ``find-links``, ``trusted-host``, ``pre``,
    ``no-index``), or ``index`` and ``default-index`` of a tool that has named indexes. ``explicit``: only packages
    that name this index are looked up there.
    """

    kind: str
    url: str
    explicit: bool
    path: str
    line: int
    column: int
    end_column: int
    name: str = ""


class Locked(NamedTuple):
    """One version that a lock file fixes."""

    name: str
    version: str
    path: str
    line: int


class Include(NamedTuple):
    """Another file that this one reads: ``-r`` (kind requirements) or ``-c`` (kind constraints)."""

    kind: str
    target: str  # POSIX, relative to the root
    line: int
    column: int = 1
    end_column: int = 2


class PythonRange(NamedTuple):
    """The Python versions that a file asks for, in the words of PEP 440."""

    specifier: str
    path: str
    line: int
    column: int
    end_column: int


class Manifest(NamedTuple):
    """Everything one file says.

    ``kind`` is pyproject, requirements, constraints, setup-cfg, setup-py, pipfile, environment, python-version or lock.
    ``published``: the project is built and handed to others, so that narrow versions would harm them. ``problems``
    would stop its tool too; ``skipped`` is what was left unread on purpose. ``name`` is the project's own
    distribution, ``partial`` says that it has requirements that are computed and so not known. ``pythons`` are the
    versions of Python it asks for. ``written_for`` is what a lock file says it was made from: name -> specifier.
    """

    path: str
    kind: str
    requirements: tuple[Requirement, ...] = ()
    sources: tuple[Source, ...] = ()
    indexes: tuple[IndexOption, ...] = ()
    locked: tuple[Locked, ...] = ()
    includes: tuple[Include, ...] = ()
    problems: tuple[Problem, ...] = ()
    skipped: tuple[Problem, ...] = ()
    published: bool = False
    name: str = ""
    partial: bool = False
    pythons: tuple[PythonRange, ...] = ()
    written_for: tuple[tuple[str, str], ...] = ()


def normal(name: str) -> str:
    """A distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name.strip()).lower()
