"""Say a report to a person at a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlgovern.report.display import display, display_line, lead
from dlgovern.report.facts import Counts, advice, count, many, span, where
from dlgovern.report.frame import Sources, excerpt

if TYPE_CHECKING:
    from dlgovern.finding import Finding, Related, Report
    from dlgovern.report.options import Options

_MARGIN = 6  # cells before the bar of a frame
_NARROWEST = 40
_MOST_RELATED = 5
_MOST_UNJUDGED = 20

_CODES = {
    "error": "1;31",
    "warning": "1;33",
    "info": "1;36",
    "path": "1",
    "again": "2",
    "rule": "1",
    "frame": "1;34",
    "dim": "2",
    "fix": "32",
    "good": "1;32",
}


class _Ink:
    """Paints text, or leaves it as it is."""

    def __init__(self, color: bool) -> None:
        self._codes = _CODES if color else {}

    def __call__(self, style: str, text: str) -> str:
        code = self._codes.get(style)
        return f"\x1b[{code}m{text}\x1b[0m" if code and text else text


def render(report: Report, options: Options) -> str:
    """The open findings by file, then what was judged and how it ended.

    Quiet: one line a finding, and whatever kept a file or rule from being judged; nothing else. Verbose: also the
    findings that are excused, the whole advice, every related place and the rules that did not run.
    """
    ink, sources = _Ink(options.color), Sources(report.root)
    lines: list[str] = []
    last = ""
    for finding in report.findings:
        if finding.state != "open" and options.verbosity < 1:
            continue
        lines.append(header(finding, options, ink, again=finding.place.path == last))
        last = finding.place.path
        if options.verbosity < 0:
            continue
        if finding.state == "open":
            lines += _frame(finding, sources, options, ink)
            lines += _related(finding, sources, options, ink)
            lines += _advice(finding, options, ink)
        lines.append("")
    lines += _unfinished(report, options) if options.verbosity < 0 else _summary(report, count(report), options, ink)
    return "\n".join(lines) + "\n" if lines else ""


def header(finding: Finding, options: Options, ink: _Ink | None = None, *, again: bool = False) -> str:
    """The line that names a finding: place, level, rule, message, and how far to trust or repair it.

    ``again`` says that the line before was about the same file.
    """
    ink = ink or _Ink(color=False)
    parts = [
        ink("again" if again else "path", lead(options.shown(finding.place.path))) + f":{where(finding.place)}",
        ink(finding.level, finding.level),
        ink("rule", display(finding.rule)),
        display(finding.message),
    ]
    if finding.confidence != "high":
        parts.append(ink("dim", f"({finding.confidence} confidence)"))
    if finding.state != "open":
        parts.append(ink("dim", f"({finding.state}: {display(finding.because)})"))
    elif finding.fix is not None:
        parts.append(ink("fix", "[fix]") if finding.fix.safe else ink("warning", "[unsafe fix]"))
    return " ".join(parts)


def _frame(finding: Finding, sources: Sources, options: Options, ink: _Ink) -> list[str]:
    line, column, end_line, end_column = span(finding.place)
    if (line, column) == (end_line, end_column) == (1, 1):
        return []  # the file as a whole
    source = sources.line(finding.place.path, line)
    if not source.strip():
        return []
    end = end_column - 1 if end_line == line else len(source)
    shown, offset, under = excerpt(source, column - 1, end, _room(options))
    more = ink("dim", f" ... to line {end_line}") if end_line > line else ""
    blank = " " * _MARGIN
    return [
        ink("frame", f"{line:>{_MARGIN - 1}} |") + f" {shown}",
        ink("frame", f"{blank}|") + f" {' ' * offset}" + ink(finding.level, "^" * under) + more,
    ]


def _related(finding: Finding, sources: Sources, options: Options, ink: _Ink) -> list[str]:
    shown = finding.related if options.verbosity > 0 else finding.related[:_MOST_RELATED]
    lines = [line for related in shown for line in _place(related, sources, options, ink)]
    if len(shown) < len(finding.related):
        lines.append(_note(f"and {many(len(finding.related) - len(shown), 'place')} more (-v shows them)", ink))
    return lines


def _place(related: Related, sources: Sources, options: Options, ink: _Ink) -> list[str]:
    line, column, _, _ = span(related.place)
    there = f"{display(options.shown(related.place.path))}:{where(related.place)}"
    lines = [_note(f"see {there} {display(related.message)}", ink)]
    source = sources.line(related.place.path, line)
    if source.strip():
        shown, _, _ = excerpt(source, column - 1, column - 1, _room(options))
        lines.append(ink("frame", f"{line:>{_MARGIN - 1}} |") + f" {shown}")
    return lines


def _advice(finding: Finding, options: Options, ink: _Ink) -> list[str]:
    lines = [_note(display(finding.because), ink)] if finding.because else []
    chosen = finding.instead.strip("\n").split("\n") if options.verbosity > 0 else advice(finding.instead)
    if not finding.instead.strip():
        return lines
    first, *rest = chosen
    lines.append(_note(ink("dim", f"instead: {display_line(first.strip())}"), ink))
    bar = " " * _MARGIN + ink("frame", "|")  # also keeps a line of the advice from beginning the output line
    return lines + [bar + (" " + ink("dim", display_line(line.rstrip())) if line.strip() else "") for line in rest]


def _note(text: str, ink: _Ink) -> str:
    return " " * _MARGIN + ink("frame", "=") + f" {text}"


def _room(options: Options) -> int:
    return max(options.width, _NARROWEST) - _MARGIN - 2


def _unfinished(report: Report, options: Options) -> list[str]:
    files = [f"{lead(options.shown(path))}: not judged: {display(why)}" for path, why in report.not_judged]
    return files + [f"{lead(rule)}: failed: {display(why)}" for rule, why in report.failed]


def _summary(report: Report, counts: Counts, options: Options, ink: _Ink) -> list[str]:
    verbose = options.verbosity > 0
    lines = []
    if report.not_judged:
        lines.append(ink("error", f"Not judged: {many(len(report.not_judged), 'file')}"))
        shown = report.not_judged if verbose else report.not_judged[:_MOST_UNJUDGED]
        lines += [f"  {lead(options.shown(path))}: {display(why)}" for path, why in shown]
        if len(shown) < len(report.not_judged):
            lines.append(f"  and {many(len(report.not_judged) - len(shown), 'file')} more (-v names them)")
    if report.failed:
        lines.append(ink("error", f"Crashed: {many(len(report.failed), 'rule')}, not the fault of your code"))
        lines += [f"  {lead(rule)}: {display(why)}" for rule, why in report.failed]
    if report.rules_not_run:
        hint = "" if verbose else " (-v names them)"
        lines.append(f"Did not run: {many(len(report.rules_not_run), 'rule')}{hint}")
        lines += [f"  {lead(rule)}: {display(why)}" for rule, why in report.rules_not_run] if verbose else []
    lines.append(
        f"Judged: {report.files_judged} of {many(report.files_seen, 'file')} by"
        f" {display(report.standard.get('name', ''))} {display(report.standard.get('version', ''))},"
        f" profile {display(report.profile)}, dlgovern {display(report.version)}"
    )
    return [*lines, *_excused(report, counts), *_repairs(counts), *_verdict(report, counts, ink)]


def _excused(report: Report, counts: Counts) -> list[str]:
    parts = {state: f"{number} {state}" for state, number in counts.states.items() if number}
    if report.noqa and "suppressed" in parts:
        parts["suppressed"] += f" ({report.noqa} by noqa, without a reason)"
    return [f"Excused: {', '.join(parts.values())}"] if parts else []


def _repairs(counts: Counts) -> list[str]:
    parts = [f"{counts.fixable} with --fix"] if counts.fixable else []
    if counts.unsafe:
        parts.append(f"{counts.unsafe}{' more' if parts else ''} with --unsafe-fixes")
    return [f"Fixable: {', '.join(parts)}"] if parts else []


def _verdict(report: Report, counts: Counts, ink: _Ink) -> list[str]:
    incomplete = bool(report.not_judged or report.failed)
    if not counts.open:
        nothing = "Open: nothing, but not everything was judged" if incomplete else "Open: nothing"
        return [ink("error" if incomplete else "good", nothing)]
    found = ", ".join(ink(level, many(number, level)) for level, number in counts.levels.items())
    bar = f"level {report.fail_on}, confidence {report.min_confidence}"
    failing = f"{counts.failing or 'none'} at or above the failing bar ({bar})"
    return [f"Open: {found}; {failing}"] + ([ink("error", "Not everything was judged.")] if incomplete else [])
