"""Which class an expression is an instance of, as far as the files of the repository tell."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from weakref import WeakKeyDictionary

from dlgovern.flow.facts import Facts
from dlgovern.flow.paths import own_nodes
from dlgovern.flow.project import Code, Function, definition
from dlgovern.source.tree import SCOPES, defaults, enclosing_class, parents, scope, up

_DEPTH = 8
_STEPS = 3  # functions and parameters that a value is followed through
_SAME = frozenset(
    "to cuda cpu xpu eval train half float double bfloat16 requires_grad_ to_empty share_memory".split()
)
"""Methods of a module that return the module."""


def instance_of(facts: Facts, node: ast.AST, names: Iterable[str]) -> bool:
    """Whether ``node`` was made by one of these classes, or by a class of the repository that derives from one.

    A name that ends in ``.*`` stands for every class and factory below it.
    """
    return _is_instance(facts, node, names, _STEPS)


def _is_instance(facts: Facts, node: ast.AST, names: Iterable[str], steps: int) -> bool:
    made = _maker(facts, node, _DEPTH)
    if isinstance(made, str):
        return _named(made, names)
    if made is not None:
        return derives_from(facts, made, names) or _is_made_by(facts, made, names, steps)
    if not steps or not isinstance(node, ast.Name):
        return False
    return any(_is_instance(facts, value, names, steps - 1) for value in given(facts, node))


def _is_made_by(facts: Facts, function: ast.AST, names: Iterable[str], steps: int) -> bool:
    """Whether a function of the repository is called that returns nothing else than such instances."""
    code = definition(facts, function) if steps else None
    if code is None or not isinstance(code.node, Function):
        return False
    returned = [node.value for node in own_nodes(code.node.body) if isinstance(node, ast.Return) and node.value is not None]
    found = bool(returned) and all(_is_instance(code.facts, value, names, steps - 1) for value in returned)
    facts.reads |= code.facts.reads
    return found


def uses(facts: Facts, kind: ast.AST, words: Iterable[str], depth: int = _STEPS) -> bool:
    """Whether a class of the repository names one of these, itself or by a class that it makes.

    A function counts as the class it returns an instance of, unless it chooses the mode of the module itself.
    """
    code = definition(facts, kind) if depth and words else None
    if code is None:
        return False
    if isinstance(code.node, Function):
        found = _returns_with(code, words, depth)
    elif code.node.bases:
        used = _names_in(code)
        found = any(word in name for word in words for name in used)
        found = found or any(
            uses(code.facts, call.func, words, depth - 1)
            for call in ast.walk(code.node)
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id[:1].isupper()
        )
    else:
        found = False
    facts.reads |= code.facts.reads
    return found


def _returns_with(code: Code, words: Iterable[str], depth: int) -> bool:
    body = list(own_nodes(code.node.body))
    if any(isinstance(node, ast.Attribute) and node.attr in ("eval", "train") for node in body):
        return False
    returned = [node.value for node in body if isinstance(node, ast.Return) and node.value is not None]
    makers = [_maker(code.facts, value, _DEPTH) for value in returned]
    return bool(makers) and all(isinstance(one, ast.AST) and uses(code.facts, one, words, depth - 1) for one in makers)


_USED: WeakKeyDictionary[ast.AST, set[str]] = WeakKeyDictionary()


def _names_in(code: Code) -> set[str]:
    """The names and attributes that a class writes anywhere."""
    if code.node not in _USED:
        _USED[code.node] = {
            node.attr if isinstance(node, ast.Attribute) else node.id
            for node in ast.walk(code.node)
            if isinstance(node, ast.Attribute | ast.Name)
        }
    return _USED[code.node]


def given(facts: Facts, node: ast.Name) -> list[ast.expr]:
    """What calls in this file give for the parameter that ``node`` is; nothing when it is none, or is given a new value."""
    binding = facts.names.binding(node)
    home = up(binding.node) if binding is not None and isinstance(binding.node, ast.arg) else None
    owner = up(home) if home is not None else None
    if binding is None or not isinstance(owner, Function) or len(facts.names.bindings(owner).get(node.id, ())) != 1:
        return []
    names = [arg.arg for arg in (*owner.args.posonlyargs, *owner.args.args)]
    bound = isinstance(up(owner), ast.ClassDef)
    found = []
    for call in _calls_of(facts).get(owner.name, ()):
        code = definition(facts, call.func)
        if code is None or code.node is not owner:
            continue
        positions = names[1:] if bound and isinstance(call.func, ast.Attribute) else names
        index = positions.index(node.id) if node.id in positions else len(call.args)
        if index < len(call.args) and not any(isinstance(arg, ast.Starred) for arg in call.args[: index + 1]):
            found.append(call.args[index])
        found += [word.value for word in call.keywords if word.arg == node.id]
    return found


def is_open(facts: Facts, node: ast.Name) -> bool:
    """Whether a name is a parameter that keeps its value, has no default, and is given by no call in this file."""
    binding = facts.names.binding(node)
    home = up(binding.node) if binding is not None and isinstance(binding.node, ast.arg) else None
    owner = up(home) if home is not None else None
    if not isinstance(owner, Function) or len(facts.names.bindings(owner).get(node.id, ())) != 1:
        return False
    plain = {arg.arg for arg in (*owner.args.posonlyargs, *owner.args.args)} - {arg.arg for arg, _ in defaults(owner.args)}
    return node.id in plain and not given(facts, node)


_CALLS: WeakKeyDictionary[Facts, dict[str, list[ast.Call]]] = WeakKeyDictionary()


def _calls_of(facts: Facts) -> dict[str, list[ast.Call]]:
    """The calls of a file by the last name of what they call."""
    if facts not in _CALLS:
        found: dict[str, list[ast.Call]] = {}
        for call in facts.tree.of(ast.Call):
            function = call.func  # type: ignore[attr-defined]
            name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
            found.setdefault(name, []).append(call)  # type: ignore[arg-type]
        _CALLS[facts] = found
    return _CALLS[facts]


def derives_from(facts: Facts, kind: ast.AST, names: Iterable[str], depth: int = _DEPTH) -> bool:
    """Whether the class that ``kind`` names is one of these, or has one among its bases in this file."""
    origin = facts.names.origin(kind)
    if origin is not None and _named(origin, names):
        return True
    code = definition(facts, kind) if depth else None
    if code is None or not isinstance(code.node, ast.ClassDef):
        return False
    found = any(derives_from(code.facts, base, names, depth - 1) for base in code.node.bases)
    facts.reads |= code.facts.reads
    return found


def methods_called(facts: Facts, node: ast.AST) -> set[str]:
    """The methods that the file calls on the variable ``node``, wherever that variable is in scope.

    Nothing where the variable is also given a mapping, or what some other method returned: it may then mean
    different things at different places.
    """
    node = _unwrapped(facts, node)
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
        return _called_on_own(facts, node)
    if not isinstance(node, ast.Name) or (home := _home(facts, node)) is None:
        return set()
    if any(_is_other(binding.value, node.id) for binding in facts.names.bindings(home)[node.id]):
        return set()
    if facts not in _CALLED:
        _CALLED[facts] = _all_called(facts)
    return _CALLED[facts].get((id(home), node.id), set())


def _called_on_own(facts: Facts, node: ast.Attribute) -> set[str]:
    """The methods that the methods of a class call on ``self.x``."""
    owner = enclosing_class(node)
    if owner is None or any(_is_other(binding.value, "") for binding in facts.names.attribute_bindings(node)):
        return set()
    if facts not in _CALLED:
        _CALLED[facts] = _all_called(facts)
    return _CALLED[facts].get((id(owner), f"self.{node.attr}"), set())


def _unwrapped(facts: Facts, node: ast.AST) -> ast.AST:
    """The variable behind a copy, the module inside of a wrapper, or a method that returns its object."""
    for _ in range(_DEPTH):
        if isinstance(node, ast.Attribute) and node.attr == "module":
            node = node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _SAME:
            node = node.func.value
        elif isinstance(node, ast.Call) and node.args and facts.names.origin(node.func) == "copy.deepcopy":
            node = node.args[0]
        elif isinstance(node, ast.IfExp):
            node = node.body
        else:
            return node
    return node


_CALLED: WeakKeyDictionary[Facts, dict[tuple[int, str], set[str]]] = WeakKeyDictionary()


def _all_called(facts: Facts) -> dict[tuple[int, str], set[str]]:
    """The methods called on each variable, by the scope the variable lives in and its name."""
    found: dict[tuple[int, str], set[str]] = {}
    for call in facts.tree.of(ast.Call):
        function = call.func  # type: ignore[attr-defined]
        if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
            home = _home(facts, function.value)
            if home is not None:
                found.setdefault((id(home), function.value.id), set()).add(function.attr)
        elif (
            isinstance(function, ast.Attribute)
            and isinstance(function.value, ast.Attribute)
            and isinstance(function.value.value, ast.Name)
            and function.value.value.id == "self"
            and (owner := enclosing_class(call)) is not None
        ):
            found.setdefault((id(owner), f"self.{function.value.attr}"), set()).add(function.attr)
    return found


def _maker(facts: Facts, node: ast.AST, depth: int) -> ast.AST | str | None:
    """The expression, or the origin, of what was called to make ``node``."""
    if not depth:
        return None
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr in _SAME:
            return _maker(facts, node.func.value, depth - 1)
        return node.func
    if isinstance(node, ast.Name):
        binding = facts.names.binding(node)
        if binding is None:
            return None
        if binding.kind == "annotation":
            return (facts.names.origin(node) or "").removesuffix("()")
        return _maker(facts, binding.value, depth - 1) if binding.kind == "value" and binding.value else None
    if isinstance(node, ast.Attribute):
        found = facts.names.attribute_bindings(node) if isinstance(node.value, ast.Name) else []
        if len(found) == 1 and found[0].kind == "value" and found[0].value is not None:
            return _maker(facts, found[0].value, depth - 1)
    return None


def _named(origin: str, names: Iterable[str]) -> bool:
    if "()" in origin:
        return False
    return any(origin == name or (name.endswith(".*") and origin.startswith(name[:-1])) for name in names)


def _home(facts: Facts, node: ast.Name) -> ast.AST | None:
    """The scope whose variable ``node`` is."""
    where: ast.AST | None = scope(node)
    own = True
    while where is not None:
        if (own or not isinstance(where, ast.ClassDef)) and node.id in facts.names.bindings(where):
            return where
        own = False
        where = next((parent for parent in parents(where) if isinstance(parent, SCOPES)), None)
    return None


def _is_other(value: ast.AST | None, name: str) -> bool:
    """Whether a value given to the variable ``name`` is a mapping, or the result of a method of the variable itself."""
    if isinstance(value, ast.Dict | ast.DictComp | ast.Tuple | ast.List | ast.ListComp):
        return True
    if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Attribute):
        return False
    if value.func.attr == "state_dict":
        return True
    own = isinstance(value.func.value, ast.Name) and value.func.value.id == name
    return own and value.func.attr not in _SAME
