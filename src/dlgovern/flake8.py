"""The flake8 plugin: findings of single-file DLG rules, by the engine and the configuration of ``dlgovern check``."""

from __future__ import annotations

import argparse
import ast
import multiprocessing
import os
import sys
from collections.abc import Iterator
from typing import ClassVar, NamedTuple

from dlgovern import __version__
from dlgovern.cli.settings import find_settings
from dlgovern.engine.run import Job
from dlgovern.engine.walk import Walk
from dlgovern.errors import UserError
from dlgovern.finding import fails
from dlgovern.judge.judgement import judge
from dlgovern.policy import Policy
from dlgovern.repository.facts import manifests_above, windows
from dlgovern.repository.window import Windows
from dlgovern.source.classify import classify
from dlgovern.standard.law import REFERENCE, load_policy
from dlgovern.standard.tailor import tailor
from dlgovern.store import Store, default_folder

_OURS = "DLG"
_TROUBLE = "DLG000"  # what has no rule: a configuration that cannot be used, a detector that raised
_NO_CACHE = Store("")


class Project(NamedTuple):
    """What the files below one configuration share."""

    policy: Policy
    root: str
    bar: tuple[str, str]  # level and confidence from which a finding is said: flake8 fails on whatever is said
    foreign: tuple[str, ...]  # prefixes of rules that cannot pass under this entry point
    store: Store
    walks: dict[str, Walk]  # folder -> the walk that knows its version windows
    windows: dict[str, Windows]


class Plugin:
    """One file under flake8, whose ``# noqa`` is flake8's work; ``# dlgovern: ignore[...]`` is honoured here."""

    name = "dlgovern"
    version = __version__
    _projects: ClassVar[dict[str, Project | UserError]] = {}  # by folder: read once a process, not once a file

    def __init__(self, tree: ast.Module, filename: str, lines: list[str]) -> None:
        self.path = os.path.realpath("stdin.py" if filename in ("-", "stdin") else filename)
        self.lines = lines

    def run(self) -> Iterator[tuple[int, int, str, type[Plugin]]]:
        """(line, column from 0, text, plugin) for each open finding at the failing bar."""
        found = self._project(os.path.dirname(self.path))
        if isinstance(found, UserError):
            yield 1, 0, f"{_TROUBLE} {found.lines()[0]}", Plugin
            return
        for line, column, text in _judged(found, self.path, "".join(self.lines)):
            yield line, column, text, Plugin

    @classmethod
    def parse_options(cls, _options: argparse.Namespace) -> None:
        """Say once which rules flake8 cannot show: it knows an entry point by one prefix."""
        cls._projects.clear()
        found = cls._project(os.getcwd())
        if isinstance(found, Project) and found.foreign and multiprocessing.parent_process() is None:
            prefixes = ", ".join(found.foreign)
            sys.stderr.write(f"dlgovern: flake8 shows {_OURS} rules only; for those of {prefixes} run `dlgovern check`\n")

    @classmethod
    def _project(cls, folder: str) -> Project | UserError:
        if folder not in cls._projects:
            try:
                cls._projects[folder] = _open(folder)
            except UserError as error:
                cls._projects[folder] = error
        return cls._projects[folder]


_OPEN: dict[str, Project] = {}  # configuration -> project, so that the folders below share it


def _open(folder: str) -> Project:
    """The project around a folder. Raises UserError."""
    store = Store(default_folder())
    root, path, values = find_settings(folder, store)
    if (known := _OPEN.get(path or root)) is not None:
        return known
    standard = values.get("standard", REFERENCE)
    whole = load_policy(standard, root, values.get("profile", "defects"), store)
    policy, _, _ = tailor(whole, values)
    rules = tuple(rule for rule in policy.rules if rule.id.startswith(_OURS) and rule.shape in ("python", "engine"))
    foreign = sorted({rule.id.rstrip("0123456789") for rule in policy.rules} - {_OURS})
    bar = (values.get("fail-on", "error"), values.get("min-confidence", "high"))
    # noqa is flake8's: with --disable-noqa it wants to see everything.
    ours = policy._replace(rules=rules, honour_noqa=False)
    return _OPEN.setdefault(path or root, Project(ours, root, bar, tuple(foreign), store, {}, {}))


def _judged(project: Project, path: str, text: str) -> Iterator[tuple[int, int, str]]:
    name = os.path.relpath(path, project.root).replace(os.sep, "/")
    if classify(name) != "python":
        return
    folder = name.rpartition("/")[0]
    if folder not in project.walks:
        manifests = manifests_above(project.root, [name])
        found = windows(project.root, manifests, project.policy.window, project.store)
        project.windows[folder] = found
        project.walks[folder] = Walk(project.policy, project.root, found)
    result = project.walks[folder].judge(name, text.encode("utf-8", "surrogatepass"))
    job = Job(project.policy, project.root, project.windows[folder])
    report = judge(job, (), (), _NO_CACHE, whole=False, extra=[result])
    for one in report.findings:
        if fails(one, *project.bar):
            yield one.place.line, one.place.column - 1, f"{one.rule} {one.message}"
    for trouble in (*report.not_judged, *report.failed):
        yield 1, 0, f"{_TROUBLE} {trouble[0]}: not judged: {trouble[1]}"
