"""``dlgovern adopt``: bring an existing repository under a template without changing a file of it."""

from __future__ import annotations

import os
import sys

from dlgovern.cli import command, exits, scaffold
from dlgovern.errors import ConfigurationError, UsageError
from dlgovern.fix.place import Refused
from dlgovern.fix.write import Content, write
from dlgovern.report.display import display
from dlgovern.scaffold import lock as locks
from dlgovern.scaffold.load import choose, places, read_template
from dlgovern.scaffold.plan import on_disk
from dlgovern.scaffold.project import LOCK, Made, make
from dlgovern.scaffold.update import executable
from dlgovern.source.globs import matcher


def run(words: list[str]) -> int:
    """Add what is missing and the lock; what is there stays as it is and is named."""
    made = command.parser(
        "adopt", "Bring an existing repository under a template: add what is missing, change nothing, write dlgovern.lock.",
        "dlgovern adopt --template ddp --dry-run", "dlgovern adopt --template ddp --leave-out 'src/**' --set package=segmenter",
    )  # fmt: skip
    command.add_project(made, "the repository's folder")
    made.add_argument("--leave-out", action="append", default=[], metavar="PATTERN", help="do not add these; updates will not bring them either")
    made.add_argument("--dry-run", action="store_true", help="show what would be added, and write nothing")
    scaffold.add_template(made, required=True)
    scaffold.add_answers(made)
    options = made.parse_args(words)
    root = os.path.realpath(options.path)
    if not os.path.isdir(root):
        raise UsageError("there is no such folder", root, "`dlgovern new` makes one")
    if os.path.lexists(os.path.join(root, LOCK)):
        raise UsageError("has a dlgovern.lock already", root, "`dlgovern update` brings it to another version or other answers")
    standard = scaffold.find_standard(options.standard, root)
    known = places(standard)
    place = choose(known, options.template)
    template = read_template(known, place)
    scaffold.demand_allowed(standard, place, template.technologies, options.override)
    given = scaffold.said(options)
    given.setdefault("name", os.path.basename(root))
    answers = scaffold.answer(options, template, given)
    files = make(template, answers, standard.facts())
    lock = locks.of(template, standard, answers, files, options.override or "")
    missing, differing = _compared(root, files, options.leave_out)
    if not options.dry_run:
        _write(root, [*missing, Made(LOCK, locks.dump(lock), "generated")])
    word = "would add" if options.dry_run else "added"
    sys.stdout.write("".join(f"{word} {display(one.path)}\n" for one in [*missing]))
    sys.stdout.write("".join(f"kept {display(path)}: {why}\n" for path, why in differing))
    sys.stderr.write(
        f"{word} {scaffold.count(len(missing))} and {LOCK}; {scaffold.count(len(differing))} of yours kept as they are:"
        " `dlgovern drift --diff` shows how they differ\n"
    )
    return exits.CLEAN


def _compared(root: str, files: dict[str, Made], left_out: list[str]) -> tuple[list[Made], list[tuple[str, str]]]:
    """Files that are missing, and those that are there with another content (path, why they are kept)."""
    pattern = matcher(left_out)
    missing: list[Made] = []
    differing: list[tuple[str, str]] = []
    for path, one in sorted(files.items()):
        try:
            disk = on_disk(root, path)
        except Refused as error:
            differing.append((path, error.why))
            continue
        if disk is None:
            if not (pattern and pattern.match(path)):
                missing.append(one)
        elif disk != one.data:
            differing.append((path, "is yours" if one.owner == "seeded" else "differs from the template"))
    return missing, differing


def _write(root: str, files: list[Made]) -> None:
    for written in write(root, [tuple(Content(one.path, "", one.data) for one in files)]):
        if written.why:
            raise ConfigurationError(written.why, written.path, "nothing else was written; put it right and try again")
    for one in files:
        if one.executable:
            executable(root, one.path)
