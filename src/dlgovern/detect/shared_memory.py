"""See containers with GPUs whose shared memory has the default size."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.detect.recipes import guarded
from dlgovern.evidence.recipe import Pod, Recipe
from dlgovern.finding import Hit
from dlgovern.policy import Rule
from dlgovern.repository.containers import containers
from dlgovern.repository.window import Windows

PARAMETERS = {
    "jobs": Parameter("strings", "kinds of a cluster's manifests that run to their end", required=True),
}
KINDS = frozenset({"yaml", "shell", "make", "json"})
"""Kinds of evidence that are read."""

GUARDS = ("enough", "without-gpus", "service", "training")
"""What the detector is silent under; examples of its rules must show each."""

_WORDS = {
    "kubernetes": "mount an emptyDir with `medium: Memory` at /dev/shm",
    "compose": "give the service `shm_size:` or `ipc: host`",
    "docker": "give `docker run` --shm-size or --ipc=host",
}


def judge(rules: list[Rule], document: Recipe, _tables: dict[str, Any], _windows: Windows) -> Iterator[Hit]:
    """The hits in one file, at the image of the container or the command that starts it."""
    pods = [*document.pods, *(pod for pod, _ in containers(document))]
    for rule in rules:
        kinds = {resource.kind for resource in document.resources}
        for pod in pods:
            if pod.form not in _WORDS or (guarded(rule, "without-gpus") and not pod.gpus):
                continue
            if guarded(rule, "enough") and pod.shared:
                continue
            if guarded(rule, "service") and pod.form == "kubernetes" and not kinds & set(rule.parameters["jobs"]):
                continue
            if guarded(rule, "training") and pod.form != "kubernetes" and not _trains(document, pod):
                continue
            yield _hit(rule, pod)


_TRAINING = re.compile(r"train|finetune|torchrun|torch\.distributed|accelerate|deepspeed|mpirun|horovod", re.I)


def _trains(document: Recipe, pod: Pod) -> bool:
    """Whether what a container runs, or how it is called, speaks of training."""
    command = document.commands[pod.launch].words if 0 <= pod.launch < len(document.commands) else ()
    return _TRAINING.search(" ".join([pod.role, *(word.text for word in command)])) is not None


def _hit(rule: Rule, pod: Pod) -> Hit:
    return Hit(rule.id, pod.line, pod.column, pod.line, max(pod.end_column, pod.column + 1), slots={"instead": _WORDS[pod.form]})
