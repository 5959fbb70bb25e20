"""Look at what a promise's command left behind, and say what was measured."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from dlgovern.scaffold.template import Check

_LARGEST = 64 << 20


class Measured(NamedTuple):
    """The outcome of one check: whether it holds, what was measured, and why not."""

    kept: bool
    value: Any = None
    why: str = ""


class _Absent(Exception):
    """What a check needs is not there; the message says what."""


def look(check: Check, folder: str, output: str) -> Measured:
    """Decide one check, its strings rendered already; ``output`` is what the command printed on standard output."""
    try:
        return _LOOKS[check.kind](check, folder, output)
    except _Absent as error:
        return Measured(False, None, str(error))
    except re.error as error:
        return Measured(False, None, f"the pattern is no regular expression: {error}")


def _falling(check: Check, folder: str, _output: str) -> Measured:
    values = [number for _, number in _series(folder, check.file, check.key)]
    if len(values) < 4:
        raise _Absent(f"{check.file} has {len(values)} values of {check.key}; 4 are needed to see a fall")
    part = max(len(values) // 4, 1)
    first, last = (sum(some) / part for some in (values[:part], values[-part:]))
    said = {"first": first, "last": last, "values": len(values)}
    if not all(map(math.isfinite, values)):
        return Measured(False, said, f"{check.key} is not finite in every line")
    return Measured(last < first, said, "" if last < first else f"{check.key} does not fall: {first:.6g} at first, {last:.6g} at last")


def _same(check: Check, folder: str, _output: str) -> Measured:
    left, right = (dict(_series(folder, name, check.key)) for name in (check.file, check.other))
    if not left:
        raise _Absent(f"{check.file} has no value of {check.key}")
    if left.keys() != right.keys():
        odd = sorted(left.keys() ^ right.keys())
        return Measured(False, {"values": len(left)}, f"{len(odd)} lines are in one file only, the first: {odd[0]}")
    differing = [at for at in left if left[at].hex() != right[at].hex()]
    largest = max((abs(left[at] - right[at]) for at in differing), default=0.0)
    said = {"values": len(left), "differing": len(differing), "largest_difference": largest}
    if not differing or (check.limit and largest <= check.limit):
        return Measured(True, said)
    at = differing[0]
    return Measured(False, said, f"{check.key} differs first at {at}: {left[at].hex()} and {right[at].hex()}")


def _at_most(check: Check, folder: str, _output: str) -> Measured:
    value = _value(folder, check.file, check.key)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return Measured(False, value, f"{check.key} is no number")
    kept = value <= check.limit  # never true of a NaN
    return Measured(kept, value, "" if kept else f"{check.key} is {value:.6g}, more than {check.limit:g}")


def _equals(check: Check, folder: str, _output: str) -> Measured:
    value = _value(folder, check.file, check.key)
    kept = type(value) is type(check.value) and value == check.value
    return Measured(kept, value, "" if kept else f"{check.key} is {value!r}, not {check.value!r}")


def _exists(check: Check, folder: str, _output: str) -> Measured:
    path = os.path.join(folder, check.file)
    return Measured(True, os.path.getsize(path)) if os.path.isfile(path) else Measured(False, None, f"there is no {check.file}")


def _output(check: Check, _folder: str, output: str) -> Measured:
    found = re.search(check.pattern, output)
    return Measured(bool(found), found[0][:200] if found else None, "" if found else f"nothing printed matches {check.pattern}")


def _clean(_check: Check, _folder: str, output: str) -> Measured:
    try:
        report = json.loads(output)
        states = [one["state"] for one in report["findings"]]
        said = {state: states.count(state) for state in ("open", "suppressed", "waived", "baselined")}
        said |= {"not_judged": len(report["not_judged"]), "files_judged": report["summary"]["files_judged"]}
    except (ValueError, KeyError, TypeError) as error:
        raise _Absent(f"the command printed no report of dlgovern check in JSON ({type(error).__name__})") from None
    bad = [f"{count} {what}" for what, count in said.items() if count and what != "files_judged"]
    if not said["files_judged"]:
        bad.append("no file was judged")
    return Measured(not bad, said, ", ".join(bad))


_LOOKS = {
    "falling": _falling, "same": _same, "at-most": _at_most, "equals": _equals, "exists": _exists, "output": _output,
    "clean": _clean,
}  # fmt: skip


def _text(folder: str, name: str) -> str:
    try:
        with open(os.path.join(folder, name), "rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise _Absent(f"{name} cannot be read: {error.strerror}") from None
    if len(data) > _LARGEST:
        raise _Absent(f"{name} is larger than 64 MiB")
    return data.decode("utf-8", "replace")


def _series(folder: str, name: str, key: str) -> Iterator[tuple[str, float]]:
    """Each value of a key in a file of JSON lines, by the line's ``step`` or else its number; of one step, the last."""
    for number, line in enumerate(_text(folder, name).splitlines(), 1):
        try:
            row = json.loads(line) if line.strip() else {}
        except ValueError:
            raise _Absent(f"{name}:{number} is no JSON") from None
        value = _inside(row, key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield f"step {row['step']}" if "step" in row else f"line {number}", float(value)


def _value(folder: str, name: str, key: str) -> Any:
    try:
        found = _inside(json.loads(_text(folder, name)), key)
    except ValueError:
        raise _Absent(f"{name} is no JSON") from None
    if found is None:
        raise _Absent(f"{name} has no {key}")
    return found


def _inside(value: Any, key: str) -> Any:
    for part in key.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value
