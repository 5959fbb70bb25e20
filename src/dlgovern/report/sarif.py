"""Say a report as SARIF 2.1.0, within what GitHub's code scanning accepts and shows."""

from __future__ import annotations

import gzip
import hashlib
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dlgovern.report.display import display, whole
from dlgovern.report.facts import many, span, worst_first
from dlgovern.report.frame import Sources
from dlgovern.report.json_ import dump
from dlgovern.report.linehash import line_hashes
from dlgovern.report.options import hosted
from dlgovern.report.regions import Regions

if TYPE_CHECKING:
    from dlgovern.finding import Edit, Finding, Fix, NotJudged, Place, Report, RuleNotRun
    from dlgovern.policy import Rule
    from dlgovern.report.options import Options

# docs.github.com: "SARIF support for code scanning" and "SARIF results exceed one or more limits"
MOST_RESULTS = 25_000
MOST_BYTES = 10_000_000  # after gzip
_MOST_TAGS = 20
_MOST_PLACES = 100
_MOST_CHARACTERS = 1024
_MOST_NOTES = 1000

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_PROBLEM = {"error": "error", "warning": "warning", "info": "recommendation"}
_EXCUSES = {"suppressed": "inSource", "waived": "external", "baselined": "external"}
_ADDRESS = re.compile(r"https://[\w.~/?=&%+:,;@#-]+", re.ASCII)


def render(report: Report, options: Options) -> str:
    """One run with every open finding; with ``options.excused`` also the others, as suppressed results.

    Where there are more results than GitHub takes, the worst stay, and a notification counts the rest.
    """
    findings = [finding for finding in report.findings if options.excused or finding.state == "open"]
    keep = MOST_RESULTS
    while True:
        text = dump(_log(report, _worst(findings, keep, options), len(findings), options)) + "\n"
        size = len(gzip.compress(text.encode(), mtime=0)) if len(text) > MOST_BYTES else 0
        if size <= MOST_BYTES or keep <= 1:
            return text
        keep = max(1, min(keep, len(findings)) * MOST_BYTES * 9 // (size * 10))


def _worst(findings: list[Finding], most: int, options: Options) -> list[Finding]:
    if len(findings) <= most:
        return findings
    chosen = {id(finding) for finding in worst_first(findings, options.changed)[:most]}
    return [finding for finding in findings if id(finding) in chosen]


def _log(report: Report, findings: list[Finding], found: int, options: Options) -> dict[str, Any]:
    known = dict(report.rules)
    rules = [_bare_rule(finding) for finding in findings if finding.rule not in known]
    rules = [*{rule["id"]: rule for rule in rules}.values(), *map(_rule, known.values())]
    rules.sort(key=lambda rule: str(rule["id"]))
    index = {rule["id"]: position for position, rule in enumerate(rules)}
    run = {
        "tool": {"driver": {"name": "dlgovern", "version": display(report.version), "rules": rules}},
        "invocations": [_invocation(report, found - len(findings), options)],
        "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "The repository's root."}}},
        "columnKind": "unicodeCodePoints",
        "results": _results(findings, index, Sources(report.root), options),
        "properties": {
            "standard": {key: display(str(value)) for key, value in report.standard.items()},
            "profile": display(report.profile),
        },
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _results(
    findings: list[Finding], index: dict[str, int], sources: Sources, options: Options
) -> list[dict[str, Any]]:
    regions = Regions(sources)
    prints = _fingerprints(findings, sources)
    return [
        {
            "ruleId": display(finding.rule),
            "ruleIndex": index[display(finding.rule)],
            "level": _LEVELS[finding.level],
            "message": {"text": _message(finding.message)},
            "locations": [_location(finding.place, options, symbol=finding.place.symbol)],
            "partialFingerprints": {"primaryLocationLineHash": fingerprint},
            "properties": {"confidence": finding.confidence}
            | ({"cell": finding.place.cell} if finding.place.cell else {}),
            **_optional(finding, regions, options),
        }
        for finding, fingerprint in zip(findings, prints, strict=True)
    ]


def _optional(finding: Finding, regions: Regions, options: Options) -> dict[str, Any]:
    members: dict[str, Any] = {}
    if finding.related:
        members["relatedLocations"] = [
            {"id": number, **_location(place, options), "message": {"text": _message(message)}}
            for number, (place, message) in enumerate(finding.related[:_MOST_PLACES], start=1)
        ]
    if finding.fix is not None and (changes := _changes(finding.fix, regions, options)):
        kind = "safe" if finding.fix.safe else "unsafe: review it"
        members["fixes"] = [{"description": {"text": f"Repair ({kind})"}, "artifactChanges": changes}]
    if finding.state != "open":
        excuse = {"kind": _EXCUSES[finding.state], "status": "accepted", "justification": display(finding.because)}
        members["suppressions"] = [excuse]
    return members


def _location(place: Place, options: Options, symbol: str = "") -> dict[str, Any]:
    line, column, end_line, end_column = span(place)
    region = {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column}
    location: dict[str, Any] = {
        "physicalLocation": {"artifactLocation": _artifact(place.path, options), "region": region}
    }
    if symbol:
        location["logicalLocations"] = [{"fullyQualifiedName": display(symbol)}]
    return location


def _artifact(path: str, options: Options) -> dict[str, str]:
    if path.startswith("/"):  # outside the root: relative it would name another file
        return {"uri": f"file:///{_uri(path.lstrip('/'))}"}
    return {"uri": _uri(hosted(path, options)), "uriBaseId": "%SRCROOT%"}


def _uri(path: str) -> str:
    """``path`` percent-encoded byte by byte, also where a byte is not UTF-8 and where ``:`` would make a scheme."""
    try:
        return quote(path.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:
        return quote(whole(path))


def _changes(fix: Fix, regions: Regions, options: Options) -> list[dict[str, Any]]:
    """The repair by file, empty if a file is no longer the one it was made for."""
    by_path: dict[str, list[Edit]] = {}
    for edit in fix.edits:
        by_path.setdefault(edit.path, []).append(edit)
    if not all(regions.fits(edit) for edit in fix.edits):
        return []
    return [
        {
            "artifactLocation": _artifact(path, options),
            "replacements": [
                {
                    "deletedRegion": regions.region(path, edit.start, edit.end),
                    "insertedContent": {"text": edit.text},
                }
                for edit in sorted(edits, key=lambda edit: (edit.start, edit.end))
            ],
        }
        for path, edits in sorted(by_path.items())
    ]


def _fingerprints(findings: list[Finding], sources: Sources) -> list[str]:
    wanted: dict[str, set[int]] = {}
    for finding in findings:
        wanted.setdefault(finding.place.path, set()).add(span(finding.place)[0])
    hashes = {path: line_hashes(text, lines) for path, lines in wanted.items() if (text := sources.text(path))}
    seen: dict[str, int] = {}
    prints = []
    for finding in findings:
        place = finding.place
        known = hashes.get(place.path, {}).get(span(place)[0])
        if known is None:  # nothing to hash: a file that is missing, binary or too large
            parts = "\0".join((place.path, finding.rule, place.symbol, finding.message))
            digest = hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()[:16]
            seen[digest] = seen.get(digest, 0) + 1
            known = f"{digest}:{seen[digest]}"
        prints.append(known)
    return prints


def _rule(rule: Rule) -> dict[str, Any]:
    level = rule.levels.get("", "warning")
    described: dict[str, Any] = {
        "id": display(rule.id),
        "name": display(rule.name),
        "shortDescription": {"text": _short(rule.summary or rule.name)},
        "fullDescription": {"text": _short(rule.why.strip() or rule.summary or rule.name)},
        "help": {"text": _help(rule, "{}:\n"), "markdown": _help(rule, "**{}**\n\n")},
        "defaultConfiguration": {"enabled": level != "off", "level": _LEVELS.get(level, "none")},
        "properties": {
            "precision": rule.confidence,
            "problem.severity": _PROBLEM.get(level, "recommendation"),
            "tags": list(dict.fromkeys(display(tag) for tag in (rule.family, *rule.tags) if tag))[:_MOST_TAGS],
        },
    }
    address = next((link for link in rule.references if _ADDRESS.fullmatch(link)), "")
    return described | ({"helpUri": address} if address else {})


def _bare_rule(finding: Finding) -> dict[str, Any]:
    """What a result needs of a rule that the policy does not list."""
    name = display(finding.name or finding.rule)
    return {"id": display(finding.rule), "name": name, "shortDescription": {"text": name}}


def _help(rule: Rule, heading: str) -> str:
    references = "\n".join(f"- {link}" for link in rule.references)
    parts = {
        "Why": rule.why,
        "Instead": rule.instead,
        "What it does not see": rule.limits,
        "References": references,
    }
    return "\n\n".join(heading.format(title) + text.strip() for title, text in parts.items() if text.strip()) or rule.id


def _invocation(report: Report, left_out: int, options: Options) -> dict[str, Any]:
    execution = [_unjudged(entry, options) for entry in report.not_judged[:_MOST_NOTES]]
    execution += [_unrun(entry, "error") for entry in report.failed[:_MOST_NOTES]]
    if left_out:
        text = f"{many(left_out, 'result')} left out: code scanning takes {MOST_RESULTS} and {MOST_BYTES} bytes."
        execution.append({"level": "warning", "message": {"text": text}})
    return {
        "executionSuccessful": not (report.not_judged or report.failed),
        "toolExecutionNotifications": execution,
        "toolConfigurationNotifications": [_unrun(entry, "note") for entry in report.rules_not_run[:_MOST_NOTES]],
    }


def _unjudged(entry: NotJudged, options: Options) -> dict[str, Any]:
    place = {"physicalLocation": {"artifactLocation": _artifact(entry.path, options)}}
    return {"level": "error", "message": {"text": _message(f"Not judged: {entry.why}")}, "locations": [place]}


def _unrun(entry: RuleNotRun, level: str) -> dict[str, Any]:
    return {"level": level, "message": {"text": _message(f"{entry.rule} did not run: {entry.why}")}}


def _message(text: str) -> str:
    """One line without the links that SARIF reads into ``[words](address)``."""
    return _short(display(text).replace("](", "] ("))


def _short(text: str) -> str:
    mark = "... (truncated)"
    return text if len(text) <= _MOST_CHARACTERS else text[: _MOST_CHARACTERS - len(mark)] + mark
