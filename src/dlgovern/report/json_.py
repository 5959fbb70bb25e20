"""Say a report to a program, as the JSON that ``schema/dlgovern-1.schema.json`` describes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dlgovern.report.display import whole
from dlgovern.report.facts import count, span

if TYPE_CHECKING:
    from dlgovern.finding import Finding, Fix, Report
    from dlgovern.report.options import Options

SCHEMA = "dlgovern/1"


def render(report: Report, options: Options) -> str:
    """All findings of every state, one a line, so that two reports can be compared with `diff`.

    Text is as it was found, paths included; only a lone surrogate, which JSON's readers refuse, becomes an escape.
    """
    del options  # a contract does not bend
    counts = count(report)
    not_run = [*report.rules_not_run, *(failed._replace(why=f"failed: {failed.why}") for failed in report.failed)]
    members = {
        "schema": dump(SCHEMA),
        "version": dump(report.version),
        "standard": dump({key: report.standard.get(key, "") for key in ("name", "version", "fingerprint")}),
        "findings": _rows([_finding(finding) for finding in report.findings]),
        "not_judged": _rows([{"path": path, "why": why} for path, why in report.not_judged]),
        "rules_not_run": _rows([{"rule": rule, "why": why} for rule, why in sorted(not_run)]),
        "summary": dump(
            {
                "files_seen": report.files_seen,
                "files_judged": report.files_judged,
                "open": counts.open,
                **counts.states,
            }
        ),
    }
    return "{\n" + ",\n".join(f'"{name}": {value}' for name, value in members.items()) + "\n}\n"


def dump(value: Any) -> str:
    """``value`` as JSON in one line of printable ASCII that no build server can take for a command."""
    text = json.dumps(value, ensure_ascii=True, separators=(", ", ": "))
    if "\\ud" in text:
        text = json.dumps(_whole(value), ensure_ascii=True, separators=(", ", ": "))
    return text.replace("##[", "#\\u0023[")  # it can only stand inside a string, where the escape means the same


def _rows(values: list[dict[str, Any]]) -> str:
    return "[\n" + ",\n".join(map(dump, values)) + "\n]" if values else "[]"


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, dict):
        return {_whole(key): _whole(item) for key, item in value.items()}
    return [_whole(item) for item in value] if isinstance(value, list) else value


def _finding(finding: Finding) -> dict[str, Any]:
    line, column, end_line, end_column = span(finding.place)
    return {
        "rule": finding.rule,
        "name": finding.name,
        "level": finding.level,
        "confidence": finding.confidence,
        "state": finding.state,
        "because": finding.because,
        "path": finding.place.path,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
        **({"cell": finding.place.cell} if finding.place.cell else {}),
        "symbol": finding.place.symbol,
        "message": finding.message,
        "instead": finding.instead,
        "related": [
            {"path": place.path, "line": max(place.line, 1), "message": message} for place, message in finding.related
        ],
        "fix": _fix(finding.fix, finding.place.path),
    }


def _fix(fix: Fix | None, path: str) -> dict[str, Any] | None:
    if fix is None:
        return None
    edits = [
        {
            "start": edit.start,
            "end": edit.end,
            "text": edit.text,
            **({"path": edit.path} if edit.path != path else {}),
        }
        for edit in fix.edits
    ]
    return {"safe": fix.safe, "edits": edits}
