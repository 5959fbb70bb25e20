"""A requirements file is read as pip reads it, each entry with its place."""

from __future__ import annotations

import pytest

from dlgovern.evidence.requirements import read_requirements
from dlgovern.evidence.specifiers import At, poetry_specifier, requirement
from dlgovern.evidence.values import Include, IndexOption, Problem


def names(text: str) -> list[str]:
    return [entry.name for entry in read_requirements(text, "requirements.txt").requirements]


def test_an_entry_has_its_parts_and_its_place() -> None:
    text = '\n  Torch_X[gpu,opt] >=2.0, <3 ; sys_platform == "linux"  # why\n'
    (entry,) = read_requirements(text, "r.txt").requirements
    assert (entry.name, entry.specifier, entry.extras, entry.marker) == (
        "torch-x",
        ">=2.0,<3",
        ("gpu", "opt"),
        'sys_platform == "linux"',
    )
    assert (entry.line, entry.column, entry.end_column) == (2, 3, 3 + len(entry.raw))


def test_continued_lines_are_one_entry_at_the_first_line() -> None:
    text = "numpy\ntorch==2.13.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\nscipy\n"
    entries = read_requirements(text, "r.txt").requirements
    assert [(e.name, e.line, e.hashed, e.raw) for e in entries] == [
        ("numpy", 1, False, "numpy"),
        ("torch", 2, True, "torch==2.13.0"),
        ("scipy", 5, False, "scipy"),
    ]


def test_a_hash_sign_inside_an_address_is_no_comment() -> None:
    assert names("git+https://example.org/a/b.git@main#egg=torch-thing\n") == ["torch-thing"]


@pytest.mark.parametrize(
    ("line", "name", "url"),
    [
        ("-e git+https://github.com/NVIDIA/apex.git@abc", "apex", "git+https://github.com/NVIDIA/apex.git@abc"),
        ("a @ https://example.org/a.whl", "a", "https://example.org/a.whl"),
        ("https://a.org/foo_bar-1.2-py3-none-any.whl", "foo-bar", "https://a.org/foo_bar-1.2-py3-none-any.whl"),
        ('-e "git+https://example.com/a/b#egg=b"', "b", "git+https://example.com/a/b#egg=b"),
        ("-e .", "", "file:."),
        ("./sibling", "", "file:./sibling"),
        ("foo_bar-1.2+cu118-py3-none-any.whl", "foo-bar", "file:foo_bar-1.2+cu118-py3-none-any.whl"),
        ("torch==1.0-nv", "torch", ""),
    ],
)
def test_other_origins_than_an_index_are_kept(line: str, name: str, url: str) -> None:
    (entry,) = read_requirements(line, "r.txt").requirements
    assert (entry.name, entry.url) == (name, url)


@pytest.mark.parametrize(
    ("line", "kind", "url"),
    [
        ("--extra-index-url https://a/simple", "extra-index-url", "https://a/simple"),
        ("--extra-index-url=https://a/simple", "extra-index-url", "https://a/simple"),
        ("-i https://a", "index-url", "https://a"),
        ("-ihttps://a", "index-url", "https://a"),
        ("--index-url 'https://a'", "index-url", "https://a"),
        ("-f wheels", "find-links", "wheels"),
        ("--trusted-host a", "trusted-host", "a"),
        ("--pre", "pre", ""),
    ],
)
def test_index_options_are_read_in_every_spelling(line: str, kind: str, url: str) -> None:
    manifest = read_requirements(f"torch\n{line}\n", "r.txt")
    assert manifest.indexes == (IndexOption(kind, url, False, "r.txt", 2, 1, len(line) + 1),)


def test_includes_are_relative_to_the_file_that_names_them() -> None:
    manifest = read_requirements("-r base.txt\n--constraint=../c.txt\n-rx.txt\n", "deep/r.txt")
    assert manifest.includes == (
        Include("requirements", "deep/base.txt", 1, 1, 12),
        Include("constraints", "c.txt", 2, 1, 22),
        Include("requirements", "deep/x.txt", 3, 1, 8),
    )


@pytest.mark.parametrize("target", ["../../etc/passwd", "/etc/passwd", "https://example.org/r.txt"])
def test_an_include_outside_the_root_is_skipped(target: str) -> None:
    manifest = read_requirements(f"-r {target}\n", "deep/r.txt")
    assert (manifest.includes, manifest.problems, len(manifest.skipped)) == ((), (), 1)


def test_a_line_that_is_no_requirement_is_a_problem_with_its_line() -> None:
    assert read_requirements("torch\nhello there world\n", "r.txt").problems == (
        Problem("r.txt", 2, "has a line that is no requirement"),
    )


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("^2.1", ">=2.1,<3"),
        ("^0.2.3", ">=0.2.3,<0.3"),
        ("^0.0.3", ">=0.0.3,<0.0.4"),
        ("~2.1.3", ">=2.1.3,<2.2"),
        ("~2", ">=2,<3"),
        ("2.1.*", "==2.1.*"),
        ("2.1", "==2.1"),
        ("*", ""),
        (">=2.0,<3.0", ">=2.0,<3.0"),
        (">= 2.0, < 3.0", ">=2.0,<3.0"),
        (">=2.0 <3.0", ">=2.0,<3.0"),
        ("^1.0 || ^2.0", ""),
        ("~=2.1", "~=2.1"),
    ],
)
def test_poetry_versions_become_specifiers(written: str, expected: str) -> None:
    assert poetry_specifier(written) == expected


@pytest.mark.parametrize("text", ["", "(((((", "a" * 5000, "@", ";", "[x]"])
def test_what_is_no_requirement_is_none(text: str) -> None:
    assert requirement(text, At("", "r.txt", 1, 1, 1)) is None


def test_an_option_that_is_unknown_is_skipped_and_no_problem() -> None:
    manifest = read_requirements("--new-option of-pip\ntorch\n", "r.txt")
    assert (len(manifest.requirements), manifest.problems, len(manifest.skipped)) == (1, (), 1)


def test_a_list_that_conda_exported_is_not_read_as_one_for_pip() -> None:
    text = "# This file may be used to create an environment using:\n# $ conda create --name x\nnumpy=1.19=py37\n"
    manifest = read_requirements(text, "r.txt")
    assert (manifest.requirements, manifest.problems, len(manifest.skipped)) == ((), (), 1)


@pytest.mark.parametrize("option", ["--index-url https://pypi.example.com/simple", "-f https://a.example.com", "--pre", "--no-binary :all:"])
def test_an_option_behind_a_requirement_is_passed_over_as_pip_does(option: str) -> None:
    manifest = read_requirements(f"onnx-graphsurgeon>=0.5 {option}\n", "r.txt")
    assert ([("onnx-graphsurgeon", ">=0.5")], (), ()) == ([(r.name, r.specifier) for r in manifest.requirements], manifest.problems, manifest.indexes)


def test_an_option_of_the_command_line_behind_a_requirement_is_a_problem() -> None:
    assert 1 == len(read_requirements("torch>=2.6 --no-cache-dir\n", "r.txt").problems)


def test_a_line_may_have_several_options() -> None:
    found = read_requirements("--no-index --extra-index-url https://a/simple --pre\n", "r.txt")
    assert {("no-index", ""), ("extra-index-url", "https://a/simple"), ("pre", "")} == {(one.kind, one.url) for one in found.indexes}
    assert () == found.skipped
