"""See a launch on several nodes whose launchers cannot find each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.detect.recipes import at_option, environment, guarded, launches_in, option_of
from dlgovern.evidence.recipe import SCRIPTS, Recipe
from dlgovern.finding import Hit
from dlgovern.policy import Rule
from dlgovern.repository.launch import Launch, Step
from dlgovern.repository.window import Windows

PARAMETERS = {
    "launchers": Parameter("strings", "launchers with the options of torchrun", required=True),
}
KINDS = SCRIPTS
"""Kinds of evidence that are read."""

GUARDS = ("one-node", "operator", "abridged", "unknown-words", "environment")
"""What the detector is silent under; examples of its rules must show each."""


def judge(rules: list[Rule], document: Recipe, _tables: dict[str, Any], _windows: Windows) -> Iterator[Hit]:
    """The hits in one file, at the number of nodes."""
    for launch in launches_in(document):
        for rule in rules:
            if launch.launcher in rule.parameters["launchers"]:
                yield from _hits(rule, document, launch)


def _hits(rule: Rule, document: Recipe, launch: Launch) -> Iterator[Hit]:
    step = launch.steps[-1]
    nodes = step.options.get("nnodes")
    if nodes is None or not nodes.known:
        return
    last = nodes.value.rpartition(":")[2]
    if not last.isdigit() or (guarded(rule, "one-node") and int(last) <= 1):
        return
    if guarded(rule, "unknown-words") and (launch.target is None or not launch.target.known):
        return  # more options may come from a variable
    if guarded(rule, "operator") and launch.command.source == "cluster":
        return  # the operator sets PET_MASTER_ADDR and its like
    if guarded(rule, "abridged") and document.kind == "prose" and "standalone" not in step.options:
        return  # prose leaves out what it does not speak of
    variables = environment(document, launch) if guarded(rule, "environment") else {}
    why = _lack(launch, step, variables)
    if why:
        yield at_option(rule, nodes, nodes=nodes.value, why=why)


def _lack(launch: Launch, step: Step, variables: dict[str, Any]) -> str:
    """What keeps the nodes apart, "" for nothing."""

    def said(name: str) -> bool:
        return name in step.options or f"PET_{name.upper().replace('-', '_')}" in variables

    if "standalone" in step.options:
        return "--standalone lets every node wait for the others at its own address"
    backend = option_of(step, "rdzv-backend")
    static = (backend is None or backend.value == "static") and "PET_RDZV_BACKEND" not in variables
    if static:
        literal = step.options.get("node-rank")
        if launch.step("srun") is not None and literal is not None and literal.known and literal.value.isdigit():
            return f"srun gives --node-rank={literal.value} to every node"
        lacks = [f"--{name}" for name in ("master-addr", "node-rank") if not said(name)]
        if said("rdzv-endpoint") and lacks != ["--node-rank"]:
            lacks = [name for name in lacks if name != "--master-addr"]
        return f"the static rendezvous has no {' and no '.join(lacks)}" if lacks else ""
    if backend is not None and not backend.known:
        return ""
    return "" if said("rdzv-endpoint") else "there is no --rdzv-endpoint to meet at"
