"""Bring documents back from JSON: lists become the NamedTuples and tuples that their annotations say."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable
from typing import Any, get_args, get_origin, get_type_hints

_Make = Callable[[Any], Any]
_KNOWN: dict[Any, _Make] = {}


def restore(form: Any, value: Any) -> Any:
    """The value of type ``form`` that was written as JSON. Raises TypeError, ValueError or KeyError for anything else."""
    return _maker(form)(value)


def _maker(form: Any) -> _Make:
    if form not in _KNOWN:
        _KNOWN[form] = lambda value: _KNOWN[form](value)  # a form that holds itself finds the one made below
        _KNOWN[form] = _make(form)
    return _KNOWN[form]


def _make(form: Any) -> _Make:
    origin, arguments = get_origin(form), get_args(form)
    if isinstance(form, type) and issubclass(form, tuple) and hasattr(form, "_fields"):
        return _named(form)
    if origin is tuple:
        if len(arguments) == 2 and arguments[1] is Ellipsis:  # noqa: PLR2004 - tuple[X, ...]
            return _each(_maker(arguments[0]))
        return _fixed([_maker(argument) for argument in arguments])
    if origin in (typing.Union, types.UnionType):
        inner = [_maker(argument) for argument in arguments if argument is not type(None)]
        if len(inner) != 1:
            return _same
        return lambda value: None if value is None else inner[0](value)
    if origin is dict:
        made = _maker(arguments[1])
        return _same if made is _same else lambda value: {key: made(item) for key, item in value.items()}
    return _same


def _same(value: Any) -> Any:
    return value


def _each(made: _Make) -> _Make:
    return tuple if made is _same else lambda value: tuple(made(item) for item in value)


def _fixed(made: list[_Make]) -> _Make:
    return lambda value: tuple(make(item) for make, item in zip(made, value, strict=True))


def _named(form: Any) -> _Make:
    hints = get_type_hints(form)
    made = [_maker(hints[field]) for field in form._fields]
    if all(make is _same for make in made):
        return lambda value: form(*value)
    return lambda value: form(*(make(item) for make, item in zip(made, value, strict=True)))
