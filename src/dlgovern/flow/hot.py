"""What runs in every training step: the code that no condition keeps to some of the steps."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from dlgovern.flow.calls import callee
from dlgovern.flow.facts import Facts
from dlgovern.flow.paths import called_name, own_nodes, targets, written
from dlgovern.flow.project import Code, called
from dlgovern.source.tree import FUNCTIONS, children, parents

_DEPTH = 4
_RARELY = re.compile(
    r"%|log|print|verbos|debug|wandb|tensorboard|writer|interval|every|freq|report|profil|rank|main|master|zero"
    r"|first|last|warm|eval|valid|test|nan|inf|finite|best|save|checkpoint|inference|not self\.training",
    re.I,
)
"""Words of a condition that holds in some steps only, or of code that is not about training."""
_ASIDE = re.compile(r"eval|valid|test|save|checkpoint|sampl|generat|plot|visual|debug|infer|predict|decode", re.I)
"""Names of functions that do something else than train, although a training loop may call them."""
_COUNTER = re.compile(r"^(i|it|n|.*(step|batch|iter|idx|index|count).*)$", re.I)
"""Names of what counts the turns of a loop."""
_BEGIN = re.compile(r"start|resum|skip|begin|offset|done|complet", re.I)
"""Names of the turn at which a resumed run goes on."""
_SIZE = re.compile(r"^len\(\w+\)$|\.size\(0?\)(\[0\])?$|\.shape\[0\]$")
_SETTINGS = re.compile(r"^(args?|opts?|cfg|conf(ig)?|hparams|hps|flags|self|params|options)\b", re.I)


_FAULTS = frozenset({"isnan", "isinf"})
_SKIPS = (ast.Continue, ast.Return)
"""What leaves the rest of a step out."""


class Hot(NamedTuple):
    """A node that runs in every step, and the calls of the file's functions that lead to it."""

    node: ast.AST
    through: tuple[ast.Call, ...]


def hot(facts: Facts, body: Iterable[ast.stmt], *, loop: bool = False) -> Iterator[Hot]:
    """The nodes below these statements that run in every step, through functions of the same file.

    ``loop``: they are the body of a loop, so to return ends it, and what stands behind runs in every turn until then.
    """
    yield from _block(facts, list(body), (), frozenset(), _DEPTH, _SKIPS[:1] if loop else _SKIPS)


def rarely(test: ast.expr) -> bool:
    """Whether a condition may keep code to some of the steps: anything but a switch that stays as it is."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) and written(test.operand) == "self.training":
        return True
    text = ast.unparse(test)
    if _RARELY.search(text):
        return True
    return not _switch(test)


def _usual(facts: Facts, node: ast.If) -> list[ast.stmt] | None:
    """The branch for what is not empty, where the condition asks whether a count is 0; for a number, where it asks for one."""
    test = node.test
    if (number := _is_number(facts, test)) is not None:
        return node.body if number else node.orelse
    if not isinstance(test, ast.Compare) or _RARELY.search(ast.unparse(test)):
        return None
    if not (isinstance(test.comparators[0], ast.Constant) and test.comparators[0].value == 0 and len(test.ops) == 1):
        return None
    if isinstance(test.ops[0], ast.Eq):
        return node.orelse
    return node.body if isinstance(test.ops[0], ast.NotEq | ast.Gt) else None


def _all_but_some(node: ast.If) -> list[ast.stmt] | None:
    """The branch of all turns but every n-th, where both sides go backward: ``if step % 10 == 0: … else: …``; None of another condition."""
    test = node.test
    if not (isinstance(test, ast.Compare) and isinstance(test.left, ast.BinOp) and isinstance(test.left.op, ast.Mod) and isinstance(test.ops[0], ast.Eq)):
        return None
    goes = [any(isinstance(one, ast.Attribute) and one.attr == "backward" for one in own_nodes(side)) for side in (node.body, node.orelse)]
    return node.orelse if node.orelse and all(goes) else None


def _is_number(facts: Facts, test: ast.expr) -> bool | None:
    """What a test for NaN or infinity says of an ordinary number; None of another test."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = _is_number(facts, test.operand)
        return None if inner is None else not inner
    if isinstance(test, ast.BoolOp):
        answers = {_is_number(facts, value) for value in test.values}
        return answers.pop() if len(answers) == 1 else None
    while isinstance(test, ast.Call) and isinstance(test.func, ast.Attribute) and called_name(test.func) in ("any", "all", "item") and not test.args:
        test = test.func.value
    name = (callee(facts, test) or called_name(test.func)).rpartition(".")[2] if isinstance(test, ast.Call) else ""
    return True if name == "isfinite" else False if name in _FAULTS else None


def _catches_up(node: ast.If) -> bool:
    """Whether only the first turns are skipped, up to where training goes on: ``if step < start: continue``."""
    both = isinstance(node.test, ast.BoolOp) and isinstance(node.test.op, ast.And)
    tests = node.test.values if both else [node.test]  # type: ignore[attr-defined]
    return isinstance(node.body[-1], ast.Continue) and any(map(_before_begin, tests))


def _before_begin(test: ast.expr) -> bool:
    """``step < start``, ``self.step + 1 < self.start``, or the number of the turn below anything: once it is not, it never is again."""
    if not isinstance(test, ast.Compare) or len(test.ops) != 1 or not isinstance(test.ops[0], ast.Lt | ast.LtE):
        return False
    counter = test.left.left if isinstance(test.left, ast.BinOp) and isinstance(test.left.right, ast.Constant) else test.left
    if isinstance(counter, ast.Name) and _counts_turns(counter, written(test.comparators[0])):
        return True
    return bool(_COUNTER.match(called_name(counter))) and bool(_BEGIN.search(written(test.comparators[0]) or ""))


def _counts_turns(name: ast.Name, bound: str) -> bool:
    """Whether the loop around numbers its turns by a name, ``for name, batch in enumerate(…)``, and never moves the bound past it."""
    around = next((one for one in parents(name) if isinstance(one, ast.For | ast.AsyncFor)), None)
    if around is None or not isinstance(around.target, ast.Tuple) or not isinstance(around.iter, ast.Call) or called_name(around.iter.func) != "enumerate":
        return False
    moved = [
        one.value if isinstance(one, ast.Assign) else None for one in own_nodes(around.body) if isinstance(one, ast.Assign | ast.AugAssign) and bound in targets(one)
    ]
    first = around.target.elts[0]
    return isinstance(first, ast.Name) and first.id == name.id and all(isinstance(one, ast.Name) and one.id == name.id for one in moved)


def _drops_last(test: ast.expr) -> bool:
    """Whether a batch is left out that is not as large as the others: ``x.size(0) != batch_size``."""
    if not isinstance(test, ast.Compare) or len(test.ops) != 1 or not isinstance(test.ops[0], ast.NotEq | ast.Lt | ast.Gt):
        return False
    left, right = ast.unparse(test.left), ast.unparse(test.comparators[0])
    return any(_SIZE.search(one) is not None and "batch" in other.lower() and not _SIZE.search(other) for one, other in ((left, right), (right, left)))


def _switch(test: ast.expr) -> bool:
    """A flag, a test for None or of a type, a setting compared with a literal."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return _switch(test.operand)
    if isinstance(test, ast.BoolOp):
        return all(_switch(value) for value in test.values)
    if isinstance(test, ast.Constant):
        return bool(test.value)
    if isinstance(test, ast.Name | ast.Attribute):
        return True
    if isinstance(test, ast.Call):
        return isinstance(test.func, ast.Name) and test.func.id in ("isinstance", "hasattr", "callable")
    if not isinstance(test, ast.Compare):
        return False
    if isinstance(test.ops[0], ast.Is | ast.IsNot):
        return True
    return bool(_SETTINGS.search(ast.unparse(test.left))) and isinstance(test.comparators[0], ast.Constant)


def _block(
    facts: Facts, body: list[ast.stmt], through: tuple[ast.Call, ...], seen: frozenset[int], depth: int,
    skips: tuple[type, ...] = _SKIPS,
) -> Iterator[Hot]:
    for statement in body:
        if isinstance(statement, ast.If):
            yield from _expression(facts, statement.test, through, seen, depth)
            if (usual := _usual(facts, statement)) is not None:
                yield from _block(facts, usual, through, seen, depth, skips)
            elif not rarely(statement.test):
                yield from _block(facts, statement.body, through, seen, depth, skips)
                yield from _block(facts, statement.orelse, through, seen, depth, skips)
            elif (others := _all_but_some(statement)) is not None:
                yield from _block(facts, others, through, seen, depth, skips)
            elif isinstance(statement.body[-1], skips) and not _catches_up(statement) and not _drops_last(statement.test):
                return  # the rest runs in the other steps only
        elif isinstance(statement, ast.Try | ast.TryStar):
            for part in (statement.body, statement.orelse, statement.finalbody):
                yield from _block(facts, part, through, seen, depth, skips)
        elif isinstance(statement, ast.Match):
            yield from _expression(facts, statement.subject, through, seen, depth)
        elif not isinstance(statement, (*FUNCTIONS, ast.ClassDef)):
            inner = getattr(statement, "body", None)
            for child in children(statement):
                if isinstance(child, ast.expr | ast.withitem | ast.keyword):
                    yield from _expression(facts, child, through, seen, depth)
            if isinstance(inner, list):
                yield from _block(facts, inner, through, seen, depth, skips)


def _expression(
    facts: Facts, node: ast.AST, through: tuple[ast.Call, ...], seen: frozenset[int], depth: int
) -> Iterator[Hot]:
    todo = [node]
    while todo:
        current = todo.pop()
        if isinstance(current, FUNCTIONS):
            continue
        yield Hot(current, through)
        if isinstance(current, ast.IfExp) and rarely(current.test):
            todo.append(current.test)
            continue
        if isinstance(current, ast.BoolOp):
            todo.append(current.values[0])
            continue
        if isinstance(current, ast.Call) and depth:
            yield from _inside(facts, current, through, seen, depth)
        todo.extend(children(current))


def _inside(
    facts: Facts, call: ast.Call, through: tuple[ast.Call, ...], seen: frozenset[int], depth: int
) -> Iterator[Hot]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if _ASIDE.search(name):
        return
    code = called(facts, call, home=True)
    if code is None or isinstance(code.node, ast.ClassDef) or id(code.node) in seen or code.node.name == "__init__":
        return
    if _leaves_graph(code):
        return
    yield from _block(facts, code.node.body, (*through, call), seen | {id(code.node)}, depth - 1)


def _leaves_graph(code: Code) -> bool:
    """Whether a function is decorated as one that only looks: for evaluation, or run now and then."""
    return any(_ASIDE.search(ast.unparse(one)) for one in code.node.decorator_list)
