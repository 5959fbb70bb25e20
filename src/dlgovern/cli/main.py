"""Find the command, run it, and turn every error into its exit code: the one door."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from dlgovern import __version__
from dlgovern.cli import exits
from dlgovern.errors import UsageError, UserError, suggestion

COMMANDS = {
    "check": "judge files against the standard",
    "fix": "repair what can be repaired",
    "artifact": "say what a model file is and what loading it would run",
    "explain": "say what a rule means and why",
    "rule": "list, test and write rules",
    "standard": "show and check a standard",
    "schema": "print the JSON Schema of a file that people write",
    "completion": "print a script that completes commands in a shell",
    "new": "make a project that is born compliant",
    "update": "bring a project to a later version of its template",
    "drift": "list files that differ from what the template makes",
    "adopt": "bring an existing repository under a template",
    "verify": "run what a project's template promises; runs its code",
}
"""Command -> one line for the help; the module of the same name in this package holds it."""
_NOTHING = {**dict.fromkeys(("new", "update", "adopt"), "nothing was written"), "verify": "nothing was run"}
"""What a command that does not judge has not done after an error."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    _safe_streams()
    try:
        return _run(words)
    except UserError as error:
        _complain(error, _NOTHING.get(words[0] if words else "", "no file was judged"))
        return exits.NOT_STARTED
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return exits.INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exits.NOT_FINISHED
    except Exception:  # noqa: BLE001 - the door: an own bug says so
        return _confess(words)


def _run(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        _parser().print_help(sys.stdout if words else sys.stderr)
        return exits.CLEAN if words else exits.NOT_STARTED
    if words[0] in ("-V", "--version", "version"):
        sys.stdout.write(f"dlgovern {__version__}\n")
        return exits.CLEAN
    if words[0] not in COMMANDS:
        raise UsageError(
            f"there is no command {words[0]!r}{suggestion(words[0], list(COMMANDS))}", do="see `dlgovern --help`"
        )
    module = importlib.import_module(f"dlgovern.cli.{words[0]}")
    try:
        return int(module.run(words[1:]))
    except SystemExit as leaving:  # argparse leaves by itself after --help and on bad usage
        return leaving.code if isinstance(leaving.code, int) else exits.NOT_STARTED


def _parser() -> argparse.ArgumentParser:
    lines = "\n".join(f"  {name:<10} {help_}" for name, help_ in COMMANDS.items())
    return argparse.ArgumentParser(
        prog="dlgovern",
        usage="dlgovern COMMAND [OPTION ...]",
        description="Static analysis and framework governance for deep-learning repositories.",
        epilog=f"commands:\n{lines}\n\nexamples:\n  dlgovern check .\n  dlgovern explain DLG502\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )


def _complain(error: UserError, last: str) -> None:
    from dlgovern.report.display import display

    lines = [display(line) for line in error.lines()]
    sys.stderr.write("error: " + "\n".join(lines) + f"\n{last}\n")


def _confess(words: list[str]) -> int:
    import platform  # only after an own bug
    import traceback

    sys.stderr.write(
        "This is a bug in dlgovern, not in your code. Please report what follows.\n"
        f"dlgovern {__version__}, Python {platform.python_version()}, {platform.system()}\n"
        f"command: {words!r}\n"
    )
    traceback.print_exc()
    return exits.NOT_FINISHED


def _safe_streams() -> None:
    """What a terminal cannot encode is escaped, never an error."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
