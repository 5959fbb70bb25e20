"""The arguments of a call as its callee sees them, through ``functools.partial``."""

from __future__ import annotations

import ast
from typing import NamedTuple
from weakref import WeakKeyDictionary

from dlgovern.flow.facts import Facts
from dlgovern.source.tree import scope

_PARTIAL = frozenset({"functools.partial", "functools.partialmethod"})


class Arguments(NamedTuple):
    """What a call passes. ``open_*``: ``*args`` or ``**kwargs`` may bring more; ``partial``: more may follow."""

    positional: tuple[ast.expr, ...]
    keywords: dict[str, ast.expr]
    open_positional: bool
    open_keywords: bool
    partial: bool
    earlier: frozenset[str]  # keywords that an earlier partial brought; they are reported there


def callee(facts: Facts, call: ast.Call) -> str | None:
    """The origin of what is called; for ``partial(f, …)`` that of ``f``."""
    origin = facts.names.origin(call.func)
    if origin in _PARTIAL and call.args:
        return facts.names.origin(call.args[0])
    return origin


def arguments(facts: Facts, call: ast.Call) -> Arguments:
    """The arguments of ``call``, those of a partial that made its callee included."""
    partial = facts.names.origin(call.func) in _PARTIAL and bool(call.args)
    given = call.args[1:] if partial else call.args
    stars = [index for index, arg in enumerate(given) if isinstance(arg, ast.Starred)]
    positional = tuple(given[: stars[0]] if stars else given)
    keywords = {word.arg: word.value for word in call.keywords if word.arg}
    open_keywords = any(word.arg is None for word in call.keywords)
    if open_keywords:
        keywords = {**_defaults(facts, call), **keywords}
    inner = _partial_of(facts, call.args[0] if partial else call.func)
    if inner is None:
        return Arguments(positional, keywords, bool(stars), open_keywords, partial, frozenset())
    before = arguments(facts, inner)
    return Arguments(
        (*before.positional, *positional),
        before.keywords | keywords,
        bool(stars) or before.open_positional,
        open_keywords or before.open_keywords,
        partial,
        frozenset(before.keywords) - frozenset(keywords),
    )


_SET: WeakKeyDictionary[Facts, dict[tuple[int, str], dict[str, ast.expr]]] = WeakKeyDictionary()


def _defaults(facts: Facts, call: ast.Call) -> dict[str, ast.expr]:
    """What ``kwargs.setdefault("name", value)`` in the same function gives a call with ``**kwargs`` when nothing is said."""
    if facts not in _SET:
        found: dict[tuple[int, str], dict[str, ast.expr]] = {}
        for node in facts.tree.of(ast.Call):
            function, given = node.func, node.args  # type: ignore[attr-defined]
            if (
                isinstance(function, ast.Attribute)
                and function.attr == "setdefault"
                and isinstance(function.value, ast.Name)
                and len(given) == 2  # noqa: PLR2004 - a key and its value
                and isinstance(given[0], ast.Constant)
                and isinstance(given[0].value, str)
            ):
                found.setdefault((id(scope(node)), function.value.id), {}).setdefault(given[0].value, given[1])
        _SET[facts] = found
    if not _SET[facts]:
        return {}
    names = [word.value.id for word in call.keywords if word.arg is None and isinstance(word.value, ast.Name)]
    home = id(scope(call))
    return {key: value for name in names for key, value in _SET[facts].get((home, name), {}).items()}


def argument(found: Arguments, name: str, position: int | None = None) -> ast.expr | None:
    """The value of one parameter, by keyword or by position counted from 0."""
    if name in found.keywords:
        return found.keywords[name]
    if position is not None and position < len(found.positional):
        return found.positional[position]
    return None


def _partial_of(facts: Facts, node: ast.AST) -> ast.Call | None:
    if not isinstance(node, ast.Name):
        return None
    binding = facts.names.binding(node)
    if binding is None or not isinstance(binding.value, ast.Call):
        return None
    return binding.value if facts.names.origin(binding.value.func) in _PARTIAL and binding.value.args else None
