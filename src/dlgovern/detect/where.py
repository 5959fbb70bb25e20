"""The small language in which a rule narrows the calls it means: one predicate, one question."""

import ast
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from dlgovern.detect.made import derives, has_origin, shape
from dlgovern.detect.outcome import is_awaited, is_kept, result
from dlgovern.flow.calls import Arguments, argument, callee
from dlgovern.flow.classes import derives_from, instance_of, is_open, methods_called
from dlgovern.flow.constants import UNKNOWN, constant, text_parts
from dlgovern.flow.facts import Facts
from dlgovern.flow.guards import asks_version, has_fallback
from dlgovern.flow.parts import parts
from dlgovern.repository.window import parse_version
from dlgovern.source.tree import FUNCTIONS, parents

KEYS: dict[str, str] = {
    "argument": "the parameter that the predicate is about",
    "position": "its place among the positional arguments, from 0",
    "given": "whether the argument is given; **kwargs leaves that unknown, which is neither",
    "is": "its value is this literal",
    "in": "its value is one of these literals",
    "matches": "its text, or a literal part of it, matches this regular expression",
    "origin": "it is one of these names, or a call of one",
    "derives": "a call of one of these names (`name()`: without arguments), a read of one of these environment variables ($NAME), a variable or attribute called like one (~NAME), or a remainder (%) is a part of it",
    "shape": "repeated-list, string-format, lambda or literal",
    "instance_of": "it is an instance of one of these classes, or of a class of this file that derives from one",
    "subclass_of": "it is one of these classes, or a class of the repository that derives from one",
    "methods": "one of these methods is called on the same variable somewhere in the file",
    "written": "what is written there matches this regular expression",
    "parameter": "whether it is a parameter of the function around it, and no call in this file says what that is given",
    "under": "its value is a number below this",
    "over": "its value is a number above this",
    "parts": "what is said holds for the argument, or for a value that the dict, list or tuple it is was written with or given",
    "callee": "what is called is one of these names; `*.m` is a method of anything",
    "any": "at least one of these predicates holds",
    "not": "this predicate does not hold",
    "any_text": "some positional string argument matches this regular expression",
    "positionals_over": "more positional arguments than this",
    "result": "what becomes of the result: used, ignored, returned, or unread where a variable gets it that is never read; kept where such a variable is at most asked for, or told something in a statement; awaited where the next thing that is done is to wait for it",
    "inside": "what the call stands in: loop, fallback, version-test, finally, or with:NAME",
    "mentions": "the file has all of these words",
    "window": "the library whose version window is asked",
    "below": "its lowest version is known and lower than this",
    "from": "its lowest version is known and at least this",
    "reaches": "its highest version is at least this",
}
"""Every key a predicate may have; several in one predicate must all hold."""

_ABOUT = ("given", "is", "in", "matches", "origin", "derives", "shape", "instance_of", "subclass_of", "methods", "written", "parameter", "under", "over")
_SHAPES = ("repeated-list", "string-format", "lambda", "literal")


class Seen(NamedTuple):
    """A call under test."""

    facts: Facts
    call: ast.Call
    found: Arguments


def loosely(call: ast.Call) -> tuple[str, ...]:
    """The names for a call whose receiver does not matter."""
    return ("*", f"*.{call.func.attr}") if isinstance(call.func, ast.Attribute) else ("*",)


def holds(predicate: Mapping[str, Any], seen: Seen) -> bool:
    """Whether everything the predicate says is known to be true of the call."""
    if "argument" in predicate:
        if not _argument(predicate, seen):
            return False
    return all(_QUESTIONS[key](value, predicate, seen) for key, value in predicate.items() if key in _QUESTIONS)


def value_of(predicate: Mapping[str, Any], seen: Seen) -> ast.expr | None:
    """The argument a predicate is about, if it is given."""
    return argument(seen.found, predicate["argument"], predicate.get("position"))


def about(predicates: Iterable[Mapping[str, Any]], seen: Seen) -> Mapping[str, Any] | None:
    """The first predicate about an argument that holds, those inside of ``any`` included."""
    for predicate in predicates:
        if "argument" in predicate and holds(predicate, seen):
            return predicate
        if found := about(predicate.get("any", ()), seen):
            return found
    return None


def words(predicates: list[dict[str, Any]]) -> list[str]:
    """Words that a file must hold for these predicates to be true: sharpens the prefilter."""
    wanted: list[str] = []
    for predicate in predicates:
        wanted += predicate.get("mentions", [])
        needs_value = any(key in predicate for key in _ABOUT if key != "given")
        if "argument" in predicate and "position" not in predicate and (needs_value or predicate.get("given")):
            wanted.append(predicate["argument"])
    return wanted


def derived(predicates: list[dict[str, Any]]) -> list[str]:
    """The sources of which one must be in the file for these predicates to be true; none: nothing is known."""
    for predicate in predicates:
        if "derives" in predicate:
            return list(predicate["derives"])
        if choices := [derived([choice]) for choice in predicate.get("any", ())]:
            return list(dict.fromkeys(source for choice in choices for source in choice)) if all(choices) else []
    return []


def _argument(predicate: Mapping[str, Any], seen: Seen) -> bool:
    value = value_of(predicate, seen)
    if "given" in predicate and not predicate["given"]:
        return value is None and not _may_follow(seen.found, predicate.get("position"))
    if value is None or (predicate["argument"] in seen.found.earlier and "given" not in predicate):
        return False
    some = parts(seen.facts, value) if "parts" in predicate else [value]
    return any(_about(predicate, part, seen) for part in some)


def _may_follow(found: Arguments, position: int | None) -> bool:
    return found.open_keywords or found.partial or (found.open_positional and position is not None)


def _about(predicate: Mapping[str, Any], value: ast.expr, seen: Seen) -> bool:
    facts = seen.facts
    if "is" in predicate and not _same(constant(facts, value), predicate["is"]):
        return False
    if "in" in predicate and not any(_same(constant(facts, value), wanted) for wanted in predicate["in"]):
        return False
    if "written" in predicate and not re.search(predicate["written"], _source(facts, value)):
        return False
    if "parameter" in predicate and predicate["parameter"] is not (isinstance(value, ast.Name) and is_open(facts, value)):
        return False
    if "under" in predicate and not _number(facts, value) < predicate["under"]:
        return False
    if "over" in predicate and not _number(facts, value) > predicate["over"]:
        return False
    if "matches" in predicate and not any(re.search(predicate["matches"], t) for t in text_parts(facts, value)):
        return False
    if "origin" in predicate and not has_origin(facts, value, predicate["origin"]):
        return False
    if "derives" in predicate and not derives(facts, value, predicate["derives"]):
        return False
    if "instance_of" in predicate and not instance_of(facts, value, predicate["instance_of"]):
        return False
    if "subclass_of" in predicate and not derives_from(facts, value, predicate["subclass_of"]):
        return False
    if "methods" in predicate and methods_called(facts, value).isdisjoint(predicate["methods"]):
        return False
    return "shape" not in predicate or shape(facts, value) == predicate["shape"]


def _source(facts: Facts, value: ast.expr) -> str:
    """The first line of an expression as it stands in the file."""
    line, column, end_line, end_column = facts.span(value)
    return facts.lines[line - 1][column - 1 : end_column - 1 if line == end_line else None]


def _number(facts: Facts, value: ast.expr) -> float:
    """The number that an expression is; one that is not known is neither under nor over anything."""
    known = constant(facts, value)
    return known if isinstance(known, int | float) and not isinstance(known, bool) else math.nan


def _same(value: Any, wanted: Any) -> bool:
    """Equality that keeps True apart from 1; the word "none" in a rule stands for None."""
    if value is UNKNOWN:
        return False
    if wanted == "none":
        return value is None
    return type(value) is type(wanted) and value == wanted


def inside(facts: Facts, node: ast.AST, what: str) -> bool:
    """Whether a node stands in a loop, under a fallback or version test, or in ``with NAME(...)``."""
    if what == "fallback":
        return has_fallback(node)
    if what == "version-test":
        return asks_version(node)
    child = node
    for parent in parents(node):
        if what == "loop" and isinstance(parent, ast.For | ast.AsyncFor | ast.While):
            return True
        if what == "finally" and isinstance(parent, ast.Try | ast.TryStar) and child in parent.finalbody:
            return True
        if what.startswith("with:") and isinstance(parent, ast.With | ast.AsyncWith):
            if any(has_origin(facts, item.context_expr, [what[5:]]) for item in parent.items):
                return True
        if isinstance(parent, FUNCTIONS):
            return False
        child = parent
    return False


def _any_text(wanted: str, _predicate: Mapping[str, Any], seen: Seen) -> bool:
    return any(re.search(wanted, text) for arg in seen.found.positional for text in text_parts(seen.facts, arg))


def _window(library: str, predicate: Mapping[str, Any], seen: Seen) -> bool:
    window = seen.facts.windows.of(seen.facts.path, library)
    if window is None:
        return False
    if "below" in predicate and not window.starts_below(parse_version(predicate["below"])):
        return False
    if "from" in predicate and (not window.floor or window.starts_below(parse_version(predicate["from"]))):
        return False
    return "reaches" not in predicate or window.reaches(parse_version(predicate["reaches"]))


def _inside(what: str | list[str], _predicate: Mapping[str, Any], seen: Seen) -> bool:
    return any(inside(seen.facts, seen.call, one) for one in ([what] if isinstance(what, str) else what))


_QUESTIONS = {
    "callee": lambda names, _p, seen: callee(seen.facts, seen.call) in names or any(name in names for name in loosely(seen.call)),
    "any": lambda choices, _p, seen: any(holds(choice, seen) for choice in choices),
    "not": lambda denied, _p, seen: not holds(denied, seen),
    "any_text": _any_text,
    "positionals_over": lambda count, _p, seen: len(seen.found.positional) > count,
    "result": lambda wanted, _p, seen: is_kept(seen.call) if wanted == "kept" else is_awaited(seen.call) if wanted == "awaited" else result(seen.call) == wanted,
    "inside": _inside,
    "mentions": lambda wanted, _p, seen: all(word.encode() in seen.facts.data for word in wanted),
    "window": _window,
}


def mistakes(predicate: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a predicate as written in a rule."""
    said = [key for key in _ABOUT if key in predicate]
    for key in predicate:
        if key not in KEYS:
            yield f"unknown key {key!r} in a predicate"
    for choice in predicate.get("any", ()):
        yield from mistakes(choice)
    if "not" in predicate:
        yield from mistakes(predicate["not"])
    if said and "argument" not in predicate:
        yield f"{said[0]!r} needs 'argument'"
    if "argument" in predicate and not said:
        yield "'argument' alone says nothing; add 'given', 'is', …"
    if predicate.get("shape", "literal") not in _SHAPES:
        yield f"unknown shape {predicate['shape']!r}"
    for key in ("matches", "any_text", "written"):
        try:
            re.compile(str(predicate.get(key, "")))
        except re.error as error:
            yield f"{key!r} is no regular expression: {error}"
