"""How often each rule found something, instead of the findings themselves: ``--statistics``."""

from __future__ import annotations

from collections import Counter

from dlgovern.finding import Report
from dlgovern.report.display import display


def render(report: Report) -> str:
    """One line a rule with open findings, the most frequent first, then what was judged and what was not."""
    counts = Counter((one.rule, one.name) for one in report.findings if one.state == "open")
    rows = sorted(counts.items(), key=lambda row: (-row[1], row[0]))
    width = max((len(str(number)) for _, number in rows), default=1)
    lines = [f"{number:>{width}}  {display(rule)} {display(name)}" for (rule, name), number in rows]
    lines += [f"{display(path)}: not judged: {display(why)}" for path, why in report.not_judged]
    lines += [f"{display(rule)}: failed: {display(why)}" for rule, why in report.failed]
    total = sum(counts.values())
    judged = f"{report.files_judged} of {report.files_seen} files judged"
    return "\n".join([*lines, f"{total} open finding{'s' if total != 1 else ''}, {judged}"]) + "\n"
