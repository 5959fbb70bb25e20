"""``dlgovern check``: judge files against the standard and say what was found."""

from __future__ import annotations

import argparse
import os
import sys

from dlgovern.cli import exits, options
from dlgovern.engine.collect import seldom
from dlgovern.engine.result import FileResult
from dlgovern.engine.run import Job
from dlgovern.errors import UsageError
from dlgovern.finding import Report
from dlgovern.judge.judgement import judge
from dlgovern.report.formats import FORMATS, render, step_summary
from dlgovern.report.options import Options
from dlgovern.repository.facts import MANIFESTS, manifests_above, windows
from dlgovern.repository.window import Window, Windows, parse_version
from dlgovern.source.classify import classify
from dlgovern.source.discover import Discovery
from dlgovern.store import Store


def parser() -> argparse.ArgumentParser:
    """The command line of ``check``."""
    made = argparse.ArgumentParser(
        prog="dlgovern check",
        description="Judge files and folders against the standard.",
        epilog="examples:\n  dlgovern check .\n  dlgovern check src --select DLG2 --output-format sarif -o out.sarif\n",
        formatter_class=options.Help,
        fromfile_prefix_chars="@",
    )
    made.add_argument("paths", nargs="*", metavar="PATH", help="files and folders; none means the current folder, - standard input")
    options.add_selection(made)
    options.add_files(made)
    out = made.add_argument_group("output")
    out.add_argument("--output-format", choices=sorted(FORMATS), help="how to say it")
    out.add_argument("-o", "--output-file", metavar="PATH", help="write there instead of standard output")
    out.add_argument("--color", choices=("auto", "always", "never"), default="auto")
    out.add_argument("-q", "--quiet", action="store_true", help="findings only")
    out.add_argument("-v", "--verbose", action="store_true", help="say more")
    out.add_argument("--statistics", action="store_true", help="count findings by rule instead of showing them")
    out.add_argument("--show-files", action="store_true", help="list what would be judged, and stop")
    out.add_argument("--show-settings", action="store_true", help="show the configuration in force, and stop")
    out.add_argument("--timings", action="store_true", help="the slowest files, on standard error")
    out.add_argument("--exit-zero", action="store_true", help="leave with 0 although there are findings")
    out.add_argument("--fail-on", metavar="LEVEL", help="info, warning or error (default)")
    out.add_argument("--min-confidence", metavar="WORD", help="low, medium or high (default)")
    out.add_argument("--stdin-filename", metavar="PATH", help="what standard input is called")
    made.add_argument("--fix", action="store_true", help="repair what is safe first")
    made.add_argument("--unsafe-fixes", action="store_true", help="repairs that need a look too")
    made.add_argument("--diff", action="store_true", help="show repairs as a diff, write nothing")
    return made


def run(words: list[str]) -> int:
    """Judge, report, and return the exit code."""
    said = parser().parse_args(words)
    if said.fix or said.diff:
        from dlgovern.cli import fix

        return fix.from_check(said)
    with seldom():
        return _run(said)


def _run(said: argparse.Namespace) -> int:
    store = options.open_store(said)
    law = options.open_law(said, said.paths, store, silent=True)
    fail_on, confidence = options.bar(said, law.settings.values)
    if said.show_settings:
        return _show_settings(law)
    stdin, found = take_files(said, law)
    if said.show_files:
        sys.stdout.write("".join(f"{_printable(path)}\n" for path in found.files))
        return exits.CLEAN
    job = Job(law.policy, law.settings.root, versions(law, found.files, store), said.jobs, triggers=options.law_store(said, store).folder)
    report = judge(
        job, found.files, found.problems, store, not_run=law.not_run, whole=law.whole, fail_on=fail_on,
        min_confidence=confidence, extra=_judge_stdin(job, said, stdin),
        project=takes_all(said.paths, law.settings.root),
    )
    if _format(said, law.settings.values) in _WITH_REPAIRS and not stdin:
        report = with_repairs(report, job)
    say(report, said, law.settings.values)
    return exits.of_report(report, exit_zero=said.exit_zero)


def versions(law: options.Law, files: tuple[str, ...], store: Store) -> Windows:
    """The version windows for these files; ``--assume`` goes before everything."""
    manifests = sorted({*manifests_above(law.settings.root, files), *(p for p in files if classify(p) in MANIFESTS)})
    found = windows(law.settings.root, manifests, law.policy.window, store)
    for library, version in law.settings.values.get("assume", {}).items():
        numbers = parse_version(version)
        exact = Window(numbers, (*numbers, 1) if len(numbers) > 2 else (*numbers[:-1], numbers[-1] + 1), "--assume")  # noqa: PLR2004
        folders = {folder: {**inner, library: exact} for folder, inner in found.folders.items()}
        found = Windows(folders, {**found.standard, library: exact})
    return found


def say(report: Report, said: argparse.Namespace, values: dict[str, object]) -> None:
    """Write the report where and how it is wanted."""
    name = _format(said, values)
    style = Options(
        color=_color(said),
        width=_width(),
        verbosity=-1 if said.quiet else int(said.verbose),
        shown=_shown(report.root),
        prefix=_prefix(report.root),
    )
    if said.statistics and name == "text":
        from dlgovern.report.statistics import render as count

        text = count(report)
    else:
        text = render(str(name), report, style)
    if said.output_file:
        try:
            with open(said.output_file, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
                file.write(text)
        except OSError as error:
            raise UsageError(f"cannot be written: {error.strerror}", said.output_file) from None
    else:
        sys.stdout.write(text)
        sys.stdout.flush()
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        if text := step_summary(str(name), report, style):
            with open(summary, "a", encoding="utf-8") as file:
                file.write(text)


def with_repairs(report: Report, job: Job) -> Report:
    """The report with the repairs of its findings; costs nothing where no rule of them has one."""
    fixable = {rule.id for rule in job.policy.rules if rule.fix}
    if not any(one.rule in fixable for one in report.findings):
        return report
    from dlgovern.engine.walk import Walk
    from dlgovern.fix.across import attach_across
    from dlgovern.fix.attach import attach

    walk = Walk(job.policy, job.root, job.windows)
    return report._replace(findings=attach_across(attach(report.findings, walk), walk))


_WITH_REPAIRS = ("json", "sarif", "rdjson")


def _format(said: argparse.Namespace, values: dict[str, object]) -> str:
    return str(said.output_format or os.environ.get("DLGOVERN_OUTPUT_FORMAT") or values.get("output-format") or "text")


def take_files(said: argparse.Namespace, law: options.Law) -> tuple[bool, Discovery]:
    """Whether standard input is to be judged, and the files that are. Raises UsageError."""
    stdin = "-" in said.paths
    if stdin and len(said.paths) > 1:
        raise UsageError("standard input cannot be mixed with paths", do="give `-` alone")
    if stdin:
        return True, Discovery((), ())
    found = options.find_files(said, said.paths, law)
    for note in found.notes:
        sys.stderr.write(f"note: {note}\n")
    named_files = bool(said.paths) and not any(os.path.isdir(path) for path in said.paths)
    if not found.files and not found.problems and not named_files:
        raise UsageError(
            "found nothing to judge", " ".join(said.paths) or ".", "name a folder with Python files or manifests"
        )
    return False, found


def _judge_stdin(job: Job, said: argparse.Namespace, stdin: bool) -> list[FileResult]:
    if not stdin:
        return []
    from dlgovern.engine.walk import Walk

    name = said.stdin_filename or "stdin.py"
    path = os.path.relpath(os.path.abspath(name), job.root).replace(os.sep, "/")
    if path.startswith("../"):
        raise UsageError("lies outside the project's root", name)
    return [Walk(job.policy, job.root, job.windows).judge(path, sys.stdin.buffer.read())]


def takes_all(paths: list[str], root: str) -> bool:
    """Whether the project's root folder itself is judged, not a part of it."""
    return any(os.path.realpath(path) == os.path.realpath(root) for path in paths or ["."])


def _show_settings(law: options.Law) -> int:
    lines = [
        f"root = {law.settings.root}",
        f"configuration = {law.settings.path or 'none'}",
        f"standard = {law.policy.name} {law.policy.version} ({law.policy.fingerprint})",
        f"profile = {law.policy.profile}",
        f"rules = {len(law.policy.rules)} live, {len(law.not_run)} not run",
        *(f"{word} = {value}" for word, value in sorted(law.settings.values.items())),
    ]
    sys.stdout.write("".join(f"{_printable(line)}\n" for line in lines))
    return exits.CLEAN


def _printable(text: str) -> str:
    from dlgovern.report.display import display

    return display(text)


def _shown(root: str):  # type: ignore[no-untyped-def]  # noqa: ANN202 - a small closure
    here = os.getcwd()
    if os.path.realpath(here) == root:
        return str
    return lambda path: os.path.relpath(os.path.join(root, path), here).replace(os.sep, "/")


def _prefix(root: str) -> str:
    current = root
    while True:
        if os.path.exists(os.path.join(current, ".git")):
            relative = os.path.relpath(root, current).replace(os.sep, "/")
            return "" if relative == "." else relative
        parent = os.path.dirname(current)
        if parent == current:
            return ""
        current = parent


def _color(said: argparse.Namespace) -> bool:
    """Flag before NO_COLOR before FORCE_COLOR before TERM=dumb before the terminal."""
    if said.color != "auto":
        return bool(said.color == "always")
    if said.output_file or os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return os.environ.get("TERM") != "dumb" and sys.stdout.isatty()


def _width() -> int:
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError, AttributeError):
        return 120
