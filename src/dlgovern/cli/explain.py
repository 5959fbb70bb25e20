"""``dlgovern explain``: say what a rule means, why, and what to write instead."""

from __future__ import annotations

import argparse
import os
import sys

from dlgovern.cli import command, exits
from dlgovern.cli.settings import standard_named
from dlgovern.errors import UsageError, suggestion
from dlgovern.standard.chain import read_chain
from dlgovern.standard.explain import explain, find, levels


def parser(prog: str = "dlgovern explain") -> argparse.ArgumentParser:
    """The command line of ``explain``."""
    made = command.parser(
        prog.removeprefix("dlgovern "), "Say what a rule means, why, and what to write instead.",
        f"{prog} DLG502", f"{prog} unsafe-torch-load --standard ../our-standard",
    )  # fmt: skip
    made.add_argument("rule", metavar="RULE", help="its id or its name")
    command.add_standard(made)
    made.add_argument("--color", choices=("auto", "always", "never"), default="auto")
    return made


def run(words: list[str], prog: str = "dlgovern explain") -> int:
    """Print the rule; exit 2 when there is none of that id or name."""
    said = parser(prog).parse_args(words)
    chain = read_chain(*standard_named(said.standard))
    source = find(chain, said.rule)
    if source is None:
        known = [word for one in chain for rule in one.rules for word in (rule.rule.id, rule.rule.name)]
        for one in chain:
            if why := one.file.retired.get(said.rule.upper()):
                raise UsageError(f"{said.rule.upper()} is retired: {why}")
        raise UsageError(
            f"no rule is called {said.rule!r}{suggestion(said.rule, known)}", do="see `dlgovern rule list`"
        )
    sys.stdout.write(explain(source, levels(chain)[source.rule.id], color=_color(said.color)))
    return exits.CLEAN


def _color(word: str) -> bool:
    if word != "auto":
        return word == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return os.environ.get("TERM") != "dumb" and sys.stdout.isatty()
