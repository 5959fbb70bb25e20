"""setup.cfg and setup.py give what they say literally."""

from __future__ import annotations

from dlgovern.evidence.manifests import parse

CFG = """\
[metadata]
name = x
[options]
packages = find:
install_requires =
    torch>=2.0
    # a comment
    numpy ; python_version < "3.9"  # why
python_requires = >=3.11
[options.extras_require]
export = onnx
dev =
    pytest
"""

PY = """\
from setuptools import setup, find_packages

quality = ["ruff"]
extras = {"quality": quality, "test": ["pytest"]}

setup(
    name="x",
    install_requires=["torch>=2.0.0", computed()],
    extras_require=extras,
)
"""


def test_setup_cfg_lists_are_read_with_places() -> None:
    manifest = parse(CFG, "setup.cfg", "setup-cfg")
    assert [(r.name, r.group, r.specifier, r.line, r.column) for r in manifest.requirements] == [
        ("torch", "", ">=2.0", 6, 5),
        ("numpy", "", "", 8, 5),
        ("onnx", "export", "", 11, 10),
        ("pytest", "dev", "", 13, 5),
    ]


def test_setup_py_lists_are_read_without_running_it() -> None:
    manifest = parse(PY, "setup.py", "setup-py")
    assert [(r.name, r.group, r.line) for r in manifest.requirements] == [
        ("ruff", "quality", 3),
        ("pytest", "test", 4),
        ("torch", "", 8),
    ]


def test_a_setup_py_that_does_not_parse_is_a_problem() -> None:
    assert [p.why for p in parse("def (", "setup.py", "setup-py").problems] == ["does not parse"]
