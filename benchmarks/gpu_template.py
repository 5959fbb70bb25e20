"""Train a new project on this machine's GPU and record what it did: bf16, NCCL, one rank, with and without compile.

    python benchmarks/gpu_template.py [--template ddp|fsdp2|single] [--output FILE]

Makes a project in a temporary folder with `dlgovern new`, then runs its own commands on the accelerator: training
without and with `torch.compile`, stopping and resuming (losses compared bit by bit), export with its parity report.
Throughput is that of the logged steps after the first quarter, since the first ones compile and warm up. Where torch
finds no accelerator nothing is measured: the script says so and leaves with 0.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

STEPS = 200
BATCH = 256
MODEL = {"model.width": 512, "model.heads": 8, "model.depth": 12, "model.length": 128, "model.vocabulary": 1024}


def main() -> int:
    """Measure, and write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--template", default="ddp", choices=["ddp", "fsdp2", "single"])
    parser.add_argument("--output", type=Path, default=Path("gpu_template.json"))
    options = parser.parse_args()
    found = accelerator()
    if found is None:
        print("no accelerator here: nothing was run and nothing is reported")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        report = {**found, "template": options.template, **measure(Path(folder), options.template)}
    options.output.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(report, indent=2))
    return 0 if report["resume_identical"] and report["export_exit"] == 0 else 1


def accelerator() -> dict[str, Any] | None:
    """What torch trains on here, None without torch or without an accelerator."""
    try:
        import torch
    except ImportError:
        return None
    if not torch.accelerator.is_available():
        return None
    kind = torch.accelerator.current_accelerator()
    name = torch.cuda.get_device_name() if kind is not None and kind.type == "cuda" else str(kind)
    return {"device": name, "torch": torch.__version__, "cuda": torch.version.cuda, "python": platform.python_version()}


def measure(folder: Path, template: str) -> dict[str, Any]:
    """Everything that one template can show on one device."""
    run(["dlgovern", "new", "bench", "--template", template, "--yes"], folder)
    project = folder / "bench"
    report: dict[str, Any] = {"steps": STEPS, "batch": BATCH, **MODEL}
    for compiled in ("off", "on"):
        report[f"compile_{compiled}"] = throughput(project, template, compiled)
    train(project, template, "again", "off", "--stop-at-step", str(STEPS // 2))
    train(project, template, "again", "off", "--resume")
    report["resume_identical"] = losses(project, "again") == losses(project, "off")
    exported = [sys.executable, "-m", "bench.export", "--run", "runs/off", "--all"]
    report["export_exit"] = subprocess.run(exported, cwd=project, env=environment(), check=False).returncode
    parity = project / "runs/off/export/parity.json"
    report["parity"] = json.loads(parity.read_text(encoding="utf-8"))["formats"] if parity.exists() else None
    return report


def throughput(project: Path, template: str, compiled: str) -> dict[str, float]:
    """Samples a second of a run, its first and last loss, and how long it took in all."""
    began = time.perf_counter()
    train(project, template, compiled, compiled)
    lines = history(project, compiled)
    steady = [line["seconds"] for line in lines[len(lines) // 4 :]]
    return {
        "samples_per_second": BATCH / statistics.median(steady),
        "first_loss": lines[0]["loss"],
        "last_loss": lines[-1]["loss"],
        "seconds_in_all": time.perf_counter() - began,
    }


def train(project: Path, template: str, name: str, compiled: str, *words: str) -> None:
    """One run of the project's own training command, on one device."""
    settings = {"run.dir": f"runs/{name}", "train.steps": STEPS, "train.log_every": 1, "train.compile": compiled, **MODEL}
    settings |= {"train.precision": "bf16", "data.batch_size": BATCH, "checkpoint.every": STEPS // 4, "optim.warmup_steps": 20}
    arguments = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    launcher = [] if template == "single" else ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=1"]
    run([sys.executable, *launcher, "-m", "bench.train", "--config", "configs/gpu.toml", *arguments, *words], project)


def history(project: Path, name: str) -> list[dict[str, float]]:
    """The logged steps of a run."""
    text = (project / "runs" / name / "metrics.jsonl").read_text(encoding="utf-8")
    return [line for line in map(json.loads, text.splitlines()) if "loss" in line]


def losses(project: Path, name: str) -> list[tuple[str, str]]:
    """Loss and gradient norm of every step, to the bit."""
    return [(line["loss"].hex(), line["grad_norm"].hex()) for line in history(project, name)]


def run(command: list[str], folder: Path) -> None:
    """A command that must succeed."""
    subprocess.run(command, cwd=folder, env=environment(), check=True)


def environment() -> dict[str, str]:
    """The environment of a run: the project is not installed, its source is found."""
    return {**os.environ, "PYTHONPATH": "src", "OMP_NUM_THREADS": "1"}


if __name__ == "__main__":
    sys.exit(main())
