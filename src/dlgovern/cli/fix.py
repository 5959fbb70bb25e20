"""``dlgovern fix``: repair what can be repaired, or show what that would change."""

from __future__ import annotations

import argparse
import sys
from collections import Counter

from dlgovern.cli import exits
from dlgovern.errors import UsageError
from dlgovern.finding import Report
from dlgovern.fix.across import repair_across
from dlgovern.fix.diff import diff
from dlgovern.fix.rounds import Repaired, line_edits, repair_file
from dlgovern.fix.write import Content, Interrupted, Written, write


def parser() -> argparse.ArgumentParser:
    """The command line of ``fix``: that of ``check``, which shares its report."""
    from dlgovern.cli import check

    made = check.parser()
    made.prog = "dlgovern fix"
    made.description = "Repair what can be repaired for sure, then say what is left."
    made.epilog = "examples:\n  dlgovern fix . --diff\n  dlgovern fix src --select DLG5 --unsafe-fixes\n"
    return made


def run(words: list[str]) -> int:
    """Repair, report what is left, and return the exit code."""
    return from_check(parser().parse_args(words))


def from_check(said: argparse.Namespace) -> int:
    """The same for a command line that ``check`` has read."""
    from dlgovern.cli import check, options
    from dlgovern.engine.run import Job
    from dlgovern.engine.walk import Walk
    from dlgovern.judge.judgement import judge

    if "-" in said.paths:
        raise UsageError("standard input cannot be repaired", do="name files, or leave --fix and --diff out")
    store = options.open_store(said)
    law = options.open_law(said, said.paths, store)
    fail_on, confidence = options.bar(said, law.settings.values)
    _stdin, found = check.take_files(said, law)
    job = Job(law.policy, law.settings.root, check.versions(law, found.files, store), said.jobs)

    def judged() -> Report:
        return judge(
            job, found.files, found.problems, store, not_run=law.not_run, whole=law.whole, fail_on=fail_on,
            min_confidence=confidence, project=check.takes_all(said.paths, law.settings.root),
        )

    report = judged()
    walk = Walk(job.policy, job.root, job.windows)
    fixable = {rule.id for rule in job.policy.rules if rule.fix}
    paths = sorted({one.place.path for one in report.findings if one.state == "open" and one.rule in fixable})
    books = [path for path in paths if path.lower().endswith(".ipynb")]
    sys.stderr.write("".join(f"not repaired: {_shown(path)}: repairs are not written into notebooks\n" for path in books))
    paths = [path for path in paths if path not in books]
    repaired = [one for path in paths if (one := repair_file(walk, path, report.findings, unsafe=said.unsafe_fixes))]
    repaired = repair_across(walk, report.findings, repaired, unsafe=said.unsafe_fixes)
    changed = [one for one in repaired if one.after != one.before]
    if said.diff:
        return _show(report, changed)
    refused = _write(job.root, changed)
    _note(changed, repaired, refused)
    if changed:
        report = judged()
    check.say(check.with_repairs(report, job), said, law.settings.values)
    if refused:
        return exits.NOT_FINISHED
    return exits.of_report(report, exit_zero=said.exit_zero)


def _show(report: Report, changed: list[Repaired]) -> int:
    """The diff on standard output, byte for byte where no person reads it."""
    person = sys.stdout.isatty()
    for one in changed:
        text = diff(one.path, one.before, one.after, line_edits(one), raw=not person)
        if person:
            sys.stdout.write(text)
        else:
            sys.stdout.flush()
            sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
            sys.stdout.buffer.flush()
    sys.stderr.write(f"would repair {_count(changed)}\n" if changed else "nothing to repair\n")
    if report.not_judged or report.failed:
        return exits.NOT_FINISHED
    return exits.FINDINGS if changed else exits.CLEAN


def _write(root: str, changed: list[Repaired]) -> list[Written]:
    groups = [(Content(one.path, one.digest, one.after),) for one in changed]
    try:
        return [one for one in write(root, groups) if one.why]
    except Interrupted as stopped:
        written = [one.path for one in stopped.written if not one.why]
        sys.stderr.write("".join(f"repaired {_shown(path)}\n" for path in written))
        raise


def _note(changed: list[Repaired], repaired: list[Repaired], refused: list[Written]) -> None:
    """What was changed and what could not be, on standard error: standard output is the report's."""
    whys = {one.path: one.why for one in refused}
    lines = []
    for one in changed:
        if one.path in whys:
            lines.append(f"not repaired: {_shown(one.path)} {whys[one.path]}")
        else:
            rules = ", ".join(f"{rule} ({many})" if many > 1 else rule for rule, many in sorted(Counter(one.rules).items()))
            lines.append(f"repaired {_shown(one.path)}: {rules}")
    lines += [f"not repaired: {_shown(one.path)} {rule}: {why}" for one in repaired for rule, why in sorted(set(one.left))]
    lines.append(f"repaired {_count([one for one in changed if one.path not in whys])}")
    sys.stderr.write("".join(f"{line}\n" for line in lines))


def _count(changed: list[Repaired]) -> str:
    findings, files = sum(len(one.rules) for one in changed), len(changed)
    return f"{findings} finding{'' if findings == 1 else 's'} in {files} file{'' if files == 1 else 's'}"


def _shown(path: str) -> str:
    from dlgovern.report.display import display

    return display(path)
