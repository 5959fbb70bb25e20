"""Read one file about how a job is built or launched: scripts, images, workflows, manifests of a cluster, configurations."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import NamedTuple

from dlgovern.evidence import nodes
from dlgovern.evidence.script import Command, Directive, Script, Setting
from dlgovern.evidence.shell import read_shell
from dlgovern.evidence.text import Unreadable, text_of
from dlgovern.evidence.values import Problem
from dlgovern.evidence.words import lines_of

SCRIPTS = frozenset(("shell", "prose", "yaml", "json", "dockerfile", "make", "just", "tox", "jenkins", "env", "notebook"))
"""The kinds of files that are read as recipes."""


class Image(NamedTuple):
    """A container image. ``known``: the whole name is written here; ``final``: training runs in it, or may."""

    name: str
    known: bool
    final: bool
    line: int
    column: int
    end_column: int


class Value(NamedTuple):
    """One scalar of a configuration, under its keys joined by dots; ``at`` is the place of its last key."""

    key: str
    text: str
    quoted: bool
    line: int
    column: int
    end_line: int
    end_column: int
    at: tuple[int, int]


class Pod(NamedTuple):
    """Containers that run together: of a cluster's manifest, a compose file or a ``docker run``.

    ``gpus`` and ``replicas`` are -1 where they are not known. ``shared``: /dev/shm is larger than the default.
    """

    form: str  # kubernetes, compose, docker, devcontainer
    role: str  # Master, Worker, … of a job; the name of a service; what is run by hand
    gpus: int
    replicas: int
    shared: bool
    processes: str  # as the manifest says it: nprocPerNode, numProcPerNode
    launch: int  # index of its command, -1 for none
    line: int
    column: int
    end_column: int


class Resource(NamedTuple):
    """One document of a cluster's manifest: what it calls itself, and fields that its version lost."""

    api: str
    kind: str
    name: str
    runtime: str  # of a TrainJob
    labels: tuple[tuple[str, str], ...]
    line: int
    column: int
    end_column: int


class Step(NamedTuple):
    """One step of a continuous-integration job. ``tolerated``: its failure does not fail the job."""

    job: str
    uses: str
    tolerated: bool
    conditional: bool
    first: int  # index of its first command
    commands: int  # how many it has
    line: int
    column: int
    end_column: int


class Workflow(NamedTuple):
    """What a continuous-integration file says about when it runs."""

    events: tuple[str, ...]
    filtered: bool  # only for some paths
    steps: tuple[Step, ...]
    runners: tuple[Value, ...]


class Repeated(NamedTuple):
    """A key that one mapping has twice with different values, where the reader of the file takes the last one."""

    key: str
    line: int
    column: int
    end_column: int
    before_line: int
    before_column: int


class Recipe(NamedTuple):
    """Everything one such file says. ``form`` is what a YAML or JSON file turned out to be.

    ``problems`` would stop its tool too; ``skipped`` is what could not be read, though its tool may read it.
    """

    path: str
    kind: str
    form: str = ""
    commands: tuple[Command, ...] = ()
    settings: tuple[Setting, ...] = ()
    directives: tuple[Directive, ...] = ()
    images: tuple[Image, ...] = ()
    pods: tuple[Pod, ...] = ()
    resources: tuple[Resource, ...] = ()
    values: tuple[Value, ...] = ()
    workflow: Workflow | None = None
    written: tuple[str, ...] = ()  # files that its commands write
    labels: tuple[tuple[str, str], ...] = ()  # of the image that it makes
    problems: tuple[Problem, ...] = ()
    skipped: tuple[Problem, ...] = ()
    repeated: tuple[Repeated, ...] = ()


_SHOWN = re.compile(
    rb"python|torch|TORCH|accelerate|deepspeed|srun|mpirun|mpiexec|horovod|composer|lightning|docker|podman|conda|mamba|pip|"
    rb"uv |apt|SBATCH|NCCL|CUDA_|HF_|WANDB|MASTER_|export |sbatch|ray |fabric|singularity|apptainer"
)
_CONFIG = re.compile(
    rb"image|run:|script|command|entrypoint|env|ENV|cmd|python|torch|deepspeed|accelerate|distributed_type|num_processes|_target_|class_path|"
    rb"trainer|apiVersion|NCCL|TORCH|MASTER_|CUDA_|HF_|train_batch|micro_batch|zero_optimization|fp16|bf16|dlgovern|workflow|jobs:|stages"
)
_CELLS = re.compile(rb"(?:[\"=]|\\n)[ \t]*[!%]")
_TRIGGERS = {"prose": _SHOWN, "yaml": _CONFIG, "json": _CONFIG, "notebook": _CELLS}
"""Kinds of which there are many files that have nothing to do with this, and what those lack."""


def read(path: str, data: bytes) -> Recipe:
    """The recipe in a file; trouble is a `Problem` of the result. A file that can say nothing is not parsed."""
    kind = _kind(path)
    pattern = _TRIGGERS.get(kind)
    if pattern is not None and pattern.search(data) is None and data[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        return Recipe(path, kind)
    try:
        return _READERS[kind](path, _text(data, kind))
    except Unreadable as error:
        return Recipe(path, kind, problems=(Problem(path, 0, str(error)),))
    except nodes.Broken as error:
        problem = Problem(path, error.line, str(error))
        if "template" in str(error):
            return Recipe(path, kind, skipped=(problem,))
        return Recipe(path, kind, problems=(problem,))


def _text(data: bytes, kind: str) -> str:
    """The text of a file; in a script bytes that are no UTF-8 are characters that nobody knows."""
    if kind in ("yaml", "json") or b"\0" in data:
        if kind == "prose":
            return ""
        return text_of(data)
    return data.decode("utf-8-sig", "replace").replace("\r\n", "\n")


def _kind(path: str) -> str:
    from dlgovern.source.classify import classify

    return classify(path) or "shell"


def _scripted(path: str, kind: str, script: Script) -> Recipe:
    return Recipe(path, kind, "", script.commands, script.settings, script.directives, written=script.written)


def _shell(path: str, text: str) -> Recipe:
    return _scripted(path, "shell", read_shell(text))


def _prose(path: str, text: str) -> Recipe:
    from dlgovern.evidence.prose import read_prose

    return _scripted(path, "prose", read_prose(text, rst=path.lower().endswith(".rst")))


def _notebook(path: str, text: str) -> Recipe:
    from dlgovern.evidence.notebooks import read_commands

    return _scripted(path, "prose", read_commands(text.encode("utf-8", "surrogatepass")))


def _make(path: str, text: str) -> Recipe:
    from dlgovern.evidence.makefiles import read_just, read_make, read_tox

    reader = {"make": read_make, "just": read_just, "tox": read_tox}[_kind(path)]
    return _scripted(path, _kind(path), reader(text))


def _dockerfile(path: str, text: str) -> Recipe:
    from dlgovern.evidence.dockerfile import read_dockerfile

    found = read_dockerfile(text)
    images = [
        Image(stage.image, stage.known, stage.final, stage.line, stage.column, stage.end_column)
        for stage in (*found.stages, *found.copied)
        if stage.base < 0 and stage.image.lower() != "scratch"
    ]
    return Recipe(path, "dockerfile", "", found.commands, found.settings, (), tuple(images), labels=found.labels)


def _environment(path: str, text: str) -> Recipe:
    script = read_shell(text)
    return Recipe(path, "env", settings=tuple(s._replace(exported=True) for s in script.settings))


def _groovy(path: str, text: str) -> Recipe:
    from dlgovern.evidence.workflows import read_jenkins

    return read_jenkins(path, text)


def _yaml(path: str, text: str) -> Recipe:
    from dlgovern.evidence.configs import read_config

    template = not path.startswith(".github/workflows/")  # it is run from there, as it stands
    return read_config(path, "yaml", nodes.read_yaml(text, template=template), lines_of(text))


def _json(path: str, text: str) -> Recipe:
    from dlgovern.evidence.configs import read_config

    commented = "devcontainer" in path or ".vscode" in path
    try:
        document = nodes.read_json(text, comments=commented)
    except nodes.Broken as error:
        if _is_json(text):  # what JSON allows and YAML does not stands in no configuration of training
            return Recipe(path, "json", skipped=(Problem(path, error.line, str(error)),))
        raise
    return read_config(path, "json", document, lines_of(text))


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


_READERS: dict[str, Callable[[str, str], Recipe]] = {
    "shell": _shell,
    "prose": _prose,
    "notebook": _notebook,
    "make": _make,
    "just": _make,
    "tox": _make,
    "dockerfile": _dockerfile,
    "env": _environment,
    "jenkins": _groovy,
    "yaml": _yaml,
    "json": _json,
}
