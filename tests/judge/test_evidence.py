"""The evidence frame: files beside Python are read once, judged by kind, excused by their own comments, remembered."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from dlgovern.engine.run import Job
from dlgovern.evidence import codec, registry
from dlgovern.finding import Report
from dlgovern.judge import evidence
from dlgovern.judge.judgement import judge
from dlgovern.policy import Policy
from dlgovern.repository.documents import Documents
from dlgovern.repository.view import View
from dlgovern.repository.window import Windows
from dlgovern.standard.law import REFERENCE, load_policy
from dlgovern.store import Store

NOTHING = Windows({}, {})


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy(REFERENCE, ".", "defects", Store(""))


def report(root: Path, policy: Policy, store: Store | None = None, *, project: bool = True) -> Report:
    files = sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file() and ".cache" not in str(path))
    return judge(Job(policy, str(root), NOTHING, 1), files, (), store or Store(""), project=project)


def states(found: Report) -> list[tuple[str, int, str, str]]:
    return [(one.place.path, one.place.line, one.rule, one.state) for one in found.findings]


EXCUSED = [
    ("requirements.txt", "sklearn  # dlgovern: ignore[DLG118] until the image is rebuilt\n", 1),
    ("requirements.txt", "# dlgovern: ignore[DLG118] until the image is rebuilt\n\nsklearn\n", 3),
    ("requirements.txt", "# dlgovern: ignore[DLG118] wanted\nsklearn \\\n  --hash=sha256:00\n", 2),
    ("setup.cfg", "[options]\ninstall_requires =\n    ; dlgovern: ignore[DLG118] wanted\n    sklearn\n", 4),
    ("pyproject.toml", "[project]\nname = 'a'\ndependencies = [\n  'sklearn',  # dlgovern: ignore[DLG118] wanted\n]\n", 4),
]


@pytest.mark.parametrize(("name", "text", "line"), EXCUSED)
def test_a_comment_of_its_own_sign_excuses_a_finding(
    name: str, text: str, line: int, policy: Policy, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(text)
    assert states(report(tmp_path, policy)) == [(name, line, "DLG118", "suppressed")]


def test_an_excuse_without_a_reason_is_said(policy: Policy, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("sklearn  # dlgovern: ignore[DLG118]\n")
    assert [rule for _, _, rule, _ in states(report(tmp_path, policy))] == ["DLG118", "DLG907"]


def test_an_unused_excuse_is_said(policy: Policy, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("torch  # dlgovern: ignore[DLG118] once\n")
    assert [rule for _, _, rule, _ in states(report(tmp_path, policy))] == ["DLG903"]


def test_a_file_that_cannot_be_read_is_named_as_not_judged(policy: Policy, tmp_path: Path) -> None:
    with open(tmp_path / "uv.lock", "wb") as file:
        file.truncate(200 << 20)
    found = report(tmp_path, policy)
    assert [(one.path, "larger" in one.why) for one in found.not_judged] == [("uv.lock", True)]


def test_a_file_that_does_not_parse_is_a_finding(policy: Policy, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_bytes(b"[project\n")
    assert [rule for _, _, rule, _ in states(report(tmp_path, policy))] == ["DLG901"]


def test_a_setup_py_is_judged_as_python_and_as_a_manifest(policy: Policy, tmp_path: Path) -> None:
    (tmp_path / "setup.py").write_text(
        "import torch\nfrom setuptools import setup\ntorch.load('a', weights_only=False)\n"
        "setup(install_requires=['sklearn'])  # dlgovern: ignore[DLG118] wanted\n"
    )
    found = [state for state in states(report(tmp_path, policy)) if state[2] != "DLG906"]  # no version window was asked for
    assert found == [("setup.py", 3, "DLG502", "open"), ("setup.py", 4, "DLG118", "suppressed")]


def test_an_unchanged_file_is_not_read_again(policy: Policy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    (tmp_path / "requirements.txt").write_text("sklearn  # dlgovern: ignore[DLG118] wanted\n")
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'a'\ndependencies = ['sklearn']\n")
    store = Store(str(tmp_path / ".cache"))
    first = states(report(tmp_path, policy, store))
    read: list[str] = []
    real = registry.read_file
    monkeypatch.setattr(registry, "read_file", lambda root, path, *rest: read.append(path) or real(root, path, *rest))
    assert (states(report(tmp_path, policy, store)), read) == (first, [])
    (tmp_path / "requirements.txt").write_text("torch\n")
    assert [path for path, _, _, _ in states(report(tmp_path, policy, store))] == ["pyproject.toml"]
    assert set(read) == {"requirements.txt"}


def test_a_list_is_judged_again_when_the_project_that_hands_it_on_changes(
    policy: Policy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    (tmp_path / "requirements.txt").write_text("torch\n")
    store = Store(str(tmp_path / ".cache"))
    rules = load_policy(REFERENCE, ".", "all", Store("")).rules
    wide = policy._replace(rules=tuple(rule for rule in rules if rule.id == "DLG106"))
    assert len(evidence.judge_evidence(wide, str(tmp_path), ["requirements.txt"], NOTHING, store)[0].hits) == 1
    (tmp_path / "setup.py").write_text("from setuptools import setup\nsetup(install_requires=open('requirements.txt'))\n")
    assert evidence.judge_evidence(wide, str(tmp_path), ["requirements.txt"], NOTHING, store)[0].hits == ()


def test_every_document_comes_back_from_json(tmp_path: Path) -> None:
    names = {
        "shell": "a.sh", "prose": "a.md", "dockerfile": "Dockerfile", "make": "Makefile", "just": "justfile", "tox": "tox.ini",
        "jenkins": "Jenkinsfile", "env": ".env", "yaml": "a.yaml", "json": "ds_config.json", "notebook": "a.ipynb",
    }  # fmt: skip
    for kind in registry.READERS:
        path = names.get(kind, "requirements/a.txt")
        document = registry.reader(kind)(path, b"import torch\n-r b.txt\n--pre\nname==1 ; python_version>'3'\n")
        assert codec.restore(registry.form(kind), json.loads(json.dumps(document))) == document


def test_a_view_gives_documents_by_kind_and_remembers_what_was_asked(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import torch\n")
    (tmp_path / "setup.py").write_text("from setuptools import setup\nsetup(install_requires=['torch'])\n")
    (tmp_path / "LICENSE").write_text("MIT\n")
    view = View(str(tmp_path), ["a.py", "setup.py", "LICENSE"], NOTHING, {}, Documents(str(tmp_path), Store("")))
    assert [one.path for one in view.of("setup-py", "python")] == ["a.py", "setup.py", "setup.py"]
    assert view.names("") == ("LICENSE", "a.py", "setup.py")
    asked = dict(view.asked)
    assert View(str(tmp_path), [], NOTHING).answers_as(asked)
    os.unlink(tmp_path / "LICENSE")
    assert not View(str(tmp_path), [], NOTHING).answers_as(asked)
