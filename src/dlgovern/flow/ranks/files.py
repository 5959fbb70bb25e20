"""What a call writes or reads, and the name of the path it does so at, while files are asked for."""

from __future__ import annotations

import ast
import re
from typing import NamedTuple

from dlgovern.flow.paths import called_name, written
from dlgovern.flow.ranks import values
from dlgovern.flow.ranks.frame import Frame
from dlgovern.flow.ranks.own_paths import may_differ
from dlgovern.flow.ranks.tables import CHANGES, FileRow
from dlgovern.flow.ranks.texts import is_text
from dlgovern.flow.ranks.values import Value, unknown
from dlgovern.source.tree import FUNCTIONS, parents

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


_MODE = re.compile(r"[rwxa][bt]?\+?[bt]?")

_REPLACES = re.compile(r"[wx][bt]?\+?[bt]?")
"""Modes in which a file is written anew; what is appended is not lost."""


class Known(NamedTuple):
    """A call that is known to be about files, and its value."""

    value: Value


def call(frame: Frame, node: ast.Call, origin: str, receiver: Value | None, positional: list[Value], keywords: dict[str, Value]) -> Known | None:
    """What is known of a call while files are asked for; a write or a read is appended to the trace."""
    last = _last(node, origin)
    if (plain := _plain(frame, node, origin, receiver, positional)) is not None:
        return plain
    done = _done(frame, node, origin, last, receiver, positional, keywords)
    if done is not None:
        kind, path = done
        if path is not None and not path.ranked and path.taint in ("", OWN) and path.kind in ("key", "const"):
            emit(frame, node, kind, last or origin, path)
        return Known(unknown(f"{last}@{node.lineno}"))
    if frame.depth == 0:
        _seen(frame, node, origin, last, receiver, (*positional, *keywords.values()))
    name = last or called_name(node.func)
    if name in ("sleep", "wait", "join") or any(word in name.lower() for word in (*frame.tables.agreed, "barrier", "wait")):
        frame.emit("sync", name, node)  # whatever it is, the others may be waited for
    return None


def write(frame: Frame, node: ast.Call, origin: str, receiver: Value | None, positional: list[Value], keywords: dict[str, Value]) -> Known | None:
    """What is known of a call while writes alone are asked for; one that all who come there make at one path is appended."""
    last = _last(node, origin)
    if (plain := _plain(frame, node, origin, receiver, positional)) is not None:
        return plain
    opened = _opened(origin, last, receiver, positional, keywords)
    if opened is not None:
        mode, row = opened
        writes = _REPLACES.fullmatch(mode) is not None
    elif (known := _writer(frame, node, origin, keywords)) is not None:
        row = known
        writes = not row.at_once and values.truth(keywords.get("is_main_process", values.TRUE)) is True and not _is_harmless(row, node, positional, keywords)
    else:
        return None
    path = _path(row, receiver, positional, keywords)
    if writes and path is not None and path.kind in ("key", "const") and path.data is not None and not path.taint and not path.ranked:
        where = _path_node(row, node)
        if where is not None and not may_differ(frame.facts, where) and not _in_turn(node):
            by_name = opened is None and bool(frame.tables.files(origin, ""))
            frame.emit("write", last, node, sure="high" if by_name else "medium", group=row.how)
    return Known(unknown(f"{last}@{node.lineno}", "handle" if opened else ""))


def _last(node: ast.Call, origin: str) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else origin.rpartition(".")[2]


def _plain(frame: Frame, node: ast.Call, origin: str, receiver: Value | None, positional: list[Value]) -> Known | None:
    """A name that is another one on each rank, or a path that is only put together; None for any other call."""
    if origin in frame.tables.own or (origin in frame.tables.own_of_texts and node.args and is_text(frame.facts, node.args[0])):
        return Known(unknown(f"{_last(node, origin)}@{node.lineno}", OWN))
    text = _text(origin, _last(node, origin), receiver, positional)
    return Known(text) if text is not None else None


def _writer(frame: Frame, node: ast.Call, origin: str, keywords: dict[str, Value]) -> FileRow | None:
    """The row of the tables for a call that writes a file anew, None for another one."""
    found = frame.tables.files(origin, node.func.attr if isinstance(node.func, ast.Attribute) else "")
    if not found or found[0][0] not in CHANGES:
        return None
    row = found[0][1]
    if row.on and not (isinstance(node.func, ast.Attribute) and called_name(node.func.value).lstrip("_") in row.on):
        return None
    mode = keywords.get("mode")
    appends = mode is not None and not (mode.kind == "const" and str(mode.data)[:1] == "w")
    return None if appends or (row.words and not keywords.keys() <= {row.keyword, *row.words}) else row


def _is_harmless(row: FileRow, node: ast.Call, positional: list[Value], keywords: dict[str, Value]) -> bool:
    """Whether what removes a path takes it that another process was faster."""
    if row.how != "remove":
        return False
    told = any(values.truth(keywords[name]) is not False for name in row.unless if name in keywords)
    return told or len(positional) > row.path + 1 or _forgives(node)


def _forgives(node: ast.AST) -> bool:
    """Whether an error of the file system that a call raises is taken in its function."""
    child = node
    for parent in parents(node):
        if isinstance(parent, FUNCTIONS):
            return False
        if isinstance(parent, ast.Try) and child in parent.body and any(_takes(one) for one in parent.handlers):
            return True
        if isinstance(parent, ast.With) and any(_named(item.context_expr).rpartition(".")[2] == "suppress" for item in parent.items):
            return True
        child = parent
    return False


def _takes(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    known = any(one is None or written(one).rpartition(".")[2] in _LOST for one in kinds)
    return known and not (isinstance(handler.body[-1], ast.Raise) and len(handler.body) == 1)


_LOST = frozenset("FileNotFoundError OSError IOError EnvironmentError Exception BaseException".split())
"""Errors under which it falls that a path is gone."""


def _in_turn(node: ast.AST) -> bool:
    """Whether a lock lets one process after the other come to a call."""
    for parent in parents(node):
        if isinstance(parent, FUNCTIONS):
            return False
        if isinstance(parent, ast.With) and any("lock" in _named(item.context_expr).lower() for item in parent.items):
            return True
    return False


def _named(node: ast.expr) -> str:
    return written(node.func if isinstance(node, ast.Call) else node)


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
    opened = _opened(origin, last, receiver, positional, keywords)
    if opened is not None:
        made = _MODES.get(opened[0][:1])
        return (made, _path(opened[1], receiver, positional, keywords)) if made else None
    for kind, row in frame.tables.files(origin, last if isinstance(node.func, ast.Attribute) else ""):
        if kind in ("copy", "remove"):
            return None
        path = _path(row, receiver, positional, keywords)
        if kind != "download":
            return kind, path
        given = keywords.get("download")
        return ("write" if given is not None and values.truth(given) is not False else "read"), path
    return None


def _opened(
    origin: str, last: str, receiver: Value | None, positional: list[Value], keywords: dict[str, Value]
) -> tuple[str, FileRow] | None:
    """The mode in which a call opens a file, "" where it is not known, and where it is given the path; None for another call."""
    plain = origin in ("open", "io.open", "gzip.open")
    if not plain and not (last == "open" and receiver is not None and origin.partition(".")[0] not in ("PIL", "os", "webbrowser")):
        return None
    given = plain or (len(positional) > 1 and positional[1].kind == "const" and _MODE.fullmatch(str(positional[1].data)) is not None)
    mode = keywords.get("mode") or (positional[given] if len(positional) > given else Value("const", "r"))
    return (str(mode.data) if mode.kind == "const" else ""), FileRow(0, "file") if given else FileRow(-1, "")


def _path_node(row: FileRow, node: ast.Call) -> ast.AST | None:
    """The expression of the path."""
    if row.path < 0:
        return node.func.value if isinstance(node.func, ast.Attribute) else None
    named = next((word.value for word in node.keywords if word.arg == row.keyword), None)
    return named or (node.args[row.path] if row.path < len(node.args) else None)


def _path(row: FileRow, receiver: Value | None, positional: list[Value], keywords: dict[str, Value]) -> Value | None:
    if row.path < 0:
        return receiver
    return keywords.get(row.keyword) or (positional[row.path] if row.path < len(positional) else None)
