"""Conditions under which a file's program is distributed: what runs without them runs in one process."""

from __future__ import annotations

import ast
import re

from dlgovern.flow.facts import Facts
from dlgovern.flow.paths import Guard, guards
from dlgovern.flow.ranks.meets import is_meeting
from dlgovern.flow.ranks.tables import Tables

_OTHERWISE = re.compile(r"rank|shard|fsdp|zero|deepspeed|main|master|first", re.I)
"""Words of a condition that tells ranks apart, or one way to be distributed from another one."""


def alone(facts: Facts, node: ast.AST, tables: Tables) -> bool:
    """Whether a node runs only where the condition fails that all of the file asks before ranks meet or a model is wrapped."""
    around = guards(node)
    if not around:
        return False
    asked = facts.once(alone, lambda: _asked(facts, tables))
    return any(one.test in asked and asked[one.test] != one.holds for one in around)


def _asked(facts: Facts, tables: Tables) -> dict[str, bool]:
    """The conditions under which all calls stand that only a distributed program makes, and what they must be."""
    common: set[Guard] | None = None
    for call in facts.tree.of(ast.Call):
        assert isinstance(call, ast.Call)
        if not _parts(facts, call, tables):
            continue
        found = {one for one in guards(call) if not _OTHERWISE.search(one.test)}
        common = found if common is None else common & found
        if not common:
            return {}
    return {one.test: one.holds for one in common or ()}


def _parts(facts: Facts, call: ast.Call, tables: Tables) -> bool:
    """Whether a call starts the process group, wraps a model or lets all ranks meet."""
    operation = tables.functions.get(facts.names.origin(call.func) or "")
    return (operation is not None and (operation.kind == "wrap" or operation.starts)) or is_meeting(facts, call, tables)
