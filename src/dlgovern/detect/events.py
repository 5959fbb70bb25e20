"""Which calls and assignments of a file are the events that a rule about order names."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from dlgovern.detect.where import Seen, holds
from dlgovern.flow.calls import arguments, callee
from dlgovern.flow.classes import uses
from dlgovern.flow.facts import Facts
from dlgovern.flow.paths import own_nodes, written
from dlgovern.source.tree import function

_SAME_OBJECT = frozenset({"to", "cuda", "cpu", "half", "float", "double", "bfloat16", "requires_grad_", "train"})


class Event(NamedTuple):
    """One occurrence. ``subject`` is the object it is about as written, "" when it is about none."""

    name: str
    node: ast.AST
    subject: str
    written: str


class Events:
    """The events of one rule in one file."""

    def __init__(self, parameters: Mapping[str, Any], facts: Facts) -> None:
        self.facts = facts
        self.declared = parameters
        self._spare = parameters.get("spare", ())
        self._objects = {kind["kind"]: kind for kind in parameters.get("objects", ())}
        self._known: dict[int, tuple[Event, ...]] = {}
        self._events = list(parameters["events"])
        self._names: set[str] | None = None

    def at(self, node: ast.AST) -> tuple[Event, ...]:
        """The events that a call or an assignment is."""
        if not isinstance(node, ast.Call | ast.Assign):
            return ()
        key = id(node)
        if key not in self._known:
            self._known[key] = tuple(self._find(node))
        return self._known[key]

    def among(self, body: list[ast.stmt]) -> Iterator[Event]:
        """The events below these statements, nested functions left out."""
        for node in own_nodes(body):
            yield from self.at(node)

    def anywhere(self, name: str) -> bool:
        """Whether the file has an event of this name."""
        if self._names is None:
            nodes = self.facts.tree.of(ast.Call, ast.Assign)
            self._names = {event.name for node in nodes for event in self.at(node)}
        return name in self._names

    def _find(self, node: ast.Call | ast.Assign) -> Iterator[Event]:
        for declared in self._events:
            if isinstance(node, ast.Assign):
                subject = self._made(node, declared) if "makes" in declared or "classes" in declared else None
                about: ast.AST = node.value
            else:
                subject = self._called(node, declared)
                about = node.func
            if subject is not None:
                yield Event(declared["name"], node, subject, _text(self.facts, about))

    # -- calls -----------------------------------------------------------------------------------------

    def _called(self, call: ast.Call, declared: Mapping[str, Any]) -> str | None:
        """The subject of a call that is this event, None when it is not."""
        facts = self.facts
        subject = ""
        if "names" in declared:
            if callee(facts, call) not in declared["names"]:
                return None
        elif "calls" in declared:
            receiver = next((r for m in declared["calls"] if (r := self._chain(call.func, m)) is not None), None)
            if receiver is None or not self._is(receiver, declared.get("on", "")):
                return None
            subject = written(receiver)
        else:
            return None
        if "within" in declared and not ((owner := function(call)) is not None and re.search(declared["within"], owner.name)):
            return None
        if ("where" in declared or "unless" in declared) and not self._holds(call, declared):
            return None
        return self._subject(call, declared, subject)

    def _holds(self, call: ast.Call, declared: Mapping[str, Any]) -> bool:
        seen = Seen(self.facts, call, arguments(self.facts, call))
        return all(holds(p, seen) for p in declared.get("where", ())) and not any(
            holds(p, seen) for p in declared.get("unless", ())
        )

    def _subject(self, call: ast.Call, declared: Mapping[str, Any], receiver: str) -> str | None:
        wanted = declared.get("subject", "receiver" if "on" in declared else "none")
        if wanted == "receiver":
            return receiver or None
        if wanted == "first":
            return (written(call.args[0]) or None) if call.args else None
        return ""

    def _chain(self, func: ast.AST, methods: str) -> ast.AST | None:
        """The object of ``object.scale(…).backward`` for ``scale().backward``, or ``grad.clamp_``, through a name for the middle."""
        node: ast.AST = func
        parts = methods.split("().")
        for index, part in enumerate(reversed(parts)):
            if index:
                node = self._value(node)
                if not isinstance(node, ast.Call):
                    return None
                node = node.func
            for name in reversed(part.split(".")):
                if not isinstance(node, ast.Attribute) or node.attr != name:
                    return None
                node = node.value
        return node

    def _value(self, node: ast.AST) -> ast.AST:
        if isinstance(node, ast.Name):
            binding = self.facts.names.binding(node)
            if binding and binding.kind == "value" and binding.value is not None:
                return binding.value
        return node

    def _is(self, receiver: ast.AST, kind: str) -> bool:
        """Whether an object is of a kind: made by one of its names, or called like one."""
        if not kind:
            return True
        told = self._objects.get(kind)
        if told is None or ("switched-off" in self._spare and self._is_switched_off(receiver)):
            return False
        origin = self.facts.names.origin(receiver) or ""
        if _among(origin.removesuffix("()"), told.get("not_by", ())):
            return False
        if origin.endswith("()") and _among(origin[:-2], told.get("made_by", ())):
            return True
        name = written(receiver).rpartition(".")[2]
        return bool(name and (pattern := told.get("called")) and re.search(pattern, name, re.I))

    def _is_switched_off(self, receiver: ast.AST) -> bool:
        binding = None
        if isinstance(receiver, ast.Name):
            binding = self.facts.names.binding(receiver)
        elif isinstance(receiver, ast.Attribute) and (found := self.facts.names.attribute_bindings(receiver)):
            binding = found[0] if len(found) == 1 else None
        return binding is not None and is_switched_off(self.facts, binding.value)

    # -- assignments -----------------------------------------------------------------------------------

    def _made(self, node: ast.Assign, declared: Mapping[str, Any]) -> str | None:
        """The name that gets an object made here, None when none is made."""
        if len(node.targets) != 1 or not (target := written(node.targets[0])):
            return None
        value: ast.AST = node.value
        while isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr in _SAME_OBJECT:
            value = value.func.value
        if not isinstance(value, ast.Call):
            return None
        origin = self.facts.names.origin(value.func) or ""
        if _among(origin, declared.get("makes", ())):
            return target
        return target if uses(self.facts, value.func, declared.get("classes", ())) else None


def is_switched_off(facts: Facts, made: ast.AST | None) -> bool:
    """Whether an object is made with ``enabled=False``."""
    return isinstance(made, ast.Call) and holds({"argument": "enabled", "is": False}, Seen(facts, made, arguments(facts, made)))


def words_of(parameters: dict[str, Any], name: str) -> list[str]:
    """The words without which there is no such event, where there is only one way to it."""
    events = [event for event in parameters["events"] if event["name"] == name]
    ways: list[str] = events[0].get("calls", []) if len(events) == 1 and "names" not in events[0] else []
    return ways[0].split("().") if len(ways) == 1 else []


def _among(origin: str, names: Any) -> bool:
    """Whether a name is one of these; ``a.*`` is every name below, and nothing that a call of it gives."""
    return bool(origin) and any(
        origin == name or (name.endswith(".*") and origin.startswith(name[:-1]) and "(" not in origin) for name in names
    )


def _text(facts: Facts, node: ast.AST) -> str:
    line, column, end_line, end_column = facts.span(node)
    if line != end_line:
        return facts.lines[line - 1][column - 1 :].strip() + " …"
    return facts.lines[line - 1][column - 1 : end_column - 1]
