"""``dlgovern artifact``: say what model files are and what loading them would run, without loading them."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator

from dlgovern.cli import exits, options
from dlgovern.errors import UsageError
from dlgovern.evidence.artifacts.allowed import Allowed, newest
from dlgovern.evidence.artifacts.endings import ending
from dlgovern.evidence.artifacts.read import Unreadable, read_file
from dlgovern.evidence.artifacts.values import Artifact
from dlgovern.policy import Policy
from dlgovern.report.artifacts import render_json, render_text


def parser() -> argparse.ArgumentParser:
    """The command line of ``artifact``."""
    made = argparse.ArgumentParser(
        prog="dlgovern artifact",
        description="Say what model files are and what loading them would run. Nothing is loaded, unpickled or extracted.",
        epilog="examples:\n  dlgovern artifact model.pt\n  dlgovern artifact --output-format json checkpoints/ -o report.json\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("paths", nargs="+", metavar="PATH", help="files, whatever they are called, and folders with model files")
    made.add_argument("--output-format", choices=("text", "json"), default="text", help="how to say it")
    made.add_argument("-o", "--output-file", metavar="PATH", help="write there instead of standard output")
    made.add_argument("-v", "--verbose", action="store_true", help="every reason and every tensor")
    made.add_argument("--exit-zero", action="store_true", help="leave with 0 although files are not clean")
    options.add_selection(made)
    return made


def run(words: list[str]) -> int:
    """Read, report; 1 when a file is not clean, 3 when one could not be read."""
    said = parser().parse_args(words)
    law = options.open_law(said, ["."], options.open_store(said))
    allowed = allow_list(law.policy)
    artifacts: list[Artifact] = []
    unreadable: list[tuple[str, str]] = []
    for path in _files(said.paths):
        try:
            artifacts.append(read_file(path, path, allowed))
        except Unreadable as error:
            unreadable.append((path, error.why))
    text = render_json(artifacts, unreadable) if said.output_format == "json" else render_text(artifacts, unreadable, verbose=said.verbose)
    _write(text, said.output_file)
    if unreadable:
        return exits.NOT_FINISHED
    if any(one.verdict in ("unsafe", "undecided") for one in artifacts):
        return exits.CLEAN if said.exit_zero else exits.FINDINGS
    return exits.CLEAN


def allow_list(policy: Policy) -> Allowed:
    """The names that a pickle may use, as the standard says."""
    extra = [name for rule in policy.rules if rule.detector == "artifact" for name in rule.parameters.get("allow", ())]
    return newest(policy.tables.get("weights-only", []), extra)


def _files(paths: list[str]) -> Iterator[str]:
    """Files as they are named; below folders those with the ending of a model file, links not followed."""
    for path in paths:
        if not os.path.isdir(path):
            if not os.path.lexists(path):
                raise UsageError(f"no such file or folder: {path}", do="check the spelling; paths count from here")
            yield path
            continue
        for base, folders, names in os.walk(path):
            folders[:] = sorted(name for name in folders if name not in (".git", ".hg", ".svn"))
            yield from (os.path.join(base, name) for name in sorted(names) if ending(name))


def _write(text: str, where: str | None) -> None:
    if not where:
        sys.stdout.write(text)
        return
    try:
        with open(where, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror}", where) from None
