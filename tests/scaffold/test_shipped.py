"""Projects that the shipped templates make, in every combination of answers that matters: well formed, and nothing found."""

from __future__ import annotations

import ast
import itertools
import json
import os
import random
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
import pytest
import tomli
import yaml

from dlgovern.scaffold.answers import questions, settle
from dlgovern.scaffold.load import Template, choose, open_standard, places, read_template
from dlgovern.scaffold.project import Made, make
from dlgovern.scaffold.template import Question

pytestmark = pytest.mark.once

Answers = dict[str, Any]

TEMPLATES = ("ddp", "fsdp2", "single")
FREE: dict[str, tuple[str, ...]] = {
    "name": ("demo-model", "Big.Model_2", "7"),
    "description": ("Train a model", 'Tells "cats" from \\dogs\\, 100% <b> `x` #1 $HOME {0} | é\u4e2d'),
    "owner": ("@team", "@acme/vision.lab"),
    "copyright": ("Acme", "O'Neill & \"Sons\" {x}"),
    "dlgovern_source": ("none", "https://wheels.example/dlgovern-0.1.0-py3-none-any.whl", "dlgovern==0.1.0"),
    "image": ("demo", "registry.example:5000/team/demo"),
    "package": ("demo_model", "zz", "a" + "b" * 31),
}
"""For questions without choices: what is tried, the usual first."""


FULL = bool(os.environ.get("DLGOVERN_FULL"))
"""Set by `.ci/nightly`: `dlgovern check` judges every combination of options; else every deviation from the usual ones."""

TRAINJOB = json.loads((Path(__file__).parent / "trainjob.schema.json").read_text(encoding="utf-8"))


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


class Project(NamedTuple):
    """One project of a template, made in memory."""

    answers: Answers
    files: dict[str, Made]


@pytest.fixture(scope="module", params=TEMPLATES)
def projects(request) -> list[Project]:
    """Every deviation from the usual answers, every pair of answers, and 200 combinations at random."""
    return _projects(request.param)


@cache
def _projects(identity: str) -> list[Project]:
    shipped, facts = template(identity)
    values = options(shipped)
    wanted = [*deviations(values), *pairs(values, seed=1), *anything(values, 200, seed=2)]
    return [Project(answers, made(shipped, facts, answers)) for answers in wanted]


@pytest.fixture(scope="module")
def contents(projects):
    """Every distinct file: what it is called without the package's name, by content."""
    return {(one.path.rpartition("/")[2], one.data): one for project in projects for one in project.files.values()}


def _named(contents, *endings: str) -> Iterator[tuple[str, str]]:
    for (name, data), one in contents.items():
        if name.endswith(endings):
            yield one.path, data.decode("utf-8")


@pytest.mark.parametrize("identity", TEMPLATES)
def test_every_pair_of_answers_is_among_them(identity):
    values = options(template(identity)[0])
    seen = {pair for answers, _ in _projects(identity) for pair in _two(answers.items())}
    assert set() == {pair for one, other in itertools.combinations(values, 2) for pair in _across(one, other, values)} - seen
    assert len(_projects(identity)) >= 300


def _two(answers) -> Iterator[tuple[str, str]]:
    return itertools.combinations([f"{name} {value}" for name, value in answers], 2)


def _across(one: str, other: str, values: Mapping[str, list[Any]]) -> Iterator[tuple[str, str]]:
    return itertools.product([f"{one} {value}" for value in values[one]], [f"{other} {value}" for value in values[other]])


def test_python_compiles_and_imports_no_dlgovern(contents):
    for path, text in _named(contents, ".py"):
        imported = {
            name.name if isinstance(node, ast.Import) else node.module or ""
            for node in ast.walk(ast.parse(text, path))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for name in node.names
        }
        assert not {name for name in imported if name.split(".")[0] == "dlgovern"}, path


def test_toml_yaml_and_front_matter_parse(contents):
    for path, text in _named(contents, ".toml"):
        assert tomli.loads(text), path
    for path, text in _named(contents, ".yml", ".yaml"):
        assert isinstance(yaml.safe_load(text), dict), path
    for path, text in _named(contents, "MODEL_CARD.md", "0001-template.md"):
        assert isinstance(yaml.safe_load(text.split("---\n")[1]), dict), path


def test_what_people_wrote_arrives_as_they_wrote_it(projects):
    for answers, files in projects:
        wrote = answers.get("description", "Train, resume and export a sequence classifier")
        assert wrote == tomli.loads(files["pyproject.toml"].data.decode())["project"]["description"]
        assert wrote == yaml.safe_load(files["catalog-info.yaml"].data)["metadata"]["description"]
        package = answers.get("package") or next(p for p in files if p.endswith("/train.py")).split("/")[1]
        docstring = ast.get_docstring(ast.parse(files[f"src/{package}/__init__.py"].data.decode()))
        assert f"{wrote}." == docstring


def test_scripts_are_bash(contents, tmp_path):
    for number, (path, text) in enumerate(_named(contents, ".sh", ".sbatch")):
        script = tmp_path / f"{number}.sh"
        script.write_text(text, encoding="utf-8")
        ran = subprocess.run(["bash", "-n", script], capture_output=True, text=True, check=False)
        assert (0, "") == (ran.returncode, ran.stderr), path


def test_the_manifest_is_one_that_kubeflow_takes(contents):
    judge = jsonschema.Draft202012Validator(TRAINJOB)
    for path, text in _named(contents, "trainjob.yaml"):
        assert [] == [error.message for error in judge.iter_errors(yaml.safe_load(text))], path


@pytest.mark.parametrize(
    ("key", "instead"),
    [("numNodes", "numNode"), ("runtimePatches", "podTemplateOverrides"), ("runtimeRef", "runtime"), ("command", "cmd")],
)
def test_a_slip_in_the_manifest_would_be_seen(key, instead):
    shipped, facts = template("ddp")
    text = made(shipped, facts, {"launchers": ["kubeflow"]})["launch/trainjob.yaml"].data.decode()
    slipped = re.sub(rf"\b{key}:", f"{instead}:", text, count=1)
    assert list(jsonschema.Draft202012Validator(TRAINJOB).iter_errors(yaml.safe_load(slipped)))


def test_dockerfiles_have_instructions_that_docker_knows(contents):
    for path, text in _named(contents, "Dockerfile"):
        joined = re.sub(r"\\\n", " ", "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#")))
        words = [line.split()[0] for line in joined.splitlines() if line.strip()]
        assert set(words) <= {"ARG", "CMD", "COPY", "ENV", "FROM", "RUN", "USER", "WORKDIR"}, path
        assert words.index("FROM") <= 1 and "USER" in words, path
        for line in joined.splitlines():
            if line.startswith("CMD"):
                assert json.loads(line.removeprefix("CMD"))
            if line.startswith("RUN"):
                ran = subprocess.run(["bash", "-n", "-c", line.removeprefix("RUN")], capture_output=True, text=True, check=False)
                assert 0 == ran.returncode, (path, line)


def test_ruff_finds_nothing_and_would_change_nothing(projects, tmp_path):
    for number, files in enumerate(_news(projects)):
        become(tmp_path / str(number), {}, files)
    for words in (["check", "--no-cache"], ["format", "--check", "--no-cache"]):
        ran = subprocess.run([sys.executable, "-m", "ruff", *words, "."], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert 0 == ran.returncode, ran.stdout[-3000:] + ran.stderr[-3000:]


@pytest.mark.parametrize("identity", TEMPLATES)
def test_dlgovern_finds_nothing_and_nothing_is_excused(run, tmp_path, monkeypatch, identity):
    """The projects take turns in one folder, so that a file that stays as it was is judged once."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    words = ("check", ".", "--fail-on", "info", "--min-confidence", "low", "--output-format", "json", "--jobs", "1")
    before: dict[str, Made] = {}
    for answers, files in _judged(identity):
        become(tmp_path / "one", before, files)
        before = files
        ran = run(tmp_path / "one", *words)
        said = json.loads(ran.stdout)
        found = [f"{one['path']}:{one['line']} {one['rule']} {one['message']}" for one in said["findings"]]
        assert (0, [], []) == (ran.returncode, found, said["not_judged"]), answers
        assert 20 < said["summary"]["files_judged"]


def _judged(identity: str) -> list[Project]:
    """Deviations; in full all others too: the tenth as it is, the rest under the usual names, in an order that changes little."""
    shipped, facts = template(identity)
    count = sum(1 for _ in deviations(options(shipped)))
    alone, others = _projects(identity)[:count], _projects(identity)[count:]
    if not FULL:
        return alone
    usual = [{key: value for key, value in answers.items() if key not in FREE} for answers, _ in others]
    renamed = [Project(answers, made(shipped, facts, answers)) for answers in usual]
    return [*alone, *others[::10], *sorted(renamed, key=_code)]


def _code(project: Project) -> list[tuple[bool, str, str]]:
    """Its Python files, the one that all others read first."""
    return sorted((not path.endswith("/config.py"), path, one.digest) for path, one in project.files.items() if path.endswith(".py"))


def _news(projects: list[Project]) -> Iterator[dict[str, Made]]:
    """Of each project the Python files that none before had, with what ruff needs to know of the rest."""
    seen: set[tuple[str, str]] = set()
    for project in projects:
        new = {path: one for path, one in project.files.items() if path.endswith(".py") and (path, one.digest) not in seen}
        seen |= {(path, one.digest) for path, one in new.items()}
        if new:
            yield {path: one for path, one in project.files.items() if path in new or path.endswith(("pyproject.toml", "/__init__.py"))}


def become(folder: Path, before: dict[str, Made], after: dict[str, Made]) -> None:
    """Let the folder, which holds the files ``before``, hold the others."""
    for path in before.keys() - after.keys():
        (folder / path).unlink()
    for path, one in after.items():
        if path not in before or before[path].data != one.data:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(one.data)


COMPANY = """
schema = 1
[standard]
name = "acme"
extends = "reference"
version = "1.0.0"
title = "Acme's standard"
owner = "the platform team"
[parameters.DLG109]
hosts = ["pypi.org"]
[parameters.DLG114]
allowed = ["pytorch/pytorch:*"]
[parameters.DLG542]
formats = ["pt2", "onnx", "safetensors"]
[parameters.DLG547]
released = ["release/"]
cards = ["MODEL_CARD.md"]
[parameters.DLG801]
files = ["README*", "LICENSE*", "CODEOWNERS", "MODEL_CARD.md", "Dockerfile", "dlgovern.lock", ".pre-commit-config.yaml"]
[parameters.DLG802]
keys = ["project.name", "project.license", "project.requires-python", "tool.dlgovern.standard"]
[parameters.DLG809]
released = ["release/"]
"""


@pytest.mark.parametrize("identity", TEMPLATES)
def test_a_company_that_demands_more_finds_nothing_either(run, tmp_path, identity):
    law = tmp_path / "law"
    law.mkdir()
    (law / "standard.toml").write_text(COMPANY, encoding="utf-8")
    assert 0 == run(tmp_path, "new", "one", "--standard", "law", "--template", identity, "--yes").returncode
    words = ("--fail-on", "info", "--min-confidence", "low", "--output-format", "json", "--no-cache")
    said = json.loads(run(tmp_path / "one", "check", ".", *words).stdout)
    assert [] == [f"{one['path']}:{one['line']} {one['rule']} {one['message']}" for one in said["findings"]]
    assert "acme" == said["standard"]["name"]
    assert {"DLG801", "DLG802", "DLG109", "DLG114"}.isdisjoint(rule["rule"] for rule in said["rules_not_run"])
