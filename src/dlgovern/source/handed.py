"""Whether a file says words that mean something there: not in a method that only hands a call on, nor in an import of what does nothing."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable

from dlgovern.source.tree import FUNCTIONS, children

_IMPORT = re.compile(rb"^[ \t]*from[ \t]+[\w.]+[ \t]+import[ \t]+([\w, \t]+?)[ \t]*(?:#.*)?$", re.M)


def says(data: bytes, words: Iterable[str], name: str = "", idle: Collection[str] = ()) -> bool:
    """Whether a file says one of the words.

    Those about a method ``name`` count in code outside of methods of that name only; imports of nothing but ``idle`` names do not count.
    """
    about: list[bytes] = []
    others: list[bytes] = []
    for word in words:
        (about if name and name in word else others).append(word.encode())
    if any(word in data for word in others):
        rest = _IMPORT.sub(lambda line: b"" if _names(line[1]) <= set(idle) else line[0], data) if idle else data
        if any(word in rest for word in others):
            return True
    return any(word in data for word in about) and _calls(data, name)


def _names(imported: bytes) -> set[str]:
    return {part.split()[0].decode() for part in imported.split(b",") if part.split()}


def _calls(data: bytes, name: str) -> bool:
    """Whether a file names the method elsewhere than in methods of that name and in texts that stand alone; true where it does not parse."""
    try:
        todo: list[ast.AST] = [ast.parse(data)]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return True
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Attribute) and node.attr == name:
            return True
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith(name):
            return True
        if isinstance(node, FUNCTIONS) and getattr(node, "name", "") == name:
            continue
        if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            todo.extend(children(node))
    return False
