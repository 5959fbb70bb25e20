"""The job script for Slurm, run by bash with programs in Slurm's place that treat signals as the real ones do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dlgovern.scaffold.answers import settle
from dlgovern.scaffold.load import choose, open_standard, places, read_template
from dlgovern.scaffold.project import make

SRUN = """
import signal, subprocess, sys
child = subprocess.Popen(sys.argv[2:])
signal.signal(signal.SIGTERM, lambda *_: child.kill())  # srun: "forcing job termination"
signal.signal(signal.SIGUSR1, lambda *_: child.send_signal(signal.SIGUSR1))
open("ready", "w").close() if sys.argv[1] == "--kill-on-bad-exit=1" else sys.exit(9)
sys.exit(abs(child.wait()))
"""
TRAIN = """
import os, signal, sys, time
asked = []
signal.signal(signal.SIGUSR1, lambda *_: asked.append(1))
how = os.environ["HOW"]
open("training", "w").close()
while how == "long" and not asked:
    time.sleep(0.01)
if how != "broken":
    os.makedirs("runs/x/checkpoints/step-7", exist_ok=True)
    with open("runs/x/checkpoints/step-7/about.json", "w") as file:
        file.write('{"step": 7, "preempted": %s}' % str(bool(asked)).lower())
    with open("runs/x/checkpoints/latest", "w") as file:
        file.write("step-7\\n")
sys.exit(1 if asked or how == "broken" else 0)  # torchrun fails when a signal ended it
"""
SCONTROL = """
import sys
if sys.argv[1] == "show":
    print("node1")
else:
    open("queued-again", "w").write(" ".join(sys.argv[1:]))
"""


@pytest.fixture(params=["ddp", "single"])
def job(tmp_path, request) -> Path:
    """A folder with the script of a template, and programs that stand for Slurm and training."""
    standard = open_standard("reference", ".")
    known = places(standard)
    template = read_template(known, choose(known, request.param))
    answers = settle(template, {"name": "demo", "launchers": ["slurm"]})
    (tmp_path / "job.sbatch").write_bytes(make(template, answers, standard.facts())["launch/slurm.sbatch"].data)
    (tmp_path / "bin").mkdir()
    for name, text in {"srun": SRUN, "scontrol": SCONTROL, "torchrun": TRAIN, "python": TRAIN}.items():
        (tmp_path / "bin" / name).write_text(f"#!{sys.executable}\n{text}")
        (tmp_path / "bin" / name).chmod(0o755)
    return tmp_path


def start(job: Path, how: str) -> subprocess.Popen[bytes]:
    """The job, when training has begun."""
    slurm = {"SLURM_JOB_ID": "42", "SLURM_JOB_NODELIST": "node1", "SLURM_NNODES": "1", "SLURM_GPUS_ON_NODE": "2"}
    env = {**os.environ, **slurm, "PATH": f"{job / 'bin'}:{os.environ['PATH']}", "RUN_DIR": "runs/x", "HOW": how}
    process = subprocess.Popen(["bash", "job.sbatch"], cwd=job, env=env)
    until = time.monotonic() + 60
    while not ((job / "training").exists() and (job / "ready").exists()) and time.monotonic() < until:
        time.sleep(0.02)
    return process


def test_a_job_whose_time_is_nearly_over_saves_and_is_queued_again(job):
    process = start(job, "long")
    process.send_signal(signal.SIGUSR1)  # what #SBATCH --signal=B:USR1@180 asks for
    assert 0 == process.wait(60)
    assert "requeue 42" == (job / "queued-again").read_text()


@pytest.mark.parametrize(("how", "code"), [("short", 0), ("broken", 1)])
def test_a_job_that_ends_by_itself_is_not_queued_again(job, how, code):
    assert (code, False) == (start(job, how).wait(60), (job / "queued-again").exists())


def test_a_job_that_was_stopped_once_and_then_fails_is_not_queued_again(job):
    test_a_job_whose_time_is_nearly_over_saves_and_is_queued_again(job)
    (job / "queued-again").unlink()
    assert (1, False) == (start(job, "broken").wait(60), (job / "queued-again").exists())
