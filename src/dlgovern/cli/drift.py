"""``dlgovern drift``: list managed files that differ from what the template makes."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from dlgovern.cli import command, exits, scaffold
from dlgovern.report.display import display, lead
from dlgovern.scaffold import lock as locks
from dlgovern.scaffold.drift import STATES, Drifted, drift


def run(words: list[str]) -> int:
    """Compare; exit 1 where a file that the template owns differs, or an update is pending."""
    made = command.parser(
        "drift", "List the managed files that differ from what the project's template makes of its answers.",
        "dlgovern drift", "dlgovern drift --diff", "dlgovern drift --output-format json",
    )  # fmt: skip
    command.add_project(made)
    made.add_argument("--diff", action="store_true", help="print how they differ, from the template's side to yours")
    made.add_argument("--strict", action="store_true", help="fail for files that may be edited or deleted, too")
    made.add_argument("--output-format", choices=("text", "json"), default="text")
    command.add_standard(made, "else the one in dlgovern.lock")
    options = made.parse_args(words)
    root = os.path.realpath(options.path)
    lock = locks.read(root)
    found = [
        one._replace(fails=one.fails or options.strict) for one in drift(root, lock, scaffold.standard_of(lock, root, options.standard))
    ]
    if options.output_format == "json":
        sys.stdout.write(json.dumps(_json(lock, found), indent=2) + "\n")
    elif options.diff:
        scaffold.say_patch([(one.path, one.made, one.disk) for one in found if one.state in ("changed", "deleted")])
    else:
        _say(lock, found)
    return exits.FINDINGS if lock.pending or any(one.fails for one in found) else exits.CLEAN


def _say(lock: locks.Lock, found: list[Drifted]) -> None:
    out = [f"an update to {lock.pending.version} is pending"] if lock.pending else []
    for one in found:
        own = "" if one.fails or one.state != "changed" else " (yours to edit)"
        out.append(f"{lead(one.path)}: {STATES[one.state]}{own}")
    out.append(f"{lock.template} {lock.version}: {scaffold.count(len(lock.files))}, {len(found)} differ, {sum(one.fails for one in found)} of them should not")
    sys.stdout.write("".join(f"{display(line)}\n" for line in out))


def _json(lock: locks.Lock, found: list[Drifted]) -> dict[str, Any]:
    return {
        "schema": "dlgovern/1",
        "template": {"id": lock.template, "version": lock.version},
        "state": "pending" if lock.pending else "current",
        "drift": [{"path": one.path, "owner": one.owner, "state": one.state, "fails": one.fails} for one in found],
    }
