"""Which attributes in a file are asked of classes of other files of the repository that answer by the rank."""

from __future__ import annotations

import ast
from typing import NamedTuple

from dlgovern.flow.facts import Facts
from dlgovern.flow.leads import imported
from dlgovern.flow.ranks.tables import Tables
from dlgovern.repository.outline import outlines
from dlgovern.repository.questions import telling


class Answers(NamedTuple):
    """Names of attributes that classes of other files of the repository answer by the rank, and what that was read from."""

    names: frozenset[str]
    reads: frozenset[str]


def answers(facts: Facts, tables: Tables) -> Answers:
    """The attributes in a file that objects of imported classes may answer by the rank, found once."""
    return facts.once(Answers, lambda: _answers(facts, tables))


def _answers(facts: Facts, tables: Tables) -> Answers:
    found: set[str] = set()
    reads: set[str] = set()
    places = [place for place in imported(facts).values() if place[1]]
    asked = _asked(facts) - tables.apart.words if places else set()
    for path, name in places if asked else ():
        names = asked if name[:1].isupper() else asked & tables.questions  # what functions make is opened for a known question only
        if names:
            found |= telling(outlines(facts.repository), path, name, names, tables.asking, reads)
    return Answers(frozenset(found), frozenset(reads))


def _asked(facts: Facts) -> set[str]:
    """The attributes by which something is decided in a file, or that a function of it returns."""
    found: set[str] = set()
    todo: list[ast.AST] = [node.test for node in facts.tree.of(ast.If, ast.While, ast.IfExp)]  # type: ignore[attr-defined]
    todo += [node.value for node in facts.tree.of(ast.Return, ast.Assign)]  # type: ignore[attr-defined]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Call):
            node = node.func
        if isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.BoolOp):
            todo += node.values
        elif isinstance(node, ast.UnaryOp):
            todo.append(node.operand)
        elif isinstance(node, ast.Compare):
            todo.append(node.left)
    return found
