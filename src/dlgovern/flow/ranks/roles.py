"""Programs that give ranks roles: a branch on the rank after which each side runs a function of its own and they talk to each other."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from dlgovern.flow.facts import Facts
from dlgovern.flow.paths import own_nodes, written
from dlgovern.flow.ranks.project import Project, Target
from dlgovern.flow.ranks.tables import Tables
from dlgovern.flow.ranks.trace import Guard, Node
from dlgovern.source.tree import parents

_BETWEEN = frozenset("send recv isend irecv batch_isend_irecv send_object_list recv_object_list rpc_sync rpc_async remote".split())
"""Calls between some of the ranks."""

_TOGETHER = frozenset("broadcast broadcast_object_list scatter scatter_object_list gather gather_object all_gather all_reduce reduce barrier".split())
_GROUPS = frozenset({"group", "process_group", "pg"})


def split(site: Node, guard: object, facts: Facts, project: Project, tables: Tables) -> bool:
    """Whether a call stands in a branch that gives its ranks another role than the others have."""
    if not isinstance(guard, Guard) or not isinstance(site.node, ast.AST) or site.spot[0] != facts.path:
        return False
    child: ast.AST = site.node
    for parent in parents(site.node):
        if isinstance(parent, ast.If) and (parent.lineno, parent.col_offset + 1) == guard.spot[1:]:
            mine, others = _sides(parent, child)
            if _hands_on(facts, project, others, tables):
                return True
            one, two = _called(facts, project, mine), _called(facts, project, others)
            return bool(one and two) and not one.keys() & two.keys() and all(_talk(side.values(), tables) for side in (one, two))
        child = parent
    return False


def _hands_on(facts: Facts, project: Project, body: list[ast.stmt], tables: Tables) -> bool:
    """Whether functions in which ranks meet are given to something that calls them, such as a server: when, nobody knows."""
    given = [one for node in own_nodes(body) if isinstance(node, ast.Call) for one in (*node.args, *(word.value for word in node.keywords))] if body else []
    handed = (project.function(facts, one) for one in given if isinstance(one, ast.Name | ast.Attribute) and _may_be_function(one))
    return any(target is not None and any(_meets(call, target.facts, tables) for call in _calls(target)) for target in handed)


def _may_be_function(node: ast.Name | ast.Attribute) -> bool:
    return isinstance(node, ast.Name) or written(node.value) == "self"


def _meets(call: ast.Call, facts: Facts, tables: Tables) -> bool:
    return (facts.names.origin(call.func) or "") in tables.functions


def _sides(branch: ast.If, inside: ast.AST) -> tuple[list[ast.stmt], list[ast.stmt]]:
    """The side in which a node stands, and what the other ranks do instead."""
    if inside in branch.orelse:
        return branch.orelse, branch.body
    if branch.orelse or not isinstance(branch.body[-1], ast.Return | ast.Raise):
        return branch.body, branch.orelse
    around: list[ast.stmt] = getattr(branch.up, "body", [])  # type: ignore[attr-defined]
    return branch.body, around[around.index(branch) + 1 :] if branch in around else []


def _called(facts: Facts, project: Project, body: list[ast.stmt]) -> dict[tuple[str, int, int], Target]:
    found: dict[tuple[str, int, int], Target] = {}
    for node in own_nodes(body) if body else ():
        if isinstance(node, ast.Call) and (target := project.function(facts, node.func)) is not None:
            found[target.key] = target
    return found


def _talk(targets: Iterable[Target], tables: Tables) -> bool:
    return any(_speaks(call, target.facts, tables) for target in targets for call in _calls(target))


def _calls(target: Target) -> Iterator[ast.Call]:
    for node in own_nodes(target.node.body):
        if isinstance(node, ast.Call):
            yield node


def _speaks(call: ast.Call, facts: Facts, tables: Tables) -> bool:
    """Whether a call is one between some ranks: point to point, over a group, or over an object of which no more is known."""
    last = written(call.func).rpartition(".")[2]
    if last in _BETWEEN:
        return True
    if last not in _TOGETHER:
        return False
    known = (facts.names.origin(call.func) or "") in tables.functions
    if any(word.arg in _GROUPS and not (isinstance(word.value, ast.Constant) and word.value.value is None) for word in call.keywords):
        return True
    if known or not isinstance(call.func, ast.Attribute):
        return False
    on = written(call.func.value)
    usual = {pattern for one in tables.methods.get(last, ()) for pattern in one.on}
    return bool(on) and not {on, on.rpartition(".")[2]} & usual
