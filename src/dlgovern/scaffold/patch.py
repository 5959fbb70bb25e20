"""Show what a change of files would do, as a patch that git applies."""

from __future__ import annotations

import difflib

from dlgovern.report.display import display


def patch(path: str, before: bytes | None, after: bytes | None, *, raw: bool) -> str:
    """The change of one file; ``raw`` keeps the bytes (as UTF-8 with surrogate escapes), else the text is safe to print."""
    if before == after:
        return ""
    if b"\0" in (before or b"") + (after or b""):
        return f"Binary files a/{display(path)} and b/{display(path)} differ\n"
    old, new = (_lines(data or b"") for data in (before, after))
    names = ("/dev/null" if before is None else f"a/{path}", "/dev/null" if after is None else f"b/{path}")
    out = []
    for line in difflib.unified_diff(old, new, *names):
        ended = line.endswith("\n")
        text = line[:-1] if ended else line
        out.append(text if raw else "\t".join(display(part) for part in text.split("\t")))
        out.append("\n" if ended else "\n\\ No newline at end of file\n")
    return "".join(out)


def _lines(data: bytes) -> list[str]:
    text = data.decode("utf-8", "surrogateescape")
    lines = [line + "\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]
