"""setup.cfg and setup.py give what they say literally."""

from __future__ import annotations

from dlgovern.evidence.manifests import parse
from dlgovern.evidence.setup_files import read_setup_py

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


def test_extras_that_are_filled_key_by_key_and_joined_are_read() -> None:
    text = (
        'from setuptools import setup\nextras = {}\nextras["quality"] = ["ruff~=0.16"]\n'
        'extras["dev"] = extras["quality"] + ["griffe"]\nextras["all"] = extras["dev"] + extras["gone"]\n'
        'setup(name="a", extras_require=extras, install_requires=["torch"])\n'
    )
    found = read_setup_py(text, "setup.py")
    assert sorted((one.name, one.group) for one in found.requirements) == [
        ("griffe", "dev"), ("ruff", "dev"), ("ruff", "quality"), ("torch", ""),
    ]  # fmt: skip
    assert found.partial
    assert not read_setup_py(text.replace(' + extras["gone"]', ""), "setup.py").partial
