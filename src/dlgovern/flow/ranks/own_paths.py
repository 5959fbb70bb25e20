"""Whether a path may be another one on each rank, by the words that it is made of."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

from dlgovern.flow.facts import Facts
from dlgovern.flow.paths import called_name, written
from dlgovern.source.tree import children, enclosing_class, function, scope

_EACH = "<each>"
"""Stands for what a loop over data gives."""

_TEMPORARY = re.compile(r"te?mp(?!late|oral|er)", re.I)
_DEEP = 5  # assignments behind one another

_HANDED_ON = frozenset("join format str Path abspath realpath normpath expanduser fspath replace rstrip lstrip strip with_suffix joinpath".split())
"""Calls whose result is a path made of what they are given."""

_Key = tuple[int, str]
"""A variable in its function, by the identity of that, or an attribute, with 0, or what a function of the file returns, with -1."""

_RESULT = -1

_PARTS = re.compile(r"rank|ordinal|uuid|te?mp(?!late|oral|er)|bytesio|stringio|devnull|hostname|getpid", re.I)
_WORDS = frozenset(
    "pid host node nodename worker shard proc process local device gpu cuda null buffer buf stream batch sample samples prompt image img video"
    " replica stdout stderr backend logger writer".split()
)
_ITEM = re.compile(r"(?<![A-Za-z])(samples?|prompt|image|img|video)(?![A-Za-z])", re.I)
"""Words for one item of the data: a variable of such a name is another one on each rank, a text is the same text."""

_TOKEN = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def may_differ(facts: Facts, path: ast.AST) -> bool:
    """Whether a path is made of a number of the rank or the process, of a temporary name, or of what a loop over data gives."""
    return any(_is_own(word) for word in _told(facts, path))


def is_given_temporary(facts: Facts, call: ast.AST) -> bool:
    """Whether an argument of a call names something temporary."""
    return isinstance(call, ast.Call) and any(
        _TEMPORARY.search(word) for argument in (*call.args, *(word.value for word in call.keywords)) for word in _told(facts, argument)
    )


def _told(facts: Facts, node: ast.AST) -> Iterator[str]:
    """The words that an expression is made of, those of its variables included."""
    made = facts.once(may_differ, lambda: _made(facts))
    seen: set[_Key] = set()
    todo = [node]
    for _ in range(_DEEP):
        names: set[_Key] = set()
        for one in todo:
            yield from _said(one, names)
        if not made.each.isdisjoint(names):
            yield _EACH
        todo = [value for name in names - seen for value in made.values.get(name, ())]
        seen |= names


def _is_own(word: str) -> bool:
    return word == _EACH or _PARTS.search(word) is not None or not _WORDS.isdisjoint(token.lower() for token in _TOKEN.findall(word))


def _said(node: ast.AST, names: set[_Key]) -> Iterator[str]:
    """The words of an expression; what a path takes over as it is joins ``names``."""
    todo = [(node, True)]
    while todo:
        one, taken = todo.pop()
        if isinstance(one, ast.Name | ast.Attribute) and (text := written(one)):
            yield from text.split(".")
            if taken:
                names.update(_keys(one))
        elif isinstance(one, ast.Constant):
            if isinstance(one.value, str):
                yield _ITEM.sub(" ", one.value)
        elif isinstance(one, ast.Call):
            name = called_name(one.func)
            yield name
            if taken:
                names.add((_RESULT, name))
            taken = taken and name in _HANDED_ON
            if isinstance(one.func, ast.Attribute):
                todo.append((one.func.value, taken))
            todo += [(part, taken) for part in (*one.args, *(word.value for word in one.keywords))]
        elif isinstance(one, ast.Subscript) and isinstance(one.slice, ast.Constant) and isinstance(one.slice.value, str):
            todo += [(one.value, False), (one.slice, False)]  # an entry of a table is not made of what the table is made of
        elif isinstance(one, ast.IfExp):
            todo += [(one.body, taken), (one.orelse, taken), (one.test, False)]
        else:
            todo += [(part, taken) for part in children(one)]


class _Made(NamedTuple):
    """What variables, attributes and parameters of a file are given, and which of them a loop over data gives."""

    values: dict[_Key, list[ast.AST]]
    each: set[_Key]


def _made(facts: Facts) -> _Made:
    values: dict[_Key, list[ast.AST]] = {}
    each: set[_Key] = set()
    parameters: dict[str, list[_Key]] = {}
    tree = facts.tree
    for node in tree.of(ast.FunctionDef, ast.AsyncFunctionDef):
        names = [arg.arg for arg in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]  # type: ignore[attr-defined]
        own = [(id(node), name) for name in names[names[:1] == ["self"] :]]
        made = enclosing_class(node) if node.name == "__init__" else None  # type: ignore[attr-defined]
        parameters[made.name if made is not None else node.name] = own  # type: ignore[attr-defined]
    for node in tree.of(ast.Assign, ast.AnnAssign, ast.AugAssign, ast.NamedExpr):
        for target in getattr(node, "targets", None) or [node.target]:  # type: ignore[attr-defined]
            for key in _targets(target) if node.value is not None else ():  # type: ignore[attr-defined]
                values.setdefault(key, []).append(node.value)  # type: ignore[attr-defined]
    for node in tree.of(ast.Return):
        if node.value is not None and (owner := function(node)) is not None:  # type: ignore[attr-defined]
            values.setdefault((_RESULT, owner.name), []).append(node.value)  # type: ignore[attr-defined]
    for node in tree.of(ast.withitem):
        for key in _targets(node.optional_vars):  # type: ignore[attr-defined]
            values.setdefault(key, []).append(node.context_expr)  # type: ignore[attr-defined]
    for node in tree.of(ast.For, ast.AsyncFor, ast.comprehension):
        target, over = node.target, node.iter  # type: ignore[attr-defined]
        calls = {called_name(call.func) for call in ast.walk(over) if isinstance(call, ast.Call)}
        if "enumerate" in calls and isinstance(target, ast.Tuple):
            each.update(key for part in target.elts[1:] for key in _targets(part))
        elif calls.isdisjoint(("range", "trange", "count")) and not _lists(facts, over, values, set()):
            each.update(_targets(target))
        else:
            for key in _targets(target):
                values.setdefault(key, []).append(over)  # from a number on, or from a folder, which may be the rank's
    for node in tree.of(ast.Call):
        known = parameters.get(called_name(node.func), ())  # type: ignore[attr-defined]
        named = {name: key for key in known for name in key[1:]}
        given = [*zip(known, node.args, strict=False), *((named[word.arg], word.value) for word in node.keywords if word.arg in named)]  # type: ignore[attr-defined]
        for key, value in given:
            values.setdefault(key, []).append(value)
    return _Made(values, each)


def _lists(facts: Facts, node: ast.AST, values: dict[_Key, list[ast.AST]], seen: set[_Key]) -> bool:
    """Whether what a loop goes over is the same for all ranks: what a folder holds, the checkpoints of a run, or part of these."""
    if isinstance(node, ast.Call):
        name = (facts.names.origin(node.func) or called_name(node.func)).rpartition(".")[2]
        held = node.func.value if isinstance(node.func, ast.Attribute) and name in _HELD and not node.args else None
        return name in _LISTINGS or (held is not None and _lists(facts, held, values, seen)) or (name in _PASSES_ON and any(_lists(facts, one, values, seen) for one in node.args))
    if isinstance(node, ast.Subscript):
        return isinstance(node.slice, ast.Slice) and _lists(facts, node.value, values, seen)
    if isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp):
        return len(node.generators) == 1 and _lists(facts, node.generators[0].iter, values, seen)
    if not isinstance(node, ast.Name | ast.Attribute):
        return False
    if _CHECKPOINTS.search(written(node)):
        return True
    keys = [key for key in _keys(node) if key in values]
    mine = [value for key in keys if key not in seen for value in values[key]]
    seen.update(keys)
    return bool(keys) and all(_lists(facts, one, values, seen) for one in mine)


_LISTINGS = frozenset("listdir scandir glob iglob rglob iterdir".split())
_HELD = frozenset("items keys values copy".split())
_CHECKPOINTS = re.compile(r"ckpt|checkpoint", re.I)
"""Names of what holds the checkpoints of a run, which ranks do not share out among them."""

_PASSES_ON = frozenset("sorted list reversed filter set natsorted".split())


def _targets(target: ast.AST | None) -> Iterator[_Key]:
    if isinstance(target, ast.Tuple | ast.List):
        for part in target.elts:
            yield from _targets(part)
    elif isinstance(target, ast.Starred):
        yield from _targets(target.value)
    elif target is not None and (key := _key(target)) is not None:
        yield key


def _keys(node: ast.Name | ast.Attribute) -> Iterator[_Key]:
    """What a name or an attribute may be bound as, in its function and in those around it."""
    if isinstance(node, ast.Attribute):
        yield 0, written(node).removeprefix("self.")
        return
    home: ast.AST = node
    while not isinstance(home, ast.Module):
        home = scope(home)
        yield id(home), node.id


def _key(node: ast.AST) -> _Key | None:
    if isinstance(node, ast.Name):
        return id(scope(node)), node.id
    text = written(node).removeprefix("self.")
    return (0, text) if text else None
