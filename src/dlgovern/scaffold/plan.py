"""Decide for each file of a project what a later version of its template does to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from typing import Literal, NamedTuple

from dlgovern.fix.place import Refused, current, resolve
from dlgovern.scaffold.lock import Entry
from dlgovern.scaffold.project import Made
from dlgovern.scaffold.textmerge import Side, merge, two_way
from dlgovern.scaffold.tomlmerge import merge_toml

Action = Literal["create", "update", "merge", "delete", "keep"]
Open = Literal["", "markers", "note", "choice"]
LARGEST = 4 << 20  # bytes of a file that is compared or merged


class Step(NamedTuple):
    """What happens to one file. ``before`` and ``after`` are its bytes, None where there is no file."""

    path: str
    action: Action
    before: bytes | None
    after: bytes | None
    executable: bool = False
    open: Open = ""  # how a conflict shows in the file; choice: not at all, a person decides
    notes: tuple[str, ...] = ()
    theirs: bytes | None = None  # what the template has, where it was not taken


class Case(NamedTuple):
    """The two versions of the template, and how to find what the older one wrote."""

    root: str
    old: Mapping[str, Entry]  # what the lock says
    new: Mapping[str, Made]
    base: Callable[[str, str], bytes | None]  # path and SHA-256 -> the bytes that the older version wrote
    labels: tuple[str, str, str]  # of yours, base and theirs
    conflict: Literal["marker", "ours", "theirs", "patch"] = "marker"


def plan(case: Case) -> list[Step]:
    """The steps, sorted by path; a file that nothing happens to and nothing is said about has none."""
    return [step for path in sorted({*case.old, *case.new}) for step in _steps(case, path)]


def on_disk(root: str, path: str) -> bytes | None:
    """The bytes of a project's file, None where there is none. Raises `Refused` for a link out, a folder and the like."""
    data, status = current(resolve(root, path), LARGEST)
    return None if status is None else data


def _steps(case: Case, path: str) -> Iterator[Step]:
    old, new = case.old.get(path), case.new.get(path)
    try:
        disk = on_disk(case.root, path)
    except Refused as error:
        yield Step(path, "keep", None, None, notes=(error.why,))
        return
    if new is None:
        if old is not None:
            yield from _removed(path, old, disk)
    elif old is None:
        yield from _added(case, path, new, disk)
    elif new.owner != "seeded" and new.digest != old.sha256:
        yield from _changed(case, path, old, new, disk)


def _removed(path: str, old: Entry, disk: bytes | None) -> Iterator[Step]:
    if disk is None:
        return
    if old.owner != "seeded" and sha256(disk).hexdigest() == old.sha256:
        yield Step(path, "delete", disk, None)
    else:
        why = "it is yours" if old.owner == "seeded" else "you changed it"
        yield Step(path, "keep", disk, disk, notes=(f"the template has removed it; {why}, so it stays",))


def _added(case: Case, path: str, new: Made, disk: bytes | None) -> Iterator[Step]:
    if disk is None:
        yield Step(path, "create", None, new.data, new.executable)
    elif disk == new.data:
        return
    elif new.owner == "seeded":
        yield Step(path, "keep", disk, disk, notes=("is there already, and yours",))
    else:
        yield _merged(case, path, new, disk, None, ("you and the template both added it",))


def _changed(case: Case, path: str, old: Entry, new: Made, disk: bytes | None) -> Iterator[Step]:
    if disk is None:
        yield Step(path, "keep", None, None, notes=("stays deleted; the template has changed it",))
    elif disk == new.data:
        return
    elif sha256(disk).hexdigest() == old.sha256:
        yield Step(path, "update", disk, new.data, new.executable)
    else:
        notes = ("was edited although the template owns it",) if new.owner == "generated" else ()
        base = case.base(path, old.sha256)
        if base is None:
            notes = (*notes, "what the template once wrote is lost, so every difference is a conflict")
        yield _merged(case, path, new, disk, base, notes)


def _merged(case: Case, path: str, new: Made, disk: bytes, base: bytes | None, notes: tuple[str, ...]) -> Step:
    """The merge of a file that both sides have."""
    side: Side = "marker" if case.conflict == "patch" else case.conflict
    step = Step(path, "merge", disk, disk, new.executable, notes=notes, theirs=new.data)
    if path.endswith(".toml"):
        by_key = merge_toml(base or b"", disk, new.data, case.labels[2], side)
        if by_key is not None:
            said = (*notes, *by_key.clashes, *by_key.notes)
            return _settled(case, step._replace(after=by_key.data, open="note" if by_key.clashes else "", notes=said))
    merged = two_way(disk, new.data, case.labels, side) if base is None else merge(base, disk, new.data, case.labels, side)
    if merged is not None:
        return _settled(case, step._replace(after=merged.data, open="markers" if merged.conflicts else ""))
    if case.conflict == "theirs":
        return step._replace(after=new.data)
    why = "is no text and differs on both sides; yours is kept"
    return step._replace(action="keep", open="" if case.conflict == "ours" else "choice", notes=(*notes, why))


def _settled(case: Case, step: Step) -> Step:
    """The step, unless conflicts are to be left out of the file."""
    if step.open and case.conflict == "patch":
        return step._replace(action="keep", after=step.before, open="choice")
    return step
