"""Recognise, in a source that CPython refuses, the syntax of another Python: a later one or Python 2."""

from __future__ import annotations

import re

_NAME = r"[^\W\d]\w*"

# (first version that reads it, what it is, the line that shows it, a part of CPython's message or "")
_NEWER = (
    ((3, 15), "a lazy import", r"\s*lazy\s+(?:import|from)\s", ""),
    ((3, 15), "unpacking in a comprehension", "", "unpacking cannot be used in"),
    ((3, 14), "except without parentheses", r"\s*except\*?\s+[A-Z][\w.]*(?:\s*,\s*[A-Z][\w.]*)+\s*:", ""),
    ((3, 14), "a template string", r"(?:.*?[^\w'\"])?(?:t|tr|rt)['\"]", ""),
    ((3, 13), "defaults of type parameters", rf"\s*(?:(?:async\s+)?def|class|type)\s+{_NAME}\s*\[[^\]()]*=", ""),
    ((3, 12), "type parameters", rf"\s*(?:(?:async\s+)?def|class)\s+{_NAME}\s*\[", ""),
    ((3, 12), "a type statement", rf"\s*type\s+{_NAME}\s*(?:\[.*\])?\s*=", ""),
    ((3, 12), "a formatted string of the newer grammar", "", "f-string expression part cannot include"),
    ((3, 12), "a formatted string of the newer grammar", r".*\bf(['\"])[^'\"]*\{[^{}'\"]*\1[^'\"]*\1[^{}]*\}", ""),
    ((3, 12), "a formatted string of the newer grammar", r".*\bf['\"][^'\"]*\{[^{}]*$", ""),
)

_OLDER = (
    ("a print statement", "", "Missing parentheses in call to 'print'"),
    ("an exec statement", "", "Missing parentheses in call to 'exec'"),
    ("except with a comma", rf"\s*except\s+.+,\s*{_NAME}\s*:", ""),
    ("raise with a comma", r"\s*raise\s+[\w.]+\s*,", ""),
    ("an octal number without 0o", "", "leading zeros in decimal integer literals"),
    ("the operator <>", r".*<>", ""),
    ("backquotes", r"[^'\"#]*`[^`]+`", ""),
)


def explain(message: str, line: int, column: int, data: bytes, version: tuple[int, int]) -> tuple[str, bool]:
    """CPython's message in plainer words where the line makes the reason plain, and whether it is newer syntax."""
    text = _line(data, line)[:1000]  # the patterns may be quadratic in a line
    for since, what, shown, said in _NEWER:
        if version < since and said in message and re.match(shown, text):
            need, have = (f"Python {major}.{minor}" for major, minor in (since, version))
            return f"uses {what} of {need}, which {have} does not read", True
    for what, shown, said in _OLDER:
        if said in message and re.match(shown, text):
            return f"is written for Python 2: {what}", False
    return message, False


def _line(data: bytes, number: int) -> str:
    lines = data.splitlines()
    return lines[number - 1].decode("utf-8", "replace") if 0 < number <= len(lines) else ""
