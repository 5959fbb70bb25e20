"""No input makes a reader raise; what cannot be read is said."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlgovern.evidence import codec, manifests, toml
from dlgovern.evidence.values import Manifest
from dlgovern.evidence.versions import windows

NAMES = ["requirements.txt", "constraints.txt", "pyproject.toml", "Pipfile", "setup.cfg", "setup.py", "uv.lock"]
NAMES += ["Pipfile.lock", "pylock.toml", "environment.yml", ".python-version", "conda-lock.yml", "conda-linux-64.lock"]

WORDS = st.sampled_from(
    ["torch", ">=2.0", "==", "[", "]", "{", "}", '"', "'", '"""', "=", "\n", "\\", "#", " ", "-r", "-e", ".", ",", ";"]
    + ["[project]\n", "dependencies = [", "[[package]]\n", "name = ", "version = ", "[tool.uv.sources]\n", "git+", "@"]
    + ["[tool.poetry.dependencies]\n", "^1", "\u00e9", "\u2028", "\x0c", "--hash=sha256:0", "=1", "a.b", "\t", "\r"]
)


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(NAMES), st.lists(WORDS, max_size=40).map("".join))
def test_no_text_makes_a_reader_raise(name: str, text: str) -> None:
    manifest = manifests.parse(text, name, manifests.kind(name) or "")
    assert codec.restore(Manifest, json.loads(json.dumps(manifest))) == manifest
    windows({name: manifest}, {"torch": "<3"})


DEEP = 50_000


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * DEEP,
        "a = " + "[" * DEEP + "]" * DEEP,
        "a = " + "{a=" * DEEP,
        ".".join(["a"] * DEEP) + " = 1",
        "[" + ".".join(["a"] * DEEP) + "]",
        "a = " + "9" * DEEP,
        "x = " + "(" * DEEP,
        "torch ; " + "(" * DEEP,
        "torch" + "\\\n" * DEEP,
        " " * 200_000 + "x",
        "a" * 200_000,
        "-" * 200_000,
        "[[package]]\n" * 10_000,
        '"' * 50_001,
        "\\" * 50_001,
        "torch >= " + "2." * 50_000,
        "torch" + " --hash=x" * 20_000,
        "torch  " + "\t " * 50_000 + "#",
    ],
    ids=lambda text: f"{text[:12]!r} {len(text)}",
)
def test_deep_and_long_input_is_read_or_refused(name: str, text: str) -> None:
    assert isinstance(manifests.parse(text, name, manifests.kind(name) or ""), Manifest)


KEYS = st.sampled_from(["a", "b-c", '"d e"', "'f.g'", "0"])
VALUES = st.recursive(
    st.sampled_from(['"x"', "'y'", "1", "true", '"""m\nn"""', "'''o\n'p'''", '"q\\"r"', "1979-05-27 07:32:00"]),
    lambda inner: st.lists(inner, max_size=3).map(lambda v: "[ " + ",\n # c\n".join(v) + " ]")
    | st.lists(inner, max_size=2).map(lambda v: "{" + ", ".join(f"k{i} = {x}" for i, x in enumerate(v)) + "}"),
    max_leaves=6,
)
LINES = st.lists(st.tuples(st.lists(KEYS, min_size=1, max_size=2).map(" . ".join), VALUES), max_size=5)
TABLES = st.lists(st.tuples(st.sampled_from(["[t{}]", "[[u]]", '[ "v w" . x{} ]', "[[u.y]]"]), LINES), max_size=4)


@pytest.mark.once
@settings(deadline=None, max_examples=300)
@given(TABLES)
def test_every_value_of_valid_toml_has_its_place(tables: list[tuple[str, list[tuple[str, str]]]]) -> None:
    text = ""
    for number, (header, lines) in enumerate(tables):
        text += header.format(number) + " # h\n" + "".join(f"{key} = {value}\n" for key, value in lines)
    try:
        document = toml.parse(text)
    except toml.Broken:
        return
    rows = text.split("\n")
    for path, value in _leaves(document.data, ()):
        span = document.values[path]
        written = rows[span.line - 1][span.column - 1 : span.end_column - 1]
        if isinstance(value, str) and '"""' not in written and "'''" not in written:
            assert toml.load(f"v = {written}")["v"] == value


def _leaves(value: object, path: tuple[str | int, ...]) -> list[tuple[tuple[str | int, ...], object]]:
    if isinstance(value, dict):
        return [leaf for key, inner in value.items() for leaf in _leaves(inner, (*path, key))]
    if isinstance(value, list):
        return [leaf for number, inner in enumerate(value) for leaf in _leaves(inner, (*path, number))]
    return [(path, value)]


def problem(root: Path, name: str) -> list[str]:
    return [p.why for p in manifests.read_at(str(root), name).problems]


def test_a_link_out_of_the_root_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("torch\n")
    (tmp_path / "root").mkdir()
    (tmp_path / "root/requirements.txt").symlink_to(tmp_path / "secret.txt")
    assert problem(tmp_path / "root", "requirements.txt") == ["lies outside the project's root"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "requirements.txt")
    assert problem(tmp_path, "requirements.txt") == ["is not a regular file"]


def test_a_missing_file_and_a_folder_are_problems(tmp_path: Path) -> None:
    (tmp_path / "setup.cfg").mkdir()
    assert problem(tmp_path, "requirements.txt") == ["cannot be opened: No such file or directory"]
    assert problem(tmp_path, "setup.cfg") == ["is not a regular file"]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"torch\n" * 60_000, ["is larger than 262144 bytes"]),
        (b"torch\0\n", ["holds a NUL"]),
        (b"\xe9\n", ["is not UTF-8"]),
        (b"\xff\xfea", ["is not UTF-16"]),
        ("\ufefftorch\n".encode(), []),
        ("torch\n".encode("utf-16"), []),
        (b"torch\r\nnumpy\r\n", []),
    ],
)
def test_bytes_that_are_no_text_are_problems(tmp_path: Path, data: bytes, expected: list[str]) -> None:
    (tmp_path / "requirements.txt").write_bytes(data)
    assert problem(tmp_path, "requirements.txt") == expected


def test_files_that_include_each_other_are_each_read_once(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("-r b.txt\n-r a.txt\ntorch\n")
    (tmp_path / "b.txt").write_text("-r a.txt\n-c c.txt\n")
    (tmp_path / "c.txt").write_text("numpy<2\n")
    found = manifests.collect(str(tmp_path), ["a.txt"])
    assert {path: manifest.kind for path, manifest in found.items()} == {
        "a.txt": "requirements",
        "b.txt": "requirements",
        "c.txt": "constraints",
    }
