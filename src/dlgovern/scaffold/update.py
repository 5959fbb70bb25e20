"""Bring a project to another version of its template: plan it, carry it out, finish it or take it back."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from hashlib import sha256
from typing import NamedTuple

from dlgovern.errors import ConfigurationError, StandardError, UsageError
from dlgovern.fix.place import Refused, resolve
from dlgovern.fix.write import Content, write
from dlgovern.scaffold import lock as locks
from dlgovern.scaffold.answers import AnswersError
from dlgovern.scaffold.history import History
from dlgovern.scaffold.load import Place, Standard, Template, choose, places, read_template
from dlgovern.scaffold.lock import Lock, Pending
from dlgovern.scaffold.plan import Case, Step, on_disk, plan
from dlgovern.scaffold.project import LOCK, Made, make
from dlgovern.scaffold.template import Answer
from dlgovern.scaffold.textmerge import OPEN

Answering = Callable[[Template, dict[str, Answer]], dict[str, Answer]]
"""Gives the answers for a template, from those that an older version recorded."""


class Target(NamedTuple):
    """The version that a project goes to."""

    template: Template
    standard: Standard
    answers: dict[str, Answer]
    made: dict[str, Made]

    def lock(self, lock: Lock) -> Lock:
        """The lock of a project that has arrived here."""
        return locks.of(self.template, self.standard, self.answers, self.made, lock.override)


class Base:
    """What the older version of the template wrote: rendered again, or found in the project's history; always by its hash."""

    def __init__(self, root: str, lock: Lock, known: Mapping[tuple[str, str], Place], history: History) -> None:
        self._lock = lock
        self._known = dict(known)
        self._history = history
        self._rendered: dict[str, bytes] | None = None

    def __call__(self, path: str, digest: str) -> bytes | None:
        """The bytes with this hash, or None."""
        if self._rendered is None:
            self._rendered = self._render()
        data = self._rendered.get(path)
        if data is not None and sha256(data).hexdigest() == digest:
            return data
        return self._history.content(path, digest)

    def _render(self) -> dict[str, bytes]:
        place = self._known.get((self._lock.template, self._lock.version))
        if place is None:
            return {}
        try:
            template = read_template(self._known, place)
            return {path: one.data for path, one in make(template, self._lock.answers, self._lock.standard).items()}
        except (StandardError, AnswersError):
            return {}  # a newer dlgovern cannot render it; history may know


def aim(lock: Lock, standard: Standard, version: str, answering: Answering) -> Target:
    """The project as the named version (or the newest, for "") of its template makes it. Raises UserError."""
    known = places(standard)
    place = choose(known, f"{lock.template}/{version}" if version else lock.template)
    template = read_template(known, place)
    answers = answering(template, lock.answers)
    return Target(template, standard, answers, make(template, answers, standard.facts()))


def steps(root: str, lock: Lock, target: Target, history: History, conflict: str) -> list[Step]:
    """What the update does to each file."""
    labels = ("yours", f"template {lock.version}", f"template {target.template.version}")
    base = Base(root, lock, places(target.standard), history)
    return plan(Case(root, lock.files, target.made, base, labels, conflict))  # type: ignore[arg-type]


def demand_clean(root: str, history: History, found: Iterable[Step]) -> None:
    """Raise UsageError where the update would mix with work that is in no commit."""
    if not history.there:
        raise UsageError("this project is in no git repository", root, "put it in one, or pass --allow-dirty; there is no way back then")
    edited, unknown = history.changed()
    touched = {step.path for step in found if step.before is not None and step.action != "keep"} | {LOCK}
    if dirty := sorted(edited | (unknown & touched)):
        raise UsageError(f"{dirty[0]} is not committed", root, "commit or stash first, or pass --allow-dirty")


def carry_out(root: str, lock: Lock, target: Target, found: list[Step], history: History) -> Lock:
    """Write the files and the lock, all of them or none; the new lock, pending where a conflict is left. Raises UserError."""
    conflicts = {step.path: step.open for step in found if step.open}
    acting = [step for step in found if step.action != "keep"]
    after = target.lock(lock)
    if conflicts:
        kept: dict[str, str] = {}
        if history.there:
            kept = {step.path: "" if step.before is None else history.keep(step.before) for step in acting}
            kept[LOCK] = history.keep(_lock_bytes(root))
        after = lock._replace(pending=Pending(target.template.version, target.answers, dict(conflicts), kept))
    contents = [_content(step) for step in acting if step.after is not None]
    contents.append(Content(LOCK, sha256(_lock_bytes(root)).hexdigest(), locks.dump(after)))
    _write(root, contents)
    for step in acting:
        if step.after is None:
            _remove(root, step.path)
        elif step.executable:
            executable(root, step.path)
    return after


def still_open(root: str, pending: Pending) -> list[str]:
    """Files of a pending update in which a conflict stands."""
    found = []
    for path, kind in sorted(pending.conflicts.items()):
        try:
            data = on_disk(root, path) or b""
        except Refused:
            continue
        if kind != "choice" and OPEN.search(data):
            found.append(path)
    return found


def finish(root: str, lock: Lock, target: Target) -> None:
    """Let the lock say that the project has arrived."""
    _write(root, [Content(LOCK, sha256(_lock_bytes(root)).hexdigest(), locks.dump(target.lock(lock)))])


def take_back(root: str, pending: Pending, history: History) -> list[str]:
    """Put every file back as it was before the update; the paths. Raises ConfigurationError."""
    if not pending.before:
        raise ConfigurationError("nothing was kept of the files before the update", root, "restore them by hand, then remove [update] from dlgovern.lock")
    contents, gone = [], []
    for path, blob in sorted(pending.before.items()):
        if not blob:
            gone.append(path)
            continue
        data = history.kept(blob)
        if data is None:
            raise ConfigurationError(f"git has dropped what {path} was before the update", root, "restore it from a commit")
        now = _bytes(root, path)
        contents.append(Content(path, "" if now is None else sha256(now).hexdigest(), data))
    _write(root, contents)
    for path in gone:
        _remove(root, path)
    return sorted(pending.before)


def _content(step: Step) -> Content:
    return Content(step.path, "" if step.before is None else sha256(step.before).hexdigest(), step.after or b"")


def _lock_bytes(root: str) -> bytes:
    return _bytes(root, LOCK) or b""


def _bytes(root: str, path: str) -> bytes | None:
    try:
        return on_disk(root, path)
    except Refused as error:
        raise ConfigurationError(error.why, path, "put it right and try again") from None


def _write(root: str, contents: list[Content]) -> None:
    for one in write(root, [tuple(contents)]):
        if one.why:
            raise ConfigurationError(one.why, one.path, "nothing else was written; put it right and try again")


def _remove(root: str, path: str) -> None:
    with suppress(OSError, Refused):
        real = resolve(root, path)
        os.unlink(real)
        os.removedirs(os.path.dirname(real))  # only folders that are empty now


def executable(root: str, path: str) -> None:
    """Let a file that was written be run by whoever may read it."""
    with suppress(OSError, Refused):
        real = resolve(root, path)
        mode = os.stat(real).st_mode
        os.chmod(real, mode | ((mode & 0o444) >> 2))
