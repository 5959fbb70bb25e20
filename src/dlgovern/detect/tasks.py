"""See a batch file that starts several launchers on one node where each of them starts all processes of the node."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.detect.recipes import at_step, guarded, launches_in, option_of
from dlgovern.evidence.recipe import Recipe
from dlgovern.finding import Hit
from dlgovern.policy import Rule
from dlgovern.repository.launch import Launch, Option, Request, request, whole
from dlgovern.repository.view import View
from dlgovern.repository.window import Windows

PARAMETERS = {
    "launchers": Parameter("strings", "launchers of which one a node is wanted", required=True),
}
KINDS = frozenset({"shell", "prose", "make", "repository"})
"""Kinds of evidence that are read."""

GUARDS = ("one-process", "one-task")
"""What the detector is silent under; examples of its rules must show each."""

_PROCESSES = ("nproc-per-node", "nproc", "num-gpus", "num-processes")


def judge(rules: list[Rule], document: Recipe, _tables: dict[str, Any], _windows: Windows) -> Iterator[Hit]:
    """The hits in one batch file."""
    asked = request(document)
    for launch in launches_in(document):
        step = launch.step("srun")
        if step is None:
            continue
        for rule in rules:
            if launch.launcher in rule.parameters["launchers"] and launch.launcher != "srun":
                yield from _hit(rule, document.path, launch, asked, launch, ())


def judge_repository(rules: list[Rule], view: View) -> Iterator[tuple[str, Hit]]:
    """The hits where the batch file starts a script of the repository, and that one starts the launcher."""
    scripts = {document.path: document for document in view.of("shell")}
    for document in scripts.values():
        asked = request(document)
        for outer in launches_in(document):
            if outer.step("srun") is None or outer.launcher != "script" or outer.target is None or not outer.target.known:
                continue
            inner = _script(scripts, document.path, outer.target.text)
            for launch in launches_in(inner) if inner is not None else ():
                if launch.step("srun") is not None:
                    continue
                for rule in rules:
                    if launch.launcher in rule.parameters["launchers"]:
                        at = launch.steps[-1]
                        assert inner is not None
                        related = ((inner.path, at.line, at.column, f"{launch.launcher} is started here"),)
                        for hit in _hit(rule, document.path, outer, asked, launch, related):
                            yield document.path, hit


def _script(scripts: dict[str, Recipe], path: str, target: str) -> Recipe | None:
    """The script that a batch file names: relative to itself, or to the root where jobs are submitted."""
    for folder in (posixpath.dirname(path), ""):
        name = posixpath.normpath(posixpath.join(folder, target))
        if name in scripts and name != path:
            return scripts[name]
    return None


def _hit(
    rule: Rule, path: str, outer: Launch, asked: Request, launch: Launch, related: tuple[tuple[str, int, int, str], ...]
) -> Iterator[Hit]:
    found = tasks_per_node(outer, asked)
    if found is None:
        return
    tasks, option = found
    processes = option_of(launch.steps[-1], *_PROCESSES)
    number = whole(processes)
    if guarded(rule, "one-process") and (number == 1 or (processes is None and launch.launcher != "deepspeed")):
        return
    if guarded(rule, "one-task") and tasks <= 1:
        return
    at = outer.step("srun")
    assert at is not None
    if option.line != at.line:
        related = (*related, (path, option.line, option.column, f"{tasks} tasks a node are asked for here"))
    slots = {"launcher": launch.launcher, "tasks": str(tasks), "processes": processes.value if processes else "all"}
    hit = at_step(rule, at, **slots)
    yield hit._replace(related=related, confidence="" if number is not None or launch.launcher == "deepspeed" else "medium")


def tasks_per_node(launch: Launch, asked: Request) -> tuple[int, Option] | None:
    """How many tasks srun starts on each node, and what says so; None where that is not known or nobody says."""
    step = launch.step("srun")
    nodes = option_of(step, "nodes") or asked.options.get("nodes")
    count = whole(nodes) if nodes is not None else 1
    for options in (step.options if step is not None else {}, asked.options):
        if (each := options.get("ntasks-per-node")) is not None:
            number = whole(each)
            if options is asked.options and step is not None and "ntasks" in step.options:
                number = None
            return (number, each) if number is not None else None
        if (total := options.get("ntasks")) is not None:
            number = whole(total)
            if number is None or not count or number % count:
                return None
            return number // count, total
    return None
