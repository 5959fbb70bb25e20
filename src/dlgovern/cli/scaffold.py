"""What the commands on projects made from templates share: options, answers from files and people, lists of files."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable
from typing import Any

from dlgovern.cli import command
from dlgovern.cli.settings import standard_named
from dlgovern.errors import UsageError
from dlgovern.report.display import display
from dlgovern.scaffold.answers import settle
from dlgovern.scaffold.load import Place, Standard, Template, held, open_standard
from dlgovern.scaffold.lock import Lock
from dlgovern.scaffold.patch import patch
from dlgovern.scaffold.template import Answer, Question

_LARGEST = 256 * 1024


def add_answers(made: argparse.ArgumentParser) -> None:
    """Options that answer a template's questions."""
    group = made.add_argument_group("answers")
    group.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="answer one question; repeatable")
    group.add_argument("--answers", metavar="FILE", help="answers in TOML or JSON, or another project's dlgovern.lock")
    group.add_argument("--yes", "-y", action="store_true", help="ask nothing: what is not answered takes its default")


def add_template(made: argparse.ArgumentParser, *, required: bool, otherwise: str = "") -> None:
    """Which template, whose, and why although it is on hold."""
    made.add_argument("--template", metavar="ID[/VERSION]", required=required, help=f"which template{otherwise}")
    made.add_argument("--override", metavar="REASON", help="use a template although the standard has its library on hold")
    command.add_standard(made, "else that of the project around")


def find_standard(asked: str | None, target: str) -> Standard:
    """The standard asked for, else the one around; a folder is named as seen from the new project."""
    name, base = standard_named(asked)
    folder = os.path.join(base, name)
    source = name
    if os.path.isfile(os.path.join(folder, "standard.toml")) and not os.path.isabs(name):
        source = os.path.relpath(os.path.realpath(folder), os.path.realpath(target)).replace(os.sep, "/")
    return open_standard(name, base, source)


def standard_of(lock: Lock, root: str, asked: str | None) -> Standard:
    """The standard of a project that is there already: the one asked for, else the one in its lock."""
    if asked:
        return find_standard(asked, root)
    source = lock.standard["source"]
    return open_standard(source, root, source)


def said(options: argparse.Namespace) -> dict[str, Any]:
    """The answers given on the command line and in a file; the command line has the last word. Raises UsageError."""
    found: dict[str, Any] = _from_file(options.answers) if options.answers else {}
    for text in options.set:
        name, marker, value = text.partition("=")
        if not marker or not name.strip():
            raise UsageError(f"--set {text!r} is not KEY=VALUE", do="such as --set precision=fp32")
        found[name.strip().replace("-", "_")] = value
    return found


def answer(
    options: argparse.Namespace, template: Template, given: dict[str, Any], recorded: dict[str, Answer] | None = None
) -> dict[str, Answer]:
    """An answer to every question of the template; what is not given is asked on a terminal."""
    person = sys.stdin is not None and sys.stdin.isatty() and not options.yes
    return settle(template, given, ask=_ask if person else None, recorded=recorded)


def demand_allowed(standard: Standard, place: Place, technologies: tuple[str, ...], override: str | None) -> None:
    """Raise UsageError where the standard has put a library of the template on hold and nobody says why not to mind."""
    if (on_hold := held(standard, technologies)) and not override:
        raise UsageError(
            f"the template {place.id} is built on {', '.join(on_hold)}, which the standard {standard.name} has on hold",
            do="choose another, or give your reason with --override REASON; it is kept in dlgovern.lock",
        )


def table(rows: Iterable[tuple[str, str]]) -> str:
    """Two columns, safe to print."""
    pairs = [(display(left), display(right)) for left, right in rows]
    width = max((len(left) for left, _ in pairs), default=0)
    return "".join(f"{left:<{width}}  {right}".rstrip() + "\n" for left, right in pairs)


def say_patch(changes: Iterable[tuple[str, bytes | None, bytes | None]]) -> None:
    """Print changes (path, before, after) as a patch: byte for byte where no person reads it."""
    if sys.stdout.isatty():
        sys.stdout.write("".join(patch(*one, raw=False) for one in changes))
        return
    sys.stdout.flush()
    sys.stdout.buffer.write("".join(patch(*one, raw=True) for one in changes).encode("utf-8", "surrogateescape"))
    sys.stdout.buffer.flush()


def count(many: int, what: str = "file") -> str:
    """``1 file``, ``2 files``."""
    return f"{many} {what}{'' if many == 1 else 's'}"


def _ask(question: Question, default: Answer | None) -> str:
    """Ask on the terminal: on standard error, because standard output is for results."""
    kind = {"choice": "one of", "multi": "any of, by commas"}.get(question.type, "")
    lines = f"{display(question.help)}\n"
    if question.choices:
        lines += f"  {kind}: {', '.join(map(display, question.choices))}\n"
    shown = ",".join(default) if isinstance(default, list) else str(default).lower() if isinstance(default, bool) else default
    hint = "" if default is None else f" [{display(str(shown))}]"
    sys.stderr.write(f"{lines}  {display(question.name)}{hint}: ")
    sys.stderr.flush()
    typed = sys.stdin.readline()
    if not typed:
        raise UsageError("the input ended before every question was answered", do="answer with --set and --answers, or take defaults with --yes")
    return typed.rstrip("\r\n")


def _from_file(path: str) -> dict[str, Any]:
    import tomli

    try:
        with open(path, "rb") as file:
            data = file.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            raise ValueError("larger than 256 KiB")
        text = data.decode("utf-8")
        found = json.loads(text) if path.endswith(".json") else tomli.loads(text)
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", path) from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"holds no answers: {error}", path, "write KEY = VALUE in TOML, or an object in a .json file") from None
    inner = found.get("answers") if isinstance(found, dict) else None
    if not isinstance(found, dict):
        raise UsageError("holds no answers: not a table", path)
    return inner if isinstance(inner, dict) else found
