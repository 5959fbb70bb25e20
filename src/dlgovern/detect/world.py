"""See a number of processes that the machine, the scheduler or the model's degrees of parallelism contradict."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.detect.recipes import at_option, guarded, launches_in, option_of
from dlgovern.evidence.recipe import SCRIPTS, Pod, Recipe
from dlgovern.finding import Hit
from dlgovern.policy import Rule
from dlgovern.repository.launch import Launch, Option, gpus_per_node, normal, request, whole
from dlgovern.repository.view import View
from dlgovern.repository.window import Windows

PARAMETERS = {
    "launchers": Parameter("strings", "launchers that start one process for each GPU", required=True),
    "trainers": Parameter("names", "trainers of Lightning, which refuse another number of processes than they are made for", default=[]),
    "degrees": Parameter("strings", "arguments of scripts whose product must divide the number of processes", default=[]),
}
KINDS = SCRIPTS | {"repository"}
"""Kinds of evidence that are read."""

GUARDS = ("enough", "on-the-cpu")
"""What the detector is silent under; examples of its rules must show each."""

_EACH = ("nproc-per-node", "nproc", "num-gpus")
_CPU = re.compile(r"gloo|cpu", re.I)


def judge(rules: list[Rule], document: Recipe, _tables: dict[str, Any], _windows: Windows) -> Iterator[Hit]:
    """The hits in one file."""
    for launch in launches_in(document):
        for rule in rules:
            if launch.launcher in rule.parameters["launchers"]:
                hits = [*_devices(rule, document, launch), *_scheduler(rule, document, launch), *_cluster(rule, document, launch)]
                yield from hits[:1]
                yield from _degrees(rule, document, launch)


def judge_repository(rules: list[Rule], view: View) -> Iterator[tuple[str, Hit]]:
    """The hits where a launch and the file that it names disagree."""
    from dlgovern.detect.world_across import across

    yield from across(rules, view)


def given(launch: Launch, *names: str) -> Option | None:
    """An argument of the script under one of these long names; the value "" where it is a switch."""
    words = launch.arguments
    for index, word in enumerate(words):
        if not word.text.startswith("--"):
            continue
        name, equals, value = word.text.partition("=")
        if normal(name) not in names:
            continue
        after = words[index + 1] if index + 1 < len(words) else None
        if equals or after is None or after.text.startswith("--"):
            return Option(normal(name), value, word.known, word.line, word.column, word.end_column)
        return Option(normal(name), after.text, after.known, after.line, after.column, after.end_column)
    return None


def processes(launch: Launch) -> int | None:
    """All processes of a launch, None where their number is not known."""
    options = launch.steps[-1].options
    if launch.launcher == "accelerate":
        return whole(options.get("num-processes"))
    if launch.launcher == "deepspeed":
        if option_of(launch.steps[-1], "include", "exclude", "hostfile") is not None:
            return None
        each, nodes = whole(options.get("num-gpus")), options.get("num-nodes")
    elif launch.launcher in ("torchrun", "torch.distributed.launch"):
        each, nodes = whole(options.get("nproc-per-node")), options.get("nnodes")
    else:
        return None
    count = 1 if nodes is None else whole(nodes)
    return each * count if each is not None and count is not None else None


def _each(launch: Launch) -> tuple[int, Option] | None:
    """Processes of one node, and what says so."""
    options = launch.steps[-1].options
    if launch.launcher == "accelerate":
        nodes = options.get("num-machines")
        option = options.get("num-processes")
        if nodes is not None and whole(nodes) != 1:
            return None
    else:
        option = option_of(launch.steps[-1], *_EACH)
    number = whole(option)
    return (number, option) if number is not None and option is not None else None


def _devices(rule: Rule, document: Recipe, launch: Launch) -> Iterator[Hit]:
    """More processes than CUDA_VISIBLE_DEVICES shows devices."""
    found = _each(launch)
    exported = {s.name: s for s in document.settings if s.exported}
    setting = next((s for s in launch.settings if s.name == "CUDA_VISIBLE_DEVICES"), None)
    if setting is None and len([s for s in document.settings if s.name == "CUDA_VISIBLE_DEVICES"]) == 1:
        setting = exported.get("CUDA_VISIBLE_DEVICES")
        if setting is not None and launch.command.branch:
            setting = None
    if found is None or setting is None or not setting.known or launch.launcher == "deepspeed" or (document.kind == "prose" and setting not in launch.settings):
        return
    devices = [part for part in setting.value.split(",") if part.strip()]
    number, option = found
    if not devices or any(not re.fullmatch(r"\s*\d+\s*", part) for part in devices):
        return
    if guarded(rule, "enough") and number <= len(devices):
        return
    place = (document.path, setting.line, setting.column, f"{len(devices)} devices are visible")
    what = f"{number} processes a node, and CUDA_VISIBLE_DEVICES shows {len(devices)} of its devices"
    yield at_option(rule, option, what=what)._replace(related=(place,))


def _scheduler(rule: Rule, document: Recipe, launch: Launch) -> Iterator[Hit]:
    """More processes or nodes than the batch file asks for."""
    asked = request(document)
    if not asked.options:
        return
    step = launch.step("srun")
    own = option_of(step, "gres", "gpus-per-node", "gpus", "gpus-per-task", "nodes") is not None
    found, gpus = _each(launch), gpus_per_node(asked)
    if found is not None and gpus is not None and not own and not (guarded(rule, "on-the-cpu") and _CPU.search(" ".join(w.text for w in launch.arguments))):
        number, option = found
        count, where = gpus
        if number > count or not guarded(rule, "enough"):
            place = (document.path, where.line, where.column, f"{count} GPUs a node are asked for")
            yield at_option(rule, option, what=f"{number} processes a node, and the job asks for {count} GPUs on each")._replace(related=(place,))
    nodes, wanted = launch.steps[-1].options.get("nnodes"), asked.options.get("nodes")
    count_nodes, count_wanted = whole(nodes), whole(wanted)
    if nodes is not None and wanted is not None and count_nodes is not None and count_wanted is not None and not own and step is not None:
        if count_nodes != count_wanted:
            place = (document.path, wanted.line, wanted.column, f"{count_wanted} nodes are asked for")
            yield at_option(rule, nodes, what=f"{count_nodes} nodes are waited for, and the job has {count_wanted}")._replace(related=(place,))


def _cluster(rule: Rule, document: Recipe, launch: Launch) -> Iterator[Hit]:
    """More processes than the container has GPUs, or another number of nodes than the job has replicas."""
    index = next((n for n, command in enumerate(document.commands) if command is launch.command), -1)
    pod = next((p for p in document.pods if p.launch == index), None)
    found = _each(launch)
    if pod is None:
        return
    if found is not None and pod.gpus > 0 and found[0] > pod.gpus:
        place = (document.path, pod.line, pod.column, f"this container has {pod.gpus} GPUs")
        yield at_option(rule, found[1], what=f"{found[0]} processes a node, and the container has {pod.gpus} GPUs")._replace(related=(place,))
    nodes = launch.steps[-1].options.get("nnodes")
    replicas = _replicas(document.pods, pod)
    number = whole(nodes)
    if nodes is not None and number is not None and replicas is not None and number != replicas:
        place = (document.path, pod.line, pod.column, f"the job has {replicas} replicas")
        yield at_option(rule, nodes, what=f"{number} nodes are waited for, and the job has {replicas} replicas")._replace(related=(place,))


def _replicas(pods: tuple[Pod, ...], pod: Pod) -> int | None:
    """All replicas of a training job; None outside of one, or where a number is not known."""
    if pod.role not in ("Master", "Worker", "Node"):
        return None
    counts = [other.replicas for other in pods if other.role in ("Master", "Worker", "Node") and other.form == pod.form]
    jobs = sum(other.role in ("Master", "Node") for other in pods)
    return sum(counts) if all(count > 0 for count in counts) and jobs <= 1 else None


def _degrees(rule: Rule, document: Recipe, launch: Launch) -> Iterator[Hit]:
    """Degrees of parallelism whose product does not divide the number of processes."""
    world = processes(launch)
    if document.kind == "prose" and not {"nnodes", "num-nodes"} & set(launch.steps[-1].options):
        return  # prose leaves out what it does not speak of
    product, at, words = 1, None, []
    for name in rule.parameters.get("degrees", ()):
        option = given(launch, name)
        if option is None:
            continue
        number = whole(option)
        if number is None:
            return
        product, at = product * number, option
        words.append(f"--{name} {number}")
    if at is not None and world is not None and product and world % product:
        hit = at_option(rule, at, what=f"{world} processes are started, and {' times '.join(words)} do not divide them")
        yield hit._replace(confidence="medium" if launch.command.branch else "")
