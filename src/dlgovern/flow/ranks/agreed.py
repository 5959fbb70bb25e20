"""What ranks know alike after they have met."""

from __future__ import annotations

import ast

from dlgovern.flow.paths import written
from dlgovern.flow.ranks import values
from dlgovern.flow.ranks.frame import Frame
from dlgovern.flow.ranks.values import Value, unknown

STIRRED = "#own "
"""Part of the name of what calls that some ranks alone made have changed in an object."""

_SETTINGS = frozenset("device_ids group process_group src dst root async_op timeout".split())
"""What a collective is told about itself: nothing of it comes from another rank."""

_STAYS = frozenset({"wrapped", "rank", "text"})
"""Kinds of values that no collective changes: a model, and the number of the rank, with which it finds its device."""


def agree(frame: Frame, node: ast.Call, *, some: bool = False) -> None:
    """What a collective was given is the same on every rank afterwards; ``some``: where only some ranks call it, what is the same on all anyway stays."""
    for argument in (*node.args, *(word.value for word in node.keywords if word.arg not in _SETTINGS)):
        for inner in ast.walk(argument):
            name = written(inner) if isinstance(inner, ast.Name | ast.Attribute) else ""
            if name and (name in frame.env and frame.env[name].kind not in _STAYS) and not (some and not frame.env[name].taint and not frame.env[name].ranked):
                _hand_out(frame, name, unknown(f"{values.AGREED}{name}@{node.lineno}"))


def agree_inside(frame: Frame, node: ast.Call) -> None:
    """What an object that ranks have changed for themselves holds is the same on every rank after they meet over it: ``stopper.synchronize()``."""
    objects = [node.func.value] if isinstance(node.func, ast.Attribute) else []
    for one in filter(None, map(written, (*objects, *node.args))):
        for name in [name for name in frame.env if name.rpartition(".")[0] == one and STIRRED in values.name(frame.env[name])]:
            del frame.env[name]
            frame.parted.discard(name)


def _hand_out(frame: Frame, name: str, agreed: Value) -> None:
    """Give a variable what a collective gave every rank; what the list was made of is a part of that: ``box = [stop]``, ``broadcast_object_list(box)``."""
    before = frame.env[name]
    frame.env[name] = agreed
    for index, part in enumerate(before.data if before.kind == "tuple" else ()):
        if part.kind == "key":
            for other in [other for other, one in frame.env.items() if one.kind == "key" and one.data == part.data]:
                frame.env[other] = unknown(f"{values.name(agreed)}[{values.name(Value('const', index))}]")
