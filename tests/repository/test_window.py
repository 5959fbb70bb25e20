"""Windows answer which versions a file's code must work with."""

from __future__ import annotations

import subprocess
import sys

import pytest

from dlgovern.repository.window import Window, Windows, parse_version

EXACT = Window((2, 13, 0), (2, 13, 0, 1), "uv.lock:88")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2.13", (2, 13)),
        ("2.13.0", (2, 13, 0)),
        ("v1.4", (1, 4)),
        ("2.13.0+cu130", (2, 13, 0)),
        ("2.14.0rc1", (2, 14, 0)),
        ("2.5.dev20240101", (2, 5)),
        ("2.*", (2,)),
        ("", ()),
        ("latest", ()),
        ("9" * 5000, ()),
    ],
)
def test_a_version_is_its_release_numbers(text: str, expected: tuple[int, ...]) -> None:
    assert parse_version(text) == expected


@pytest.mark.parametrize(
    ("window", "version", "expected"),
    [
        (EXACT, (2, 13), True),
        (EXACT, (2, 13, 0), True),
        (EXACT, (2, 13, 1), False),
        (EXACT, (2, 12), True),
        (Window((2, 0), (2, 13), ""), (2, 13), False),
        (Window((2, 0), (2, 13), ""), (2, 13, 0), False),
        (Window((2, 0), (2, 13, 0), ""), (2, 13), False),
        (Window((2, 0), (2, 13), ""), (2, 12, 9), True),
        (Window((), (), ""), (99,), True),
    ],
)
def test_a_window_reaches_a_version_when_some_allowed_one_is_as_new(
    window: Window, version: tuple[int, ...], expected: bool
) -> None:
    assert window.reaches(version) is expected


@pytest.mark.parametrize(
    ("floor", "version", "expected"),
    [((2, 0), (2, 1), True), ((2, 1), (2, 1, 0), False), ((2, 1, 0), (2, 1), False), ((), (2, 1), False)],
)
def test_a_window_starts_below_a_version_only_when_its_floor_is_known(
    floor: tuple[int, ...], version: tuple[int, ...], expected: bool
) -> None:
    assert Window(floor, (), "").starts_below(version) is expected


ROOT = Window((2, 0), (), "requirements.txt:1")
DEEP = Window((1, 13), (), "tools/old/requirements.txt:1")
STANDARD = Window((2, 12), (2, 14), "the standard")
WINDOWS = Windows({"": {"torch": ROOT}, "tools/old": {"torch": DEEP}}, {"torch": STANDARD, "numpy": STANDARD})


@pytest.mark.parametrize(
    ("path", "library", "expected"),
    [
        ("train.py", "torch", ROOT),
        ("tools/run.py", "torch", ROOT),
        ("tools/old/run.py", "torch", DEEP),
        ("tools/old/deep/run.py", "torch", DEEP),
        ("tools/older/run.py", "torch", ROOT),
        ("tools/old/run.py", "numpy", STANDARD),
        ("train.py", "jax", None),
    ],
)
def test_the_nearest_folder_that_names_the_library_wins(path: str, library: str, expected: Window | None) -> None:
    assert WINDOWS.of(path, library) == expected


def test_windows_survive_json() -> None:
    again = Windows.from_json(WINDOWS.to_json())
    assert (again.folders, again.standard, again.digest) == (WINDOWS.folders, WINDOWS.standard, WINDOWS.digest)


def test_the_digest_changes_with_a_version_and_not_with_the_order() -> None:
    reordered = Windows(dict(reversed(WINDOWS.folders.items())), dict(reversed(WINDOWS.standard.items())))
    moved = Windows({**WINDOWS.folders, "": {"torch": ROOT._replace(floor=(2, 1))}}, WINDOWS.standard)
    assert (reordered.digest == WINDOWS.digest, moved.digest == WINDOWS.digest) == (True, False)


def test_other_formats_are_refused() -> None:
    with pytest.raises(KeyError):
        Windows.from_json({"format": 0, "folders": {}, "standard": {}})


def test_windows_load_nothing_heavy() -> None:
    script = (
        "import sys; import dlgovern.repository.window as w; "
        "print(sorted({'packaging', 'dataclasses', 'inspect', 'tomli'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
