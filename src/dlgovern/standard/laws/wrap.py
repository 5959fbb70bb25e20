"""Tell an example again inside a function, a class, an `if`, or among comments (law L6)."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import NamedTuple


class Retold(NamedTuple):
    """The same program in other words; ``line`` says where a line of the original stands now."""

    name: str
    text: str
    line: Callable[[int], int]


def wrappings(text: str) -> Iterator[Retold]:
    """The program in each wrapping. Yields nothing for what is not legal elsewhere: see `why_not`."""
    module = ast.parse(text)
    for name, head in _HEADS.items():
        yield _inside(name, head, text, module)
    yield _commented(text, module)


def why_not(text: str) -> str:
    """Why a program cannot be wrapped, "" when it can."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and (node.module == "__future__" or node.names[0].name == "*"):
            return "an import that is legal only at the top of a module"
        if isinstance(node, ast.Global | ast.Nonlocal):
            return "global and nonlocal mean other names elsewhere"
        if isinstance(node, ast.Name) and node.id in ("__name__", "__all__"):
            return "a construct that means something only at the top of a module"
    return ""


_HEADS = {
    "function": ["def wrapped():"],
    "method": ["class Wrapped:", "    @staticmethod", "    def wrapped():"],
    "if": ["if wrapped:"],
}


def _inside(name: str, head: list[str], text: str, module: ast.Module) -> Retold:
    indent = " " * (4 + len(head[-1]) - len(head[-1].lstrip()))
    kept = _in_strings(module)
    lines = text.split("\n")
    body = [line if not line.strip() or number in kept else indent + line for number, line in enumerate(lines, 1)]
    return Retold(name, "\n".join([*head, *body]), lambda line: line + len(head))


def _in_strings(module: ast.Module) -> set[int]:
    """Lines that begin inside a string: indenting them would change its value."""
    found: set[int] = set()
    for node in ast.walk(module):
        text = isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes))
        if text:
            found |= set(range(node.lineno + 1, (node.end_lineno or node.lineno) + 1))  # type: ignore[attr-defined]
    return found


def _commented(text: str, module: ast.Module) -> Retold:
    starts = {min([s.lineno, *(d.lineno for d in getattr(s, "decorator_list", []))]) for s in module.body}
    ends = {s.end_lineno for s in ast.walk(module) if isinstance(s, ast.stmt)}
    strings = _in_strings(module)
    moved: dict[int, int] = {}
    out: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        if number in starts and number not in strings:
            out.append("# a comment above")
        plain = number in ends and "#" not in line and line.strip() and not line.rstrip().endswith("\\")
        out.append(f"{line}  # a comment behind" if plain else line)
        moved[number] = len(out)
    return Retold("comments", "\n".join(out), lambda line: moved.get(line, line))
