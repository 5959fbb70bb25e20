"""Where a project's root is, with and without a configuration."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dlgovern.cli.main import main
from dlgovern.cli.settings import find_settings
from dlgovern.store import Store

NOTHING = Store("")


def root(start: Path, **options: bool) -> str:
    return find_settings(str(start), NOTHING, **options).root


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A file in a package in a folder without any mark."""
    inner = tmp_path / "plain" / "pkg" / "sub"
    inner.mkdir(parents=True)
    for path in (inner.parent / "__init__.py", inner / "__init__.py", inner / "one.py"):
        path.write_text("")
    return inner / "one.py"


def test_a_file_alone_has_the_folder_above_its_package_as_root(package):
    assert str(package.parents[2]) == root(package)


def test_several_files_of_a_package_too(package):
    assert str(package.parents[2]) == root(package.parent, modules=True)


def test_a_folder_that_is_named_is_the_root_itself(package):
    assert str(package.parent) == root(package.parent)


def test_a_build_file_above_marks_the_root_also_when_no_configuration_is_read(package):
    (package.parents[3] / "pyproject.toml").write_text("[project]\nname = 'x'\n[tool.dlgovern]\nprofile = 'all'\n")
    found = find_settings(str(package), NOTHING, isolated=True)
    assert (str(package.parents[3]), {}) == (found.root, found.values)


def test_a_repository_above_goes_before_a_build_file_further_up(package):
    (package.parents[3] / "setup.py").write_text("")
    (package.parents[2] / ".git").mkdir()
    assert str(package.parents[2]) == root(package)


def test_one_isolated_file_sees_the_other_modules_of_its_package(package, capsys):
    (package.parents[1] / "compat.py").write_text("from torch import load\n")
    package.write_text("from pkg.compat import load\nload(p)\n")
    main(["check", str(package), "--isolated", "--no-cache", "--output-format", "json", "--exit-zero"])
    assert ["DLG503"] == [one["rule"] for one in json.loads(capsys.readouterr().out)["findings"]]
