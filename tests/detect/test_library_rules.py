"""Every example of the library rules gives exactly the places it states."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import tomli

from dlgovern import bundled
from dlgovern.engine.walk import Walk
from dlgovern.evidence.manifests import kind
from dlgovern.evidence.versions import resolve
from dlgovern.finding import Hit
from dlgovern.judge.evidence import judge_evidence
from dlgovern.judge.repository import judge_repository
from dlgovern.policy import Policy
from dlgovern.standard.compile import compile_policy
from dlgovern.standard.model import Example
from dlgovern.standard.read import read_rule, read_standard

RULES = Path(bundled.folder("rules"))
FILES = sorted((RULES / "libraries").glob("*.toml"))
EXAMPLES = [
    pytest.param(path, example, id=f"{path.name[:6]} {example.kind}: {example.name}")
    for path in FILES
    for rule in [read_rule(str(path), path.name).rule]
    if rule.shape != "repository"  # these need all files at once: law L1 judges their examples
    for example in rule.example
]
STANDARD = """\
schema = 1
[standard]
name = "libraries"
version = "1"
[tables]
selection = "framework/selection.toml"
torch-companions = "libraries/torch-companions.tsv"
torch-pythons = "libraries/torch-pythons.tsv"
torch-cuda = "libraries/torch-cuda.tsv"
[profiles.defects]
description = "the library rules"
[profiles.defects.levels]
DLG1 = "error"
"""


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    folder = tmp_path_factory.mktemp("standard")
    for name in ("libraries", "framework"):
        shutil.copytree(RULES / name, folder / name)
    (folder / "standard.toml").write_text(STANDARD)
    return compile_policy([read_standard(str(folder))], "defects")


@pytest.mark.parametrize(("path", "example"), EXAMPLES)
def test_an_example_gives_the_places_it_states(path: Path, example: Example, policy: Policy, tmp_path: Path) -> None:
    files = {**example.files} if example.files else {example.path or "example.py": example.text}
    expected = sorted(place if isinstance(place, str) else f"{next(iter(files))}:{place}" for place in example.at)
    found = hits(policy, path.name[:6], files, tmp_path, example)
    assert sorted(f"{name}:{hit.line}" for name, hit in found) == expected


@pytest.mark.parametrize(
    ("source", "level"),
    [
        ("import apex\n", ""),
        ("try:\n    import apex\nexcept ImportError:\n    apex = None\n", "warning"),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import apex\n", "info"),
        ("if is_apex_available():\n    from apex import amp\n", "warning"),
    ],
)
def test_imports_that_may_fail_or_never_run_are_less_grave(
    source: str, level: str, policy: Policy, tmp_path: Path
) -> None:
    assert [hit.level for _, hit in hits(policy, "DLG101", {"a.py": source}, tmp_path)] == [level]


def test_a_message_says_what_takes_the_place_of_a_library(policy: Policy, tmp_path: Path) -> None:
    ((_, hit),) = hits(policy, "DLG101", {"a.py": "import torchtext.data as data\n"}, tmp_path)
    assert hit.slots == {
        "module": "torchtext.data",
        "distribution": "torchtext",
        "verdict": "on hold: development stopped and 0.18 of April 2024, for torch 2.3, is its last release",
        "instead": "transformers and datasets",
    }


CLOSED = {"closed": True, "allow": ["opencv-python-headless", "PyYAML"]}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import torch, numpy.linalg\n", []),
        ("import cv2\nimport yaml\n", []),
        ("import os.path, __future__, tomllib\n", []),
        ("import comet_ml\nfrom comet_ml import init\n", ["comet_ml"]),
        ("from . import comet_ml\n", []),
        ("import PIL.Image, google.cloud.storage\n", ["google-cloud-storage"]),
        ("import pytorch\n", ["pytorch"]),
    ],
)
def test_a_closed_list_reports_what_nobody_listed(
    source: str, expected: list[str], policy: Policy, tmp_path: Path
) -> None:
    example = Example(ok="x", parameters=CLOSED)
    found = hits(policy, "DLG101", {"a.py": source}, tmp_path, example)
    assert [hit.slots["distribution"] for _, hit in found] == expected
    assert all(hit.slots["instead"] for _, hit in found)


def test_a_denied_distribution_is_found_by_its_import_name(policy: Policy, tmp_path: Path) -> None:
    example = Example(ok="x", parameters={"deny": ["opencv-python"], "rings": []})
    found = hits(policy, "DLG101", {"a.py": "import cv2\nimport apex\n"}, tmp_path, example)
    assert [(hit.line, hit.slots["verdict"]) for _, hit in found] == [(1, "denied by the standard")]


@pytest.mark.parametrize(
    ("line", "renamed"),
    [
        ("sklearn", "scikit-learn"),
        ("sklearn==0.0", "scikit-learn"),
        ("pytorch[opt] ; sys_platform == 'linux'", 'torch[opt] ; sys_platform == "linux"'),
        ("torchtext", ""),
    ],
)
def test_only_a_name_for_the_same_code_is_replaced(line: str, renamed: str, policy: Policy, tmp_path: Path) -> None:
    ((_, hit),) = hits(policy, "DLG118", {"requirements.txt": f"{line}\n"}, tmp_path)
    assert hit.slots["renamed"] == renamed


def test_a_user_and_a_password_never_reach_a_message(policy: Policy, tmp_path: Path) -> None:
    text = "--extra-index-url https://me:secret@example.com/simple\ntorch\n"
    ((_, hit),) = hits(policy, "DLG108", {"requirements.txt": text}, tmp_path)
    assert hit.slots["url"] == "https://example.com/simple"


def test_every_reason_of_a_hold_completes_a_sentence() -> None:
    table = tomli.loads((RULES / "framework/selection.toml").read_text())
    assert [row["id"] for row in table["technology"] if row["because"].endswith(".")] == []


KEPT: list[Policy] = []  # the engine knows policies by identity: none may take the place of a dead one


def hits(
    policy: Policy, rule: str, files: dict[str, str], root: Path, example: Example | None = None
) -> list[tuple[str, Hit]]:
    """What one rule finds in these files, with its levels as the detector lowered them."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text.removeprefix("\n"))
    settings = example.parameters if example else {}
    chosen = policy.rule(rule)
    assert chosen is not None
    parameters = {**chosen.parameters, **settings}
    triggers = None if settings and chosen.shape == "python" else chosen.triggers
    policy = policy._replace(rules=(chosen._replace(parameters=parameters, triggers=triggers),))
    KEPT.append(policy)
    windows = resolve(str(root), [name for name in files if kind(name)], example.window if example else {})
    walk = Walk(policy, str(root), windows)
    results = [walk.judge(name) for name in sorted(files) if name.endswith(".py")]
    results += judge_evidence(policy, str(root), [name for name in files if not name.endswith(".py")], windows)
    results += judge_repository(policy, str(root), sorted(files), windows)
    assert [result.failed for result in results if result.failed] == []
    assert all(os.path.exists(root / result.path) for result in results)
    return [(result.path, hit) for result in results for hit in result.hits]
