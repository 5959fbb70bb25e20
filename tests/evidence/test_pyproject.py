"""A pyproject.toml and a Pipfile give their dependencies with places."""

from __future__ import annotations

from dlgovern.evidence.manifests import parse
from dlgovern.evidence.values import Manifest, Problem

STANDARD = """\
[build-system]
requires = ["hatchling"]
[project]
name = "x"
dependencies = ["numpy>=1.26", "torch[opt]>=2.9,<2.14; python_version >= '3.11'",
  'pillow',  # "not-this"
]
[project.optional-dependencies]
export = ["onnx"]
[dependency-groups]
dev = ["pytest", {include-group = "lint"}]
lint = ["ruff"]
"""


def read(text: str) -> Manifest:
    return parse(text, "pyproject.toml", "pyproject")


def test_the_tables_of_the_packaging_standards_are_read() -> None:
    manifest = read(STANDARD)
    assert [(r.name, r.group, r.specifier, r.line, r.column) for r in manifest.requirements] == [
        ("numpy", "", ">=1.26", 5, 18),
        ("torch", "", ">=2.9,<2.14", 5, 33),
        ("pillow", "", "", 6, 4),
        ("onnx", "export", "", 9, 12),
        ("pytest", "dev", "", 11, 9),
        ("ruff", "lint", "", 12, 10),
    ]
    assert (manifest.published, manifest.problems) == (True, ())


def test_the_place_is_the_text_inside_the_quotes() -> None:
    lines = STANDARD.split("\n")
    for entry in read(STANDARD).requirements:
        assert lines[entry.line - 1][entry.column - 1 : entry.end_column - 1] == entry.raw


def test_a_group_that_includes_an_unknown_one_is_a_problem() -> None:
    manifest = read('[dependency-groups]\ndev = [\n  {include-group = "lint"},\n]\n')
    assert manifest.problems == (Problem("pyproject.toml", 3, "includes a group that does not exist"),)


def test_indexes_of_uv_say_whether_they_are_explicit() -> None:
    manifest = read(
        "[[tool.uv.index]]\nname = 'a'\nurl = 'https://a'\n"
        "[[tool.uv.index]]\nname = 'b'\nurl = 'https://b'\nexplicit = true\n"
        "[[tool.uv.index]]\nurl = 'https://c'\ndefault = true\n"
    )
    assert [(i.kind, i.name, i.url, i.explicit, i.line) for i in manifest.indexes] == [
        ("index", "a", "https://a", False, 3),
        ("index", "b", "https://b", True, 6),
        ("default-index", "", "https://c", False, 9),
    ]


def test_sources_of_uv_name_what_they_pin() -> None:
    manifest = read(
        "[tool.uv.sources]\n"
        "torch = [{ index = 'cu130', marker = \"sys_platform == 'linux'\" }]\n"
        "apex = { git = 'https://github.com/NVIDIA/apex', rev = 'abc' }\n"
        "mine = { workspace = true }\n"
        "near = { path = '../near' }\n"
        "[tool.uv.sources.far]\n"
        "url = 'https://far/x.whl'\n"
    )
    assert [(s.name, s.kind, s.url, s.line) for s in manifest.sources] == [
        ("torch", "index", "cu130", 2),
        ("apex", "git", "git+https://github.com/NVIDIA/apex@abc", 3),
        ("mine", "workspace", "", 4),
        ("near", "path", "file:../near", 5),
        ("far", "url", "https://far/x.whl", 6),
    ]


def test_poetry_tables_become_the_same_values() -> None:
    manifest = read(
        "[tool.poetry.dependencies]\npython = '^3.11'\ntorch = '^2.9'\n"
        "apex = {git = 'https://github.com/NVIDIA/apex', branch = 'master'}\n"
        "[tool.poetry.group.dev.dependencies]\npytest = {version = '~8.1', extras = ['x']}\n"
        "[[tool.poetry.source]]\nname = 'pt'\nurl = 'https://pt'\npriority = 'explicit'\n"
    )
    assert [(r.name, r.specifier, r.group, r.url, r.line, r.extras) for r in manifest.requirements] == [
        ("torch", ">=2.9,<3", "", "", 3, ()),
        ("apex", "", "", "git+https://github.com/NVIDIA/apex@master", 4, ()),
        ("pytest", ">=8.1,<8.2", "dev", "", 6, ("x",)),
    ]
    assert [(i.name, i.explicit) for i in manifest.indexes] == [("pt", True)]


def test_a_pipfile_is_read() -> None:
    manifest = parse("[packages]\ntorch = '==2.13.0'\n[dev-packages]\npytest = '*'\n", "Pipfile", "pipfile")
    assert [(r.name, r.specifier, r.group) for r in manifest.requirements] == [
        ("torch", "==2.13.0", ""),
        ("pytest", "", "dev"),
    ]


def test_broken_toml_is_a_problem_with_its_line() -> None:
    manifest = read("[project]\nname = 'x'\ndependencies = [\n  'a'\n  'b'\n]\n")
    assert (manifest.requirements, [(p.line, p.why[:12]) for p in manifest.problems]) == ((), [(5, "is not TOML:")])


def test_tables_of_the_wrong_type_are_passed_over() -> None:
    manifest = read(
        "project = 1\n[dependency-groups]\na = 1\nb = [1, {x = 1}]\n[tool]\nuv = []\npdm = 'x'\n"
        "[tool.poetry]\ndependencies = 3\nsource = {}\n[tool.poetry.group]\nx = 1\n"
    )
    assert manifest == Manifest("pyproject.toml", "pyproject")
