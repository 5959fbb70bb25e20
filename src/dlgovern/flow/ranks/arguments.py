"""What the parameters of a called function are given."""

from __future__ import annotations

import ast

from dlgovern.flow.ranks.shares import SHARE
from dlgovern.flow.ranks.values import COUNTED, NONE, Value, unknown
from dlgovern.source.tree import defaults

ALONE = Value("const", -1)
WORDS = "words"
"""The kind of a value that holds keywords: what a function is given beyond its parameters, as ``**kwargs``."""


def arguments(node: ast.FunctionDef | ast.AsyncFunctionDef, positional: list[Value], keywords: dict[str, Value], *, bound: bool, every: bool = False, apart: bool = False) -> dict[str, Value]:
    """The parameters that are given something that tells ranks apart or says what a model is; ``apart``: all that may differ between ranks too."""
    names = [arg.arg for arg in (*node.args.posonlyargs, *node.args.args)]
    if bound and names[:1] in (["self"], ["cls"]):
        names = names[1:]
    handed_on = keywords.get("**")
    if handed_on is not None and handed_on.kind == WORDS:
        keywords = {**dict(handed_on.data), **{name: one for name, one in keywords.items() if name != "**"}}
    given = dict(zip(names, positional, strict=False)) | keywords
    if node.args.kwarg is not None and "**" not in keywords:
        named = {*names, *(arg.arg for arg in node.args.kwonlyargs)}
        more = tuple(sorted((name, one if _tells(one) else unknown(name)) for name, one in keywords.items() if name not in named))
        given = {name: one for name, one in given.items() if name in named}
        if any(_tells(one) for _, one in more):
            given[node.args.kwarg.arg] = Value(WORDS, more)
    if "**" not in keywords:
        given = {name: ALONE for name in _alone(node) if name not in given} | given
    asked = _asked(node) if any(one.kind == "const" and isinstance(one.data, str) for one in given.values()) else ()
    return {
        name: one for name, one in given.items()
        if every or _tells(one) or (name in asked and one.kind == "const") or (apart and (one.taint or one.ranked)) or ("rank" in name and (counted(one) or one == ALONE))
    }


def _asked(node: ast.FunctionDef | ast.AsyncFunctionDef) -> frozenset[str]:
    """The names that a function compares with a text: ``split == "train"``."""
    known: frozenset[str] | None = getattr(node, "asked", None)
    if known is None:
        known = node.asked = frozenset(  # type: ignore[union-attr]  # asked for again by every call
            inner.left.id
            for inner in ast.walk(node)
            if isinstance(inner, ast.Compare) and isinstance(inner.left, ast.Name)
            and isinstance(inner.comparators[0], ast.Constant) and isinstance(inner.comparators[0].value, str)
        )
    return known


def _alone(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """The parameters of a rank that mean a single process when they are left out: ``local_rank=-1``."""
    return [
        arg.arg for arg, default in defaults(node.args)
        if "rank" in arg.arg and isinstance(default, ast.UnaryOp) and ast.unparse(default) == "-1"
    ]


def counted(one: Value) -> bool:
    """Whether a value is a number that a loop counts, or made of one: no rank, whatever it is called."""
    return one.kind == "key" and isinstance(one.data, str) and one.data.startswith(COUNTED)


def keyword(node: ast.Call, receiver: Value, positional: list[Value], around: ast.FunctionDef | ast.AsyncFunctionDef | None) -> Value | None:
    """What ``kwargs.pop("name", default)`` and ``kwargs.get("name")`` give.

    Known where a caller gave keywords that tell something; else a switch of the function ``around`` it has its default.
    """
    if not isinstance(node.func, ast.Attribute) or node.func.attr not in ("pop", "get") or not positional or positional[0].kind != "const":
        return None
    default = positional[1] if len(positional) > 1 else NONE
    if receiver.kind == WORDS:
        found: Value = dict(receiver.data).get(positional[0].data, default)
        return found
    own = around.args.kwarg if around is not None else None
    switch = default.kind == "const" and isinstance(default.data, bool)
    return default if switch and own is not None and isinstance(node.func.value, ast.Name) and node.func.value.id == own.arg else None


def switches(node: ast.FunctionDef | ast.AsyncFunctionDef) -> dict[str, Value]:
    """Parameters whose default is a truth or nothing."""
    return {
        arg.arg: Value("const", default.value)
        for arg, default in defaults(node.args)
        if isinstance(default, ast.Constant) and (default.value is None or isinstance(default.value, bool))
    }


def _tells(one: Value) -> bool:
    if one.kind in ("rank", "wrapped", "many", "callee", WORDS) or one.taint == SHARE:
        return True
    return one.kind == "const" and (one.ranked or one.data is None or isinstance(one.data, bool))
