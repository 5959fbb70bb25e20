"""How a command line begins: what it is for, examples, and the options that several commands share."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping

from dlgovern.cli import exits
from dlgovern.errors import UsageError, suggestion

Verb = Callable[[list[str]], int]


def parser(command: str, what: str, *examples: str) -> argparse.ArgumentParser:
    """The command line of ``dlgovern COMMAND``, with its help, and nothing asked for yet."""
    return argparse.ArgumentParser(
        prog=f"dlgovern {command}",
        description=what,
        epilog="examples:\n" + "".join(f"  {example}\n" for example in examples),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_project(made: argparse.ArgumentParser, what: str = "the project's folder") -> None:
    """Where a command on one project works."""
    made.add_argument("path", metavar="PATH", nargs="?", default=".", help=what)


def add_standard(made: argparse.ArgumentParser, otherwise: str = "else that of the project") -> None:
    """Which standard counts."""
    made.add_argument("--standard", metavar="NAME", help=f"a folder or an installed package; {otherwise}")


def run_verb(command: str, words: list[str], verbs: Mapping[str, Verb], about: str) -> int:
    """Run the verb that the words begin with; ``about`` is the help of the whole command. Raises UsageError."""
    if not words or words[0] in ("-h", "--help"):
        (sys.stdout if words else sys.stderr).write(about)
        return exits.CLEAN if words else exits.NOT_STARTED
    if words[0] not in verbs:
        raise UsageError(
            f"there is no `{command} {words[0]}`{suggestion(words[0], list(verbs))}", do=f"see `dlgovern {command} --help`"
        )
    return verbs[words[0]](words[1:])
