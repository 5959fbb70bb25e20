"""The output formats by name, each loaded when it is asked for."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from dlgovern.errors import UsageError

if TYPE_CHECKING:
    from dlgovern.finding import Report
    from dlgovern.report.options import Options

FORMATS = {
    "text": "dlgovern.report.text",
    "json": "dlgovern.report.json_",
    "sarif": "dlgovern.report.sarif",
    "github": "dlgovern.report.github",
}
"""Name of a format -> module with ``render(report, options) -> str`` and perhaps ``step_summary`` of the same form."""


def render(name: str, report: Report, options: Options) -> str:
    """The report in the format ``name``, ending with a line end.

    Raises `UsageError` for a format that does not exist.
    """
    return str(_module(name).render(report, options))


def step_summary(name: str, report: Report, options: Options) -> str:
    """Markdown for the file that ``$GITHUB_STEP_SUMMARY`` names, "" for formats that have none.

    Raises `UsageError` for a format that does not exist.
    """
    module = _module(name)
    return str(module.step_summary(report, options)) if hasattr(module, "step_summary") else ""


def _module(name: str) -> Any:
    if name not in FORMATS:
        raise UsageError(f"there is no output format {name!r}", do=f"choose one of {', '.join(FORMATS)}")
    return importlib.import_module(FORMATS[name])
