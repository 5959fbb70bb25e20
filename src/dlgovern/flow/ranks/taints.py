"""Why ranks may see different results of one call: files, clocks, and numbers that are none."""

from __future__ import annotations

import ast

from dlgovern.flow.ranks import values
from dlgovern.flow.ranks.values import Value

_FILES = frozenset(
    "os.path.exists os.path.isfile os.path.isdir os.listdir os.scandir os.access glob.glob glob.iglob".split()
)
_FILE_METHODS = frozenset("exists is_file is_dir iterdir glob rglob".split())
_CLOCKS = frozenset("time.time time.monotonic time.perf_counter datetime.datetime.now datetime.now time.time_ns".split())
_DATA = frozenset(
    "torch.isnan torch.isinf torch.isfinite math.isnan math.isinf math.isfinite numpy.isnan numpy.isinf numpy.isfinite".split()
)
_FAULTS = frozenset("isnan isinf isfinite has_inf_or_nan _has_inf_or_nan has_nan has_inf".split())
"""Methods that look for what is no number; by name where the method is one of the project."""


def taint_of(node: ast.Call, origin: str, receiver: Value | None, positional: list[Value], last: str) -> str:
    """Why ranks may see different results of a call of which nothing else is known; empty where they do not."""
    if origin in _FILES or (isinstance(node.func, ast.Attribute) and last in _FILE_METHODS and not positional):
        return "files"
    if origin in _CLOCKS:
        return "clock"
    if origin in _DATA or (isinstance(node.func, ast.Attribute) and last in _FAULTS):
        asked = positional[0] if positional else receiver
        return "" if asked is not None and (values.NORM in values.name(asked) or values.AGREED in values.name(asked)) else "data"
    if isinstance(node.func, ast.Attribute) and node.func.attr in ("any", "all", "item", "sum", "is_set") and receiver is not None:
        return receiver.taint
    return ""
