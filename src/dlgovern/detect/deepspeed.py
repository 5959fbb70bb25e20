"""See a configuration of DeepSpeed that contradicts itself, or the launch that uses it."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.detect.recipes import graph, guarded
from dlgovern.detect.world import given, processes
from dlgovern.evidence.recipe import Recipe, Value
from dlgovern.finding import Hit
from dlgovern.flow.facts import Facts
from dlgovern.policy import Rule
from dlgovern.repository.launch import Launch
from dlgovern.repository.targets import Targets
from dlgovern.repository.view import View
from dlgovern.repository.window import Windows

PARAMETERS = {
    "about": Parameter("string", "batch: sizes that do not multiply; precision: more than one of them", required=True),
    "takers": Parameter("any", "what takes a configuration as a dictionary: its name -> arguments, [name, position] where it has one", default={}),
}
KINDS = frozenset({"json", "yaml", "repository"})
"""Kinds of evidence that are read."""

GUARDS = ("parallel",)
"""What the detector is silent under; an example of its rules must show it."""

_SIZES = ("train_batch_size", "train_micro_batch_size_per_gpu", "gradient_accumulation_steps")
_PARALLEL = re.compile(r"parallel|mp[-_]size|[-_]tp\b|[-_]pp\b|autotp|num[-_]stages", re.I)
_CONFIG = ("deepspeed", "deepspeed-config", "deepspeed-config-file", "ds-config", "ds-config-file")


def triggers(parameters: dict[str, Any], _tables: dict[str, Any]) -> list[dict[str, Any]]:
    """Whatever takes a configuration, in a file that writes the keys in question."""
    words = ["train_batch_size"] if parameters["about"] == "batch" else ["fp16", "bf16"]
    return [{"name": name, "all": words} for name in parameters.get("takers", {})]


def watch(rules: list[Rule], facts: Facts, _tables: dict[str, Any]) -> dict[type, Callable[[Any], Iterator[Hit]]]:
    """A handler for calls that are given a configuration as a dictionary."""
    from dlgovern.detect.deepspeed_dict import configurations

    def see(node: ast.Call) -> Iterator[Hit]:
        for rule in rules:
            for values in configurations(facts, node, rule.parameters.get("takers", {})):
                found = _batch(rule, values) if rule.parameters["about"] == "batch" else _precision(rule, values, facts.path)
                yield from found

    return {ast.Call: see}


def judge(rules: list[Rule], document: Recipe, _tables: dict[str, Any], _windows: Windows) -> Iterator[Hit]:
    """The hits in one configuration by itself."""
    if document.form != "deepspeed":
        return
    values = {value.key: value for value in document.values}
    for rule in rules:
        if rule.parameters["about"] == "batch":
            yield from _batch(rule, values)
        elif rule.parameters["about"] == "precision":
            yield from _precision(rule, values, document.path)


def judge_repository(rules: list[Rule], view: View) -> Iterator[tuple[str, Hit]]:
    """The hits where a launch names the configuration."""
    configs = {d.path: d for d in view.of("json", "yaml") if d.form == "deepspeed"}
    if not configs:
        return
    targets = view.once("targets", Targets)
    for recipe, launch in graph(view):
        named = (given(launch, name) for name in _CONFIG)
        used = next((one for one in named if one is not None and one.value), None)  # --deepspeed may be a switch beside it
        path = targets.file(recipe, launch, used.value) if used is not None and used.known else None
        if path is None or path not in configs or used is None:
            continue
        values = {value.key: value for value in configs[path].values}
        at = (recipe.path, used.line, used.column)
        for rule in rules:
            if rule.parameters["about"] == "batch":
                yield from ((path, hit) for hit in _world(rule, values, launch, at))
            elif rule.parameters["about"] == "precision":
                yield from ((path, hit) for hit in _argument(rule, values, launch, recipe.path))


def _batch(rule: Rule, values: dict[str, Value]) -> Iterator[Hit]:
    """A batch that no number of processes makes of the rest."""
    numbers = {key: _number(values.get(key)) for key in _SIZES}
    batch = numbers["train_batch_size"]
    rest = [numbers[key] for key in _SIZES[1:] if numbers[key]]
    if not batch or not rest:
        return
    product = 1
    for number in rest:
        product *= number or 1
    if batch % product:
        words = " times ".join(f"{key} {numbers[key]}" for key in _SIZES[1:] if numbers[key])
        yield _hit(rule, values["train_batch_size"], what=f"train_batch_size {batch} is no multiple of {words}")


def _world(rule: Rule, values: dict[str, Value], launch: Launch, at: tuple[str, int, int]) -> Iterator[Hit]:
    """A batch that the number of processes of a launch does not make of the rest."""
    numbers = [_number(values.get(key)) for key in _SIZES]
    world = processes(launch)
    if not all(numbers) or world is None:
        return
    if guarded(rule, "parallel") and any(_PARALLEL.search(word.text) for word in launch.arguments):
        return  # the batch is split between fewer replicas than there are processes
    if guarded(rule, "parallel") and any(_PARALLEL.search(key) for key in values):
        return
    batch, micro, steps = (number or 0 for number in numbers)
    if batch % (micro * steps) == 0 and batch != micro * steps * world:
        what = f"train_batch_size {batch} is not {micro} times {steps} times the {world} processes of the launch"
        hit = _hit(rule, values["train_batch_size"], what=what)
        yield hit._replace(related=((*at, f"it is used here, with {world} processes"),))


def _number(value: Value | None) -> int | None:
    if value is None or not re.fullmatch(r"[0-9]{1,9}", value.text) or value.quoted:
        return None
    return int(value.text)


def _precision(rule: Rule, values: dict[str, Value], path: str) -> Iterator[Hit]:
    half, brain = values.get("fp16.enabled"), values.get("bf16.enabled") or values.get("bfloat16.enabled")
    if half is not None and brain is not None and half.text.lower() == brain.text.lower() == "true":
        first, second = sorted((half, brain), key=lambda value: (value.line, value.column))
        hit = _hit(rule, second, what="fp16 and bf16 are both enabled")
        yield hit._replace(related=((path, first.line, first.column, "the other is enabled here"),))


def _argument(rule: Rule, values: dict[str, Value], launch: Launch, path: str) -> Iterator[Hit]:
    """A precision that the script is asked for, and another one that the configuration enables."""
    for wanted, other in (("fp16", "bf16"), ("bf16", "fp16")):
        option = given(launch, wanted)
        enabled = values.get(f"{other}.enabled")
        if option is None or option.value.lower() not in ("", "true") or not option.known or enabled is None:
            continue
        if enabled.text.lower() == "true" and values.get(f"{wanted}.enabled", enabled._replace(text="false")).text.lower() == "false":
            hit = _hit(rule, enabled, what=f"{other} is enabled, and the script that uses this is given --{wanted}")
            yield hit._replace(related=((path, option.line, option.column, f"--{wanted} is given here"),), confidence="medium")


def _hit(rule: Rule, value: Value, **slots: str) -> Hit:
    return Hit(rule.id, value.line, value.column, value.end_line, value.end_column, slots=slots)
