"""Rules that have met no real place yet, in the forms in which projects write such things: scripts, batch jobs, clusters, images."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dlgovern.cli.main import main

BATCH = '{\n  "train_batch_size": 64,\n  "train_micro_batch_size_per_gpu": 4,\n  "gradient_accumulation_steps": 1,\n  "zero_optimization": {"stage": 2}\n}\n'
HALF = '{\n  "train_micro_batch_size_per_gpu": 4,\n  "fp16": {"enabled": true},\n  "zero_optimization": {"stage": 2}\n}\n'
SCRIPT = "import argparse\nimport deepspeed\nimport transformers\n"

# Each starts eight processes where the batch wants sixteen (64 = 4 x 1 x 16).
FORMS = {
    "a script": ("run.sh", "deepspeed --num_gpus 8 train.py --deepspeed_config ds_config.json {more}\n"),
    "a script of lines": ("scripts/run.sh", "set -e\ncd ..\ntorchrun \\\n  --nproc-per-node=8 \\\n  train.py \\\n  --deepspeed ds_config.json {more}\n"),
    "a batch job": (
        "train.sbatch",
        "#!/bin/bash\n#SBATCH --nodes=2\n#SBATCH --ntasks-per-node=1\n#SBATCH --gpus-per-node=4\n"
        "srun torchrun --nnodes=2 --nproc-per-node=4 --rdzv-backend=c10d --rdzv-endpoint=$HEAD:29500 train.py --deepspeed ds_config.json {more}\n",
    ),
    "a job of a cluster": (
        "job.yaml",
        "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: train}}\nspec:\n  template:\n    spec:\n      containers:\n        - name: train\n"
        "          image: example.com/train:1.0\n          command: [torchrun, --nproc-per-node=8, train.py, --deepspeed, ds_config.json{list}]\n",
    ),
    "a service": (
        "docker-compose.yml",
        "services:\n  train:\n    image: example.com/train:1.0\n    command: deepspeed --num_gpus=8 train.py --deepspeed --deepspeed_config ds_config.json {more}\n",
    ),
    "a Makefile": ("Makefile", "GPUS := 8\ntrain:\n\ttorchrun --nproc-per-node=$(GPUS) train.py --deepspeed ds_config.json {more}\n"),
    "an image": ("Dockerfile", 'FROM example.com/base:1.0\nCOPY . .\nCMD ["torchrun", "--nproc-per-node=8", "train.py", "--deepspeed", "ds_config.json"{quoted}]\n'),
    "a workflow": (
        ".github/workflows/gpu.yml",
        "on: push\njobs:\n  train:\n    runs-on: [self-hosted, gpu]\n    steps:\n      - run: |\n          torchrun --nproc-per-node=8 train.py --deepspeed ds_config.json {more}\n",
    ),
}


def found(root: Path, capsys, rule: str, files: dict[str, str]) -> list[tuple[str, int]]:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    main(["check", str(root), "--isolated", "--output-format", "json", "--jobs", "1", "--no-cache", "--select", rule])
    return [(one["path"], one["line"]) for one in json.loads(capsys.readouterr().out)["findings"]]


def files(form: str, config: str, option: str = "") -> dict[str, str]:
    path, text = FORMS[form]
    listed, quoted = (f", {option}" if option else "", f', "{option}"' if option else "")
    text = text.format(more=option, list=listed, quoted=quoted) if "{" in text else text
    return {path: text, "ds_config.json": config, "train.py": SCRIPT}


@pytest.mark.parametrize("form", FORMS)
def test_a_batch_that_the_launch_does_not_make(tmp_path, capsys, form):
    assert [("ds_config.json", 2)] == found(tmp_path, capsys, "DLG412", files(form, BATCH))


@pytest.mark.parametrize("form", FORMS)
def test_a_batch_that_the_launch_makes(tmp_path, capsys, form):
    assert [] == found(tmp_path, capsys, "DLG412", files(form, BATCH.replace("64", "32")))


@pytest.mark.parametrize("form", FORMS)
def test_another_precision_than_the_script_is_asked_for(tmp_path, capsys, form):
    assert [("ds_config.json", 3)] == found(tmp_path, capsys, "DLG413", files(form, HALF, "--bf16"))


@pytest.mark.parametrize("form", FORMS)
def test_the_precision_that_the_script_is_asked_for(tmp_path, capsys, form):
    assert [] == found(tmp_path, capsys, "DLG413", files(form, HALF, "--fp16"))
