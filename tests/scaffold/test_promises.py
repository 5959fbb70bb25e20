"""What the shipped templates promise, run for real: training in two processes, resuming to the bit, export, tests, check."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from cyclonedx.exception import MissingOptionalDependencyException
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

pytest.importorskip("torch")
for needed in ("onnxruntime", "onnxscript", "safetensors"):
    pytest.importorskip(needed)
if sys.version_info[:2] != (3, 11):
    pytest.skip("one Python is enough for what torch does", allow_module_level=True)

FULL = bool(os.environ.get("DLGOVERN_FULL"))
"""Set by `.ci/nightly`: every promise, the projects' own tests included, of every template with two sets of answers."""

SHORT = {"ddp": ("resume", "dry-run", "check"), "single": ("export",)}
"""What is run otherwise, with what it builds on: train and stop. Of fsdp2 it is going on from a checkpoint of ddp."""
OTHER = {
    "ddp": ["precision=fp16", "data=map-style", "tracking=tensorboard", "launchers=slurm,kubeflow", "ci=gitlab"],
    "fsdp2": ["precision=fp16", "data=iterable", "resume=statistical", "package_manager=uv", "torch_index=cu130", "container=ngc"],
    "single": ["precision=fp32", "data=iterable", "tracking=tensorboard", "export=safetensors", "container=none"],
}
"""Answers far from the usual ones."""


def _verified(run, folder: Path, template: str, *words: str) -> dict[str, dict]:
    """A new project of the template in ``folder``/TEMPLATE, with what `dlgovern verify` says; its runs are in ``folder``/runs."""
    assert 0 == run(folder, "new", template, "--set", "name=one", "--template", template, "--yes", *words).returncode
    only = [] if FULL else [word for name in SHORT[template] for word in ("--only", name)]
    ran = run(folder / template, "verify", "--yes", "--work", str(folder / "runs"), *only)
    said = json.loads((folder / template / "evidence.json").read_text(encoding="utf-8"))["evidence"]["promises"]
    broken = [(one["name"], one["state"], one.get("why")) for one in said if one["state"] != "kept"]
    assert ([], 0) == (broken, ran.returncode), ran.stdout + ran.stderr
    return {one["name"]: one for one in said}


def _repeated(said: dict[str, dict]) -> list[tuple[int, int]]:
    """Of losses and gradient norms: how many a resumed run wrote, and how many of them differ in any bit."""
    return [(check["measured"]["values"], check["measured"]["differing"]) for check in said["resume"]["checks"]]


@pytest.mark.slow
def test_a_ddp_project_keeps_its_promises_and_fsdp2_goes_on_from_its_checkpoint(run, tmp_path):
    assert [(40, 0), (40, 0)] == _repeated(_verified(run, tmp_path, "ddp"))
    run(tmp_path, "new", "fsdp2", "--set", "name=one", "--template", "fsdp2", "--yes")
    whole, again = tmp_path / "runs/whole", tmp_path / "again"
    shutil.copytree(whole, again)
    (again / "checkpoints/latest").write_text("step-00000020\n")
    words = ["-m", "one.train", "--config", "configs/cpu-smoke.toml", "--set", f"run.dir={again}", "--resume"]
    subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", *words],
        cwd=tmp_path / "fsdp2", env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": "src"}, check=True, timeout=300,
    )  # fmt: skip
    assert _losses(whole) == pytest.approx(_losses(again), rel=1e-5)
    assert 40 == len(_losses(again))


@pytest.mark.skipif(not FULL, reason="part of .ci/nightly")
def test_an_fsdp2_project_keeps_its_promises(run, tmp_path):
    assert [(40, 0), (40, 0)] == _repeated(_verified(run, tmp_path, "fsdp2"))


@pytest.mark.slow
def test_a_project_for_one_device_keeps_its_promises(run, tmp_path):
    limits = {check["key"]: check["measured"] <= check.get("limit", 0.0) for check in _verified(run, tmp_path, "single")["export"]["checks"]}
    assert {f"formats.{name}.max_difference": True for name in ("pt2", "onnx", "safetensors")} == limits
    bill = (tmp_path / "runs/whole/export/model.cdx.json").read_text(encoding="utf-8")
    with suppress(MissingOptionalDependencyException):
        assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(bill) is None


@pytest.mark.skipif(not FULL, reason="part of .ci/nightly")
@pytest.mark.parametrize("template", ["ddp", "fsdp2", "single"])
def test_so_does_one_with_other_answers(run, tmp_path, template):
    said = _verified(run, tmp_path, template, *(word for answer in OTHER[template] for word in ("--set", answer)))
    assert "test" in said


def _losses(run: Path) -> list[float]:
    lines = map(json.loads, (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines())
    return [line["loss"] for line in lines if "loss" in line]
