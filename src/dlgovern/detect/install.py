"""See packages that are installed beside the manifest: in images, scripts and workflows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.detect.recipes import guarded
from dlgovern.evidence.recipe import Recipe
from dlgovern.evidence.script import Command, Word
from dlgovern.evidence.values import normal
from dlgovern.finding import Hit
from dlgovern.policy import Rule
from dlgovern.repository.launchers import is_python
from dlgovern.repository.window import Windows

PARAMETERS = {
    "governed": Parameter("strings", "distributions that only a manifest or a lock may bring", required=True),
}
KINDS = frozenset({"dockerfile", "shell", "make", "just", "tox", "yaml", "json", "jenkins"})
"""Kinds of evidence that are read."""

GUARDS = ("manifest",)
"""What the detector is silent under; an example of its rules must show it."""

_VALUED = frozenset(
    ("-r", "--requirement", "-c", "--constraint", "-i", "--index-url", "--extra-index-url", "-f", "--find-links", "-t", "--target",
     "--prefix", "--root", "--python", "-p", "--platform", "--python-version", "--index", "--cache-dir", "-n", "--name", "--trusted-host",
     "--channel", "--timeout", "--retries", "--torch-backend", "-e", "--editable", "--progress-bar", "--config-settings")
)


def judge(rules: list[Rule], document: Recipe, _tables: dict[str, Any], _windows: Windows) -> Iterator[Hit]:
    """The hits on the packages that the commands of one file install."""
    for command in document.commands:
        for rule in rules:
            governed = {normal(name) for name in rule.parameters["governed"]}
            for word in installed(command, constrained=guarded(rule, "manifest")):
                name = re.match(r"[A-Za-z0-9][\w.-]*", word.text.split("::")[-1])
                if name is not None and normal(name.group()) in governed:
                    yield Hit(rule.id, word.line, word.column, word.end_line, word.end_column, slots={"package": word.text[:80]})


def installed(command: Command, *, constrained: bool = True) -> list[Word]:
    """The packages that a command installs by name; none where a file of requirements or constraints stands beside them."""
    words = list(command.words)
    while words and words[0].text in ("sudo", "exec", "time"):
        words.pop(0)
    texts = [word.text for word in words]
    if len(texts) > 3 and is_python(texts[0]) and texts[1:3] == ["-m", "pip"]:  # noqa: PLR2004
        words, texts = words[2:], texts[2:]
    if not texts:
        return []
    program = texts[0].rpartition("/")[2]
    if program == "uv" and texts[1:2] == ["pip"]:
        words, texts, program = words[1:], texts[1:], "pip"
    if not re.fullmatch(r"pip[0-9.]*|conda|mamba|micromamba", program) or texts[1:2] != ["install"]:
        return []
    found: list[Word] = []
    index = 2
    while index < len(words):
        text = texts[index]
        index += 1
        if text in _VALUED or (program != "pip" and text == "-c"):
            if constrained and text in ("-r", "--requirement", "-c", "--constraint") and program.startswith("pip"):
                return []
            index += 1
        elif not text.startswith("-") and not re.match(r"[./~]|\S+://|git\+", text):
            found.append(words[index - 1])
    return found
