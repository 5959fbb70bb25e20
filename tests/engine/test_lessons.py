"""What was learned of functions of other files: taken over while it holds, never afterwards, and never with another answer."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from dlgovern.cli.main import main
from dlgovern.flow.ranks import summaries

pytestmark = pytest.mark.once

ENGINE = """\
import torch.distributed as dist
from names import CHIEF
from tools import meet


def save(model, path):
    if log(model):
        meet()


def log(model):
    print(model)
    return dist.get_rank() == CHIEF
"""
TOOLS = """\
import torch.distributed as dist


def meet():
    dist.barrier()
"""
TRAIN = """\
import torch.distributed as dist
from engine import log, save


def main(model):
    dist.init_process_group("nccl")
    if dist.get_rank() == 0:
        save(model, "last.pt")
    dist.all_reduce(model.loss)
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    for name, text in {"engine.py": ENGINE, "tools.py": TOOLS, "names.py": "CHIEF = 0\n", "train.py": TRAIN}.items():
        (root / name).write_text(text)
    (root / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "1"\ndependencies = ["torch==2.9"]\n')
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def check(tmp_path: Path, capsys, monkeypatch):
    """Check some files; the findings, and the functions that were interpreted for them."""
    followed: list[str] = []
    real = summaries.Summaries._run

    def run(self, key, target, *rest):
        if target.facts is not self.facts:
            followed.append(target.node.name)
        return real(self, key, target, *rest)

    monkeypatch.setattr(summaries.Summaries, "_run", run)

    def go(*paths: str, cache: str = "cache") -> tuple[list[tuple[str, str, int]], list[str]]:
        followed.clear()
        where = ["--cache-dir", str(tmp_path / cache)] if cache else ["--no-cache"]
        main(["check", *paths, "--select", "DLG201,DLG202,DLG203", "--output-format", "json", "--exit-zero", "--jobs", "1", *where])
        findings = json.loads(capsys.readouterr().out)["findings"]
        return [(one["rule"], one["path"], one["line"]) for one in findings], sorted(set(followed))

    return go


def touched(project: Path, name: str, text: str = "\n\nMORE = 1\n") -> None:
    (project / name).write_text((project / name).read_text() + text)


def test_functions_elsewhere_are_not_followed_again(project, check):
    found, followed = check(".")
    assert ("DLG201", "train.py", 8) in found
    assert {"save", "log", "meet"} <= {*followed}
    touched(project, "train.py")
    assert (found, []) == check(".")
    touched(project, "names.py")
    touched(project, "train.py", "\nMORE_STILL = 1\n")
    assert (found, []) == check(".")


def test_they_are_where_what_they_rest_on_changed(project, check):
    check(".")
    (project / "tools.py").write_text("def meet():\n    return True\n")
    again, _ = check(".")
    assert check(".", cache="")[0] == again
    assert ("DLG201", "train.py", 8) not in again


def test_a_function_that_does_something_else_where_names_are_as_they_were(project, check):
    check(".")
    (project / "tools.py").write_text(TOOLS.replace("dist.barrier()", "dist.get_world_size()"))
    again, _ = check("train.py")
    assert check("train.py", cache="")[0] == again


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("engine.py", "if log(model):\n        meet()", "meet()"),
        ("engine.py", "== CHIEF", "== 1"),
        ("engine.py", "== CHIEF", "== 0"),
        ("tools.py", "dist.barrier()", "print()"),
        ("tools.py", "def meet():", "def meet(path=None):\n    return path\n\n\ndef met():"),
        ("train.py", "dist.get_rank() == 0", "dist.is_initialized()"),
        ("engine.py", "from tools import meet", "def meet():\n    return True"),
        ("engine.py", "import torch.distributed as dist\n", "import other as dist\n"),
    ],
)
def test_after_any_edit_the_answer_is_that_of_a_first_run(project, check, name, old, new):
    check(".")
    text = (project / name).read_text()
    assert text.count(old) == 1
    (project / name).write_text(text.replace(old, new))
    after, _ = check("train.py")
    assert check("train.py", cache="")[0] == after
    whole, _ = check(".")
    assert check(".", cache="")[0] == whole


def test_a_module_that_appears_is_seen(project, check):
    (project / "tools.py").unlink()
    check(".")
    (project / "tools.py").write_text(TOOLS)
    touched(project, "train.py")
    again, followed = check(".")
    assert "save" in followed
    assert check(".", cache="")[0] == again


@pytest.mark.parametrize(
    "answer",
    [None, 3, [], [[], ["key", "x", "", False], [], 0, 0], [[3], [], [], 0, 0, []], [[["choice"]], ["const", 1, "", False], [], 0, 0, []], {"a": 1}],
)
def test_damage_costs_a_second_look_and_nothing_else(project, check, tmp_path, answer):
    found, _ = check(".")
    for part in (tmp_path / "cache").glob("lessons-*.json"):
        values = json.loads(part.read_text())
        for held in values["answers"].values():
            held[1] = [[number, [question, answer]] for number, (question, _) in held[1]] + [[0, 7], [0, []]]
        part.write_text(json.dumps(values))
    touched(project, "train.py")
    again, followed = check(".")
    assert (found, True) == (again, "save" in followed)


def test_workers_tell_and_take_over_what_they_learned(project, check, tmp_path):
    for number in range(40):
        (project / f"m{number}.py").write_text("x = 1\n")
    found, _ = check(".", cache="")

    def run() -> list[tuple[str, str, int]]:
        main(["check", ".", "--exit-zero", "-q", "--jobs", "2", "--cache-dir", str(tmp_path / "cache"), "-o", str(tmp_path / "out.json"), "--output-format", "json"])
        return [(one["rule"], one["path"], one["line"]) for one in json.loads((tmp_path / "out.json").read_text())["findings"] if one["rule"] == "DLG201"]

    first = run()
    assert [one for one in found if one[0] == "DLG201"] == first
    assert any((tmp_path / "cache").glob("lessons-*.json"))
    for path in project.glob("*.py"):
        if path.name != "engine.py":
            os.utime(path)
            touched(project, path.name)
    assert first == run()
