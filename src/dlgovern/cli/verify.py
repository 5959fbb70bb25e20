"""``dlgovern verify``: run what a project's template promises and write the evidence. The one verb that runs a project's code."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import tempfile
import time

from dlgovern.cli import command, exits, scaffold
from dlgovern.errors import UsageError, suggestion
from dlgovern.report.display import display
from dlgovern.scaffold import lock as locks
from dlgovern.scaffold.load import choose, places, read_template
from dlgovern.scaffold.verify import Outcome, Ready, evidence, find_python, ready, run_all


def run(words: list[str]) -> int:
    """Run the promises; exit 1 when one is broken, 3 when one could not be run."""
    made = command.parser(
        "verify", "Run what the project's template promises: training, resuming, exporting, tests. This runs the project's code.",
        "dlgovern verify", "dlgovern verify --yes --only train --only resume",
    )  # fmt: skip
    command.add_project(made)
    made.add_argument("--yes", "-y", action="store_true", help="run them without asking")
    made.add_argument("--list", action="store_true", help="list the promises and run nothing")
    made.add_argument("--only", action="append", default=[], metavar="PROMISE", help="run this one only, and what it builds on; repeatable")
    made.add_argument("--python", metavar="PATH", help="the project's interpreter; without: that of its .venv, else that of dlgovern")
    made.add_argument("--work", metavar="FOLDER", help="where the runs go, and stay; without: a temporary folder that is removed")
    made.add_argument("--output-file", "-o", metavar="FILE", help="where the evidence goes; without: evidence.json in the project")
    command.add_standard(made, "else the one in dlgovern.lock")
    options = made.parse_args(words)
    root = os.path.realpath(options.path)
    lock = locks.read(root)
    if lock.pending:
        raise UsageError(f"an update to {lock.pending.version} is pending", root, "finish it with `dlgovern update --continue` first")
    known = places(scaffold.standard_of(lock, root, options.standard))
    template = read_template(known, choose(known, f"{lock.template}/{lock.version}"))
    work = _work(options.work)
    try:
        promises = _chosen(ready(template, lock, work), options.only)
        python = find_python(root, options.python)
        if options.list:
            sys.stdout.write(scaffold.table((one.promise.name, one.promise.help or shlex.join(one.command)) for one in promises))
            return exits.CLEAN
        _demand_consent(promises, root, python, yes=options.yes)
        return _verify(root, lock, promises, python, work, options.output_file or os.path.join(root, "evidence.json"))
    finally:
        if not options.work:
            shutil.rmtree(work, ignore_errors=True)


def _work(asked: str | None) -> str:
    """An empty folder for what the promises write. Raises UsageError."""
    if not asked:
        return tempfile.mkdtemp(prefix="dlgovern-verify-")
    try:
        os.makedirs(asked, exist_ok=True)
        if os.listdir(asked):
            raise UsageError("is not empty", asked, "an older run would be taken for the new one; name another folder")
    except OSError as error:
        raise UsageError(f"cannot be used: {error.strerror}", asked) from None
    return os.path.realpath(asked)


def _verify(root: str, lock: locks.Lock, promises: list[Ready], python: str, work: str, path: str) -> int:
    started = time.time()
    outcomes: list[Outcome] = []
    for one in run_all(root, promises, python, lambda line: _note(f"running {line}")):
        outcomes.append(one)
        sys.stdout.write(f"{one.state if one.state == 'kept' else one.state.upper():<10} {one.name:<12} {one.seconds:7.1f} s  {display(one.why)}".rstrip() + "\n")
        sys.stdout.write("".join(f"        | {display(line)}\n" for line in one.tail.splitlines()))
        sys.stdout.flush()
    text = evidence(root, lock, python, outcomes, started, work)
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        _note(f"the evidence cannot be written: {path}: {error.strerror}")
        return exits.NOT_FINISHED
    kept = sum(one.state == "kept" for one in outcomes)
    sys.stdout.write(f"{kept} of {scaffold.count(len(outcomes), 'promise')} kept; evidence in {display(os.path.relpath(path))}\n")
    if any(one.state == "impossible" for one in outcomes):
        return exits.NOT_FINISHED
    return exits.CLEAN if kept == len(outcomes) else exits.FINDINGS


def _chosen(promises: list[Ready], only: list[str]) -> list[Ready]:
    known = [one.promise.name for one in promises]
    if not known:
        raise UsageError("the template promises nothing for these answers", do="there is nothing to verify")
    for name in only:
        if name not in known:
            raise UsageError(f"nothing is promised under the name {name!r}{suggestion(name, known)}", do=f"there is: {', '.join(known)}")
    wanted = set(only or known)
    for one in reversed(promises):  # what a promise builds on comes before it
        if one.promise.name in wanted:
            wanted |= set(one.promise.after)
    return [one for one in promises if one.promise.name in wanted]


def _demand_consent(promises: list[Ready], root: str, python: str, *, yes: bool) -> None:
    """Say what will be run and ask. Raises UsageError where nobody agrees."""
    _note(f"this runs code of {root} with {python}:")
    for one in promises:
        _note(f"  {one.promise.name}: {shlex.join(one.command)}")
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("nobody agreed to run the project's code", do="pass --yes")
    sys.stderr.write("run it? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise UsageError("not run: you did not agree")


def _note(line: str) -> None:
    sys.stderr.write(display(line) + "\n")
    sys.stderr.flush()
