"""Which projects the shipped templates are tried as: answers that together hold every pair of options, and more."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping
from typing import Any

from dlgovern.scaffold.answers import questions, settle
from dlgovern.scaffold.load import Template, choose, open_standard, places, read_template
from dlgovern.scaffold.project import Made, make
from dlgovern.scaffold.template import Question

Answers = dict[str, Any]

TEMPLATES = ("ddp", "fsdp2", "single")
FREE: dict[str, tuple[str, ...]] = {
    "name": ("demo-model", "Big.Model_2", "7"),
    "description": ("Train a model", 'Tells "cats" from \\dogs\\, 100% <b> `x` #1 $HOME {0} | é\u4e2d'),
    "owner": ("@team", "@acme/vision.lab"),
    "copyright": ("Acme", "O'Neill & \"Sons\" {x}"),
    "dlgovern_source": ("none", "https://wheels.example/dlgovern-0.1.0-py3-none-any.whl", "dlgovern==0.1.0"),
    "image": ("demo", "registry.example:5000/team/demo"),
    "package": ("demo_model", "zz", "a" + "b" * 63),
}
"""For questions without choices: what is tried, the usual first."""


def template(identity: str) -> tuple[Template, dict[str, str]]:
    """A shipped template and what its files may say about the standard."""
    standard = open_standard("reference", ".")
    known = places(standard)
    return read_template(known, choose(known, identity)), standard.facts()


def made(shipped: Template, facts: Mapping[str, str], answers: Answers) -> dict[str, Made]:
    """The files of a project."""
    return make(shipped, settle(shipped, {"name": "demo-model", **answers}), facts)


def options(shipped: Template) -> dict[str, list[Any]]:
    """Every question that is asked, with the answers that are tried, the usual first."""
    found = {question.name: _values(question) for question in questions(shipped) if question.name not in shipped.fixed}
    return {name: values for name, values in found.items() if len(values) > 1}


def deviations(values: Mapping[str, list[Any]]) -> Iterator[Answers]:
    """The usual answers, then each other answer alone."""
    yield {}
    for name in values:
        for value in values[name][1:]:
            yield {name: value}


def pairs(values: Mapping[str, list[Any]], seed: int) -> Iterator[Answers]:
    """Few answers that hold, among them, every value of one option with every value of every other."""
    chosen = random.Random(seed)
    names = list(values)
    wanted = {
        ((a, i), (b, j))
        for a, b in itertools.combinations(names, 2)
        for i in range(len(values[a]))
        for j in range(len(values[b]))
    }
    while wanted:
        best: dict[str, int] = {}
        for pair in sorted(chosen.sample(sorted(wanted), min(len(wanted), 40))):
            if all(best.get(name, index) == index for name, index in pair):
                best.update(pair)
        for name in names:
            best.setdefault(name, chosen.randrange(len(values[name])))
        covered = set(itertools.combinations([(name, best[name]) for name in names], 2))
        wanted -= covered
        yield {name: values[name][best[name]] for name in names}


def anything(values: Mapping[str, list[Any]], count: int, seed: int) -> Iterator[Answers]:
    """Answers drawn at random, the same at every call."""
    chosen = random.Random(seed)
    for _ in range(count):
        yield {name: chosen.choice(values[name]) for name in values}


def _values(question: Question) -> list[Any]:
    if question.name in FREE:
        return list(FREE[question.name])
    if question.type == "choice":
        usual = question.default
        return sorted(question.choices, key=lambda choice: choice != usual)
    if question.type == "multi":
        sets = [list(some) for n in range(1, len(question.choices) + 1) for some in itertools.combinations(question.choices, n)]
        return sorted(sets, key=lambda some: some != question.default)
    return []
