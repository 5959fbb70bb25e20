"""What an attribute of an object is worth: what its class gives it, or what a property of the class returns."""

from __future__ import annotations

import ast

from dlgovern.flow.facts import Facts
from dlgovern.flow.paths import called_name
from dlgovern.flow.ranks.answers import answers
from dlgovern.flow.ranks.candidates import candidates
from dlgovern.flow.ranks.frame import Frame
from dlgovern.flow.ranks.objects import given, kinds
from dlgovern.flow.ranks.partly import partly
from dlgovern.flow.ranks.project import Target
from dlgovern.flow.ranks.values import WORLD, Value
from dlgovern.source.names import Binding
from dlgovern.source.tree import enclosing_class

STATIC = 4  # levels of variables that are followed outside the function


def own(frame: Frame, node: ast.Attribute) -> Value | None:
    """What the class around gives its attribute, where that is a rank, a truth about ranks, or a wrapped model."""
    if frame.static >= STATIC or not _may_tell(frame, node.attr):
        return None
    bindings = frame.facts.names.attribute_bindings(node)
    if len(bindings) > 1 and (some := partly(f"self.{node.attr}", bindings, lambda test: _static(frame, test))) is not None:
        return some
    found = _given(frame, frame.facts, bindings, node.attr)
    if found:
        wrapped = next((one for one in found if one.kind == "wrapped"), None)
        return wrapped or _telling(found)
    owner = enclosing_class(node)
    return _property(frame, frame.project.method(frame.facts, owner, node.attr, 1)) if owner else None


def of_object(frame: Frame, node: ast.Attribute) -> Value | None:
    """What the class of an object gives an attribute of it, where that is a rank or a truth about ranks."""
    if frame.static >= STATIC:
        return None
    if frame.quiet is None:
        known = answers(frame.facts, frame.tables)
        frame.project.reads |= known.reads
        if node.attr not in known.names:
            return None
    elif node.attr not in candidates(frame.facts, frame.tables).parting:
        return None
    for kind in kinds(frame.project, frame.facts, node.value)[:1]:
        facts, bindings = given(frame.project, kind, node.attr)
        if bindings:
            return _telling(_given(frame, facts, bindings, node.attr))
        return _property(frame, frame.project.method(kind.facts, kind.node, node.attr))
    return None


def _may_tell(frame: Frame, name: str) -> bool:
    """Whether the words of the file say that an attribute can be about ranks; True where nobody has asked for its words."""
    return frame.quiet is None or name in candidates(frame.facts, frame.tables).telling


def _static(frame: Frame, node: ast.AST, facts: Facts | None = None) -> Value:
    """The value of an expression that stands elsewhere."""
    from dlgovern.flow.ranks import expressions  # attributes and expressions need each other

    return expressions.static(frame, node, facts)


def _given(frame: Frame, facts: Facts, bindings: list[Binding], name: str) -> list[Value]:
    return [
        _static(frame, binding.value, facts)
        for binding in bindings
        if binding.kind == "value" and binding.value is not None and _is_target(binding.node, name)
    ]


def _telling(found: list[Value]) -> Value | None:
    """What tells something of the rank among the values of one attribute, constants beside it left out: those of a single process."""
    telling = [one for one in found if one.ranked or one.data == WORLD]
    same = bool(telling) and all(one == telling[0] or (one.kind == "const" and not one.ranked) for one in found)
    return telling[0] if same else None


def _property(frame: Frame, method: Target | None) -> Value | None:
    if method is None or not any(called_name(decorator) in ("property", "cached_property") for decorator in method.node.decorator_list):
        return None
    result = frame.summaries.run(method, frame.cls, {}, frame).value
    return result if result.ranked else None


def _is_target(node: ast.AST, name: str) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    for target in targets:
        if (target.attr if isinstance(target, ast.Attribute) else target.id if isinstance(target, ast.Name) else "") == name:
            return True
    return False
