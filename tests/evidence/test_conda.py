"""Environments of conda, read line by line with exact places."""

from __future__ import annotations

from dlgovern.evidence.conda import read
from dlgovern.evidence.manifests import parse

ENVIRONMENT = b"""\
name: train
channels:
  - pytorch
  - https://conda.example.com/main  # ours
dependencies:
  - python=3.10
  - pytorch::pytorch=2.1
  - "numpy>=1.24,<2"
  - cudatoolkit=11.8=h123
  - pip
  - pip:
    - --extra-index-url https://download.pytorch.org/whl/cu118
    - deepspeed==0.12.3
    - -e git+https://github.com/a/b@main#egg=b
  - scikit-learn 1.3.*
prefix: /home/somebody/env
"""


def test_every_form_of_a_requirement_is_read():
    found = read("environment.yml", ENVIRONMENT)
    assert [(r.name, r.specifier, r.line, r.column, r.conda) for r in found.requirements] == [
        ("torch", "==2.1.*", 7, 5, True),
        ("numpy", ">=1.24,<2", 8, 6, True),
        ("cudatoolkit", "==11.8", 9, 5, True),
        ("pip", "", 10, 5, True),
        ("deepspeed", "==0.12.3", 13, 7, False),
        ("b", "", 14, 7, False),
        ("scikit-learn", "==1.3.*", 15, 5, True),
    ]


def test_channels_indexes_and_python_are_read():
    found = read("environment.yml", ENVIRONMENT)
    assert [(one.kind, one.url, one.line) for one in found.indexes] == [
        ("channel", "pytorch", 3),
        ("channel", "https://conda.example.com/main", 4),
        ("extra-index-url", "https://download.pytorch.org/whl/cu118", 12),
    ]
    assert [(one.specifier, one.line) for one in found.pythons] == [("==3.10.*", 6)]


def test_a_template_or_a_flow_list_makes_it_partial():
    assert [read("environment.yml", text).partial for text in (b"dependencies: [a]\n", b"name: {{ x }}\n", ENVIRONMENT)] == [
        True, True, False,
    ]  # fmt: skip


def test_both_forms_of_a_lock_are_read():
    unified = "package:\n- name: pytorch\n  version: 2.1.0\n  manager: conda\n- name: tqdm\n  version: '4.66'\n"
    explicit = "@EXPLICIT\nhttps://conda.anaconda.org/conda-forge/linux-64/pytorch-2.1.0-cuda118_0.conda#abc\n"
    assert [(p.name, p.version, p.line) for p in parse(unified, "conda-lock.yml", "lock").locked] == [
        ("torch", "2.1.0", 3), ("tqdm", "4.66", 6),
    ]  # fmt: skip
    assert [(p.name, p.version) for p in parse(explicit, "conda-linux-64.lock", "lock").locked] == [("torch", "2.1.0")]


def test_the_python_of_a_folder():
    found = read(".python-version", b"# ours\n3.11.4\npypy3.10\n3.12\n")
    assert [(one.specifier, one.line) for one in found.pythons] == [("==3.11.4", 2), ("==3.12.*", 4)]
