"""See a number of processes that two files say differently: a launch, and the script or configuration it names."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

from dlgovern.detect.recipes import at_option, graph, guarded, option_of
from dlgovern.detect.world import processes
from dlgovern.evidence.recipe import Recipe
from dlgovern.finding import Hit
from dlgovern.flow.calls import arguments, callee
from dlgovern.flow.constants import constant
from dlgovern.flow.parsed import parsed
from dlgovern.policy import Rule
from dlgovern.repository.launch import Launch, Option, gpus_per_node, request, whole
from dlgovern.repository.targets import Targets
from dlgovern.repository.view import View


class _Trainer(NamedTuple):
    """A trainer that a script makes: processes of a node, nodes, and where it says so."""

    devices: int
    nodes: int
    path: str
    line: int
    column: int


def across(rules: list[Rule], view: View) -> Iterator[tuple[str, Hit]]:
    """The hits at the launch, with the other file beside it."""
    targets = view.once("targets", Targets)
    known: dict[str, _Trainer | None] = {}
    for recipe, launch in graph(view):
        if launch.command.source in ("prose", "editor"):
            continue
        if launch.launcher == "accelerate":
            yield from _configured(rules, view, targets, recipe, launch)
        started = launch.launcher in ("torchrun", "torch.distributed.launch") or (launch.launcher == "python" and launch.step("srun"))
        if not started or launch.target is None or launch.module or not launch.target.text.endswith(".py"):
            continue
        path = targets.file(recipe, launch, launch.target.text) if launch.target.known else None
        if path is None or path not in view.once("paths", lambda v: frozenset(v.paths)):
            continue
        for rule in rules:
            names = tuple(rule.parameters.get("trainers", ()))
            if path not in known:
                known[path] = _trainer(view, path, names)
            if (trainer := known[path]) is not None:
                yield from ((recipe.path, hit) for hit in _trained(rule, recipe, launch, trainer))


def _trained(rule: Rule, recipe: Recipe, launch: Launch, trainer: _Trainer) -> Iterator[Hit]:
    """A trainer of Lightning refuses another number of processes than it was made for."""
    related = ((trainer.path, trainer.line, trainer.column, f"the trainer wants {trainer.devices} devices on {_nodes(trainer.nodes)}"),)
    if launch.launcher != "python":
        option = option_of(launch.steps[-1], "nproc-per-node", "nproc")
        world = processes(launch)
        if option is None or world is None or (world == trainer.devices * trainer.nodes and guarded(rule, "enough")):
            return
        what = f"{world} processes are started, and the trainer of {trainer.path} wants {trainer.devices} on {_nodes(trainer.nodes)}"
        yield at_option(rule, option, what=what)._replace(related=related)
        return
    asked = {**request(recipe).options, **(step.options if (step := launch.step("srun")) is not None else {})}
    for name, wanted, words in (("ntasks-per-node", trainer.devices, "tasks a node"), ("nodes", trainer.nodes, "nodes")):
        number = whole(asked.get(name))
        if number is not None and (number != wanted or not guarded(rule, "enough")):
            what = f"{number} {words} are asked for, and the trainer of {trainer.path} wants {wanted}"
            yield at_option(rule, asked[name], what=what)._replace(related=related)
            return


def _nodes(count: int) -> str:
    return f"{count} node{'' if count == 1 else 's'}"


def _trainer(view: View, path: str, names: tuple[str, ...]) -> _Trainer | None:
    """The only trainer that a script makes with a number of devices that is written there."""
    imports = view.imports(path)
    packages = {name.partition(".")[0] for name in names}
    if imports is None or not any(line.module.partition(".")[0] in packages for line in imports.lines):
        return None
    facts = parsed(view, path)
    if facts is None:
        return None
    made = [call for call in facts.tree.of(ast.Call) if isinstance(call, ast.Call) and callee(facts, call) in names]
    if len(made) != 1:
        return None
    given = arguments(facts, made[0])
    devices = constant(facts, given.keywords.get("devices"))
    nodes = constant(facts, given.keywords["num_nodes"]) if "num_nodes" in given.keywords else 1
    if given.open_keywords or type(devices) is not int or type(nodes) is not int or devices < 1 or nodes < 1:
        return None
    line, column, _, _ = facts.span(made[0])
    return _Trainer(devices, nodes, path, line, column)


def _configured(rules: list[Rule], view: View, targets: Targets, recipe: Recipe, launch: Launch) -> Iterator[tuple[str, Hit]]:
    """A configuration of Accelerate that asks for more processes or nodes than the batch file that names it gets."""
    options = launch.steps[-1].options
    used = options.get("config-file")
    path = targets.file(recipe, launch, used.value) if used is not None and used.known else None
    config = view.document(path) if path is not None else None
    if used is None or not isinstance(config, Recipe) or config.form != "accelerate":
        return
    values = {value.key: value for value in config.values}

    def number(key: str, option: str) -> int | None:
        if option in options:
            return None  # what the command says goes before it
        value = values.get(key)
        return int(value.text) if value is not None and re.fullmatch(r"[1-9][0-9]{0,5}", value.text) else None

    count, machines = number("num_processes", "num-processes"), number("num_machines", "num-machines")
    asked = request(recipe)
    gpus, nodes = gpus_per_node(asked), whole(asked.options.get("nodes"))
    for rule in rules:
        if count and machines and gpus is not None and (count > gpus[0] * machines or not guarded(rule, "enough")):
            what = f"{path} asks for {count} processes on {_nodes(machines)}, and the job has {gpus[0]} GPUs on each"
            yield recipe.path, _beside(rule, used, what, str(path), values["num_processes"], f"{count} processes are asked for here")
        elif machines and nodes and launch.step("srun") is not None and machines != nodes:
            what = f"{path} waits for {_nodes(machines)}, and the job has {nodes}"
            yield recipe.path, _beside(rule, used, what, str(path), values["num_machines"], f"{_nodes(machines)} are waited for")


def _beside(rule: Rule, used: Option, what: str, path: str, value: object, words: str) -> Hit:
    place = (path, int(getattr(value, "line", 1)), int(getattr(value, "column", 1)), words)
    return at_option(rule, used, what=what)._replace(related=(place,))
