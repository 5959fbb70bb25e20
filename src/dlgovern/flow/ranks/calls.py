"""What a call does on one class of ranks: an operation of the tables, a function of the project, or nothing known."""

from __future__ import annotations

import ast

from dlgovern.flow.paths import called_name, written
from dlgovern.flow.ranks import files, values
from dlgovern.flow.ranks.agreed import agree, agree_inside
from dlgovern.flow.ranks.arguments import arguments, counted, keyword
from dlgovern.flow.ranks.frame import Frame
from dlgovern.flow.ranks.objects import kinds
from dlgovern.flow.ranks.operations import operation_of
from dlgovern.flow.ranks.project import Target
from dlgovern.flow.ranks.said import KEEPS
from dlgovern.flow.ranks.sharded import asks
from dlgovern.flow.ranks.shares import SHARE, chosen, shared
from dlgovern.flow.ranks.tables import APART, Operation
from dlgovern.flow.ranks.taints import taint_of
from dlgovern.flow.ranks.told import later
from dlgovern.flow.ranks.trace import has_events, trains_alone
from dlgovern.flow.ranks.values import COUNTED, NEVER, WORLD, Value, unknown

_EXITS = frozenset({"sys.exit", "os._exit", "exit", "quit"})
_SAME = frozenset({"int", "bool", "float", "str", "len", "any", "all", "abs", "max", "min", "round"})


def call(
    frame: Frame, node: ast.Call, func: Value | None, receiver: Value | None, positional: list[Value], keywords: dict[str, Value]
) -> Value:
    """The value of a call whose arguments are known; what it does is appended to the trace."""
    origin = frame.facts.names.origin(node.func) or ""
    if frame.summaries.files and (done := files.call(frame, node, origin, receiver, positional, keywords)) is not None:
        return done.value
    if frame.summaries.writes and (done := files.write(frame, node, origin, receiver, positional, keywords)) is not None:
        return done.value
    if (found := _plain(frame, node, origin, positional, keywords)) is not None:
        return found
    if receiver is not None and (found := keyword(node, receiver, positional, frame.target.node if frame.target else None)) is not None:
        return found
    if origin in _EXITS:
        failed = bool(positional) and not (positional[0].kind == "const" and positional[0].data in (0, None))
        frame.emit("exit", "raise" if failed else "exit", node)
        return unknown(f"exit@{node.lineno}")
    operation, sure = operation_of(frame, node, origin, receiver, keywords)
    if operation is not None:
        return _operate(frame, node, operation, sure, positional, keywords)
    if func is not None and func.kind == "wrapped":
        return frame.forward(func, f"{written(node.func) or 'model'}(...)", node)
    if receiver is not None and receiver.kind == "wrapped" and isinstance(node.func, ast.Attribute):
        if node.func.attr == "forward":
            frame.forward(receiver, f"{written(node.func)}(...)", node)
        if node.func.attr in KEEPS:
            return receiver
    if func is not None and func.kind == "callee":
        frame.emit("body", "body", node)
        return unknown(f"body@{node.lineno}")
    return _follow(frame, node, origin, receiver, positional, keywords)


def _plain(frame: Frame, node: ast.Call, origin: str, positional: list[Value], keywords: dict[str, Value]) -> Value | None:
    """Calls that only compute."""
    if origin in ("os.environ.get", "os.getenv") and positional and positional[0].kind == "const":
        from dlgovern.flow.ranks.expressions import environment  # calls and expressions need each other

        return environment(frame, positional[0].data)
    kind = frame.tables.calls.get(origin)
    if kind is not None:
        group = positional[0] if positional else keywords.get("group") or keywords.get("process_group")
        of = values.name(group) if group is not None and group != values.NONE and kind in ("global", "size") else ""
        return _rank_in(frame, kind, origin, "" if of.endswith(WORLD) else of)
    if frame.summaries.whole and asks(frame.facts, node, frame.tables):
        return values.FALSE
    if origin in _SAME and positional:
        one = positional[0]
        if origin == "any" and one == NEVER:
            return values.FALSE
        if one.kind == "text" and origin in ("int", "str"):
            return Value("rank", one.data, "", True) if origin == "int" else one
        if origin in ("int", "bool") and one.kind in ("rank", "many", "last"):
            return one if origin == "int" else Value("const", bool(values.truth(one)), "", one.ranked)
        if one.kind == "const" and origin in ("int", "bool"):
            return one if origin == "int" else Value("const", bool(one.data), one.taint, one.ranked)
        return unknown(f"{origin}({values.name(one)})", one.taint, one.ranked)
    if origin == "torch.compile" and positional:
        return positional[0]
    return None


def _rank_in(frame: Frame, kind: str, origin: str, group: str) -> Value:
    """A number of the rank in a group ("": the world), known where the ranks of this group are told apart."""
    if group and kind == "global" and frame.depth == 0:
        frame.summaries.groups.add(group)
    if group == frame.summaries.group:
        return frame.source(kind, origin)
    if kind not in APART:
        return frame.source(kind, origin) if not group else unknown(f"{origin} of {group}")
    return unknown(f"{origin} of {group or WORLD}")


def _operate(
    frame: Frame, node: ast.Call, operation: Operation, sure: str, positional: list[Value], keywords: dict[str, Value]
) -> Value:
    name = written(node.func) or (node.func.attr if isinstance(node.func, ast.Attribute) else "call")
    op = name.rpartition(".")[2]
    if operation.kind == "of":
        _change(frame, node, Value("wrapped", operation.how))
        return unknown(f"{op}@{node.lineno}")
    group = _group(node, operation, positional, keywords)
    if frame.summaries.writes:
        return Value("wrapped", operation.how) if operation.kind == "wrap" else unknown(f"{op}@{node.lineno}")
    if group and frame.depth == 0:
        frame.summaries.spoken.add(group)
    if group == frame.summaries.group and (operation.kind != "backward" or frame.summaries.trains):
        path = files.saved(positional, keywords, method=bool(operation.on)) if frame.summaries.files and operation.kind == "save" and not operation.one_writes else None
        if path is not None:
            files.emit(frame, node, "save", op, path)
        elif operation.kind != "group" or frame.depth == 0 or not _is_kept(frame):
            frame.emit(operation.kind, op, node, sure=sure)  # who belongs to another group is not known
    agree(frame, node, some=operation.kind != "collective" and bool(frame.guards))
    if operation.kind == "wrap":
        result = Value("wrapped", operation.how)
        if operation.in_place:
            _change(frame, node, result)
        return result
    if operation.kind == "group" and (frame.facts.names.origin(node.func) or "").endswith(".new_group") and not positional and "ranks" not in keywords:
        return unknown(WORLD)
    return unknown(f"{op}@{node.lineno}")


def _is_kept(frame: Frame) -> bool:
    """Whether what the function makes is made by its first call and kept for all others."""
    decorators = frame.target.node.decorator_list if frame.target is not None else []
    return any(called_name(one.func if isinstance(one, ast.Call) else one) in ("cache", "lru_cache") for one in decorators)


def _change(frame: Frame, node: ast.Call, result: Value) -> None:
    """The first argument of a call is something else afterwards, or is found to be."""
    if node.args and (changed := written(node.args[0])):
        frame.give(changed, result)


def _group(node: ast.Call, operation: Operation, positional: list[Value], keywords: dict[str, Value]) -> str:
    """The group of a collective, "" for all ranks."""
    given = keywords.get("group") or keywords.get("process_group")
    if given is None and 0 <= operation.group < len(positional):
        given = positional[operation.group]
    if given is None or given == values.NONE or values.name(given).endswith((WORLD, "new_group()")):
        return ""
    return values.name(given)


def _follow(
    frame: Frame, node: ast.Call, origin: str, receiver: Value | None, positional: list[Value], keywords: dict[str, Value]
) -> Value:
    """A function of the project, or one of which nothing is known."""
    text = written(node.func) or f"call@{node.lineno}:{node.col_offset}"
    last, known = text.rpartition(".")[2], None
    silent = frame.summaries.leads_nowhere(frame, node.func, (*positional, *keywords.values()))
    followed = not silent and frame.summaries.may_follow(frame) and frame.summaries.may_lead(frame, node.func)
    target = frame.project.function(frame.facts, node.func) if followed else None
    if target is not None:
        given = arguments(target.node, positional, keywords, bound=isinstance(node.func, ast.Attribute) or target.node.name in ("__init__", "__call__"), every=frame.summaries.files, apart=frame.summaries.writes)
        summary = frame.summaries.run(target, frame.cls, given, frame, site=frame.spot(node))
        frame.cut |= summary.cut
        if summary.steps:
            frame.emit("call", last, node, branches=(summary.steps,))
            if has_events(summary.steps) and not frame.summaries.writes:
                agree(frame, node, some=bool(frame.guards))
                agree_inside(frame, node)
        for steps in later(frame, target, given) if frame.summaries.writes and target.node.name == "__init__" else ():
            frame.emit("call", last, node, branches=(steps,))
        telling = summary.value.kind != "key" or summary.value.taint or summary.value.ranked or summary.value.data == WORLD
        if target.node.name != "__init__" and telling and not _may_be_other(frame, node, target, summary.value):
            known = summary.value
        elif any(map(counted, positional)):
            return unknown(f"{COUNTED}{text}@{node.lineno}")
    elif not silent and frame.summaries.leads_on(frame, node):
        frame.cut |= {frame.spot(node)}
    if known is not None:
        return known
    from dlgovern.flow.ranks.expressions import by_name  # calls and expressions need each other

    if last == "rank" and not positional and receiver is not None and text.lower().endswith(("group.rank", "pg.rank")):
        return _rank_in(frame, "global", text, values.name(receiver))
    if last in ("get_group", "get_local_rank") and isinstance(node.func, ast.Attribute):
        group = f"{text.removesuffix(last)}get_group({', '.join(map(values.name, (*positional, *keywords.values())))})"
        if last == "get_group":
            return unknown(group)
        if group == frame.summaries.group:
            return frame.source("global", text)
        if frame.depth == 0:
            frame.summaries.groups.add(group)
    if not positional and not keywords and (named := by_name(frame, last, text)) is not None:
        return named
    if target is None and not silent and any(word in last.lower() for word in frame.tables.agreed):
        agree(frame, node)
        agree_inside(frame, node)
        return unknown(f"{text}@{node.lineno}")
    if not positional and not keywords and (changed := frame.env.get(text)) is not None and changed.kind == "key":
        return changed
    own = trains_alone(summary.steps) if target is not None else chosen(frame, node, last)
    taint = "data" if own else taint_of(node, origin, receiver, positional, last)
    if not taint and shared(frame, node, origin, last, positional, keywords):
        taint = SHARE
    mixed = "mixed" if any(one.kind in ("rank", "text") or one.ranked for one in (*positional, *keywords.values())) else ""
    agreed = values.of_agreed(receiver) or (values.of_agreed(summary.value) if target is not None else "")
    return unknown(f"{agreed}{text}@{node.lineno}", taint or mixed)


def _may_be_other(frame: Frame, node: ast.Call, target: Target, result: Value) -> bool:
    """Whether a result says nothing of the rank and is only what one class returns, where the object may be of a class below it."""
    if target.owner is None or result.ranked or result.kind not in ("const", "key") or not isinstance(node.func, ast.Attribute):
        return False
    return written(node.func.value) not in ("self", "cls") and any(not kind.made for kind in kinds(frame.project, frame.facts, node.func.value))
