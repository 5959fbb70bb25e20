"""Compare what a script, an image, a workflow or a manifest says before and after edits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dlgovern.evidence import registry
from dlgovern.evidence.recipe import SCRIPTS, Recipe
from dlgovern.finding import Edit

_LISTS = ("commands", "settings", "directives", "images", "resources", "values")


def changed_outside(path: str, before: bytes, after: bytes, edits: Sequence[Edit]) -> str:
    """What the edits changed besides the lines they touch, or broke; "" where nothing.

    Everything that stands on lines which no edit touches must be said again, in the same order, on lines moved by what
    the edits add. A command may get other words where a variable is touched, which it uses.
    """
    kind = registry.kind_of(path)
    if kind not in SCRIPTS:
        return ""
    old, new = (registry.reader(kind)(path, data) for data in (before, after))
    broken = set(_whys(new)) - set(_whys(old))
    if broken:
        return f"{min(broken)} afterwards"
    if old.form != new.form:
        return "is read as something else afterwards"
    touched, moved, made = _lines(before, edits)
    variables = any(setting.line in touched for setting in old.settings)
    for name in _LISTS:
        kept = [_said(one, moved) for one in getattr(old, name) if touched.isdisjoint(_own(one))]
        found = [_said(one, {}) for one in getattr(new, name) if made.isdisjoint(_own(one))]
        if variables and name == "commands":
            kept, found = ([one[1] for one in several] for several in (kept, found))
        if kept != found:
            return f"changes {name} outside of the repair"
    return ""


def _whys(recipe: Recipe) -> list[str]:
    return [problem.why for problem in (*recipe.problems, *recipe.skipped)]


def _own(one: Any) -> range:
    return range(one.line, getattr(one, "end_line", one.line) + 1)


def _said(one: Any, moved: dict[int, int]) -> tuple[Any, Any]:
    """What is said, and on which line of the repaired file."""
    if hasattr(one, "words"):
        return tuple(word.text for word in one.words), moved.get(one.line, one.line)
    named = one._asdict()
    return tuple(value for key, value in named.items() if isinstance(value, str | bool)), moved.get(one.line, one.line)


def _lines(before: bytes, edits: Sequence[Edit]) -> tuple[set[int], dict[int, int], set[int]]:
    """The lines of the old text that edits touch, where the others are in the new one, and the new lines of edits."""
    touched: set[int] = set()
    made: set[int] = set()
    shifts: list[tuple[int, int]] = []  # from this old line on, lines move by so many in all
    moved_by = 0
    for edit in edits:
        first = before.count(b"\n", 0, edit.start) + 1
        last = first + before.count(b"\n", edit.start, edit.end)
        whole = edit.text.endswith("\n") or (not edit.text and _begins_line(before, edit.start))
        tail = whole and _begins_line(before, edit.end)  # the line behind is not touched
        touched.update(range(first, last + (not tail)))
        last -= tail
        made.update(range(first + moved_by, first + moved_by + edit.text.count("\n") + (not tail)))
        moved_by += edit.text.count("\n") - before.count(b"\n", edit.start, edit.end)
        shifts.append((last + 1, moved_by))
    moved: dict[int, int] = {}
    for number in range(1, before.count(b"\n") + 2):
        moved[number] = number + next((by for start, by in reversed(shifts) if start <= number), 0)
    return touched, moved, made


def _begins_line(data: bytes, offset: int) -> bool:
    return offset == 0 or data[offset - 1 : offset] == b"\n"
