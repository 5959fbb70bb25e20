"""What `dlgovern check one.py` loads when nothing but the file is new: a comparison of sets, so it cannot flake."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FORBIDDEN = frozenset(
    "pydantic libcst jinja2 rich yaml torch tomlkit packaging importlib.metadata concurrent.futures multiprocessing"
    " inspect dataclasses".split()
)
LEAN = FORBIDDEN | frozenset(
    "_hashlib ast bz2 datetime lzma random shutil subprocess tempfile tokenize zlib dlgovern.engine.supervise"
    " dlgovern.engine.walk dlgovern.evidence.registry dlgovern.flow.facts dlgovern.judge.programs dlgovern.source.prefilter".split()
)
"""What a run in which nothing is new does without as well."""
WORDY = """
import sys
from typing import ForwardRef
from dlgovern.cli.main import main
main(sys.argv[1:])
for name, module in sorted(sys.modules.items()):
    for kind in vars(module).values() if name.startswith("dlgovern.") else ():
        if isinstance(kind, type) and hasattr(kind, "_fields") and kind.__module__ == name:
            if any(isinstance(hint, str | ForwardRef) for hint in kind.__annotations__.values()):
                sys.stderr.write(f"{name}.{kind.__name__} ")
"""
PROGRAM = """
import argparse, json, sys
before = set(sys.modules)
from dlgovern.cli.main import main
code = main(sys.argv[1:])
sys.stderr.write(json.dumps([code, sorted(set(sys.modules) - before)]))
"""
LOAD = "import torch\nstate = torch.load('last.pt', weights_only=False)\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a manifest, a configuration and one file to judge."""
    (tmp_path / "pyproject.toml").write_text(
        "[project]\nname = 'one'\nversion = '0'\ndependencies = ['torch>=2.1,<2.14']\n[tool.dlgovern]\nfail-on = 'error'\n"
    )
    (tmp_path / "one.py").write_text(LOAD)
    return tmp_path


def loaded(project: Path, *words: str) -> tuple[int, set[str]]:
    """Exit code of a run, and the modules that it added to argparse and the bare interpreter."""
    kept = {"XDG_CACHE_HOME": str(project / ".cache"), "PATH": os.environ["PATH"]}
    command = [sys.executable, "-P", "-c", PROGRAM, *words]
    ran = subprocess.run(command, cwd=project, env=kept, capture_output=True, text=True, timeout=120, check=True)
    code, modules = json.loads(ran.stderr)
    return code, set(modules)


def test_the_first_run_loads_them_so_the_test_can_see_them(project):
    code, modules = loaded(project, "check", "one.py")
    assert (1, True) == (code, {"pydantic", "packaging"} <= modules)


@pytest.mark.parametrize("words", [["one.py"], ["one.py", "--output-format", "json"], ["one.py", "--statistics"]])
def test_the_second_run_loads_none_of_them(project, words):
    loaded(project, "check", *words)
    code, modules = loaded(project, "check", *words)
    assert (1, set()) == (code, FORBIDDEN & modules)


def test_a_new_file_loads_none_of_them(project):
    loaded(project, "check", "one.py")
    (project / "two.py").write_text(LOAD + "# another\n")
    code, modules = loaded(project, "check", "two.py")
    assert (1, set()) == (code, FORBIDDEN & modules)


def test_without_any_trouble_none_is_loaded_either(project):
    (project / "one.py").write_text("import torch\nstate = torch.load('last.pt', weights_only=True)\n")
    loaded(project, "check", "one.py")
    code, modules = loaded(project, "check", "one.py")
    assert (0, set()) == (code, FORBIDDEN & modules)


def test_a_new_project_is_made_without_the_machinery_that_judges(project):
    code, modules = loaded(project, "new", "two", "--yes")
    judging = {name for name in modules if name.startswith(("dlgovern.detect", "dlgovern.engine", "dlgovern.flow", "dlgovern.standard.read"))}
    assert (0, set()) == (code, judging | (modules & {"torch", "libcst", "yaml", "tomlkit"}))


def test_where_nothing_is_new_what_judges_is_not_loaded(project):
    loaded(project, "check", "one.py")
    code, modules = loaded(project, "check", "one.py")
    assert (1, set()) == (code, LEAN & modules)


def test_no_value_of_such_a_run_is_annotated_in_words(project):
    """Each field of a NamedTuple whose annotation is a string costs a call of the compiler at every start."""
    loaded(project, "check", "one.py")
    kept = {"XDG_CACHE_HOME": str(project / ".cache"), "PATH": os.environ["PATH"]}
    command = [sys.executable, "-P", "-c", WORDY, "check", "one.py"]
    ran = subprocess.run(command, cwd=project, env=kept, capture_output=True, text=True, timeout=120, check=True)
    assert "" == ran.stderr
