"""A path, and at most the first bytes, say what a file is and what it is written for."""

from __future__ import annotations

import pytest

from dlgovern.source.classify import KINDS, SETTINGS, classify, needs_head, possible, setting


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("train.py", "python"),
        ("pkg/types.pyi", "python"),
        ("app.pyw", "python"),
        ("TRAIN.PY", "python"),
        ("a b/naïve.py", "python"),
        ("nb/explore.ipynb", "notebook"),
        ("pyproject.toml", "pyproject"),
        ("sub/pyproject.toml", "pyproject"),
        ("requirements.txt", "requirements"),
        ("requirements-dev.txt", "requirements"),
        ("dev-requirements.txt", "requirements"),
        ("requirements/gpu.txt", "requirements"),
        ("requirements.in", "requirements"),
        ("constraints.txt", "requirements"),
        ("setup.cfg", "setup-cfg"),
        ("uv.lock", "lock"),
        ("poetry.lock", "lock"),
        ("pdm.lock", "lock"),
        ("Pipfile.lock", "lock"),
        ("pylock.toml", "lock"),
        ("Pipfile", "pipfile"),
        ("environment.yml", "environment"),
        ("envs/environment-gpu.yaml", "environment"),
        ("conda-lock.yml", "lock"),
        (".python-version", "python-version"),
        ("docker/reqs_dev.txt", "requirements"),
        ("dependencies/recommended_gpu.txt", "requirements"),
        ("build_constraints.txt", "requirements"),
        ("pylock.gpu.toml", "lock"),
    ],
)
def test_a_known_name_has_its_kind(path, kind):
    assert classify(path) == kind


@pytest.mark.parametrize(
    "path",
    [
        "train.pyc", "train.py.bak", "py", ".py", "x.python", "my-pyproject.toml", "pyproject.toml.orig",
        "requirements.tex", "notes/required.txt", "requirements/sub/notes.txt", "setup.cfg.in", "cargo.lock",
        "pylock", "mypylock.toml", "pylock.a.b.toml", "data.json", "README",
    ],
)  # fmt: skip
def test_a_name_that_only_resembles_one_has_none(path):
    assert classify(path) is None


@pytest.mark.parametrize(
    "line",
    [
        b"#!/usr/bin/python3\n",
        b"#!/usr/bin/env python\n",
        b"#!/usr/bin/env -S python3.12 -u",
        b"#!/usr/bin/env pypy3\n",
        b"#!/usr/bin/env -S uv run --script\n",
        b"#! /usr/bin/python\r\n",
    ],
)
def test_a_file_without_suffix_is_python_by_its_first_line(line):
    assert classify("bin/train", line) == "python"


@pytest.mark.parametrize(
    "line", [b"#!/usr/bin/perl\n# python\n", b"import os\n", b" #!/usr/bin/python", b"#!/bin/fish\n", b""]
)
def test_a_file_without_suffix_and_such_a_first_line_is_not(line):
    assert classify("bin/train", line) is None


@pytest.mark.parametrize("line", [b"#!/bin/bash\n# python\n", b"#!/bin/sh\n", b"#!/usr/bin/env bash -l\n", b"#! /bin/zsh"])
def test_a_file_without_suffix_is_a_script_by_its_first_line(line):
    assert classify("bin/train", line) == "shell"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("run.sh", "shell"), ("jobs/train.sbatch", "shell"), ("README.md", "prose"), ("docs/a.RST", "prose"),
        ("conf/a.yml", "yaml"), ("Dockerfile", "dockerfile"), ("docker/Dockerfile.gpu", "dockerfile"), ("Dockerfile_client", "dockerfile"), ("Dockerfile-cc", "dockerfile"),
        ("Containerfile", "dockerfile"), ("a.dockerfile", "dockerfile"), ("Makefile", "make"), ("rules.mk", "make"),
        ("justfile", "just"), ("Jenkinsfile", "jenkins"), ("tox.ini", "tox"), (".env", "env"), ("ds_config.json", "json"),
        ("configs/deepspeed/stage2.json", "json"), ("zero3.json", "json"), ("z2_config.json", "json"), ("data.json", None),
        ("seconds.json", None), ("worlds.json", None), ("package.json", None), (".vscode/launch.json", "json"),
    ],
)
def test_files_about_building_and_launching(path, kind):
    assert classify(path) == kind


def test_a_first_line_counts_for_nothing_where_there_is_a_suffix():
    assert classify("train.tcl", b"#!/usr/bin/python\n") is None


def test_only_a_name_without_suffix_needs_its_head():
    assert [needs_head(path) for path in ("bin/train", ".hook", "a.d/b", "a.py", "b.txt")] == [
        True,
        True,
        True,
        False,
        False,
    ]


def test_what_can_be_of_a_kind_is_possible():
    assert [possible(path) for path in ("a.py", "bin/train", "cat.png", "uv.lock")] == [True, True, False, True]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("train.py", "training"),
        ("scripts/train.py", "training"),
        ("pkg/model.py", "training"),
        ("src/train.py", "training"),
        ("src/pkg/model.py", "library"),
        ("src/pkg/sub/loader.py", "library"),
        ("src/pkg/train.py", "training"),
        ("src/pkg/finetune_lora.py", "training"),
        ("src/pkg/trainer.py", "library"),
        ("src/pkg/__main__.py", "training"),
        ("tests/helpers.py", "test"),
        ("pkg/test/data.py", "test"),
        ("unit_tests/a.py", "test"),
        ("test_model.py", "test"),
        ("pkg/model_test.py", "test"),
        ("conftest.py", "test"),
        ("src/pkg/tests/test_a.py", "test"),
        ("latest/a.py", "training"),
        ("contest.py", "training"),
        ("testing.py", "training"),
        ("examples/mnist/main.py", "example"),
        ("docs/conf.py", "example"),
        ("tutorial.py", "training"),
        ("explore.ipynb", "notebook"),
        ("examples/explore.ipynb", "notebook"),
        ("tests/explore.ipynb", "test"),
    ],
)
def test_a_path_says_what_a_file_is_written_for(path, expected):
    assert setting(path) == expected


def test_every_answer_is_announced():
    paths = (
        *("a.py", "a.ipynb", "pyproject.toml", "requirements.txt", "setup.cfg", "uv.lock", "Pipfile", "environment.yml"),
        *(".python-version", "a.sh", "a.md", "a.yaml", "ds_config.json", "Dockerfile", "Makefile", "justfile", "tox.ini"),
        *("Jenkinsfile", ".env", "model.pt"),
    )
    assert {classify(path) for path in paths} == set(KINDS)
    assert len(set(SETTINGS)) == 5


def test_the_endings_of_model_files_are_known_to_their_reader():
    from dlgovern.evidence.artifacts.endings import EXPECTED
    from dlgovern.source.classify import _BY_SUFFIX

    assert set(EXPECTED) == {suffix for suffix, kind in _BY_SUFFIX.items() if kind == "artifact"}
