"""The pre-commit hooks: their pattern is the one of `classify`, and pre-commit runs them."""

from __future__ import annotations

import os
import pickle
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from dlgovern.cli.main import main
from dlgovern.source import classify

ROOT = Path(__file__).resolve().parent.parent
HOOKS = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}


def pattern() -> str:
    """The files that `classify` can be interested in, as one pattern for pre-commit."""
    suffixes = "|".join(sorted(suffix.lstrip(".") for suffix, kind in classify._BY_SUFFIX.items() if kind != "artifact"))
    names = "|".join(re.escape(name) for name in sorted(classify._BY_NAME))
    parts = [rf"[^/]\.(?:{suffixes})$", rf"(?:^|/)(?:{names})$", r"(?:^|/)\.*[^./]+$"]
    parts += [row.pattern for row, _ in classify._BY_START]
    for suffix, rows in sorted(classify._BY_PATH.items()):
        inner = "|".join(row.pattern for row, _ in rows)
        parts.append(rf"^(?=.*{re.escape(suffix)}$).*(?:{inner})")
    return "(?i)" + "|".join(parts)


def test_the_pattern_is_generated():
    judging = [hook for hook in HOOKS.values() if hook.get("pass_filenames", True) and hook["id"] != "dlgovern-artifacts"]
    assert {pattern()} == {hook["files"] for hook in judging}


def test_the_pattern_of_model_files_is_generated():
    suffixes = "|".join(sorted(suffix.lstrip(".") for suffix, kind in classify._BY_SUFFIX.items() if kind == "artifact"))
    assert rf"(?i)[^/]\.(?:{suffixes})$" == HOOKS["dlgovern-artifacts"]["files"]


@pytest.mark.parametrize(
    "path",
    [
        *("train.py", "a/b.pyi", "run.PYW", "n.ipynb", "pyproject.toml", "x/setup.cfg", "uv.lock", "Pipfile.lock"),
        *("requirements.txt", "requirements-dev.in", "requirements/gpu.txt", "my-constraints.txt", "constraints.txt"),
        *("pylock.toml", "pylock.gpu.toml", "bin/train", "Makefile", ".pre-commit-config.yaml", "README.md", "a.txt"),
        *("train.sbatch", "docker/Dockerfile.gpu", "a.dockerfile", "ci/Jenkinsfile", ".env", "prod.env", "tox.ini", "justfile"),
        *("ds_config.json", "conf/zero3.json", "data.json", ".devcontainer/devcontainer.json", ".vscode/launch.json", "a.mk"),
        *("data.toml", "a.py.orig", ".py", "x/.ipynb", "setup.cfg.bak", ".gitignore", "a.b/c", "requirements.yaml"),
    ],
)
def test_the_pattern_takes_what_classify_takes(path):
    assert (classify.possible(path)) == (re.search(pattern(), path) is not None)


def test_every_hook_is_complete():
    project = HOOKS["dlgovern-project"]
    assert (False, True) == (project["pass_filenames"], project["always_run"])
    assert {"python"} == {hook["language"] for hook in HOOKS.values()}
    assert {True} == {hook["require_serial"] for hook in HOOKS.values()}
    assert {("text", "jupyter")} == {tuple(hook["types_or"]) for hook in HOOKS.values() if "types_or" in hook}


@pytest.mark.parametrize(("version", "code"), (('"1"', 0), ("1", 2)))
def test_the_hook_of_a_standard_checks_the_repository_as_a_standard(tmp_path, monkeypatch, version, code):
    (tmp_path / "standard.toml").write_text(f'schema = 1\n[standard]\nname = "ours"\nversion = {version}\n')
    monkeypatch.chdir(tmp_path)
    hook = HOOKS["dlgovern-standard"]
    assert code == main([*hook["entry"].split()[1:], *hook["args"]])


def git(folder: Path, *words: str) -> None:
    author = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *author, *words], cwd=folder, check=True, capture_output=True)


@pytest.mark.slow
def test_pre_commit_runs_the_hooks(tmp_path):
    """A copy of what git would commit here, so that try-repo sees this state and not the last commit."""
    source, user = tmp_path / "source", tmp_path / "user"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True
    ).stdout.split(b"\0")
    for name in filter(None, map(os.fsdecode, listed)):
        if name.startswith("tests/") or not (ROOT / name).is_file():
            continue
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, source / name)
    git(source, "init", "-q")
    git(source, "add", "-A", "-f")
    git(source, "commit", "-qm", "state")
    user.mkdir()
    git(user, "init", "-q")
    (user / "bad.py").write_text("import torch\nstate = torch.load('a.pt', weights_only=False)\n")
    (user / "good.py").write_text("import torch\nstate = torch.load('a.pt', weights_only=True)\n")
    (user / "good.pt").write_bytes(pickle.dumps({"weights": [1.5]}, 2))
    (user / "bad.pt").write_bytes(b"cos\nsystem\n(S'echo'\ntR.")
    (user / "build").mkdir()
    (user / "build" / "left_out.py").write_text((user / "bad.py").read_text())
    git(user, "add", "-A")
    env = {**os.environ, "PRE_COMMIT_HOME": str(tmp_path / "home"), "XDG_CACHE_HOME": str(tmp_path / "cache")}

    command = [sys.executable, "-m", "pre_commit", "try-repo", str(source), "--verbose", "--all-files"]
    ran = subprocess.run(command, cwd=user, env=env, capture_output=True, text=True, timeout=300, check=False)
    said = dict(re.findall(r"^- hook id: (\S+)$(.*?)(?=^- hook id: |\Z)", ran.stdout, re.M | re.S))
    assert set(HOOKS) == set(said), ran.stdout + ran.stderr
    for name in ("dlgovern", "dlgovern-project"):
        assert ["- exit code: 1"] == re.findall(r"^- exit code: .*$", said[name], re.M), said[name]
        assert (True, False, False) == ("bad.py:2:9 error DLG502" in said[name], "good.py:" in said[name], "left_out" in said[name])
    words = ("bad.pt:1:1 error DLG523", "good.pt", "bad.py")
    assert [True, False, False] == [word in said["dlgovern-artifacts"] for word in words], said["dlgovern-artifacts"]


def test_a_hook_passes_what_is_right_and_what_is_excluded_although_it_is_named(tmp_path, monkeypatch):
    (tmp_path / "build").mkdir()
    (tmp_path / "good.py").write_text("import torch\nstate = torch.load('a.pt', weights_only=True)\n")
    for name in ("bad.py", "build/left_out.py"):
        (tmp_path / name).write_text("import torch\nstate = torch.load('a.pt', weights_only=False)\n")
    monkeypatch.chdir(tmp_path)
    hook = HOOKS["dlgovern"]
    words = [*hook["entry"].split()[1:], *hook.get("args", ())]
    assert [0, 1] == [main([*words, "good.py", *more]) for more in (["build/left_out.py"], ["bad.py"])]
