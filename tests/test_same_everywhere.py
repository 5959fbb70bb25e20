"""The same repository gives the same bytes in any environment: folder, order, time, locale, what is installed, cache, jobs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CELLS = [
    {"cell_type": "markdown", "metadata": {}, "source": ["# Look\n"]},
    {"cell_type": "code", "metadata": {}, "source": ["import torch\n", "state = torch.load('last.pt', weights_only=False)\n"], "outputs": [], "execution_count": None},
]  # fmt: skip
FILES = {
    "pyproject.toml": '[project]\nname = "one"\nversion = "0"\nrequires-python = ">=3.11"\ndependencies = ["torch>=2.4,<2.6", "numpy"]\n',
    "requirements.txt": "-r more.txt\ntorch==2.5.1\nnumpy\nlayers @ git+https://example.com/layers\n",
    "more.txt": "--extra-index-url https://example.com/simple\ntorch==2.4.0\ntorchvision==0.15\n",
    "uv.lock": 'version = 1\nrequires-python = ">=3.11"\n\n[[package]]\nname = "torch"\nversion = "2.3.0"\n\n[[package]]\nname = "numpy"\nversion = "2.0"\n',
    "Dockerfile": 'FROM nvidia/cuda:latest\nRUN pip install torch==2.1 deepspeed\nCOPY . /app\nCMD ["torchrun", "--nproc-per-node=8", "src/one/train.py"]\n',
    "launch.sh": "#!/bin/bash\npython -m torch.distributed." + "launch --nproc_per_node=8 src/one/train.py --local_rank 0\n",
    "conf/config.yaml": "_target_: one.train.Nothing\ntrainer:\n  precision: 16\n",
    "conf/ds_config.json": '{"train_batch_size": 7, "train_micro_batch_size_per_gpu": 2, "gradient_accumulation_steps": 2, "fp16": {"enabled": true}, "bf16": {"enabled": true}}\n',
    "look.ipynb": json.dumps({"cells": CELLS, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}),
    "src/one/__init__.py": "",
    "src/one/größe.py": "import torch\n\n\ndef größe(weg='naïve.pt'):\n    return torch.load(weg, weights_only=False)\n",
    "src/one/ranks.py": "import torch.distributed as dist\n\n\ndef meet():\n    dist.barrier()\n",
    "src/one/train.py": (
        "import requests\nimport torch\nimport torch.distributed as dist\nimport wandb\n\nfrom one.ranks import meet\n\n\n"
        "def main():\n    dist.init_process_group('nccl')\n    if dist.get_rank() == 0:\n        meet()\n"
        "    state = torch.load('last.pt', weights_only=False)\n    torch.save(state, 'last.pt')\n"
    ),
}  # fmt: skip
FOUND = set(FILES) - {"more.txt", "conf/config.yaml", "src/one/__init__.py", "src/one/ranks.py"}
"""Files with findings of their own."""


def laid(root: Path, names: list[str], time: int, umask: int) -> Path:
    """The repository, its files written in this order with this mask and time."""
    before = os.umask(umask)
    try:
        for name in names:
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(FILES[name], encoding="utf-8")
            os.utime(path, (time, time))
    finally:
        os.umask(before)
    return root


def installed(folder: Path) -> Path:
    """Packages that an interpreter would find: another torch, with its metadata, and a `requests` of another make."""
    for name, version in (("torch", "1.4.0"), ("requests", "0.0.1")):
        info = folder / f"{name}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nLicense: AGPL-3.0\n")
        (info / "top_level.txt").write_text(f"{name}\nwandb\n")
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(f"raise SystemExit('{name} was imported')\n")
    return folder


def said(root: Path, cwd: Path, form: str, environment: dict[str, str], *words: str) -> bytes:
    """What a check of a repository prints."""
    where = "." if cwd == root else str(root)
    command = [sys.executable, "-P", "-m", "dlgovern", "check", where, "--profile", "all", "--exit-zero", "--output-format", form, *words]
    ran = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, timeout=60, check=False)
    assert (ran.returncode, ran.stderr) == (0, b"")
    return ran.stdout


@pytest.fixture
def here(tmp_path: Path) -> dict[str, bytes]:
    """What is said of the repository in a plain environment, from inside it, without a cache and with one process."""
    root = laid(tmp_path / "here" / "one", sorted(FILES), 1_000_000_000, 0o022)
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path / "home"), "LC_ALL": "C.UTF-8", "TZ": "UTC", "PYTHONHASHSEED": "0"}
    return {form: said(root, root, form, environment, "--no-cache", "--jobs", "1") for form in ("json", "sarif")}


def test_another_environment_gives_the_same_bytes(tmp_path: Path, here: dict[str, bytes]) -> None:
    findings = json.loads(here["json"])["findings"]
    assert {one["path"] for one in findings} == FOUND
    assert {"DLG104", "DLG107", "DLG201", "DLG413"} <= {one["rule"] for one in findings if one["related"]}  # places of two files
    root = laid(tmp_path / "there" / "a b" / "two", sorted(FILES, reverse=True), 1_700_000_000, 0o077)
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(tmp_path / "elsewhere"), "LC_ALL": "C", "TZ": "Asia/Kolkata", "PYTHONHASHSEED": "4711",
        "PYTHONPATH": str(installed(tmp_path / "site")), "PYTHONIOENCODING": "latin-1", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0",
        "COLUMNS": "40", "FORCE_COLOR": "1",
    }  # fmt: skip
    kept = ["--cache-dir", str(tmp_path / "cache"), "--jobs", "2"]
    for form in ("json", "sarif", "json"):  # the second and third from the cache
        assert said(root, tmp_path, form, environment, *kept) == here[form]
