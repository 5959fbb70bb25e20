"""What an expression is worth on one class of ranks, and what happens while it is computed."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from dlgovern.flow.facts import Facts
from dlgovern.flow.paths import called_name, written
from dlgovern.flow.ranks import attributes, values
from dlgovern.flow.ranks.calls import call
from dlgovern.flow.ranks.files import OWN, together
from dlgovern.flow.ranks.frame import DEEPEST, Frame
from dlgovern.flow.ranks.objects import given, kinds
from dlgovern.flow.ranks.shares import SHARE, parted, picked, sliced
from dlgovern.flow.ranks.tables import APART
from dlgovern.flow.ranks.trace import Guard, choice, has_events, row
from dlgovern.flow.ranks.values import WORLD, Value, truth, unknown
from dlgovern.source.tree import children, scope


def value(frame: Frame, node: ast.AST | None) -> Value:
    """The value of an expression; its events are appended to the trace."""
    if node is None:
        return values.NONE
    frame.meter.step()
    if frame.deep > DEEPEST:
        frame.meter.deep = frame.meter.deep or any(isinstance(one, ast.Call) for one in ast.walk(node))
        return unknown(f"?{getattr(node, 'lineno', 0)}:{getattr(node, 'col_offset', 0)}")
    reader = _READERS.get(type(node))
    frame.deep += 1
    try:
        return reader(frame, node) if reader else _other(frame, node)
    finally:
        frame.deep -= 1


def _other(frame: Frame, node: ast.AST) -> Value:
    found = [value(frame, child) for child in children(node) if isinstance(child, ast.expr)]
    text = f"{type(node).__name__}({', '.join(map(values.name, found))})"
    return unknown(text, values.worst(*found) or _mixed(found), values.ranked(*found))


def _dict(frame: Frame, node: ast.Dict) -> Value:
    """A dictionary is no path: that it holds a moment or a random name says nothing of its other entries."""
    found = _other(frame, node)
    return found._replace(taint="") if found.taint == OWN else found


def _mixed(found: list[Value]) -> str:
    return "mixed" if any(one.kind in ("rank", "text") or one.ranked for one in found) else ""


def _constant(_frame: Frame, node: ast.Constant) -> Value:
    return Value("const", node.value)


def _name(frame: Frame, node: ast.Name) -> Value:
    if node.id in frame.signalled:
        return unknown(node.id, "signal")
    known = frame.env.get(node.id)
    if known is not None:
        return known
    found = _bound(frame, node)
    if found is not None and (found.ranked or found.kind in ("wrapped", "many", "const") or found.data == WORLD):
        return found
    return by_name(frame, node.id, node.id) or found or unknown(node.id)


def by_name(frame: Frame, word: str, text: str) -> Value | None:
    """What a variable, an attribute or a function of this name is usually worth, None when the name says nothing."""
    kind = frame.tables.names.get(word.lstrip("_"))
    if frame.summaries.group and kind in APART:
        return None  # a rank of the world says nothing about one in a group
    return frame.source(kind, text) if kind else None


def _bound(frame: Frame, node: ast.Name) -> Value | None:
    """The value of a variable of an outer scope that is given one value."""
    binding = frame.facts.names.binding(node)
    if binding is None or frame.static >= attributes.STATIC or binding.kind != "value" or binding.value is None:
        return None
    if not isinstance(binding.node, ast.Assign | ast.AnnAssign) or not _is_target(binding.node, node.id):
        return None
    home = scope(binding.node)
    if len(frame.facts.names.bindings(home).get(node.id, ())) != 1:
        return None
    if frame.static == 0 and frame.target is not None and home is frame.target.node:
        return None  # not yet assigned here
    return static(frame, binding.value)


def _is_target(node: ast.Assign | ast.AnnAssign, name: str) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return any(isinstance(target, ast.Name) and target.id == name for target in targets)


def static(frame: Frame, node: ast.AST, facts: Facts | None = None) -> Value:
    """The value of an expression that stands elsewhere, in this file or another one, by itself."""
    where = facts or frame.facts
    return frame.summaries.static((where.path, id(node)), frame.cls, frame.depth, lambda: value(frame.outside(facts), node))


_ENGINE_RANKS = frozenset({"global_rank", "local_rank"})
"""Attributes of the engine that DeepSpeed makes of a model."""


def _attribute(frame: Frame, node: ast.Attribute) -> Value:
    text = written(node)
    if text in frame.signalled or _is_signalled(frame, node):
        return unknown(text, "signal")
    if text and text in frame.env:
        return frame.env[text]
    base = value(frame, node.value)
    if base.kind == "wrapped":
        told = by_name(frame, node.attr, text or node.attr) if node.attr in _ENGINE_RANKS else None
        return told or (unknown(f"{text}") if node.attr == "module" else Value("key", f"{text}.{node.attr}"))
    if text.startswith(("self.", "cls.")) and text.count(".") == 1:
        own = attributes.own(frame, node)
        if own is not None:
            return own
    named = by_name(frame, node.attr, text or node.attr)
    if named is not None and frame.facts.names.origin(node) != "torch.distributed":
        return named
    if not text.startswith(("self.", "cls.")) or text.count(".") > 1:
        told = attributes.of_object(frame, node)
        if told is not None:
            return told
    return unknown(text or f"{values.name(base)}.{node.attr}", base.taint)


def _is_signalled(frame: Frame, node: ast.Attribute) -> bool:
    """Whether an attribute of an object is one that its class sets in the handler of a signal."""
    if f"self.{node.attr}" not in frame.signalled or (isinstance(node.value, ast.Name) and node.value.id == "self"):
        return False
    return any(one.facts is frame.facts and given(frame.project, one, node.attr)[1] for one in kinds(frame.project, frame.facts, node.value)[:1])


def _bool(frame: Frame, node: ast.BoolOp) -> Value:
    """``a and b``: what follows a known value runs or does not, what follows an unknown one is a choice."""
    guards, done = len(frame.guards), len(frame.out)
    ends = isinstance(node.op, ast.Or)
    found = _operands(frame, _among_many(node), ends)
    del frame.guards[guards:]
    if frame.summaries.files and found.ranked and truth(found) is ends:
        frame.out[done:] = [step for step in frame.out[done:] if step.kind not in ("read", "test")]  # what it looked at decides nothing
    if ends and found.kind == "key" and found.ranked and any(word in found.data for word in frame.tables.engines):
        return Value("const", True, found.taint, True)  # where the engine needs every rank, every rank comes
    return found


def _among_many(node: ast.BoolOp) -> ast.BoolOp:
    """``not many or (many and first)`` as ``many and first``: where there is one process, there are no ranks to tell apart."""
    rows = [one for one in node.values if isinstance(one, ast.BoolOp) and isinstance(one.op, ast.And)] if isinstance(node.op, ast.Or) else []
    asked = {written(part) for row in rows for part in row.values} - {""}
    left = [one for one in node.values if not (isinstance(one, ast.UnaryOp) and isinstance(one.op, ast.Not) and written(one.operand) in asked)]
    if len(left) in (0, len(node.values)):
        return node
    return ast.copy_location(ast.BoolOp(node.op, left), node)


def _operands(frame: Frame, node: ast.BoolOp, ends: bool) -> Value:
    """``ends`` is the truth that ends the row."""
    left: list[Value] = []
    for index, part in enumerate(node.values):
        found = value(frame, part)
        known = truth(found)
        if known is ends:
            return _row(left, ends, found) if left else found
        if found.ranked:
            frame.guards.append(Guard(frame.spot(part), text_of(frame, part)))
        if known is None:
            left.append(found)
            if rest := node.values[index + 1 :]:
                return _rest(frame, node, rest, left, ends)
        elif found.ranked:
            left.append(found)
    return _row(left, ends, None)


def _rest(frame: Frame, node: ast.BoolOp, rest: list[ast.expr], left: list[Value], ends: bool) -> Value:
    outer, frame.out = frame.out, []
    inner = ast.BoolOp(node.op, rest) if len(rest) > 1 else rest[0]
    ast.copy_location(inner, node)
    found = _bool(frame, inner) if isinstance(inner, ast.BoolOp) else value(frame, inner)
    happened, frame.out = frame.out, outer
    if happened:
        test = _row([one for one in left if truth(one) is None], ends, None)
        key = values.name(values.negate(test) if ends else test)
        guard = frame.guards[-1] if frame.guards else None
        frame.out += choice(key, happened, [], guard, node, frame.spot(node))
    return _row([*left, found], ends, None)


def _row(parts: list[Value], ends: bool, last: Value | None) -> Value:
    """What a row of operands is worth, those that are known and do not end it left out."""
    every = [*parts, *([last] if last is not None else [])]
    flag, taint = values.ranked(*every), values.worst(*every)
    for part in every:
        if truth(part) is ends and (part.ranked or not any(truth(one) is None for one in every)):
            return Value("const", ends, taint, flag)
    if any(truth(part) is ends for part in every):
        return Value("const", ends, taint, flag)
    open_parts = [part for part in every if truth(part) is None]
    if not open_parts:
        return Value("const", not ends, taint, flag)
    if len(open_parts) == 1:
        return open_parts[0]._replace(taint=taint, ranked=flag)
    return Value("key", row("or" if ends else "and", [values.name(part) for part in open_parts]), taint, flag)


def _not(frame: Frame, node: ast.UnaryOp) -> Value:
    found = value(frame, node.operand)
    if isinstance(node.op, ast.Not):
        return values.negate(found)
    if isinstance(node.op, ast.USub) and found.kind == "const" and isinstance(found.data, int | float):
        return Value("const", -found.data)
    return unknown(f"-{values.name(found)}", found.taint, found.ranked)


def _compare(frame: Frame, node: ast.Compare) -> Value:
    left = value(frame, node.left)
    results = []
    for operator, side in zip(node.ops, node.comparators, strict=True):
        right = value(frame, side)
        if isinstance(operator, ast.In | ast.NotIn) and (known := _in_environment(frame, left, side)) is not None:
            results.append(known if isinstance(operator, ast.In) else values.negate(known))
        else:
            results.append(values.compare(type(operator).__name__, left, right))
        left = right
    return results[0] if len(results) == 1 else _row(results, False, None)


def _in_environment(frame: Frame, left: Value, side: ast.expr) -> Value | None:
    """``"RANK" in os.environ``."""
    if left.kind != "const" or not isinstance(left.data, str) or frame.facts.names.origin(side) != "os.environ":
        return None
    return values.TRUE if left.data in frame.tables.environment else None


def _binary(frame: Frame, node: ast.BinOp) -> Value:
    left, right = value(frame, node.left), value(frame, node.right)
    if left.kind == "rank" and isinstance(node.op, ast.Mod | ast.FloorDiv):
        if isinstance(node.op, ast.Mod) and _counts_devices(node.right):
            return frame.source("local", "local_rank")
        return left if left.data == 0 else unknown("rank % n", "rank", True)
    if isinstance(node.op, ast.Div) and frame.summaries.files:
        return together([left, right])
    if left.kind == "many" and isinstance(node.op, ast.Sub) and right == Value("const", 1):
        return Value("last")
    if left.kind == right.kind == "const" and isinstance(node.op, ast.Add) and isinstance(left.data, str) and isinstance(right.data, str):
        return Value("const", left.data + right.data)
    text = f"{_word(left)} {type(node.op).__name__} {_word(right)}"
    return unknown(text, values.worst(left, right) or _mixed([left, right]), values.ranked(left, right))


def _word(one: Value) -> str:
    return "rank" if one.kind in ("rank", "text") else values.name(one)


def _counts_devices(node: ast.expr) -> bool:
    text = (written(node) or (written(node.func) if isinstance(node, ast.Call) else "")).lower()
    return any(word in text for word in ("gpu", "device", "local", "nproc", "per_node"))


def _conditional(frame: Frame, node: ast.IfExp) -> Value:
    test = value(frame, node.test)
    guards = len(frame.guards)
    if test.ranked:
        frame.guards.append(Guard(frame.spot(node), text_of(frame, node.test)))
    found = _chosen(frame, node, test)
    del frame.guards[guards:]
    return found


def _chosen(frame: Frame, node: ast.IfExp, test: Value) -> Value:
    known = truth(test)
    if known is not None:
        found = value(frame, node.body if known else node.orelse)
        return found._replace(ranked=found.ranked or test.ranked)
    outer, frame.out = frame.out, []
    one = value(frame, node.body)
    yes, frame.out = frame.out, []
    two = value(frame, node.orelse)
    no, frame.out = frame.out, outer
    if yes or no:
        guard = frame.guards[-1] if test.ranked else None
        frame.out += choice(values.name(test), yes, no, guard, node, frame.spot(node))
    if one == two:
        return one
    taint, flag = values.worst(test, one, two), values.ranked(test, one, two)
    return unknown(f"{values.name(one)} if {values.name(test)} else {values.name(two)}", taint, flag)


def _tuple(frame: Frame, node: ast.Tuple | ast.List | ast.Set) -> Value:
    return Value("tuple", tuple(value(frame, item) for item in node.elts))


def _text(frame: Frame, node: ast.JoinedStr) -> Value:
    found = [value(frame, part.value) for part in node.values if isinstance(part, ast.FormattedValue)]
    parts = ["{}" if isinstance(part, ast.FormattedValue) else str(getattr(part, "value", "")) for part in node.values]
    told = ",".join(map(_word, found))
    return unknown(f"f'{''.join(parts)}'({told})", values.worst(*found) or _mixed(found), values.ranked(*found))


def _subscript(frame: Frame, node: ast.Subscript) -> Value:
    if isinstance(node.slice, ast.Slice) and node.slice.step is not None and sliced(frame, node.slice):
        return unknown(f"{values.name(value(frame, node.value))}[rank::size]", SHARE)
    if parted(frame, node):
        return unknown(f"{values.name(value(frame, node.value))}[rank of size]", SHARE)
    index = value(frame, node.slice)
    if frame.facts.names.origin(node.value) == "os.environ" and index.kind == "const":
        return environment(frame, index.data)
    base = value(frame, node.value)
    if base.kind == "tuple" and index.kind == "const" and isinstance(index.data, int) and -len(base.data) <= index.data < len(base.data):
        return base.data[index.data]  # type: ignore[no-any-return]
    if index.kind == "rank" and _is_even(node.value):
        return unknown(f"{values.name(base)}[rank]", base.taint)
    return unknown(f"{values.name(base)}[{values.name(index)}]", base.taint)


def _is_even(node: ast.expr) -> bool:
    """Whether parts are as large as each other: ``x.split(len(x) // world_size)``, of which the last one is nobody's."""
    size = node.args[-1] if isinstance(node, ast.Call) and called_name(node.func) == "split" and node.args else None
    return isinstance(size, ast.BinOp) and isinstance(size.op, ast.FloorDiv)


def environment(frame: Frame, name: object) -> Value:
    """The value of an environment variable."""
    kind = frame.tables.environment.get(name) if isinstance(name, str) else None
    if frame.summaries.group and kind in APART:
        kind = None
    if kind is None:
        return unknown(f"${name}")
    found = frame.source(kind, f"${name}")
    return Value("text", found.data, "", True) if found.kind == "rank" else found


def _walrus(frame: Frame, node: ast.NamedExpr) -> Value:
    found = value(frame, node.value)
    frame.give(node.target.id, found)
    return found


def _comprehension(frame: Frame, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Value:
    outer, frame.out = frame.out, []
    kept = dict(frame.env)
    found = []
    taken = False
    for index, generator in enumerate(node.generators):
        if index == 0:
            inner, frame.out = frame.out, outer
            found.append(value(frame, generator.iter))
            frame.out = inner
        else:
            found.append(value(frame, generator.iter))
        for name in ast.walk(generator.target):
            if isinstance(name, ast.Name):
                frame.env[name.id] = unknown(f"each {name.id}")
        for test in generator.ifs:
            value(frame, test)
            taken = taken or picked(frame, test)
    parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
    found += [value(frame, part) for part in parts]
    body, frame.out, frame.env = frame.out, outer, kept
    if has_events(body):
        frame.emit("loop", "comprehension", node, branches=(tuple(body),))
    if found[-1] == values.FALSE and not isinstance(node, ast.DictComp) and not body:
        return values.NEVER
    return unknown(f"[{', '.join(map(values.name, found[:3]))}]", SHARE if taken else found[0].taint)


def _call(frame: Frame, node: ast.Call) -> Value:
    """A call: receiver and arguments first."""
    func = value(frame, node.func) if isinstance(node.func, ast.Name) else None
    receiver = None
    if isinstance(node.func, ast.Attribute):
        receiver = value(frame, node.func.value)
        func = frame.env.get(written(node.func)) or (_attribute(frame, node.func) if written(node.func).startswith("self.") else None)
    elif func is None:
        value(frame, node.func)
    positional = [value(frame, argument) for argument in node.args]
    keywords = {word.arg or "**": value(frame, word.value) for word in node.keywords}
    return call(frame, node, func, receiver, positional, keywords)


def _lambda(_frame: Frame, node: ast.Lambda) -> Value:
    return unknown(f"lambda@{node.lineno}")


def _inner(frame: Frame, node: ast.AST) -> Value:
    return value(frame, node.value)  # type: ignore[attr-defined]


def text_of(frame: Frame, node: ast.AST) -> str:
    """A condition as it is written, on one line."""
    first, last = node.lineno, node.end_lineno or node.lineno  # type: ignore[attr-defined]
    lines = frame.facts.lines
    if first != last or first > len(lines):
        return ast.unparse(node)[:120]
    raw: bytes = lines[first - 1].encode("utf-8", "surrogatepass")[node.col_offset : node.end_col_offset]  # type: ignore[attr-defined]
    return raw.decode("utf-8", "replace")[:120]


_READERS: dict[type, Callable[[Frame, Any], Value]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.BoolOp: _bool,
    ast.UnaryOp: _not,
    ast.Compare: _compare,
    ast.BinOp: _binary,
    ast.IfExp: _conditional,
    ast.Tuple: _tuple,
    ast.List: _tuple,
    ast.Set: _tuple,
    ast.JoinedStr: _text,
    ast.Subscript: _subscript,
    ast.NamedExpr: _walrus,
    ast.ListComp: _comprehension,
    ast.SetComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.DictComp: _comprehension,
    ast.Dict: _dict,
    ast.Call: _call,
    ast.Lambda: _lambda,
    ast.Await: _inner,
    ast.Starred: _inner,
}
