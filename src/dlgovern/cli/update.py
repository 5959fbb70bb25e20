"""``dlgovern update``: bring a project to a later version of its template."""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Any

from dlgovern.cli import command, exits, scaffold
from dlgovern.errors import UsageError
from dlgovern.report.display import display
from dlgovern.scaffold import lock as locks
from dlgovern.scaffold.history import History
from dlgovern.scaffold.load import Standard, Template, newest, order, places
from dlgovern.scaffold.lock import Lock
from dlgovern.scaffold.migrations import migrate
from dlgovern.scaffold.plan import Step
from dlgovern.scaffold.template import Answer
from dlgovern.scaffold.update import Target, aim, carry_out, demand_clean, finish, steps, still_open, take_back

_DONE = {"create": "created", "update": "updated", "merge": "merged", "delete": "deleted", "keep": "kept"}


def parser() -> argparse.ArgumentParser:
    """The command line of ``update``."""
    made = command.parser(
        "update", "Bring a project to a later version of its template, or to other answers, and keep your changes.",
        "dlgovern update --dry-run", "dlgovern update --set launchers=torchrun,slurm", "dlgovern update --continue",
    )  # fmt: skip
    command.add_project(made)
    what = made.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="say as JSON whether there is an update; exit 1 when there is")
    what.add_argument("--dry-run", action="store_true", help="print the update as a patch, and write nothing")
    what.add_argument("--continue", action="store_true", dest="go_on", help="conflicts are resolved: finish the update")
    what.add_argument("--abort", action="store_true", help="put every file back as it was before the update")
    made.add_argument("--to", metavar="VERSION", default="", help="this version instead of the newest")
    made.add_argument(
        "--conflict", choices=("marker", "ours", "theirs", "patch"), default="marker",
        help="where both sides changed the same: mark it (default), keep yours, take the template's, or keep yours and print a patch",
    )  # fmt: skip
    made.add_argument("--no-fix", action="store_true", help="do not repair what a later version of the standard finds")
    made.add_argument("--allow-dirty", action="store_true", help="update although there are changes in no commit")
    command.add_standard(made, "else the one in dlgovern.lock")
    scaffold.add_answers(made)
    return made


def run(words: list[str]) -> int:
    """Update; exit 1 where conflicts are left (or with --check and --dry-run: where there is an update)."""
    options = parser().parse_args(words)
    root = os.path.realpath(options.path)
    lock = locks.read(root)
    standard = scaffold.standard_of(lock, root, options.standard)
    history = History(root)
    if options.check:
        return _check(lock, standard)
    if options.abort:
        return _abort(root, lock, history)
    if options.go_on:
        return _continue(options, root, lock, standard)
    if lock.pending:
        raise UsageError(f"an update to {lock.pending.version} is pending", root, "finish it with --continue, or take it back with --abort")
    return _update(options, root, lock, standard, history)


def _update(options: argparse.Namespace, root: str, lock: Lock, standard: Standard, history: History) -> int:
    given = scaffold.said(options)

    def answering(template: Template, recorded: dict[str, Answer]) -> dict[str, Answer]:
        moved = migrate(template.id, lock.version, template.version, recorded)
        return scaffold.answer(options, template, given, moved)

    target = aim(lock, standard, options.to, answering)
    _demand_forward(lock, target)
    found = steps(root, lock, target, history, options.conflict)
    if options.dry_run:
        return _show(found, target)
    if target.lock(lock) == lock:
        sys.stdout.write(f"nothing to do: {lock.template} {lock.version} is what the standard has\n")
        return exits.CLEAN
    if not options.allow_dirty:
        demand_clean(root, history, found)
    after = carry_out(root, lock, target, found, history)
    _say(found)
    if options.conflict == "patch":
        scaffold.say_patch([(step.path, step.before, step.theirs) for step in found if step.open])
    if after.pending:
        sys.stderr.write(
            f"{scaffold.count(len(after.pending.conflicts))} with conflicts: resolve them, then `dlgovern update --continue`"
            " (or `--abort`)\n"
        )
        return exits.FINDINGS
    return _arrived(options, root, lock, target)


def _demand_forward(lock: Lock, target: Target) -> None:
    if order(target.template.version) < order(lock.version):
        raise UsageError(f"{target.template.version} is older than {lock.version}, which the project has", do="name a newer one with --to")


def _check(lock: Lock, standard: Standard) -> int:
    latest = {place.id: place.version for place in newest(places(standard))}
    version = latest.get(lock.template, lock.version)
    there = order(version) > order(lock.version) or standard.version != lock.standard["version"]
    said: dict[str, Any] = {
        "schema": "dlgovern/1",
        "update": {
            "available": there,
            "state": "pending" if lock.pending else "current",
            "template": {"id": lock.template, "from": lock.version, "to": version},
            "standard": {"name": lock.standard["name"], "from": lock.standard["version"], "to": standard.version},
        },
    }
    sys.stdout.write(json.dumps(said, indent=2) + "\n")
    return exits.FINDINGS if there or lock.pending else exits.CLEAN


def _continue(options: argparse.Namespace, root: str, lock: Lock, standard: Standard) -> int:
    pending = _demand_pending(root, lock)
    if left := still_open(root, pending):
        sys.stdout.write("".join(f"{display(path)}: a conflict is left\n" for path in left))
        return exits.FINDINGS
    target = aim(lock, standard, pending.version, lambda _template, _recorded: pending.answers)
    finish(root, lock._replace(pending=None), target)
    return _arrived(options, root, lock, target)


def _arrived(options: argparse.Namespace, root: str, lock: Lock, target: Target) -> int:
    """Say where the project is now; where its standard moved, repair what that finds, as far as a repair is sure."""
    sys.stderr.write(f"{lock.template} {lock.version} -> {target.template.version}\n")
    before, after = lock.standard["version"], target.standard.version
    if before == after or options.no_fix:
        return exits.CLEAN
    from dlgovern.cli import fix  # the engine comes with it

    sys.stderr.write(f"{display(target.standard.name)} {display(before)} -> {display(after)}: what it finds and can repair for sure\n")
    return exits.NOT_FINISHED if fix.run([root, "--quiet", "--exit-zero"]) else exits.CLEAN


def _abort(root: str, lock: Lock, history: History) -> int:
    paths = take_back(root, _demand_pending(root, lock), history)
    sys.stdout.write("".join(f"restored {display(path)}\n" for path in paths))
    return exits.CLEAN


def _demand_pending(root: str, lock: Lock) -> locks.Pending:
    if lock.pending is None:
        raise UsageError("no update is pending here", root, "`dlgovern update` begins one")
    return lock.pending


def _show(found: list[Step], target: Target) -> int:
    scaffold.say_patch([(step.path, step.before, step.after) for step in found])
    for step in found:
        for note in step.notes:
            sys.stderr.write(f"{display(step.path)}: {display(note)}\n")
    changed = sum(step.action != "keep" for step in found)
    open_ = sum(bool(step.open) for step in found)
    sys.stderr.write(f"would change {scaffold.count(changed)} for {target.template.id} {target.template.version}, {open_} with conflicts\n")
    return exits.FINDINGS if changed or open_ else exits.CLEAN


def _say(found: list[Step]) -> None:
    for step in found:
        word = "CONFLICT" if step.open else _DONE[step.action]
        sys.stdout.write(f"{word:<8} {display(step.path)}\n")
        sys.stdout.write("".join(f"         {display(note)}\n" for note in step.notes))

