"""Which classes of the repository an object is of, as far as assignments, annotations and the functions that give it tell."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from dlgovern.flow.facts import Facts
from dlgovern.flow.paths import own_nodes
from dlgovern.source.names import Binding
from dlgovern.source.tree import enclosing_class, scope

if TYPE_CHECKING:
    from dlgovern.flow.ranks.project import Definition, Project

_STEPS = 5  # assignments, functions and attributes that an object is followed through
_ABOVE = 2  # classes above one another
_MOST = 4  # values that one variable is given
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Kind(NamedTuple):
    """A class and the file it stands in; ``made``: it was called for the object, which is of no class below it."""

    facts: Facts
    node: ast.ClassDef
    made: bool = False


def kinds(project: Project, facts: Facts, node: ast.AST | None, steps: int = _STEPS) -> list[Kind]:
    """The class of an object, nothing where it is not known; several for what a loop takes from a list of objects."""
    if not steps or node is None:
        return []
    if isinstance(node, ast.Call):
        return _made(project, facts, node, steps - 1)
    if isinstance(node, ast.Name):
        return _variable(project, facts, node, steps - 1)
    if isinstance(node, ast.Attribute):
        return _attribute(project, facts, node, steps - 1)
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
        return kinds(project, facts, node.values[-1], steps - 1)
    return []


def given(project: Project, kind: Kind, name: str, above: int = _ABOVE) -> tuple[Facts, list[Binding]]:
    """What a class, or one above it, gives its attribute, and the file in which it does so."""
    names = kind.facts.names
    found = [*names.attributes(kind.node, name), *(one for one in names.bindings(kind.node).get(name, ()) if one.kind != "define")]
    if found or not above:
        return kind.facts, found
    for base in kind.node.bases:
        one = project.definition(kind.facts, base)
        if one is not None and isinstance(one.node, ast.ClassDef) and one.node is not kind.node:
            facts, found = given(project, Kind(one.facts, one.node), name, above - 1)
            if found:
                return facts, found
    return kind.facts, []


def _made(project: Project, facts: Facts, node: ast.Call, steps: int) -> list[Kind]:
    """The class that is called, or of which a function says, or shows, that it returns an instance."""
    made = project.definition(facts, node.func)
    if made is None:
        return []
    if isinstance(made.node, ast.ClassDef):
        return [Kind(made.facts, made.node, made=True)]
    return _returned(project, made, steps) if isinstance(made.node, _FUNCTIONS) else []


def _returned(project: Project, made: Definition, steps: int) -> list[Kind]:
    function = made.node
    assert isinstance(function, _FUNCTIONS)
    owner = enclosing_class(function)
    if function.returns is not None and not _is_own(function.returns):
        return _annotated(project, made.facts, function.returns)
    body = list(own_nodes(function.body))
    if owner is not None and (function.returns is not None or any(isinstance(one, ast.Call) and _is_named(one.func, "cls") for one in body)):
        return [Kind(made.facts, owner)]
    values = [one.value for one in body if isinstance(one, ast.Return) and one.value is not None]
    return _same(kinds(project, made.facts, value, steps) for value in values[:_MOST])


def _is_own(node: ast.expr) -> bool:
    return (isinstance(node, ast.Name | ast.Attribute) and (node.id if isinstance(node, ast.Name) else node.attr) == "Self") or _is_text(node, "Self")


def _is_text(node: ast.expr, text: str) -> bool:
    return isinstance(node, ast.Constant) and node.value == text


def _is_named(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _annotated(project: Project, facts: Facts, node: ast.AST | None) -> list[Kind]:
    """The class that an annotation names, alone or beside None."""
    if isinstance(node, ast.BinOp):
        sides = [one for one in (node.left, node.right) if not (isinstance(one, ast.Constant) and one.value is None)]
        return _annotated(project, facts, sides[0]) if len(sides) == 1 else []
    if isinstance(node, ast.Subscript):
        optional = facts.names.origin(node.value) in ("typing.Optional", "typing_extensions.Optional")
        return _annotated(project, facts, node.slice) if optional else []
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        said = {part.strip() for part in node.value.split("|")} - {"None"}
        found = project.called(facts, said.pop()) if len(said) == 1 else None
    else:
        found = project.definition(facts, node) if isinstance(node, ast.Name | ast.Attribute) else None
    return [Kind(found.facts, found.node)] if found is not None and isinstance(found.node, ast.ClassDef) else []


def _variable(project: Project, facts: Facts, node: ast.Name, steps: int) -> list[Kind]:
    binding = facts.names.binding(node)
    if binding is None:
        return []
    if binding.kind == "import":
        where = project.variable(facts, binding.node, node.id)
        return _all(project, where[0], where[1], steps) if where is not None else []
    if isinstance(binding.node, ast.For | ast.comprehension):
        return _elements(project, facts, binding.node.iter, steps)
    if _is_none(binding.value):
        return _all(project, facts, facts.names.bindings(scope(binding.node)).get(node.id, []), steps)
    return _bound(project, facts, binding, steps)


def _attribute(project: Project, facts: Facts, node: ast.Attribute, steps: int) -> list[Kind]:
    owner = _owner(project, facts, node.value, steps)
    return _all(project, *given(project, owner, node.attr), steps) if owner is not None else []


def _owner(project: Project, facts: Facts, node: ast.expr, steps: int) -> Kind | None:
    if isinstance(node, ast.Name) and node.id in ("self", "cls"):
        around = enclosing_class(node)
        return Kind(facts, around) if around is not None else None
    return next(iter(kinds(project, facts, node, steps)), None)


def _all(project: Project, facts: Facts, found: list[Binding], steps: int) -> list[Kind]:
    """The class of all values that a variable is given; None may be one of them."""
    told = [one for one in found if not (one.kind == "value" and _is_none(one.value))]
    return _same(_bound(project, facts, one, steps) for one in told) if len(told) <= _MOST else []


def _bound(project: Project, facts: Facts, binding: Binding, steps: int) -> list[Kind]:
    if isinstance(binding.node, ast.arg):
        return _annotated(project, facts, binding.node.annotation)
    if binding.kind == "annotation":
        return _annotated(project, facts, binding.value)
    if isinstance(binding.node, ast.AnnAssign) and (said := _annotated(project, facts, binding.node.annotation)):
        return kinds(project, facts, binding.value, steps) or said
    return kinds(project, facts, binding.value, steps) if binding.kind == "value" else []


def _same(found: Iterable[list[Kind]]) -> list[Kind]:
    """The one class that all are of."""
    every = list(found)
    return every[0] if every and all(len(one) == 1 and one[0].node is every[0][0].node for one in every) else []


def _elements(project: Project, facts: Facts, node: ast.expr, steps: int) -> list[Kind]:
    """The classes of the objects in a list that is written where its variable is given it."""
    found: list[Kind] = []
    for one in _lists(project, facts, node):
        found += [kind for element in one.elts for kind in kinds(project, facts, element, steps)]
    return found


def _lists(project: Project, facts: Facts, node: ast.expr) -> Iterator[ast.List | ast.Tuple]:
    if isinstance(node, ast.List | ast.Tuple):
        yield node
        return
    if isinstance(node, ast.Name):
        binding = facts.names.binding(node)
        found = [binding] if binding is not None else []
    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
        found = facts.names.attribute_bindings(node)
    else:
        return
    for one in found:
        value = one.node.value if isinstance(one.node, ast.AugAssign) else one.value
        if isinstance(value, ast.List | ast.Tuple):
            yield value


def _is_none(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
