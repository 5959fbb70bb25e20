"""Manifests that kubectl writes are read, and those that we repair are valid to it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from dlgovern.cli.main import main
from dlgovern.evidence import recipe

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not at hand"),
]
COMMAND = ("torchrun", "--nproc-per-node=8", "train.py", "--lr", "1e-4")


def kubectl(*words: str) -> str:
    return subprocess.run(["kubectl", *words], check=True, capture_output=True, text=True, timeout=60).stdout


@pytest.mark.parametrize(
    ("made", "kind"),
    [
        (("job", "a", "--image=example.com/train:1.0"), "Job"),
        (("cronjob", "a", "--image=example.com/train:1.0", "--schedule=0 1 * * *"), "CronJob"),
        (("deployment", "a", "--image=example.com/train:1.0", "--replicas=2"), "Deployment"),
    ],
)
def test_what_kubectl_writes_is_read(made, kind):
    text = kubectl("create", *made, "--dry-run=client", "-o", "yaml", "--", *COMMAND)
    found = recipe.read("manifest.yaml", text.encode())
    assert (found.form, [one.kind for one in found.resources], found.problems) == ("cluster", [kind], ())
    assert [(image.name, image.known) for image in found.images] == [("example.com/train:1.0", True)]
    assert [tuple(word.text for word in command.words) for command in found.commands] == [COMMAND]


JOB = """apiVersion: batch/v1
kind: Job
metadata: {{name: train}}
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: train
        image: example.com/train:1.0
        resources: {{limits: {{nvidia.com/gpu: 8}}}}
{mounts}{volumes}"""
MOUNTS = ("", "        volumeMounts: [{name: data, mountPath: /data}]\n", "        volumeMounts:\n        - name: data\n          mountPath: /data\n")
VOLUMES = ("", "      volumes: [{name: data, emptyDir: {}}]\n", "      volumes:\n      - name: data\n        emptyDir: {}\n")


@pytest.mark.parametrize("mounts", MOUNTS)
@pytest.mark.parametrize("volumes", VOLUMES)
def test_a_repaired_job_is_valid_and_has_the_volume(tmp_path: Path, mounts: str, volumes: str):
    path = tmp_path / "job.yaml"
    path.write_text(JOB.format(mounts=mounts, volumes=volumes))
    main(["fix", str(tmp_path), "--isolated", "--select", "DLG407", "--unsafe-fixes", "--no-cache"])
    spec = json.loads(kubectl("patch", "--local", "-f", str(path), "-p", "{}", "--dry-run=client", "-o", "json"))["spec"]["template"]["spec"]
    assert {"name": "shm", "emptyDir": {"medium": "Memory"}} in spec["volumes"]
    assert {"name": "shm", "mountPath": "/dev/shm"} in spec["containers"][0]["volumeMounts"]
    assert len(spec["volumes"]) == 1 + bool(volumes)
