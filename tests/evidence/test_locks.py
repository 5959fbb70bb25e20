"""Lock files give the versions they fix."""

from __future__ import annotations

from dlgovern.evidence.manifests import parse
from dlgovern.evidence.values import Locked, Problem

UV = """\
version = 1

[[package]]
name = "mine"
version = "0.1.0"
source = { editable = "." }

[[package]]
name = "torch"
version = "2.13.0+cu130"
source = { registry = "https://pypi.org/simple" }
dependencies = [
    { name = "numpy", version = "9.9" },
]

[package.metadata]
requires-dist = []

[[package]]
name = "Typing_Extensions"
version = "4.1"
"""


def test_a_uv_lock_gives_versions_and_leaves_the_project_itself_out() -> None:
    assert parse(UV, "uv.lock", "lock").locked == (
        Locked("torch", "2.13.0+cu130", "uv.lock", 10),
        Locked("typing-extensions", "4.1", "uv.lock", 21),
    )


def test_a_pylock_is_read() -> None:
    text = 'lock-version = "1.0"\n[[packages]]\nname = "torch"\nversion = "2.13.0"\n'
    assert parse(text, "pylock.toml", "lock").locked == (Locked("torch", "2.13.0", "pylock.toml", 4),)


def test_a_pipfile_lock_is_read() -> None:
    text = '{\n "default": {\n  "torch": {\n   "version": "==2.13.0"\n  },\n  "x": {"ref": "main"}\n }\n}\n'
    assert parse(text, "Pipfile.lock", "lock").locked == (Locked("torch", "2.13.0", "Pipfile.lock", 3),)


def test_a_lock_that_is_no_json_is_a_problem() -> None:
    assert parse("[" * 100_000, "Pipfile.lock", "lock").problems == (Problem("Pipfile.lock", 0, "is not JSON"),)


def test_packages_written_in_one_line_have_no_line_of_their_own() -> None:
    text = 'package = [{name = "torch", version = "1.0"}]\n'
    assert parse(text, "uv.lock", "lock").locked == (Locked("torch", "1.0", "uv.lock", 1),)
