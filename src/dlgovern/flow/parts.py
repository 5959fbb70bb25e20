"""The values that a dictionary, list or tuple is put together from, here and in the lines that fill it."""

from __future__ import annotations

import ast
from weakref import WeakKeyDictionary

from dlgovern.flow.facts import Facts
from dlgovern.source.tree import scope

_Filled = dict[tuple[int, str], list[ast.expr]]
_FILLED: WeakKeyDictionary[Facts, _Filled] = WeakKeyDictionary()


def parts(facts: Facts, value: ast.expr) -> list[ast.expr]:
    """The value itself, and what the dict, list or tuple that it is or names was written with, or was given later.

    Read are displays, ``dict(key=value)``, ``d["key"] = value`` and ``d.update(...)`` in the same function.
    """
    found = [value, *_written(value)]
    if isinstance(value, ast.Name):
        binding = facts.names.binding(value)
        if binding and binding.kind == "value" and binding.value is not None:
            inner = _written(binding.value)
            found += inner
            if inner or _is_container(binding.value):
                found += _filled(facts).get((id(scope(value)), value.id), [])
    return found


def _written(value: ast.AST) -> list[ast.expr]:
    if isinstance(value, ast.Dict):
        spread = [item for key, inner in zip(value.keys, value.values, strict=True) if key is None for item in _written(inner)]
        return [*value.values, *spread]
    if isinstance(value, ast.List | ast.Tuple):
        return list(value.elts)
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in ("dict", "OrderedDict"):
        return [word.value for word in value.keywords if word.arg]
    return []


def _is_container(value: ast.AST) -> bool:
    if isinstance(value, ast.Dict):
        return True
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in ("dict", "OrderedDict")


def _filled(facts: Facts) -> _Filled:
    """What is put into each variable by key, by the scope it happens in and the variable's name."""
    if facts not in _FILLED:
        found: _Filled = {}
        for node in facts.tree.of(ast.Assign):
            for target in node.targets:  # type: ignore[attr-defined]
                if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
                    found.setdefault((id(scope(node)), target.value.id), []).append(node.value)  # type: ignore[attr-defined]
        for node in facts.tree.of(ast.Call):
            function = node.func  # type: ignore[attr-defined]
            if isinstance(function, ast.Attribute) and function.attr == "update" and isinstance(function.value, ast.Name):
                given = [word.value for word in node.keywords if word.arg]  # type: ignore[attr-defined]
                given += [item for arg in node.args for item in _written(arg)]  # type: ignore[attr-defined]
                found.setdefault((id(scope(node)), function.value.id), []).extend(given)
        _FILLED[facts] = found
    return _FILLED[facts]
