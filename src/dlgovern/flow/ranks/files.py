"""What a call writes or reads, and the name of the path it does so at, while files are asked for."""

from __future__ import annotations

import ast
from typing import NamedTuple

from dlgovern.flow.ranks import values
from dlgovern.flow.ranks.frame import Frame
from dlgovern.flow.ranks.tables import FileRow
from dlgovern.flow.ranks.values import Value, unknown

OWN = "own"
"""The taint of what every process has for itself: a moment, a random name, a number of the process."""

_JOINS = frozenset({"os.path.join", "pathlib.Path", "pathlib.PurePath"})
_SAME = frozenset(
    "os.path.abspath os.path.expanduser os.path.realpath os.path.normpath os.fspath str torch.distributed.checkpoint.FileSystemWriter"
    " torch.distributed.checkpoint.FsspecWriter torch.distributed.checkpoint.filesystem.FileSystemWriter".split()
)
_SAME_METHODS = frozenset("strftime isoformat replace strip lower upper as_posix resolve absolute expanduser hexdigest timestamp".split())
_ARGUMENTS = ("checkpoint_id", "storage_writer", "output_dir", "save_dir", "filepath", "path", "tag")
"""Arguments that name where a save of all ranks goes."""

_TESTS = frozenset({"os.path.exists", "os.path.isfile", "os.path.isdir"})
_TEST_METHODS = frozenset({"exists", "is_file", "is_dir", "isfile", "isdir"})
_MAKES = ("save", "dump", "write")
"""How names of functions begin that may make a file."""

_MODES = {"w": "write", "a": "write", "x": "write", "r": "read"}


class Known(NamedTuple):
    """A call that is known to be about files, and its value."""

    value: Value


def call(frame: Frame, node: ast.Call, origin: str, receiver: Value | None, positional: list[Value], keywords: dict[str, Value]) -> Known | None:
    """What is known of a call while files are asked for; a write or a read is appended to the trace."""
    last = node.func.attr if isinstance(node.func, ast.Attribute) else origin.rpartition(".")[2]
    if origin in frame.tables.own:
        return Known(unknown(f"{last}@{node.lineno}", OWN))
    if (text := _text(origin, last, receiver, positional)) is not None:
        return Known(text)
    done = _done(frame, node, origin, last, receiver, positional, keywords)
    if done is not None:
        kind, path = done
        if path is not None and not path.ranked and path.taint in ("", OWN) and path.kind in ("key", "const"):
            emit(frame, node, kind, last or origin, path)
        return Known(unknown(f"{last}@{node.lineno}"))
    if frame.depth == 0:
        _seen(frame, node, origin, last, receiver, (*positional, *keywords.values()))
    if last in ("sleep", "wait", "join") or any(word in last.lower() for word in (*frame.tables.agreed, "barrier", "wait")):
        frame.emit("sync", last, node)  # whatever it is, the others may be waited for
    return None


def _seen(frame: Frame, node: ast.Call, origin: str, last: str, receiver: Value | None, given: tuple[Value, ...]) -> None:
    """Append a test whether a path is there, or that it may be made, in the judged function itself."""
    tests = origin in _TESTS or (receiver is not None and last in _TEST_METHODS)
    paths = given[:1] or (receiver,) if tests else given if last.startswith(_MAKES) else ()
    for path in paths:
        if path is not None and path.kind == "key" and not path.ranked and not path.taint:
            emit(frame, node, "test" if tests else "maybe", last, path)


def emit(frame: Frame, node: ast.AST, kind: str, op: str, path: Value) -> None:
    """Append a write, a read or a save of all ranks; ``group`` is the path, with ~ in front where every process has its own."""
    frame.emit(kind, op, node, group=("~" if path.taint == OWN else "") + values.name(path))


def saved(positional: list[Value], keywords: dict[str, Value], *, method: bool) -> Value | None:
    """Where a save of all ranks goes."""
    named = next((keywords[name] for name in _ARGUMENTS if name in keywords), None)
    return named or (positional[0] if method and positional else None)


def _text(origin: str, last: str, receiver: Value | None, positional: list[Value]) -> Value | None:
    """The value of a call that only makes a path or a text out of others."""
    if origin in _JOINS and positional:
        parts = positional
    elif last == "joinpath" and receiver is not None:
        parts = [receiver, *positional]
    elif (origin in _SAME and positional) or (last in _SAME_METHODS and receiver is not None and receiver.taint):
        return positional[0] if origin in _SAME else receiver
    elif last == "format" and receiver is not None:
        parts = [receiver, *positional]
    else:
        return None
    return together(parts)


def together(parts: list[Value]) -> Value:
    """A path made of parts."""
    if len(parts) == 1:
        return parts[0]
    mixed = "mixed" if any(one.kind in ("rank", "text") or one.ranked for one in parts) else ""
    return unknown("/".join(map(values.name, parts)), mixed or values.worst(*parts), values.ranked(*parts))


def _done(
    frame: Frame, node: ast.Call, origin: str, last: str, receiver: Value | None, positional: list[Value], keywords: dict[str, Value]
) -> tuple[str, Value | None] | None:
    if origin in ("open", "io.open", "gzip.open") or (last == "open" and receiver is not None and origin.partition(".")[0] not in ("PIL", "os", "webbrowser")):
        plain = origin in ("open", "io.open", "gzip.open")
        mode = keywords.get("mode") or (positional[plain] if len(positional) > plain else Value("const", "r"))
        kind = _MODES.get(str(mode.data)[:1]) if mode.kind == "const" else None
        path = positional[0] if plain and positional else keywords.get("file") if plain else receiver
        return (kind, path) if kind else None
    for kind, row in frame.tables.files(origin, last if isinstance(node.func, ast.Attribute) else ""):
        path = _path(row, receiver, positional, keywords)
        if kind != "download":
            return kind, path
        given = keywords.get("download")
        return ("write" if given is not None and values.truth(given) is not False else "read"), path
    return None


def _path(row: FileRow, receiver: Value | None, positional: list[Value], keywords: dict[str, Value]) -> Value | None:
    if row.path < 0:
        return receiver
    return keywords.get(row.keyword) or (positional[row.path] if row.path < len(positional) else None)
