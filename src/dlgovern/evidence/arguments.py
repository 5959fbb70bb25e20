"""Read which arguments a script takes: the options of its argparse parser, where nothing else can add to them."""

from __future__ import annotations

import ast
from typing import NamedTuple

from dlgovern.source.parse import Unparsable, parse


class Arguments(NamedTuple):
    """The long options of a script and where it parses them. ``strict``: it refuses every other one."""

    options: tuple[str, ...]
    strict: bool
    line: int
    column: int


_NONE = Arguments((), False, 0, 0)
_OWN = frozenset(("add_argument", "parse_args", "add_argument_group", "add_mutually_exclusive_group", "set_defaults", "print_help", "error"))


def read_arguments(data: bytes) -> Arguments:
    """The arguments of a Python file; not strict where another function, a parent or a subcommand may add some."""
    if b"ArgumentParser" not in data or b"parse_args" not in data:
        return _NONE
    try:
        module = parse(data)
    except Unparsable:
        return _NONE
    parsers = _parsers(module)
    made = [node for node in ast.walk(module) if isinstance(node, ast.Call) and _last(node.func) == "ArgumentParser"]
    if len(made) != 1 or not parsers or not _is_plain(made[0]):
        return _NONE
    options: list[str] = []
    line = column = 0
    for node in ast.walk(module):
        if not isinstance(node, ast.Call):
            continue
        receiver = node.func.value if isinstance(node.func, ast.Attribute) else None
        if isinstance(receiver, ast.Name) and receiver.id in parsers:
            name = _last(node.func)
            if name not in _OWN:
                return _NONE  # parse_known_args, add_subparsers, a framework's own
            if name == "add_argument":
                for argument in node.args:
                    if not (isinstance(argument, ast.Constant) and isinstance(argument.value, str)):
                        return _NONE
                    options += [argument.value] if argument.value.startswith("-") else []
                if any(word.arg is None or (word.arg == "nargs" and not _is_counted(word.value)) for word in node.keywords):
                    return _NONE  # argparse.REMAINDER takes what belongs to another program
            elif name == "parse_args":
                if node.args or node.keywords:
                    return _NONE
                line, column = node.lineno, node.col_offset + 1
        elif any(isinstance(inner, ast.Name) and inner.id in parsers for inner in (*node.args, *(k.value for k in node.keywords))):
            return _NONE  # somebody else gets the parser
    if any(isinstance(node, ast.Return) and isinstance(node.value, ast.Name) and node.value.id in parsers for node in ast.walk(module)):
        return _NONE
    return Arguments(tuple(options), line > 0, line, column)


def _parsers(module: ast.Module) -> set[str]:
    """The names of the parser and of its groups."""
    found: set[str] = set()
    for _ in range(3):
        for node in ast.walk(module):
            if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
                continue
            function = node.value.func
            receiver = function.value if isinstance(function, ast.Attribute) else None
            group = isinstance(receiver, ast.Name) and receiver.id in found and _last(function).startswith("add_")
            if _last(function) == "ArgumentParser" or group:
                found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return found


def _is_plain(call: ast.Call) -> bool:
    """Whether the parser takes nothing over and reads no arguments from files."""
    return not any(word.arg in (None, "parents", "fromfile_prefix_chars", "prefix_chars", "allow_abbrev") for word in call.keywords)


def _is_counted(nargs: ast.expr) -> bool:
    return isinstance(nargs, ast.Constant) and nargs.value not in ("...", "A...")


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def takes(arguments: Arguments, option: str) -> bool:
    """Whether a script takes an option, written in full or as a beginning that only one of its options has."""
    name = option.partition("=")[0]
    known = [*arguments.options, "--help"]
    return name in known or sum(other.startswith(name) for other in known) == 1
