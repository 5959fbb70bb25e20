"""``dlgovern standard``: show and check a standard."""

from __future__ import annotations

import sys

from dlgovern.cli import command, exits
from dlgovern.cli.settings import standard_named
from dlgovern.errors import StandardError
from dlgovern.report.display import display
from dlgovern.standard.chain import read_chain, read_path
from dlgovern.standard.compile import ALL, compile_policy, profiles
from dlgovern.standard.law import find


def run(words: list[str]) -> int:
    """Run one verb."""
    return command.run_verb("standard", words, _VERBS, _HELP)


def _show(words: list[str]) -> int:
    parser = command.parser(
        "standard show", "Show a standard: what it extends, its profiles, scopes and versions.",
        "dlgovern standard show", "dlgovern standard show --standard ../our-standard",
    )
    command.add_standard(parser)
    said = parser.parse_args(words)
    chain = read_chain(*standard_named(said.standard))
    head = chain[-1].file.standard
    policy = compile_policy(chain, ALL)
    out = [f"{head.name} {head.version}  {head.title}".rstrip()]
    if head.owner:
        out.append(f"owner: {head.owner}")
    if len(chain) > 1:
        out.append("extends: " + " < ".join(f"{one.file.standard.name} {one.file.standard.version}" for one in reversed(chain[:-1])))
    out.append("profiles:")
    for name, description in profiles(chain).items():
        rules = compile_policy(chain, name).rules
        counts = [f"{count} {level}" for level in ("error", "warning", "info") if (count := _count(rules, level))]
        out.append(f"  {name:<12} {', '.join(counts) or 'no rule'}; {description}")
    if policy.scopes:
        out.append("scopes:")
    for scope in policy.scopes:
        out.append(f"  {scope.name:<12} {', '.join([*scope.kinds, *scope.paths])}")
    if policy.window:
        out.append("versions:")
    out += [f"  {library:<12} {specifier}" for library, specifier in sorted(policy.window.items())]
    if policy.locked:
        out.append(f"locked: {', '.join(policy.locked)}")
    if policy.retired:
        out.append("retired:")
    out += [f"  {rule:<12} {why}" for rule, why in sorted(policy.retired.items())]
    waiting = [rule.id for rule in policy.rules if any(not rule.parameters.get(name) for name in rule.needs)]
    out.append(f"rules: {len(policy.rules)}, {len(waiting)} of them wait for a parameter{': ' if waiting else ''}{', '.join(waiting)}")
    sys.stdout.write("".join(f"{display(line)}\n" for line in out))
    return exits.CLEAN


def _check(words: list[str]) -> int:
    parser = command.parser(
        "standard check", "Validate a standard, or one rule file: every mistake at once; exit 2 when there is one.",
        "dlgovern standard check", "dlgovern standard check our-standard/rules/ACM301-no-print-in-training.toml",
    )
    parser.add_argument("path", metavar="PATH", nargs="?", help="the folder of a standard, or one rule file; without: that of the project")
    said = parser.parse_args(words)
    try:
        chain, _ = read_path(said.path or find(*standard_named(None)).folder)
        policy = compile_policy(chain, ALL)
    except StandardError as error:
        sys.stdout.write("".join(f"{display(line)}\n" for line in error.lines()))
        return exits.NOT_STARTED
    count = len(chain[-1].rules)
    sys.stdout.write(f"{display(policy.name)} {display(policy.version)}: {count} rule{'s' if count != 1 else ''}, no mistake\n")
    return exits.CLEAN


def _count(rules: object, level: str) -> int:
    return sum(rule.levels.get("", "off") == level for rule in rules)  # type: ignore[attr-defined]


_VERBS: dict[str, command.Verb] = {"show": _show, "check": _check}

_HELP = """\
usage: dlgovern standard VERB [OPTION ...]

  show   what a standard extends, its profiles, scopes and versions
  check  validate a standard: every mistake at once

examples:
  dlgovern standard show
  dlgovern standard check rules
"""
