"""What the shipped templates promise, run for real: training in two processes, resuming to the bit, export, tests, check."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
for needed in ("onnxruntime", "onnxscript", "safetensors"):
    pytest.importorskip(needed)
if sys.version_info[:2] != (3, 11):
    pytest.skip("one Python is enough for what torch does", allow_module_level=True)

FULL = bool(os.environ.get("DLGOVERN_FULL"))
"""Set by `.ci/nightly`: every promise, the projects' own tests included, of every template with two sets of answers."""

SHORT = {"ddp": ("train", "dry-run", "check"), "fsdp2": ("resume",), "single": ("export",)}
"""What is run otherwise, with what it builds on: to resume, train and stop."""
OTHER = {
    "ddp": ["precision=fp16", "data=map-style", "tracking=tensorboard", "launchers=slurm,kubeflow", "ci=gitlab"],
    "fsdp2": ["precision=fp16", "data=iterable", "package_manager=uv", "torch_index=cu130", "container=ngc"],
    "single": ["precision=fp32", "data=iterable", "tracking=tensorboard", "export=safetensors", "container=none"],
}
"""Answers far from the usual ones."""


def _verified(run, folder: Path, template: str, *words: str) -> dict[str, dict]:
    assert 0 == run(folder, "new", "one", "--template", template, "--yes", *words).returncode
    ran = run(folder / "one", "verify", "--yes", *([] if FULL else [word for name in SHORT[template] for word in ("--only", name)]))
    said = json.loads((folder / "one" / "evidence.json").read_text(encoding="utf-8"))["evidence"]["promises"]
    broken = [(one["name"], one["state"], one.get("why")) for one in said if one["state"] != "kept"]
    assert ([], 0) == (broken, ran.returncode), ran.stdout + ran.stderr
    return {one["name"]: one for one in said}


@pytest.mark.slow
@pytest.mark.parametrize("template", ["ddp", "fsdp2", "single"])
def test_a_new_project_keeps_every_promise(run, tmp_path, template):
    said = _verified(run, tmp_path, template)
    for check in said["resume"]["checks"] if "resume" in said else ():
        assert (40, 0) == (check["measured"]["values"], check["measured"]["differing"])


@pytest.mark.skipif(not FULL, reason="part of .ci/nightly")
@pytest.mark.parametrize("template", ["ddp", "fsdp2", "single"])
def test_so_does_one_with_other_answers(run, tmp_path, template):
    said = _verified(run, tmp_path, template, *(word for answer in OTHER[template] for word in ("--set", answer)))
    assert "test" in said
