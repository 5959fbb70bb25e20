"""What an expression is worth on one class of ranks: known, a rank, or unknown and told apart by a text."""

from __future__ import annotations

from typing import Any, NamedTuple

CLASSES = ("rank 0", "local rank 0 of another node", "other ranks")
"""The classes of ranks, by number. A program of one node has no second class."""

FIRST, NODE_FIRST, OTHER = range(3)

DIFFER = frozenset({"data", "files", "clock", "signal", "except", "rank"})
"""Taints of conditions on which ranks of one class may disagree."""


class Value(NamedTuple):
    """A value on one class of ranks.

    ``kind``: const (``data`` is a literal), rank (``data`` is 0, or 1 for some larger number), text (a rank as
    a string), many (at least two), last (many less one), wrapped (``data`` says how), key (unknown; ``data``
    names it: unknown values of one name are equal on all ranks), tuple (``data`` holds values). ``taint``
    says why ranks can differ ("share": items of which every rank has its own, in any number); ``ranked`` that a
    rank decided the value.
    """

    kind: str
    data: Any = None
    taint: str = ""
    ranked: bool = False


NONE = Value("const", None)
TRUE = Value("const", True)
FALSE = Value("const", False)
NEVER = Value("tuple", (FALSE,))  # a row of which each is false
MANY = Value("many")
WORLD = "WORLD"  # the group of all ranks
_LONGEST = 160


def unknown(text: str, taint: str = "", ranked: bool = False) -> Value:
    """An unknown value; the same text is the same value."""
    return Value("key", text if len(text) <= _LONGEST else text[:_LONGEST] + str(hash_of(text)), taint, ranked)


def hash_of(text: str) -> int:
    """A number for a long text, the same in every process."""
    found = 7
    for character in text[_LONGEST : 8 * _LONGEST]:
        found = (found * 31 + ord(character)) & 0xFFFFFFFF
    return found + len(text)


def source(kind: str, cls: int, text: str) -> Value:
    """The value of a source of the tables on a class of ranks."""
    if kind == "global":
        return Value("rank", 0 if cls == FIRST else 1, "", True)
    if kind == "local":
        return Value("rank", 1 if cls == OTHER else 0, "", True)
    if kind == "main":
        return Value("const", cls == FIRST, "", True)
    if kind == "local-main":
        return Value("const", cls != OTHER, "", True)
    if kind == "node":
        return unknown(text, "", True) if cls == OTHER else Value("rank", cls, "", True)
    return {"size": MANY, "started": TRUE, "absent": FALSE}.get(kind, unknown(text))


def name(value: Value) -> str:
    """The value in words, to name what is made of it."""
    if value.kind == "key":
        return str(value.data)
    if value.kind == "tuple":
        return "(" + ", ".join(map(name, value.data)) + ")"
    return f"{value.kind}:{value.data}"


def truth(value: Value) -> bool | None:
    """Whether the value counts as true, None when nobody can say."""
    if value.kind == "const":
        return bool(value.data)
    if value.kind == "rank":
        return bool(value.data)
    if value.kind in ("text", "many", "last", "wrapped"):
        return True
    if value.kind == "tuple":
        return bool(value.data)
    return None


def negate(value: Value) -> Value:
    """``not value``."""
    known = truth(value)
    if known is not None:
        return Value("const", not known, value.taint, value.ranked)
    text = str(value.data)
    return value._replace(data=text[4:] if text.startswith("not ") else f"not {text}")


def worst(*values: Value) -> str:
    """The taint of what is made of these."""
    return next((value.taint for value in values if value.taint), "")


def ranked(*values: Value) -> bool:
    """Whether a rank decided any of these."""
    return any(value.ranked for value in values)


COUNTED = "count "
"""How the name of a number begins that ``range`` gives to a loop."""

NORM = "clip_grad"
"""Part of the name of what gives the norm of gradients, which ranks share once they are reduced."""

AGREED = "agreed "
"""Part of the name of what a collective has given every rank."""


def of_agreed(one: Value | None) -> str:
    """How the name of what is made of a value begins."""
    return AGREED if one is not None and isinstance(one.data, str) and AGREED in one.data else ""


def kept(known: list[Value]) -> str:
    """What the name of a value says of it that each of these says too."""
    texts = [one.data if isinstance(one.data, str) else "" for one in known]
    if all(text.startswith(COUNTED) for text in texts):
        return COUNTED
    if any(AGREED in text for text in texts):  # elsewhere there is one rank
        return AGREED
    return f"{NORM} " if all(NORM in text for text in texts) else ""


def compare(operator: str, left: Value, right: Value) -> Value:
    """``left operator right`` on one class; ``operator`` is the name of the ast class."""
    if operator in ("Is", "IsNot") and right == NONE and isinstance(left.data, str) and left.data.startswith(COUNTED):
        return Value("const", operator == "IsNot")
    flag = ranked(left, right)
    known = None if _of_some(operator, left, right) else _compare(operator, left, right)
    if known is not None:
        return Value("const", known, worst(left, right), flag)
    taint = worst(left, right)
    if not taint and (left.kind in ("rank", "text") or right.kind in ("rank", "text")):
        taint = "rank" if operator in ("Eq", "NotEq") else "member"
    positive = {"NotEq": "Eq", "IsNot": "Is", "NotIn": "In"}.get(operator, operator)
    text = f"{_side(left)} {positive} {_side(right)}"
    return unknown(f"not {text}" if positive != operator else text, taint, flag)


def _of_some(operator: str, left: Value, right: Value) -> bool:
    """Whether a rank is compared with a number above zero: who passes is not known of any class."""
    number, other = (left, right) if left.kind == "const" else (right, left)
    if other.kind != "rank" or number.kind != "const" or not isinstance(number.data, int | float):
        return False
    lower = operator in ("Lt", "GtE") if other is left else operator in ("Gt", "LtE")
    return number.data > (1 if lower else 0)


def _side(value: Value) -> str:
    return "rank" if value.kind == "rank" else name(value)


def _compare(operator: str, left: Value, right: Value) -> bool | None:
    if operator in ("NotEq", "IsNot", "NotIn"):
        opposite = _compare({"NotEq": "Eq", "IsNot": "Is", "NotIn": "In"}[operator], left, right)
        return None if opposite is None else not opposite
    if operator == "In":
        return _member(left, right)
    if (left.kind == "const" and left.data is None) or (right.kind == "const" and right.data is None):
        other = right if left.kind == "const" and left.data is None else left
        if other.kind == "const":
            return other.data is None if operator in ("Eq", "Is") else None
        return False if operator in ("Eq", "Is") and other.kind != "key" else None
    swapped = {"Lt": "Gt", "Gt": "Lt", "LtE": "GtE", "GtE": "LtE"}
    if left.kind == "const" and right.kind != "const":
        return _compare(swapped.get(operator, operator), right, left)
    if right.kind == "const":
        return _with_constant(operator, left, right.data)
    if left.kind == "rank" and right.kind in ("many", "last"):
        if right.kind == "many":
            return {"Eq": False, "Lt": True, "LtE": True, "Gt": False, "GtE": False}.get(operator)
        return {"Eq": False, "Lt": True, "GtE": False, "Gt": False, "LtE": True}.get(operator) if left.data == 0 else None
    if right.kind == "rank" and left.kind in ("many", "last"):
        return _compare(swapped.get(operator, operator), right, left)
    return None


def _with_constant(operator: str, left: Value, constant: Any) -> bool | None:
    if left.kind == "const":
        return _plain(operator, left.data, constant)
    if left.kind == "text":
        if operator != "Eq" or not isinstance(constant, str):
            return None
        return constant == "0" if left.data == 0 else False if constant in ("0", "-1", "") else None
    if not isinstance(constant, int | float):
        return False if operator == "Eq" and isinstance(constant, str) and left.kind in ("rank", "many", "last") else None
    lowest = {"many": 2, "last": 1, "rank": 1}.get(left.kind)
    if left.kind == "rank" and left.data == 0:
        return _plain(operator, 0, constant)
    if lowest is None:
        return None
    if constant < lowest:  # the value is any number from `lowest` on
        return {"Eq": False, "Is": False, "Gt": True, "GtE": True, "Lt": False, "LtE": False}.get(operator)
    if constant == lowest:
        return {"GtE": True, "Lt": False}.get(operator)
    return None


def _plain(operator: str, left: Any, right: Any) -> bool | None:
    numbers = isinstance(left, int | float) and isinstance(right, int | float)
    if operator == "Eq":
        return bool(left == right)
    if operator == "Is":
        return left is right if isinstance(left, bool | None) and isinstance(right, bool | None) else None
    if not numbers:
        return None
    return {"Lt": left < right, "LtE": left <= right, "Gt": left > right, "GtE": left >= right}.get(operator)


def _member(left: Value, right: Value) -> bool | None:
    if right.kind != "tuple":
        return None
    found = [_compare("Eq", left, item) for item in right.data]
    if True in found:
        return True
    return None if None in found else False
