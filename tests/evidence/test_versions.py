"""Version windows come from lock, constraint, manifest and standard, in that order, for each folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlgovern.evidence.manifests import kind
from dlgovern.evidence.versions import Range, home, resolve, versions_of
from dlgovern.repository.window import Window

STANDARD = {"torch": ">=2.12,<2.14"}


@pytest.mark.parametrize(
    ("specifier", "expected"),
    [
        (">=2.0,<3", Range((2, 0), (3,))),
        ("==2.13.0", Range((2, 13, 0), (2, 13, 0, 1))),
        ("==2.13", Range((2, 13), (2, 13, 0, 1))),
        ("==2.13.*", Range((2, 13), (2, 14))),
        ("~=2.12", Range((2, 12), (3,))),
        ("~=2.12.1", Range((2, 12, 1), (2, 13))),
        (">2.0", Range((2, 0, 0, 1), ())),
        ("<=2.1", Range((), (2, 1, 0, 1))),
        ("!=2.1", Range((), ())),
        (">=2.0,!=2.1", Range((2, 0), ())),
        (">=2.0,>=2.1", Range((2, 1), ())),
        ("<3,<2.5", Range((), (2, 5))),
        ("===2.13.0", Range((2, 13, 0), (2, 13, 0, 1))),
        ("==2.13.0+cu130", Range((2, 13, 0), (2, 13, 0, 1))),
        (">=2.14.0.dev20260101", Range((2, 14, 0), ())),
        (">=1!2.0", Range((), ())),
        ("", Range((), ())),
    ],
)
def test_a_specifier_becomes_a_range(specifier: str, expected: Range) -> None:
    assert versions_of(specifier) == expected


def windows(tmp_path: Path, files: dict[str, str], path: str = "train.py") -> Window | None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return resolve(str(tmp_path), [name for name in files if kind(name)], STANDARD).of(path, "torch")


LOCK = '[[package]]\nname = "torch"\nversion = "2.13.0"\n'


def test_a_lock_beats_a_constraint(tmp_path: Path) -> None:
    found = windows(tmp_path, {"uv.lock": LOCK, "constraints.txt": "torch<2.5\n", "requirements.txt": "torch>=2\n"})
    assert found == Window((2, 13, 0), (2, 13, 0, 1), "uv.lock:3")


def test_a_constraint_narrows_a_manifest(tmp_path: Path) -> None:
    found = windows(tmp_path, {"constraints.txt": "torch<2.5\n", "requirements.txt": "torch>=2\n"})
    assert found == Window((2,), (2, 5), "constraints.txt:1")


def test_a_constraint_that_contradicts_a_manifest_wins(tmp_path: Path) -> None:
    found = windows(tmp_path, {"constraints.txt": "torch<1.5\n", "requirements.txt": "torch>=2\n"})
    assert found == Window((), (1, 5), "constraints.txt:1")


def test_the_standard_speaks_where_no_manifest_does(tmp_path: Path) -> None:
    assert windows(tmp_path, {"requirements.txt": "numpy\n"}) == Window((2, 12), (2, 14), "the standard")


def test_an_open_end_is_closed_by_the_standard(tmp_path: Path) -> None:
    assert windows(tmp_path, {"requirements.txt": "torch>=2.1\n"}) == Window((2, 1), (2, 14), "requirements.txt:1")


def test_a_name_without_versions_has_no_floor(tmp_path: Path) -> None:
    assert windows(tmp_path, {"requirements.txt": "torch\n"}) == Window((), (2, 14), "requirements.txt:1")


def test_a_floor_beyond_the_standard_allows_itself_only(tmp_path: Path) -> None:
    found = windows(tmp_path, {"requirements.txt": "torch>=2.20\n"})
    assert found == Window((2, 20), (2, 20, 0, 1), "requirements.txt:1")


def test_a_name_without_versions_does_not_widen_one_that_has_some(tmp_path: Path) -> None:
    found = windows(tmp_path, {"requirements.txt": "torch>=2.1\n", "requirements-dev.txt": "torch\n"})
    assert found == Window((2, 1), (2, 14), "requirements.txt:1")


def test_what_the_project_needs_beats_what_its_developers_need(tmp_path: Path) -> None:
    found = windows(tmp_path, {"requirements.txt": "torch>=2.1\n", "requirements-dev.txt": "torch==1.13\n"})
    assert found == Window((2, 1), (2, 14), "requirements.txt:1")


def test_alternatives_by_marker_are_united(tmp_path: Path) -> None:
    text = 'torch==2.2 ; python_version < "3.12"\ntorch==2.6 ; python_version >= "3.12"\n'
    found = windows(tmp_path, {"requirements.txt": text})
    assert found == Window((2, 2), (2, 6, 0, 1), "requirements.txt:1")


def test_two_entries_of_one_environment_are_intersected(tmp_path: Path) -> None:
    found = windows(tmp_path, {"requirements.txt": "torch>=2.1\ntorch<2.9\n"})
    assert found == Window((2, 1), (2, 9), "requirements.txt:1")


def test_a_range_without_versions_is_no_intersection(tmp_path: Path) -> None:
    found = windows(tmp_path, {"constraints.txt": "torch<2.5.0\n", "requirements.txt": "torch>=2.5\n"})
    assert found == Window((), (2, 5, 0), "constraints.txt:1")


def test_the_name_of_a_folder_above_does_not_set_its_manifest_aside(tmp_path: Path) -> None:
    files = {"examples/requirements.txt": "torch>=2.1\n", "examples/requirements-dev.txt": "torch==1.13\n"}
    found = windows(tmp_path, files, "examples/x.py")
    assert found == Window((2, 1), (2, 14), "examples/requirements.txt:1")


def test_the_nearest_folder_wins_and_its_neighbours_do_not_see_it(tmp_path: Path) -> None:
    files = {"requirements.txt": "torch>=2.1\n", "old/requirements.txt": "torch==1.13\n"}
    assert [windows(tmp_path, files, path) for path in ("a/b.py", "old/deep/x.py")] == [
        Window((2, 1), (2, 14), "requirements.txt:1"),
        Window((1, 13), (1, 13, 0, 1), "old/requirements.txt:1"),
    ]


def test_included_files_speak_for_the_folder_of_the_one_that_includes_them(tmp_path: Path) -> None:
    files = {"app/requirements.txt": "-r ../shared/list.txt\n", "shared/list.txt": "torch==2.3\n-r list.txt\n"}
    assert windows(tmp_path, files, "app/x.py") == Window((2, 3), (2, 3, 0, 1), "shared/list.txt:1")


def test_a_file_included_as_constraint_is_one(tmp_path: Path) -> None:
    files = {"requirements.txt": "torch>=2\n-c pins.txt\n", "pins.txt": "torch==2.4.1\n"}
    assert windows(tmp_path, files) == Window((2, 4, 1), (2, 4, 1, 1), "pins.txt:1")


def test_a_wheel_says_its_version(tmp_path: Path) -> None:
    text = "torch @ https://example.org/whl/torch-2.3.0%2Bcu121-cp311-cp311-linux_x86_64.whl\n"
    assert windows(tmp_path, {"requirements.txt": text}) == Window((2, 3, 0), (2, 3, 0, 1), "requirements.txt:1")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("requirements.txt", ""),
        ("requirements/base.txt", ""),
        ("requirements/gpu/base.txt", ""),
        ("app/requirements/base.txt", "app"),
        ("docs/requirements.txt", "docs"),
    ],
)
def test_a_folder_of_requirement_files_speaks_for_the_folder_above(path: str, expected: str) -> None:
    assert home(path) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("requirements.txt", "requirements"),
        ("requirements-dev.txt", "requirements"),
        ("dev_requirements.in", "requirements"),
        ("requirements/gpu.txt", "requirements"),
        ("constraints-2.13.txt", "constraints"),
        ("pylock.gpu.toml", "lock"),
        ("a/uv.lock", "lock"),
        ("requirements.md", None),
        ("my_requirements_doc.py", None),
        ("notes.txt", None),
        ("Cargo.lock", None),
    ],
)
def test_manifests_are_known_by_their_names(path: str, expected: str | None) -> None:
    assert kind(path) == expected
