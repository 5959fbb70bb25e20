"""A list that a published project's build file names is handed on to those who install it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlgovern.evidence.published import Published

SETUP = 'from setuptools import setup\nsetup(name="layers", install_requires=read("{}"))\n'


@pytest.mark.parametrize(
    ("named", "path", "expected"),
    [
        ("requirements.txt", "requirements.txt", True),
        ("requirements/base.txt", "requirements/base.txt", True),
        ("dev-requirements.txt", "requirements.txt", False),
        ("requirements.txt", "examples/requirements.txt", False),
        ("requirements.txt.old", "requirements.txt", False),
    ],
)
def test_a_setup_file_hands_on_the_list_that_it_names(named: str, path: str, expected: bool, tmp_path: Path) -> None:
    (tmp_path / "setup.py").write_text(SETUP.format(named))
    assert Published(str(tmp_path)).hands_on(path) == expected


def test_setuptools_may_read_the_list_as_dynamic_metadata(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["setuptools"]\n[project]\nname = "layers"\ndynamic = ["dependencies"]\n'
        '[tool.setuptools.dynamic]\ndependencies = { file = ["requirements.txt"] }\n'
    )
    assert Published(str(tmp_path)).hands_on("requirements.txt") is True


def test_an_application_without_a_build_system_hands_on_nothing(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "trainer"\n[tool.x]\nfile = "requirements.txt"\n')
    assert Published(str(tmp_path)).hands_on("requirements.txt") is False
