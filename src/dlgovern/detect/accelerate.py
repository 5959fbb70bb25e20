"""See a configuration of Accelerate that says what its own kind of distribution does not read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.detect.recipes import guarded
from dlgovern.evidence.recipe import Recipe, Value
from dlgovern.finding import Hit
from dlgovern.policy import Rule
from dlgovern.repository.window import Windows

PARAMETERS = {
    "sections": Parameter("table", "section -> the distributed_type that reads it", default={}),
    "without_fsdp2": Parameter("strings", "keys of fsdp_config that version 2 passes over", default=[]),
}
KINDS = frozenset({"yaml", "json"})
"""Kinds of evidence that are read."""

GUARDS = ("default-value", "mpirun")
"""What the detector is silent under; examples of its rules must show each."""


def judge(rules: list[Rule], document: Recipe, _tables: dict[str, Any], _windows: Windows) -> Iterator[Hit]:
    """The hits in one configuration."""
    if document.form != "accelerate":
        return
    values = {value.key: value for value in document.values}
    kind = values.get("distributed_type")
    for rule in rules:
        if kind is not None:
            yield from _sections(rule, document, kind)
            yield from _processes(rule, values, kind)
        yield from _devices(rule, values)
        yield from _fsdp2(rule, values)


def _sections(rule: Rule, document: Recipe, kind: Value) -> Iterator[Hit]:
    """A section that this kind of distribution does not read."""
    for section, reader in rule.parameters.get("sections", {}).items():
        first = next((value for value in document.values if value.key.startswith(f"{section}.")), None)
        if first is not None and kind.text.upper() != reader:
            hit = _hit(rule, first, f"{section} is read only with distributed_type {reader}, and this is {kind.text}")
            yield hit._replace(related=((document.path, kind.line, kind.column, "the type is set here"),), confidence="medium")


def _processes(rule: Rule, values: dict[str, Value], kind: Value) -> Iterator[Hit]:
    """Several processes with a type that starts one."""
    number = values.get("num_processes")
    if number is None or kind.text.upper() not in ("NO", "FALSE") or not re.fullmatch(r"[0-9]{1,6}", number.text):
        return
    if guarded(rule, "mpirun") and any(key.startswith("mpirun_config.") for key in values):
        return
    if int(number.text) > 1:
        yield _hit(rule, number, f"num_processes is {number.text}, and distributed_type NO starts one process")


def _devices(rule: Rule, values: dict[str, Value]) -> Iterator[Hit]:
    """Fewer devices than processes on one machine."""
    devices, number, machines = (values.get(key) for key in ("gpu_ids", "num_processes", "num_machines"))
    if devices is None or number is None or not number.text.isdigit() or (machines is not None and machines.text != "1"):
        return
    if re.fullmatch(r"\d+(?:\s*,\s*\d+)*", devices.text) and devices.text.count(",") + 1 < int(number.text):
        yield _hit(rule, devices, f"gpu_ids names {devices.text.count(',') + 1} devices for {number.text} processes")


def _fsdp2(rule: Rule, values: dict[str, Value]) -> Iterator[Hit]:
    """What version 2 of FSDP passes over, or refuses."""
    version = values.get("fsdp_config.fsdp_version")
    if version is None or version.text != "2":
        return
    for key in rule.parameters.get("without_fsdp2", ()):
        value = values.get(f"fsdp_config.{key}")
        if value is None or (guarded(rule, "default-value") and value.text.upper() in ("NO_PREFETCH", "NULL", "", "~")):
            continue
        yield _hit(rule, value, f"{key} is passed over with fsdp_version 2")
    reshard = values.get("fsdp_config.fsdp_reshard_after_forward")
    if reshard is not None and reshard.text.lower() not in ("true", "false", "1", "0", "yes", "no"):
        yield _hit(rule, reshard, f"fsdp_reshard_after_forward is {reshard.text}, and fsdp_version 2 wants true or false")


def _hit(rule: Rule, value: Value, what: str) -> Hit:
    return Hit(rule.id, value.line, value.column, value.end_line, value.end_column, slots={"what": what})
