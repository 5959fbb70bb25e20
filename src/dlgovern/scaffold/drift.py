"""Say how a project differs from what its template makes of it today."""

from __future__ import annotations

from typing import NamedTuple

from dlgovern.errors import UsageError
from dlgovern.fix.place import Refused
from dlgovern.scaffold.load import Standard, order, places, read_template
from dlgovern.scaffold.lock import Lock
from dlgovern.scaffold.plan import on_disk
from dlgovern.scaffold.project import Made, make

STATES = {
    "changed": "differs from what the template makes",
    "deleted": "is missing",
    "stale": "the lock names another content than the template makes: the template was changed under its version",
    "unreadable": "cannot be compared",
}
"""State of a file -> what it means."""


class Drifted(NamedTuple):
    """One managed file that is not as the template makes it."""

    path: str
    owner: str
    state: str
    fails: bool  # it is the template's, so it should not differ; to delete it is a decision
    disk: bytes | None
    made: bytes | None


def drift(root: str, lock: Lock, standard: Standard) -> list[Drifted]:
    """The managed files that differ, sorted by path; what is seeded belongs to the project and is left out."""
    found = []
    made = remake(lock, standard)
    for path in sorted({*made, *lock.files}):
        one, entry = made.get(path), lock.files.get(path)
        owner = one.owner if one else entry.owner if entry else "merged"
        if owner == "seeded":
            continue
        own = owner == "generated"
        if one is None or entry is None or one.digest != entry.sha256:
            found.append(Drifted(path, owner, "stale", True, None, one.data if one else None))
        if one is None:
            continue
        try:
            disk = on_disk(root, path)
        except Refused:
            found.append(Drifted(path, owner, "unreadable", own, None, one.data))
            continue
        if disk is None:
            found.append(Drifted(path, owner, "deleted", False, None, one.data))
        elif disk != one.data:
            found.append(Drifted(path, owner, "changed", own, disk, one.data))
    return found


def remake(lock: Lock, standard: Standard) -> dict[str, Made]:
    """The files as the recorded version makes them from the recorded answers. Raises UsageError where it is not at hand."""
    known = places(standard)
    place = known.get((lock.template, lock.version))
    if place is None:
        have = ", ".join(sorted((version for name, version in known if name == lock.template), key=order)) or "none"
        raise UsageError(
            f"the version {lock.version} of the template {lock.template} is not at hand; there is: {have}",
            do="run `dlgovern update`, or install a dlgovern or a standard that still carries it",
        )
    return make(read_template(known, place), lock.answers, lock.standard)
