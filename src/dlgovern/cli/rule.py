"""``dlgovern rule``: list, explain, test, begin and document rules."""

from __future__ import annotations

import json
import os
import sys

from dlgovern.cli import command, exits, explain
from dlgovern.cli.settings import standard_named
from dlgovern.errors import UsageError
from dlgovern.report.display import display
from dlgovern.standard.chain import read_chain, read_path
from dlgovern.standard.compile import FAMILIES
from dlgovern.standard.explain import levels
from dlgovern.standard.read import read_rule


def run(words: list[str]) -> int:
    """Run one verb."""
    return command.run_verb("rule", words, _VERBS, _HELP)


def _list(words: list[str]) -> int:
    parser = command.parser(
        "rule list", "List the rules of a standard.", "dlgovern rule list", "dlgovern rule list --select DLG2 --output-format json"
    )
    command.add_standard(parser)
    parser.add_argument("--select", action="append", default=[], metavar="RULES", help="ids or beginnings of ids")
    parser.add_argument("--output-format", choices=("text", "json"), default="text")
    said = parser.parse_args(words)
    chain = read_chain(*standard_named(said.standard))
    where = levels(chain)
    wanted = tuple(word.strip().upper() for text in said.select for word in text.split(",") if word.strip() != "ALL")
    rows = []
    for rule in sorted((rule.rule for source in chain for rule in source.rules), key=lambda rule: rule.id):
        if wanted and not rule.id.startswith(wanted):
            continue
        fix = "" if rule.fix is None else "safe" if rule.fix.safe else "unsafe"
        said_levels = {profile: found.get("", "off") for profile, found in sorted(where[rule.id].items())}
        family = FAMILIES.get(rule.id[3], "")
        rows.append({"id": rule.id, "name": rule.name, "family": family, "levels": said_levels, "fix": fix, "summary": rule.summary})
    if wanted and not rows:
        raise UsageError(f"no rule begins with {', '.join(wanted)}", do="see `dlgovern rule list`")
    if said.output_format == "json":
        sys.stdout.write(json.dumps({"schema": "dlgovern/1", "rules": rows}, indent=2, ensure_ascii=False) + "\n")
        return exits.CLEAN
    heads = [(row["id"], row["name"], *row["levels"].values(), row["fix"], row["summary"]) for row in rows]  # type: ignore[attr-defined]
    profiles = sorted({profile for found in where.values() for profile in found})
    _table([("id", "name", *profiles, "fix", "summary"), *heads])
    return exits.CLEAN


def _test(words: list[str]) -> int:
    parser = command.parser(
        "rule test", "Check the laws on every rule of a standard, or on one rule.",
        "dlgovern rule test rules", "dlgovern rule test rules/exports/DLG502-unsafe-torch-load.toml",
    )
    parser.add_argument("path", metavar="PATH", help="the folder of a standard, or one rule file")
    parser.add_argument("--corpus", metavar="FILE", help="a large Python file on which cost is counted (law L13)")
    parser.add_argument("-v", "--verbose", action="store_true", help="say what was not tried, too")
    said = parser.parse_args(words)
    from dlgovern.standard import laws  # brings the engine with it

    chain, only = read_path(said.path)
    outcome = laws.check(chain, only, laws.corpus_file(said.corpus) if said.corpus else b"")
    out = []
    for one in sorted(outcome.broken):
        out.append(f"{one.rule} {one.law}{f' [{one.example}]' if one.example else ''}: {one.what}")
    for law in sorted({one.law for one in outcome.broken}, key=lambda law: int(law[1:])):
        out.append(f"  {law}: {laws.LAWS[law]}")
    if said.verbose:
        out += [f"not tried: {one.rule} {one.law}{f' [{one.example}]' if one.example else ''}: {one.why}" for one in outcome.skipped]
    count = len(chain[-1].rules) if only is None else len(only)
    failed = len({one.rule for one in outcome.broken})
    out.append(
        f"{count} rule{'s' if count != 1 else ''}, {failed} of them break{'s' if failed == 1 else ''} a law"
        f" ({len(outcome.broken)} in all); {len(outcome.skipped)} checks not tried"
    )
    sys.stdout.write("".join(f"{display(line)}\n" for line in out))
    return exits.FINDINGS if outcome.broken else exits.CLEAN


def _new(words: list[str]) -> int:
    parser = command.parser(
        "rule new", "Begin a rule: a file that validates and says TODO where only its author knows.",
        "dlgovern rule new ACM301 no-print-in-training", "dlgovern rule new ACM502 unsafe-load --detect call --to our-standard/rules",
    )
    parser.add_argument("id", metavar="ID")
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--detect", default="call", metavar="DETECTOR", help="the way of seeing (default: call)")
    parser.add_argument("--to", default="rules", metavar="FOLDER", help="the standard's folder of rules (default: rules)")
    said = parser.parse_args(words)
    from dlgovern.standard.skeleton import create

    path = create(said.id, said.name, said.detect, said.to)
    read_rule(path, path)
    sys.stdout.write(f"{display(path)}\nnow write what says TODO, and run: dlgovern rule test {display(path)}\n")
    return exits.CLEAN


def _docs(words: list[str]) -> int:
    parser = command.parser(
        "rule docs", "Write the pages of the rules, their index, the schemas in a folder `schemas` beside them, and the table between `<!-- rules -->` marks of a README.",
        "dlgovern rule docs", "dlgovern rule docs --check",
    )
    parser.add_argument("--standard", default="rules", metavar="FOLDER", help="the standard (default: rules)")
    parser.add_argument("--to", default=os.path.join("docs", "rules"), metavar="FOLDER", help="default: docs/rules")
    parser.add_argument("--readme", default="README.md", metavar="FILE")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file is stale")
    said = parser.parse_args(words)
    from dlgovern.cli.schema import stale as stale_schemas
    from dlgovern.standard.docs import stale, write

    chain, _ = read_path(said.standard)
    changes = {**stale(chain, said.to, said.readme), **stale_schemas(os.path.join(os.path.dirname(said.to), "schemas"))}
    if not said.check:
        write(changes)
    word = "stale" if said.check else "wrote"
    sys.stdout.write("".join(f"{'removed' if text is None and not said.check else word}: {display(path)}\n" for path, text in sorted(changes.items())))
    return exits.FINDINGS if said.check and changes else exits.CLEAN


def _explain(words: list[str]) -> int:
    return explain.run(words, "dlgovern rule explain")


def _table(rows: list[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        sys.stdout.write(f"{display(line)}\n")


_VERBS: dict[str, command.Verb] = {
    "list": _list,
    "explain": _explain,
    "test": _test,
    "new": _new,
    "docs": _docs,
}

_HELP = """\
usage: dlgovern rule VERB [OPTION ...]

  list     the rules of a standard, with their levels by profile
  explain  what a rule means, why, and what to write instead
  test     check the laws on a standard or on one rule file
  new      begin a rule
  docs     write the pages of the rules

examples:
  dlgovern rule list
  dlgovern rule test rules
"""
