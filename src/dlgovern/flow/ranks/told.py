"""What an object writes later that was told, when it was made, whether its rank may."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from dlgovern.flow.ranks.frame import Frame
from dlgovern.flow.ranks.project import Function, Target
from dlgovern.flow.ranks.trace import Node, events
from dlgovern.flow.ranks.values import FALSE, Value

_ABOVE = 2  # classes above one another


def later(frame: Frame, made: Target, given: dict[str, Value]) -> Iterator[tuple[Node, ...]]:
    """The steps of methods that write where a truth about the rank is true, and write nothing where it is false.

    ``made`` is the ``__init__`` of the object's class, ``given`` what it is told.
    """
    flags = [(name, one) for name, one in given.items() if one.ranked and one.kind == "const" and one.data is True]
    if not flags or made.owner is None:
        return
    classes = list(_classes(frame, Target(made.facts, made.node, made.owner), _ABOVE))
    for name, one in flags:
        kept = {f"self.{attribute}" for owner in classes for attribute in _keeps(owner, name)}
        for owner in classes if kept else ():
            for method in (node for node in owner.owner.body if isinstance(node, Function) and not node.name.startswith("__")):  # type: ignore[union-attr]
                target = Target(owner.facts, method, owner.owner)
                steps = frame.summaries.run(target, frame.cls, dict.fromkeys(kept, one), frame).steps
                if _writes(steps) and not _writes(frame.summaries.run(target, frame.cls, dict.fromkeys(kept, FALSE), frame).steps):
                    yield steps


def _classes(frame: Frame, made: Target, above: int) -> Iterator[Target]:
    """A class and those above it, each with its ``__init__`` where it has one."""
    yield made
    for base in made.owner.bases if above and made.owner is not None else ():
        found = frame.project.definition(made.facts, base)
        if found is not None and isinstance(found.node, ast.ClassDef):
            own = next((one for one in found.node.body if isinstance(one, Function) and one.name == "__init__"), made.node)
            yield from _classes(frame, Target(found.facts, own, found.node), above - 1)


def _keeps(made: Target, name: str) -> Iterator[str]:
    """The attributes that get a parameter of ``__init__`` as it is."""
    for node in ast.walk(made.node):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name) and node.value.id == name:
            for target in node.targets:
                if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "self":
                    yield target.attr


def _writes(steps: tuple[Node, ...]) -> bool:
    return any(step.kind == "write" for step in events(steps))
