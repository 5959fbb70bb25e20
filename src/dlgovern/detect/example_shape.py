"""See exports that fix a dimension which is meant to vary: declared as dynamic with an example of size one, or called with another size."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.detect.call import matches
from dlgovern.detect.where import Seen
from dlgovern.finding import Hit
from dlgovern.flow.calls import argument, arguments, callee
from dlgovern.flow.constants import constant
from dlgovern.flow.facts import Facts
from dlgovern.policy import Rule
from dlgovern.source.tree import parents

PARAMETERS = {
    "names": Parameter("names", "dotted names of the exporters", required=True),
    "where": Parameter("predicates", "predicates that must all hold of the call", default=[]),
    "inputs": Parameter("integer", "place of the tuple of example inputs, from 0", default=1),
    "shapes": Parameter("string", "name of the argument that declares dynamic dimensions", default="dynamic_shapes"),
    "makers": Parameter("names", "functions whose positional integers are the shape of what they make", required=True),
    "automatic": Parameter("names", "hints that accept a constant: no error, but the dimension is fixed", default=[]),
    "fixed": Parameter("names", "hints that say that a dimension does not vary", default=[]),
    "module": Parameter("string", "method of what is exported that gives the function to call with inputs; absent: calls are not judged", default=""),
    "marks": Parameter("strings", "words of functions that mark a dimension of an example as dynamic", default=[]),
}
GUARDS = ("expected",)
"""Nothing is said of a call that is expected to fail: in ``try``, or in a test that it raises."""


def triggers(parameters: dict[str, Any], _tables: dict[str, Any]) -> list[dict[str, Any]]:
    """One alternative a name, with the word of the argument."""
    words = [word for word in (parameters["shapes"], parameters.get("module")) if word]
    return [{"name": name, "all": [word]} for name in parameters["names"] for word in words]


def watch(rules: list[Rule], facts: Facts, _tables: dict[str, Any]) -> dict[type, Callable[[Any], Iterator[Hit]]]:
    """One handler for calls."""

    def see(call: ast.Call) -> Iterator[Hit]:
        origin = callee(facts, call)
        for rule in rules:
            if origin in rule.parameters["names"] and matches(rule.parameters, Seen(facts, call, arguments(facts, call))):
                yield from _call(rule, facts, call)

    return {ast.Call: see}


def _call(rule: Rule, facts: Facts, call: ast.Call) -> Iterator[Hit]:
    found = arguments(facts, call)
    given = _value(facts, argument(found, "args", rule.parameters.get("inputs", 1)))
    inputs: list[ast.AST] = list(given.elts) if isinstance(given, ast.Tuple | ast.List) else [given] if given is not None else []
    if rule.parameters["shapes"] not in found.keywords and not found.open_keywords:
        yield from _called(rule, facts, call, inputs)
        return
    declared = _dimensions(facts, argument(found, rule.parameters["shapes"]))
    if len(declared) != len(inputs):
        return
    for dimensions, value in zip(declared, inputs, strict=True):
        shape = _shape(rule, facts, value)
        for at, hint in dimensions.items():
            said = facts.names.origin(hint) or ""
            if shape is not None and at < len(shape) and shape[at] == 1 and said not in rule.parameters.get("fixed", ()):
                automatic = said in rule.parameters.get("automatic", ())
                why = f"declared dynamic, but the example `{ast.unparse(value)[:60]}` has size 1 there"
                hit = facts.hit(rule.id, call, dimension=str(at), size="1", why=why)
                yield hit._replace(level="warning") if automatic else hit
                return


def _called(rule: Rule, facts: Facts, call: ast.Call, inputs: list[ast.AST]) -> Iterator[Hit]:
    """An export with every size fixed, whose program is called with another size in the same file."""
    method = rule.parameters.get("module", "")
    shapes = [_shape(rule, facts, value) for value in inputs] if method else []
    if not any(shapes) or any(node.attr in rule.parameters.get("marks", ()) for node in facts.tree.of(ast.Attribute)):  # type: ignore[attr-defined]
        return
    for use in facts.once(f"uses of {method}()", lambda: _uses(facts, method)).get(id(call), ()):
        if len(use.args) != len(shapes) or ("expected" not in rule.parameters.get("without_guards", ()) and _is_expected(use)):
            continue
        for shape, value in zip(shapes, use.args, strict=True):
            other = _shape(rule, facts, value)
            differs = [at for at, (one, two) in enumerate(zip(shape or (), other or (), strict=False)) if None not in (one, two) and one != two]
            if shape and other and len(shape) == len(other) and differs:
                text = ast.unparse(use)[:60]
                why = f"no {rule.parameters['shapes']} is given, and `{text}` passes {other[differs[0]]}"
                line, column, _, _ = facts.span(use)
                hit = facts.hit(rule.id, call, dimension=str(differs[0]), size=str(shape[differs[0]]), why=why)
                yield hit._replace(related=((facts.path, line, column, text),))
                return


def _uses(facts: Facts, method: str) -> dict[int, list[ast.Call]]:
    """The calls of ``made.method()``, by what was made."""
    found: dict[int, list[ast.Call]] = {}
    for use in facts.tree.of(ast.Call):
        assert isinstance(use, ast.Call)
        made = _value(facts, use.func)
        owner = made.func if isinstance(made, ast.Call) and not made.args else None
        if isinstance(owner, ast.Attribute) and owner.attr == method and (source := _value(facts, owner.value)) is not None:
            found.setdefault(id(source), []).append(use)
    return found


def _is_expected(use: ast.Call) -> bool:
    for parent in parents(use):
        if isinstance(parent, ast.Try):
            return True
        if isinstance(parent, ast.With) and any("raises" in ast.unparse(item.context_expr).lower() for item in parent.items):
            return True
    return False


def _dimensions(facts: Facts, node: ast.AST | None) -> list[dict[int, ast.expr]]:
    """The dynamic dimensions of each input, in order, as far as they are written as ``{0: dim}``."""
    node = _value(facts, node)
    parts = node.values if isinstance(node, ast.Dict) else node.elts if isinstance(node, ast.Tuple | ast.List) else []
    found = []
    for written in parts:
        part = _value(facts, written)
        entries: dict[int, ast.expr] = {}
        if isinstance(part, ast.Dict):
            for key, value in zip(part.keys, part.values, strict=True):
                at = constant(facts, key)
                if isinstance(at, int) and not isinstance(value, ast.Constant):
                    entries[at] = value
        elif isinstance(part, ast.Tuple | ast.List):
            entries = {at: v for at, v in enumerate(part.elts) if not (isinstance(v, ast.Constant))}
        found.append(entries)
    return found


def _shape(rule: Rule, facts: Facts, node: ast.AST) -> list[object] | None:
    """The literal shape of a tensor that is made here; what is not known stands as None in it."""
    made = _value(facts, node)
    while isinstance(made, ast.Call) and isinstance(made.func, ast.Attribute) and made.func.attr in _SAME_SHAPE:
        made = _value(facts, made.func.value)
    if not isinstance(made, ast.Call) or facts.names.origin(made.func) not in rule.parameters["makers"]:
        return None
    sizes = made.args
    if len(sizes) == 1 and isinstance(inner := _value(facts, sizes[0]), ast.Tuple | ast.List):
        sizes = inner.elts
    return [size if isinstance(size := constant(facts, one), int) else None for one in sizes]


_SAME_SHAPE = frozenset("to cuda cpu half float double bfloat16 contiguous clone detach requires_grad_".split())


def _value(facts: Facts, node: ast.AST | None) -> ast.AST | None:
    """The expression behind a name that is given one value."""
    if isinstance(node, ast.Name):
        binding = facts.names.binding(node)
        if binding is not None and binding.kind == "value" and binding.value is not None:
            return binding.value
    return node
