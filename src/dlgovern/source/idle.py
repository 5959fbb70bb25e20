"""Functions of a file that nobody names: what is called in them alone never runs."""

from __future__ import annotations

import ast
import re
from functools import lru_cache

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@lru_cache(maxsize=4)  # several words are asked for in one file
def _body(data: bytes) -> list[ast.stmt] | None:
    """The statements of a file, None where it does not parse."""
    try:
        return ast.parse(data).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


@lru_cache(maxsize=64)
def idle(data: bytes, word: str) -> frozenset[str]:
    """The functions in which all mentions of a word stand, when the file names none of them again; none where one does, or may."""
    found: set[str] = set()
    for statement in _body(data) or ():
        if not _says(statement, word):
            continue
        if not isinstance(statement, _FUNCTIONS):
            return frozenset()
        found.add(statement.name)
    return frozenset(found) if found and not any(_count(data, name) > 1 for name in found) else frozenset()


@lru_cache(maxsize=64)
def in_prose(data: bytes, word: str) -> bool:
    """Whether a file says a word nowhere but in comments, in texts that stand alone and in messages of errors."""
    body = _body(data)
    return body is not None and not any(_says(statement, word) for statement in body)


@lru_cache(maxsize=64)
def called_outside(data: bytes, name: str, functions: frozenset[str]) -> bool:
    """Whether a file says a name anywhere but in these functions; no where it does not parse."""
    return any(_says(one, name) for one in _body(data) or () if not (isinstance(one, _FUNCTIONS) and one.name in functions))


def named(data: bytes, name: str) -> bool:
    """Whether a file says a name as a word."""
    return _count(data, name) > 0


def _count(data: bytes, name: str) -> int:
    return len(re.findall(rb"\b" + re.escape(name.encode()) + rb"\b", data))


def _says(statement: ast.stmt, word: str) -> bool:
    alone = {id(node.value) for node in ast.walk(statement) if isinstance(node, ast.Expr)}
    alone |= {id(text) for node in ast.walk(statement) if isinstance(node, ast.Raise) for text in ast.walk(node)}
    return any(
        (isinstance(node, ast.Name) and node.id == word)
        or (isinstance(node, ast.Attribute) and node.attr == word)
        or (isinstance(node, ast.alias) and node.name.rpartition(".")[2] == word)
        or (isinstance(node, ast.Constant) and isinstance(node.value, str) and word in node.value and id(node) not in alone)
        for node in ast.walk(statement)
    )
