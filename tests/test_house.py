"""The house rules of the source: who may import whom, who may print, who may leave, what may grow."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "dlgovern"

LAYERS = (
    "cli flake8",
    *("scaffold standard fix report judge engine detect edits flow repository evidence source".split()),
    *("store policy bundled digest finding errors".split()),
)
"""From the top down; what shares a line may import each other."""

LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names.split()}

UPWARD: dict[tuple[str, str], str] = {
    ("__main__.py", "dlgovern.cli.main"): "python -m dlgovern is the script by another name",
    ("evidence/versions.py", "dlgovern.repository.window"): "windows are values; they belong on the ground floor",
}
"""Imports that go up or stand outside every layer, each with its reason."""

LONG = {
    "flow/ranks/expressions.py": "one reader for each kind of expression; every one needs all others",
    "flow/ranks/statements.py": "one reader for each kind of statement; every one needs all others",
    "detect/order.py": "one protocol of before and after; its guards read each other",
    "source/names.py": "one table of scopes; its halves would need each other's insides",
    "repository/exports.py": "names of a module and what they lead to: one walk over one set of values",
}
"""Modules over `LIMIT` lines, each with its reason."""
LIMIT = 300

CATCHES = {
    "cli/main.py": (1, "the door: an own bug says so"),
    "engine/walk.py": (2, "around a detector: loading or preparing it, and its handlers"),
    "judge/evidence.py": (1, "around a detector of one document"),
    "judge/repository.py": (1, "around a detector that sees a whole repository"),
    "standard/laws/court.py": (1, "around a detector: a clause without which it cannot start"),
}
"""Modules that may say ``except Exception``: how often, and why."""

SPEAKERS = {"engine/worker.py": "its standard output is the pipe to the supervisor"}
"""Modules outside cli and report that may touch the standard streams."""

DOORS = {
    "cyclonedx": ("report/ml_bom.py",),
    "pydantic": ("standard/", "scaffold/"),
    "libcst": ("edits/imports.py", "edits/"),
    "jinja2": ("scaffold/", "standard/render", "evidence/artifacts/templates.py"),
    "tomlkit": ("edits/", "scaffold/"),
    "packaging": ("evidence/", "repository/", "standard/", "scaffold/"),
    "torch": ("cli/verify.py", "scaffold/"),
    "yaml": ("evidence/nodes.py",),
    "rich": (),
}
"""Heavy library -> the rooms it may enter."""

MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py") if "_bundled" not in path.parts)


@cache
class Read(NamedTuple):
    """What the tests ask of one module, from one walk over its tree."""

    lines: int
    docstring: str
    imports: tuple[str, ...]  # anywhere in the file, inside functions too
    spoken: tuple[str, ...]
    left: tuple[str, ...]
    caught: int  # handlers of every error


@cache
def read(module: str) -> Read:
    text = (PACKAGE / module).read_text(encoding="utf-8")
    tree = ast.parse(text)
    imports: list[str] = []
    spoken: list[str] = []
    left: list[str] = []
    caught = 0
    package = ("dlgovern", *module.split("/")[:-1])
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imports += (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            name = ".".join(part for part in (base, node.module) if part)
            imports += (f"{name}.{alias.name}" for alias in node.names) if name == "dlgovern" else (name,)
        elif isinstance(node, ast.Name) and node.id == "print":
            spoken.append("print")
        elif isinstance(node, ast.Attribute) and node.attr in ("stdout", "stderr") and ast.unparse(node.value) == "sys":
            spoken.append(ast.unparse(node))
        elif (isinstance(node, ast.Call) and ast.unparse(node.func) in LEAVING) or (
            isinstance(node, ast.Raise) and node.exc is not None and ast.unparse(node.exc) in LEAVING
        ):
            left.append(ast.unparse(node))
        elif isinstance(node, ast.ExceptHandler):
            named = ast.walk(node.type) if node.type is not None else [ast.Name("BaseException")]
            caught += any(isinstance(name, ast.Name) and name.id in ("Exception", "BaseException") for name in named)
    return Read(len(text.splitlines()), ast.get_docstring(tree) or "", tuple(imports), tuple(spoken), tuple(left), caught)


LEAVING = ("sys.exit", "os._exit", "exit", "quit", "SystemExit")


def room(module: str) -> str:
    return module.partition("/")[0].removesuffix(".py")


def test_every_module_stands_in_a_layer():
    outside = {module for module in MODULES if room(module) not in LEVEL}
    assert outside == {"__init__.py", "__main__.py"}


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_down_only(module):
    wrong = []
    for name in read(module).imports:
        if not name.startswith("dlgovern.") or name == "dlgovern.__version__" or (module, name) in UPWARD:
            continue
        other = name.split(".")[1]
        if room(module) not in LEVEL or other not in LEVEL or (
            other != room(module) and LEVEL[other] <= LEVEL[room(module)] and LEVEL[other] != 0
        ) or (LEVEL[other] == 0 and LEVEL[room(module)] != 0):
            wrong.append(name)
    assert wrong == []


@pytest.mark.parametrize("module", MODULES)
def test_only_cli_and_report_speak(module):
    if room(module) in ("cli", "flake8", "report", "__main__") or module in SPEAKERS:
        return
    assert read(module).spoken == ()


@pytest.mark.parametrize("module", MODULES)
def test_only_cli_leaves(module):
    if room(module) in ("cli", "__main__"):
        return
    assert read(module).left == ()


@pytest.mark.parametrize("module", MODULES)
def test_no_module_grows_without_a_reason(module):
    lines = read(module).lines
    assert (lines > LIMIT) == (module in LONG), f"{module} has {lines} lines"


def test_errors_are_caught_wholesale_in_two_places_only():
    found = {module: read(module).caught for module in MODULES}
    assert {module: count for module, count in found.items() if count} == {
        module: count for module, (count, _) in CATCHES.items()
    }


@pytest.mark.parametrize("module", MODULES)
def test_heavy_libraries_enter_by_one_door(module):
    strangers = {
        name.partition(".")[0]
        for name in read(module).imports
        if (doors := DOORS.get(name.partition(".")[0])) is not None and not module.startswith(doors or ("\0",))
    }
    assert strangers == set()


@pytest.mark.parametrize("module", MODULES)
def test_the_first_line_of_a_module_says_what_it_is_for(module):
    said = read(module).docstring
    assert said.partition("\n")[0].rstrip().endswith((".", "!", ":")) or "\n" in said
