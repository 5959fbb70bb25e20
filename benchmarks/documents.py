"""Time what files that are not Python add to ``dlgovern check``: one repository with and without 500 of them."""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

PYTHON = "import torch\n\n\ndef step(model, batch):\n    return model(batch).sum()\n"
SHELL = """#!/bin/bash
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --gres=gpu:8
set -euo pipefail
export NCCL_DEBUG=WARN
ARGS=(--lr 1e-4 --epochs 3 --name "run {n}")
head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
for seed in 1 2 3; do
  srun torchrun --nnodes=2 --nproc-per-node=8 --rdzv-backend=c10d --rdzv-endpoint=$head:29500 train_{n}.py "${ARGS[@]}" --seed $seed
done
"""
PROSE = """# Part {n}

Words about training, and more of them, so that the page is a page.

```bash
torchrun --nproc-per-node=8 train_{n}.py --lr 1e-4 \\
    --epochs 3
```

""" + "A paragraph about nothing in particular that goes on for a line or so.\n\n" * 20
CONFIG = "_target_: project.models.Net{n}\nlayers:\n" + "".join(f"  - {{width: {w}, name: layer{w}}}\n" for w in range(40)) + "trainer:\n  max_epochs: 3\n  precision: bf16-mixed\n"
JOB = """apiVersion: batch/v1
kind: Job
metadata: {name: train-{n}}
spec:
  template:
    spec:
      containers:
        - name: train
          image: example.com/train:1.{n}
          command: [torchrun, --nproc-per-node=8, train_{n}.py]
          resources: {limits: {nvidia.com/gpu: 8}}
          volumeMounts: [{mountPath: /dev/shm, name: shm}]
      volumes: [{name: shm, emptyDir: {medium: Memory}}]
"""
DOCKER = "FROM nvidia/cuda:12.4.1-devel-ubuntu22.04\nENV NCCL_DEBUG=WARN\nRUN apt-get update && \\\n    apt-get install -y git\nRUN uv sync --locked\nCMD [\"python\", \"train_{n}.py\"]\n"
DEEPSPEED = '{"train_micro_batch_size_per_gpu": 8, "gradient_accumulation_steps": {n}, "zero_optimization": {"stage": 2}, "bf16": {"enabled": true}}\n'
KINDS = (
    ("docs/part{n}.md", PROSE, 140), ("conf/model{n}.yaml", CONFIG, 140), ("jobs/train{n}.sbatch", SHELL, 80),
    ("k8s/job{n}.yaml", JOB, 60), ("docker/Dockerfile.{n}", DOCKER, 40), ("conf/ds_config{n}.json", DEEPSPEED, 40),
)


def main() -> None:
    """Print the seconds of each run, and what the documents add."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    said = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package has its bytecode
        os.environ["PYTHONPYCACHEPREFIX"] = folder
        times: dict[str, list[float]] = {}
        for _ in range(said.runs):  # in turn, so that a slow minute hits all of them
            for name, documents in (("without", False), ("with", True)):
                root = Path(folder) / name
                if not root.exists():
                    lay(root, documents)
                    run(root, Path(tempfile.mkdtemp(dir=folder)))
                cache = Path(tempfile.mkdtemp(dir=folder))
                times.setdefault(f"{name}, cold", []).append(run(root, cache))
                run(root, cache)
                times.setdefault(f"{name}, warm", []).append(run(root, cache))
    middle = {name: statistics.median(found) for name, found in times.items()}
    for name, found in sorted(times.items()):
        print(f"{name:15} median {middle[name]:.3f} s, best {min(found):.3f} s")
    for state in ("cold", "warm"):
        best = min(times[f"with, {state}"]) - min(times[f"without, {state}"])
        print(f"500 documents add, {state}: median {middle[f'with, {state}'] - middle[f'without, {state}']:.3f} s, best {best:.3f} s")


def lay(root: Path, documents: bool) -> None:
    """A repository of 50 Python files, and 500 others where wanted."""
    files = {f"src/part{n}.py": PYTHON for n in range(50)}
    files["pyproject.toml"] = "[project]\nname = 'one'\nversion = '0'\ndependencies = ['torch>=2.6']\n"
    for pattern, text, count in KINDS if documents else ():
        for n in range(count):
            files[pattern.replace("{n}", str(n))] = text.replace("{n}", str(n))
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def run(root: Path, cache: Path) -> float:
    """Seconds of processor time of one run, which other work on the machine hardly changes."""
    command = [sys.executable, "-P", "-m", "dlgovern", "check", str(root), "--exit-zero", "--jobs", "1", "--cache-dir", str(cache)]
    env = {name: value for name, value in os.environ.items() if name != "CI"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=env, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


if __name__ == "__main__":
    main()
