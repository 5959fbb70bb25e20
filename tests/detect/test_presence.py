"""What a program lacks is asked of every file that belongs to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlgovern import bundled
from dlgovern.engine.run import Job, judge_files
from dlgovern.judge.settle import settle
from dlgovern.repository.window import Windows
from dlgovern.standard.compile import compile_policy
from dlgovern.standard.read import read_standard
from dlgovern.store import Store

START = 'import torch.distributed as dist\ndef start():\n    dist.init_process_group("nccl")\n'
END = "import torch.distributed as dist\ndef end():\n    dist.destroy_process_group()\nend()\n"


@pytest.fixture(scope="module")
def policy():
    whole = compile_policy([read_standard(bundled.folder("rules"))], "all")
    rules = tuple(r._replace(levels={"": "warning"}) for r in whole.rules if r.name == "process-group-not-destroyed")
    return whole._replace(rules=rules, scopes=())


def found(policy, root: Path, files: dict[str, str], judged: str = "") -> list[str]:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    job = Job(policy, str(root), Windows({}, {}), 1)
    results = judge_files(job, [judged] if judged else list(files), Store(""))
    return [f"{r.path}:{h.line}" for r in settle(policy, str(root), results) for h in r.hits]


def test_a_group_that_nothing_ends_is_reported(policy, tmp_path: Path) -> None:
    assert found(policy, tmp_path, {"a/start.py": START, "train.py": "import os\n"}) == ["a/start.py:3"]


def test_the_program_that_imports_it_may_end_it(policy, tmp_path: Path) -> None:
    program = "from a.start import start\n" + END
    assert found(policy, tmp_path, {"a/__init__.py": "", "a/start.py": START, "train.py": program}) == []


def test_a_file_that_it_imports_may_end_it(policy, tmp_path: Path) -> None:
    assert found(policy, tmp_path, {"train.py": "from b.finish import end\n" + START, "b/finish.py": END}) == []


def test_a_function_of_it_that_nobody_names_does_not(policy, tmp_path: Path) -> None:
    program = "from a.start import start\n" + END.removesuffix("end()\n")
    assert found(policy, tmp_path, {"a/__init__.py": "", "a/start.py": START, "train.py": program}) == ["a/start.py:3"]


def test_another_program_that_ends_its_own_does_not_count(policy, tmp_path: Path) -> None:
    assert found(policy, tmp_path, {"a/train.py": START, "b/train.py": START + END}) == ["a/train.py:3"]


def test_the_verdict_does_not_depend_on_what_else_is_judged(policy, tmp_path: Path) -> None:
    program = "from a.start import start\n" + END
    files = {"a/__init__.py": "", "a/start.py": START, "train.py": program}
    assert found(policy, tmp_path, files, judged="a/start.py") == []
