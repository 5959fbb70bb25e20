"""Whether a function of the repository hands a keyword on to a function from outside."""

from __future__ import annotations

import ast
from collections.abc import Container

from dlgovern.flow.calls import callee
from dlgovern.flow.facts import Facts
from dlgovern.flow.paths import own_nodes
from dlgovern.flow.project import Function, definition
from dlgovern.source.tree import parents

_FEW = 400  # nodes of a wrapper; a longer function does more than pass things on


def handed_to(facts: Facts, call: ast.Call, keyword: str, names: Container[str]) -> str:
    """Which of these functions gets ``keyword`` of a call of a wrapper unchanged, "" for none.

    The wrapper may be in any file of the repository, and pass a parameter of that name or its ``**kwargs`` on.
    """
    code = definition(facts, call.func)
    if code is None or not isinstance(code.node, Function):
        return ""
    taken = _taken(code.node, keyword)
    body = list(own_nodes(code.node.body)) if taken else []
    if not body or len(body) > _FEW or _is_settled(body, taken, keyword):
        return ""
    for node in body:
        if isinstance(node, ast.Call) and any(_hands_on(word, taken, keyword) for word in node.keywords):
            origin = callee(code.facts, node)
            facts.reads |= code.facts.reads
            if origin is not None and origin in names:
                return origin
    return ""


def _taken(function: Function, keyword: str) -> str:
    """The name under which a function gets a keyword: a parameter, or ``**kwargs`` written with its stars."""
    arguments = function.args
    if any(arg.arg == keyword for arg in (*arguments.args, *arguments.kwonlyargs)):
        return keyword
    return f"**{arguments.kwarg.arg}" if arguments.kwarg else ""


def _hands_on(word: ast.keyword, taken: str, keyword: str) -> bool:
    if not isinstance(word.value, ast.Name):
        return False
    if taken.startswith("**"):
        return word.arg is None and word.value.id == taken[2:]
    return word.arg == keyword and word.value.id == taken


def _is_settled(body: list[ast.AST], taken: str, keyword: str) -> bool:
    """Whether the wrapper decides for itself: it gives the keyword another value, or drops it, under no condition."""
    for node in body:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name) and target.id == taken:
                    return True
                if _is_entry(target, taken, keyword) and not _is_conditional(node):
                    return True
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "pop":
            owner = node.func.value
            key = node.args[0] if node.args else None
            if isinstance(owner, ast.Name) and f"**{owner.id}" == taken and isinstance(key, ast.Constant):
                if key.value == keyword and not _is_conditional(node):
                    return True
    return False


def _is_entry(target: ast.AST, taken: str, keyword: str) -> bool:
    if not isinstance(target, ast.Subscript) or not isinstance(target.value, ast.Name):
        return False
    return f"**{target.value.id}" == taken and isinstance(target.slice, ast.Constant) and target.slice.value == keyword


def _is_conditional(node: ast.AST) -> bool:
    for parent in parents(node):
        if isinstance(parent, ast.If):
            return True
        if isinstance(parent, Function):
            return False
    return False
