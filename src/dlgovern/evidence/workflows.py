"""Read continuous-integration files: GitHub, GitLab, Azure, and Jenkins as far as it can be read without running it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dlgovern.evidence.embedded import environment_of, scripts_of
from dlgovern.evidence.gathered import Gathered
from dlgovern.evidence.nodes import Document, Node, truth
from dlgovern.evidence.recipe import Image, Recipe, Step, Value, Workflow
from dlgovern.evidence.script import Command, Script, Setting
from dlgovern.evidence.shell import read_shell
from dlgovern.evidence.words import Line


class _Pipeline(Gathered):
    """A file of continuous integration, while it is read."""

    def __init__(self, lines: Sequence[Line]) -> None:
        super().__init__(lines)
        self.steps: list[Step] = []
        self.runners: list[Value] = []

    def recipe(self, empty: Recipe, events: tuple[str, ...], filtered: bool) -> Recipe:
        """The recipe of the whole file."""
        return self.into(empty)._replace(workflow=Workflow(events, filtered, tuple(self.steps), tuple(self.runners)))


def read_github(document: Document, lines: Sequence[Line], empty: Recipe) -> Recipe:
    """A workflow of GitHub Actions."""
    root, sheet = document.roots[0], _Pipeline(lines)
    sheet.settings += environment_of(root.get("env"))
    on = root.get("on") or root.get("true")
    events, filtered = _events(on)
    jobs = root.get("jobs")
    for name, job in jobs.pairs if jobs is not None else ():
        sheet.settings += environment_of(job.get("env"))
        sheet.image(job.get("container"))
        runner = job.get("runs-on")
        for node in (runner, *(runner.items if runner is not None else ())):
            if node is not None and node.kind == "scalar":
                place = (node.line, node.column, node.end_line, node.end_column)
                sheet.runners.append(Value(name.text, node.text, bool(node.style), *place, (node.line, node.column)))
        tolerated = truth(job.get("continue-on-error")) is True
        steps = job.get("steps")
        for step in steps.items if steps is not None else ():
            sheet.settings += environment_of(step.get("env"))
            uses = step.get("uses")
            if uses is not None and uses.kind == "scalar" and uses.text.startswith("docker://"):
                sheet.image(uses._replace(text=uses.text[9:]))
            run = step.get("run")
            shell = step.word("shell") or "bash"
            first, count = sheet.add(scripts_of(run, lines, "ci") if shell.split()[0] in ("bash", "sh") else Script())
            at = uses or run or step
            sheet.steps.append(
                Step(name.text, uses.text if uses is not None else "", tolerated or truth(step.get("continue-on-error")) is True,
                     step.get("if") is not None or job.get("if") is not None, first, count, at.line, at.column,
                     at.end_column if at.line == at.end_line else at.column + 1)
            )
    return sheet.recipe(empty, events, filtered)


def _events(on: Node | None) -> tuple[tuple[str, ...], bool]:
    if on is None:
        return (), False
    if on.kind == "scalar":
        return (on.text,), False
    names = [item.text for item in on.items if item.kind == "scalar"] + [key.text for key, _ in on.pairs]
    filtered = any(
        value.get("paths") is not None or value.get("paths-ignore") is not None
        for key, value in on.pairs
        if key.text in ("pull_request", "pull_request_target", "merge_request")
    )
    return tuple(names), filtered


_NOT_JOBS = frozenset(("stages", "variables", "default", "include", "workflow", "image", "services", "cache", "before_script", "after_script", "pages"))


def read_gitlab(document: Document, lines: Sequence[Line], empty: Recipe) -> Recipe:
    """A pipeline of GitLab CI."""
    sheet = _Pipeline(lines)
    for root in document.roots:
        sheet.settings += environment_of(root.get("variables"))
        sheet.image(root.get("image") or root.at("default", "image"))
        for name, job in root.pairs:
            if name.kind != "scalar" or job.kind != "mapping" or name.text in _NOT_JOBS - {"pages"}:
                continue
            sheet.settings += environment_of(job.get("variables"))
            sheet.image(job.get("image"))
            first = len(sheet.commands)
            for part in ("before_script", "script", "after_script"):
                sheet.add(scripts_of(job.get(part), lines, "ci"))
            tolerated = truth(job.get("allow_failure")) is True
            conditional = job.get("rules") is not None or job.get("only") is not None or job.get("when") is not None
            sheet.steps.append(
                Step(name.text, "", tolerated, conditional, first, len(sheet.commands) - first, name.line, name.column, name.end_column)
            )
    return sheet.recipe(empty, ("merge_request",), False)


def read_azure(document: Document, lines: Sequence[Line], empty: Recipe) -> Recipe:
    """A pipeline of Azure DevOps."""
    sheet = _Pipeline(lines)
    todo: list[Node] = list(reversed(document.roots))
    seen: set[int] = set()
    while todo:
        node = todo.pop()
        if id(node.pairs or node.items) in seen:
            continue
        seen.add(id(node.pairs or node.items))
        script = node.get("script") or node.get("bash") or node.at("inputs", "script")
        if script is not None and script.kind == "scalar":
            first, count = sheet.add(scripts_of(script, lines, "ci"))
            tolerated = truth(node.get("continueOnError")) is True
            sheet.steps.append(Step("", "", tolerated, node.get("condition") is not None, first, count, script.line, script.column, script.column + 1))
        if node.get("container") is not None and node.get("steps") is not None:
            sheet.image(node.get("container"))
        if node.kind == "mapping" and node.get("image") is not None and node.get("container") is not None:
            sheet.image(node.get("image"))
        sheet.settings += environment_of(node.get("env"))
        todo += [value for _, value in reversed(node.pairs) if value.kind != "scalar"]
        todo += [item for item in reversed(node.items) if item.kind != "scalar"]
    return sheet.recipe(empty, ("pr",), False)


_SH = re.compile(
    r"\bsh\s*\(?\s*(?:script\s*:\s*)?(?:\"\"\"(.*?)\"\"\"|'''(.*?)'''|\"((?:[^\"\\\n]|\\.)*)\"|'((?:[^'\\\n]|\\.)*)')", re.S
)
_IMAGE = re.compile(r"\b(?:docker\.image\(|image\s+)(['\"])([^'\"\n]+)\1")


def read_jenkins(path: str, text: str) -> Recipe:
    """The shell steps and images of a Jenkinsfile: what stands there as plain strings."""
    commands: list[Command] = []
    settings: list[Setting] = []
    for match in _SH.finditer(text):
        group = next(n for n in range(1, 5) if match.group(n) is not None)
        start = match.start(group)
        number = text.count("\n", 0, start) + 1
        column = start - (text.rfind("\n", 0, start) + 1) + 1
        lines = [
            Line(line, number + n, column if n == 0 else 1) for n, line in enumerate(match.group(group).split("\n"))
        ]
        script = read_shell(lines, source="ci")
        commands += script.commands
        settings += script.settings
    images = []
    for match in _IMAGE.finditer(text):
        number = text.count("\n", 0, match.start(2)) + 1
        column = match.start(2) - (text.rfind("\n", 0, match.start(2)) + 1) + 1
        images.append(Image(match.group(2), "$" not in match.group(2), True, number, column, column + len(match.group(2))))
    return Recipe(path, "jenkins", "jenkins", tuple(commands), tuple(settings), (), tuple(images))
