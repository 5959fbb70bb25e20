"""What the launchers of the field are called and which of their options are switches: tables, and the look-up in them.

Sources: ``torch/distributed/run.py`` and ``launch.py`` of torch 2.13, ``commands/launch.py`` of accelerate,
``launcher/runner.py`` of DeepSpeed, ``composer/cli/launcher.py``, the manual pages of srun, sbatch and mpirun.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dlgovern.evidence.script import is_python

FLAGS = frozenset(("help", "version", "verbose"))
"""Switches that every launcher has."""


class Launcher(NamedTuple):
    """A launcher. All options but ``flags`` take a value. ``ends``: what follows its options is a Python program."""

    name: str
    ends: bool = False
    flags: frozenset[str] = frozenset()
    short: dict[str, str] = {}  # noqa: RUF012 - never changed
    stops_at: frozenset[str] = frozenset()  # options behind which nothing is an option of the launcher
    many: dict[str, int] = {}  # noqa: RUF012 - options with more than one value: how many more


_SRUN = Launcher(
    "srun",
    flags=frozenset(
        "label unbuffered exclusive preserve-env no-kill overlap overcommit oversubscribe pty quiet wait-all-nodes immediate "
        "spread-job contiguous hold disable-status no-allocate requeue no-requeue parsable wait multi-prog cpu-bind-verbose "
        "use-min-nodes whole x11 k E l u s O Q v H Z export-file test-only container-readonly container-remap-root "
        "container-mount-home no-container-mount-home no-container-entrypoint container-writable no-container-remap-root".split()
    ),
    short={
        "A": "account", "C": "constraint", "D": "chdir", "G": "gpus", "J": "job-name", "N": "nodes", "c": "cpus-per-task",
        "d": "dependency", "e": "error", "i": "input", "n": "ntasks", "o": "output", "p": "partition", "q": "qos",
        "t": "time", "w": "nodelist", "x": "exclude", "m": "distribution", "r": "relative", "T": "threads", "K": "kill-on-bad-exit",
    },
)
_MPIRUN = Launcher(
    "mpirun",
    flags=frozenset(
        "allow-run-as-root tag-output oversubscribe bind-to-none report-bindings nooversubscribe bynode bycore byslot "
        "display-map timestamp-output xterm quiet q v d prepend-rank l timestamp noversubscribe disable-auto-cleanup".split()
    ),
    short={"n": "np", "H": "host", "x": "x"},
    many={"mca": 1, "genv": 1, "env": 1, "gmca": 1},
)
_TORCHRUN = Launcher(
    "torchrun", True, frozenset("standalone module m no-python run-path virtual-local-rank".split()),
    {"m": "module", "r": "redirects", "t": "tee"},
)
_LAUNCH = Launcher(
    "torch.distributed.launch", True,
    frozenset("standalone module m no-python run-path use-env virtual-local-rank".split()),
    {"m": "module", "r": "redirects", "t": "tee"},
)
_ACCELERATE = Launcher(
    "accelerate", True,
    frozenset(
        "quiet cpu multi-gpu tpu use-deepspeed use-fsdp use-parallelism-config use-megatron-lm same-network module m no-python tpu-cluster "
        "no-tpu-cluster tpu-use-sudo downcast-bf16 debug enable-cpu-affinity dynamo-use-fullgraph dynamo-use-dynamic "
        "dynamo-use-regional-compilation multi-cpu use-xpu ipex fp16 use-cpu use-mps-device mps fp8-use-autocast-during-eval".split()
    ),
    {"m": "module", "t": "tee"},
)
_DEEPSPEED = Launcher(
    "deepspeed", True,
    frozenset(
        "force-multi elastic-training no-python no-local-rank no-ssh no-ssh-check module enable-each-rank-log bind-cores-to-rank "
        "save-pid use-pdsh ssh".split()
    ),
    {"i": "include", "e": "exclude", "H": "hostfile"},
)
_COMPOSER = Launcher(
    "composer", True, frozenset("module-mode m module command-mode c verbose v".split()),
    {"n": "nproc", "m": "module"},
)
_HOROVOD = Launcher(
    "horovodrun", False, frozenset("verbose check-build start-timeout-none gloo mpi jsrun disable-cache".split()), {"H": "hosts", "n": "np", "p": "ssh-port"},
)
_PYTHON = Launcher(
    "python", True,
    frozenset("u B b d E i I O OO P q s S v x V Walways bb h ? OOu uB".split()),
    {"m": "module"},
    stops_at=frozenset(("module", "c")),
)
_FABRIC = Launcher("fabric", True, frozenset(), {})

_WRAPPERS: dict[str, Launcher] = {
    "sudo": Launcher("sudo", flags=frozenset("E n H S i s preserve-env".split())),
    "nohup": Launcher("nohup"),
    "exec": Launcher("exec"),
    "command": Launcher("command"),
    "time": Launcher("time", flags=frozenset("v p".split())),
    "env": Launcher("env", flags=frozenset("i 0 ignore-environment".split())),
    "nice": Launcher("nice"),
    "stdbuf": Launcher("stdbuf", flags=frozenset("oL eL o0 e0 i0".split())),
    "numactl": Launcher("numactl", flags=frozenset("localalloc l s".split())),
    "setsid": Launcher("setsid", flags=frozenset("w f c fork wait".split())),
    "xvfb-run": Launcher("xvfb-run", flags=frozenset("a auto-servernum".split())),
}

_EXACT: dict[str, Launcher] = {
    "srun": _SRUN,
    "mpirun": _MPIRUN,
    "mpiexec": _MPIRUN,
    "mpiexec.hydra": _MPIRUN,
    "torchrun": _TORCHRUN,
    "deepspeed": _DEEPSPEED,
    "composer": _COMPOSER,
    "horovodrun": _HOROVOD,
    **_WRAPPERS,
}
_PAIRS: dict[tuple[str, str], Launcher] = {
    ("accelerate", "launch"): _ACCELERATE,
    ("accelerate-launch", ""): _ACCELERATE,
    ("uv", "run"): Launcher("uv run", flags=frozenset("no-sync frozen locked all-extras no-dev isolated no-project active exact q quiet no-cache n offline all-groups no-editable".split())),
    ("poetry", "run"): Launcher("poetry run"),
    ("pdm", "run"): Launcher("pdm run"),
    ("pipenv", "run"): Launcher("pipenv run"),
    ("hatch", "run"): Launcher("hatch run"),
    ("pixi", "run"): Launcher("pixi run"),
    ("conda", "run"): Launcher("conda run", flags=frozenset("no-capture-output live-stream verbose v".split())),
    ("fabric", "run"): _FABRIC,
    ("lightning", "run"): Launcher("lightning run", True),
}
_MODULES: dict[str, Launcher] = {
    "torch.distributed.run": _TORCHRUN,
    "torch.distributed.launch": _LAUNCH,
    "accelerate.commands.launch": _ACCELERATE,
    "deepspeed.launcher.runner": _DEEPSPEED,
    "deepspeed.launcher.launch": _DEEPSPEED,
}


def launcher_of(words: Sequence[str]) -> tuple[Launcher, int] | None:
    """The launcher that a command begins with, and of how many words its name consists."""
    first = words[0].rpartition("/")[2] if not words[0].startswith("$") else words[0]
    second = words[1] if len(words) > 1 else ""
    if (first, second) in _PAIRS:
        return _PAIRS[(first, second)], 2
    if (first, "") in _PAIRS:
        return _PAIRS[(first, "")], 1
    if first == "timeout" and len(words) > 1:
        return Launcher("timeout", flags=frozenset("foreground preserve-status v".split())), 2
    if first in _EXACT:
        return _EXACT[first], 1
    if is_python(words[0]):
        for index, word in enumerate(words[1:], 1):
            if word == "-m" and index + 1 < len(words):
                inner = _MODULES.get(words[index + 1])
                return (inner, index + 2) if inner is not None else (_PYTHON, 1)
            if not word.startswith("-") and words[index - 1] not in ("-W", "-X"):
                break
        return _PYTHON, 1
    return None
