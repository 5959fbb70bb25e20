"""Projects that the shipped templates make, in every combination of answers that matters: well formed, and nothing found."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import combinations
import jsonschema
import pytest
import tomli
import yaml

from dlgovern.cli.main import main

FULL = bool(os.environ.get("DLGOVERN_FULL"))
"""Set by `.ci/nightly`: every template with all deviations, all pairs and 200 random combinations."""

TRAINJOB = json.loads((Path(__file__).parent / "trainjob.schema.json").read_text(encoding="utf-8"))


def _answers(identity: str, values: combinations.Answers) -> Iterator[combinations.Answers]:
    if FULL or identity == "ddp":
        yield from combinations.deviations(values)
    yield from combinations.pairs(values, seed=1)
    if FULL:
        yield from combinations.anything(values, 200, seed=2)


@pytest.fixture(scope="module", params=combinations.TEMPLATES)
def projects(request):
    """(answers, files) of every project of one template."""
    shipped, facts = combinations.template(request.param)
    wanted = _answers(request.param, combinations.options(shipped))
    return [(answers, combinations.made(shipped, facts, answers)) for answers in wanted]


@pytest.fixture(scope="module")
def contents(projects):
    """Every distinct file: what it is called without the package's name, by content."""
    return {(one.path.rpartition("/")[2], one.data): one for _, files in projects for one in files.values()}


def _named(contents, *endings: str) -> Iterator[tuple[str, str]]:
    for (name, data), one in contents.items():
        if name.endswith(endings):
            yield one.path, data.decode("utf-8")


def test_every_pair_of_options_is_among_them(projects):
    assert len(projects) >= (300 if FULL else 50)


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
    shipped, facts = combinations.template("ddp")
    text = combinations.made(shipped, facts, {"launchers": ["kubeflow"]})["launch/trainjob.yaml"].data.decode()
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
    for number, (_, files) in enumerate(_different(projects)):
        _write(tmp_path / str(number), files)
    for words in (["check", "--no-cache"], ["format", "--check", "--no-cache"]):
        ran = subprocess.run([sys.executable, "-m", "ruff", *words, "."], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert 0 == ran.returncode, ran.stdout[-3000:] + ran.stderr[-3000:]


def test_dlgovern_finds_nothing_and_nothing_is_excused(projects, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    words = ["check", ".", "--fail-on", "info", "--min-confidence", "low", "--output-format", "json", "--jobs", "1"]
    for number, (answers, files) in enumerate(projects):
        folder = tmp_path / str(number)
        _write(folder, files)
        monkeypatch.chdir(folder)
        capsys.readouterr()
        code = main(words)
        said = json.loads(capsys.readouterr().out)
        found = [f"{one['path']}:{one['line']} {one['rule']} {one['message']}" for one in said["findings"]]
        assert (0, [], []) == (code, found, said["not_judged"]), answers
        assert 20 < said["summary"]["files_judged"]


def _different(projects):
    """Projects that bring a Python file which none before had: what ruff is shown."""
    seen: set[str] = set()
    for answers, files in projects:
        new = {one.digest for one in files.values() if one.path.endswith(".py")} - seen
        seen |= new
        if new:
            yield answers, files


def _write(folder: Path, files) -> None:
    for one in files.values():
        path = folder / one.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(one.data)
