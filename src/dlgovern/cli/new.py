"""``dlgovern new``: make a project from a template."""

from __future__ import annotations

import argparse
import os
import sys

from dlgovern.cli import command, exits, scaffold
from dlgovern.errors import UsageError
from dlgovern.report.display import display
from dlgovern.scaffold import lock as locks
from dlgovern.scaffold.answers import names, questions
from dlgovern.scaffold.load import Standard, Template, choose, held, newest, places, read_head, read_template
from dlgovern.scaffold.place import demand_free, put
from dlgovern.scaffold.project import LOCK, Made, make
from dlgovern.scaffold.render import Renderer
from dlgovern.scaffold.template import Answer

DEFAULT = "ddp"


def parser() -> argparse.ArgumentParser:
    """The command line of ``new``."""
    made = command.parser(
        "new", "Make a GPU training project that complies with the standard from its first commit.",
        "dlgovern new segmenter", "dlgovern new segmenter --template fsdp2 --set precision=fp32 --set launchers=torchrun,slurm --yes",
    )  # fmt: skip
    made.add_argument("name", metavar="NAME", nargs="?", help="the project's name, or the path of its folder, which must not exist or be empty")
    made.add_argument("--list", action="store_true", help="list the templates; with --template, its questions")
    made.add_argument("--dry-run", action="store_true", help="show which files would be written, and write nothing")
    scaffold.add_template(made, required=False, otherwise=f"; without: {DEFAULT}, newest version")
    scaffold.add_answers(made)
    return made


def run(words: list[str]) -> int:
    """Make the project; exit 2 when it cannot be made, and then nothing is written."""
    options = parser().parse_args(words)
    if options.list:
        return _list(options)
    if not options.name:
        raise UsageError("no name was given", do="such as `dlgovern new segmenter`; `dlgovern new --list` shows the templates")
    if ".." in options.name.replace("\\", "/").split("/"):
        raise UsageError(f"the name {options.name!r} leads upwards", do="name a folder below this one, or a whole path")
    target = os.path.abspath(options.name)
    standard = scaffold.find_standard(options.standard, target)
    known = places(standard)
    place = choose(known, options.template or DEFAULT)
    template = read_template(known, place)
    scaffold.demand_allowed(standard, place, template.technologies, options.override)
    demand_free(target)
    given = scaffold.said(options)
    given.setdefault("name", os.path.basename(target))
    answers = scaffold.answer(options, template, given)
    made = make(template, answers, standard.facts())
    lock = locks.of(template, standard, answers, made, options.override or "")
    files = [*made.values(), Made(LOCK, locks.dump(lock), "generated")]
    if options.dry_run:
        sys.stdout.write(scaffold.table((one.path, one.owner) for one in sorted(files)))
        sys.stderr.write(f"would make {scaffold.count(len(files))} in {display(target)}\n")
        return exits.CLEAN
    put(target, files)
    sys.stdout.write(f"made {display(os.path.relpath(target))}: {scaffold.count(len(files))} from template {template.id} {template.version}\n")
    _next(template, answers, standard)
    return exits.CLEAN


def _next(template: Template, answers: dict[str, Answer], standard: Standard) -> None:
    renderer = Renderer(names(template, answers, standard.facts()), template.parts)
    sys.stdout.write("".join(f"  {display(renderer.text(line))}\n" for line in template.after))


def _list(options: argparse.Namespace) -> int:
    standard = scaffold.find_standard(options.standard, os.getcwd())
    known = places(standard)
    if options.template:
        template = read_template(known, choose(known, options.template))
        rows = []
        for question in questions(template):
            default = template.fixed.get(question.name, template.defaults.get(question.name, question.default))
            kind = " | ".join(question.choices) or question.type
            fixed = " (fixed)" if question.name in template.fixed else ""
            rows.append((question.name, f"{question.help}: {kind}{'' if default is None else f'; default {_shown(default)}'}{fixed}"))
        sys.stdout.write(scaffold.table(rows))
        return exits.CLEAN
    for place in newest(known):
        head = read_head(place)
        on_hold = held(standard, tuple(head.technologies))
        sys.stdout.write(f"{_struck(place.id) if on_hold else place.id:<12} {place.version:<8} {display(head.title)}\n")
        if on_hold:
            sys.stdout.write(f"{'':<12} not for new projects: {display(', '.join(on_hold))} is on hold in {display(standard.name)}\n")
    return exits.CLEAN


def _struck(text: str) -> str:
    """Struck out on a terminal that understands it, in tildes elsewhere."""
    return f"\x1b[9m{text}\x1b[29m" if sys.stdout.isatty() and os.environ.get("TERM") != "dumb" else f"~~{text}~~"


def _shown(default: Answer) -> str:
    if isinstance(default, list):
        return ",".join(default) or "none"
    return str(default).lower() if isinstance(default, bool) else default if isinstance(default, str) and default else repr(default)
