"""Which operation of the tables a call is, and how sure that is."""

from __future__ import annotations

import ast

from dlgovern.flow.paths import called_on, own_nodes, written
from dlgovern.flow.ranks import values
from dlgovern.flow.ranks.frame import Frame
from dlgovern.flow.ranks.sharded import asks
from dlgovern.flow.ranks.tables import Operation
from dlgovern.flow.ranks.values import Value
from dlgovern.source.tree import FUNCTIONS, function, parents


def operation_of(
    frame: Frame, node: ast.Call, origin: str, receiver: Value | None, keywords: dict[str, Value]
) -> tuple[Operation | None, str]:
    """The operation of the tables that a call is, and how sure that is."""
    found = frame.tables.functions.get(origin.replace(".distributed_c10d.", "."))
    if found is not None:
        return (found, "high") if _applies(frame, node, found, keywords) else (None, "")
    if not isinstance(node.func, ast.Attribute):
        return None, ""
    for one in frame.tables.methods.get(node.func.attr, ()):
        sure = _receives(frame, node.func, origin, receiver, one)
        if sure and _applies(frame, node, one, keywords):
            return one, sure
    return None, ""


def _applies(frame: Frame, node: ast.Call, operation: Operation, keywords: dict[str, Value]) -> bool:
    if operation.unless and values.truth(keywords.get(operation.unless, values.FALSE)) is not False:
        return False
    if operation.text and not _is_told(frame, node, operation.text):
        return False
    if not operation.where:
        return True
    given = keywords.get(operation.where)
    if given is None:
        return any(_says(frame, word.value, operation.where) for word in node.keywords)  # in an object of options
    return values.truth(given) is not False


def _is_told(frame: Frame, node: ast.AST, words: tuple[str, ...]) -> bool:
    """Whether a file has one of the words, and no condition of the function around a call has one, or asks for an engine."""
    if not any(word.encode() in frame.facts.data for word in words):
        return False
    owner = function(node)
    tests = (one.test for one in own_nodes(owner.body if owner else frame.facts.tree.module.body) if isinstance(one, ast.If | ast.IfExp))
    return not any(word in ast.dump(test) for test in tests for word in (*words, *frame.tables.engines))


def _says(frame: Frame, node: ast.AST, word: str) -> bool:
    """Whether an object is made with the keyword ``word`` set to true, here or where its name is bound."""
    if isinstance(node, ast.Name):
        binding = frame.facts.names.binding(node)
        return binding is not None and isinstance(binding.value, ast.Call) and _says(frame, binding.value, word)
    return isinstance(node, ast.Call) and any(
        one.arg == word and not (isinstance(one.value, ast.Constant) and not one.value.value) for one in node.keywords
    )


def _receives(frame: Frame, func: ast.Attribute, origin: str, receiver: Value | None, operation: Operation) -> str:
    """How sure it is that the method is called on one of the operation's objects, "" when it is not."""
    text = written(func.value) or called_on(func)
    last = text.rpartition(".")[2].lstrip("_") if not isinstance(func.value, ast.Call) else ".".join(text.split(".")[-2:]).lstrip("_")
    base = origin.rpartition(".")[0]
    idiom = ""
    if isinstance(func.value, ast.Name) and _is_alone(frame, func.value):
        return ""
    other = "()" in base and any(pattern.endswith("()") for pattern in operation.on)  # made by another class
    for pattern in operation.on:
        if pattern.startswith("wrapped "):
            if receiver is not None and receiver.kind == "wrapped" and receiver.data == pattern.removeprefix("wrapped "):
                return "high"
        elif pattern == "*":
            return "" if frame.depth and _only_of_shards(frame, func) else "high"
        elif pattern.endswith("()") and _is_made(base, pattern):
            return "high"
        elif not other and pattern in (text, last) and text:
            idiom = pattern
    if not idiom:
        return ""
    roots = {pattern.partition(".")[0] for pattern in operation.on if pattern.endswith("()")}
    data = frame.facts.data
    return "high" if not roots or any(root.encode() in data for root in roots) else "medium"


def _only_of_shards(frame: Frame, node: ast.AST) -> bool:
    """Whether a call runs only for what a function asked for: that it is given a tensor in shards. Who calls the function may have none."""
    for parent in parents(node):
        if isinstance(parent, FUNCTIONS):
            return False
        if isinstance(parent, ast.If | ast.IfExp) and any(asks(frame.facts, one, frame.tables) for one in ast.walk(parent.test)):
            return True
    return False


def _is_made(base: str, pattern: str) -> bool:
    """Whether an object is made by the class of a pattern, or by one below it: ``torchmetrics.*()``."""
    if pattern.endswith(".*()"):
        return base.startswith(pattern[:-3]) and base.endswith("()")
    return base == pattern


def _is_alone(frame: Frame, name: ast.Name) -> bool:
    """Whether an object is made for a single process: ``Trainer(devices=1)``."""
    binding = frame.facts.names.binding(name)
    made = binding.value if binding is not None else None
    words = {word.arg: word.value for word in made.keywords} if isinstance(made, ast.Call) else {}
    devices = words.get("devices")
    return isinstance(devices, ast.Constant) and devices.value == 1 and "num_nodes" not in words
