"""Prove that a changed file is what it was, except where it was meant to change."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from dlgovern.finding import Edit
from dlgovern.fix import documents, same
from dlgovern.fix.merge import replace
from dlgovern.source import encoding
from dlgovern.source.classify import HEAD, classify
from dlgovern.source.parse import Unparsable, parse

_BOM = b"\xef\xbb\xbf"
_CONFIGURATION = 256 * 1024  # bytes; a longer TOML file can take minutes to parse

# Loose on purpose: a proof of form, not of sense.
_REQUIREMENT = re.compile(r"\s*(?:[A-Za-z0-9][\w.-]*\s*(?:\[[\w\s,.-]*\])?\s*(?:[<>=!~@;(#\\].*)?|[-#.].*|)\\?")


def codec_for(path: str, data: bytes) -> str:
    """The codec in which the text of an edit goes into this file."""
    return encoding.codec_of(data) if classify(path, data[:HEAD]) == "python" else "utf_8"


def fault(path: str, before: bytes, after: bytes, edits: Sequence[Edit]) -> str:
    """Why ``after`` must not be written over ``before``, "" where it may.

    ``edits`` are sorted and separate; a file that did not exist has edits without digest and is empty before.
    """
    created = not before and all(not edit.digest for edit in edits)
    try:
        if after != replace(before, edits, codec_for(path, before)):
            return "changes bytes outside the repair"
    except (ValueError, LookupError) as error:
        return f"cannot be applied: {error}"
    if after == before and not created:
        return "changes nothing"
    why = "" if created else _form(before, after)
    if why:
        return why
    kind = classify(path, after[:HEAD])
    if not created and kind != classify(path, before[:HEAD]):
        return "changes what kind of file this is"
    if kind == "python":
        return _python(path, before, after, edits, created)
    try:
        after.decode("utf-8")
    except UnicodeDecodeError:
        return "is not UTF-8 afterwards"
    if path.endswith(".toml") or (kind == "lock" and not path.lower().endswith("pipfile.lock")):
        return _toml(after)
    if kind == "notebook":
        return _notebook(before, after, created)
    if kind == "requirements":
        return _requirements(before, after)
    return "" if created else documents.changed_outside(path, before, after, edits)


def _form(before: bytes, after: bytes) -> str:
    """What may never change: byte order mark, kinds of newline, the newline at the end."""
    if before.startswith(_BOM) != after.startswith(_BOM):
        return "changes the byte order mark"
    newlines = _newlines(before)
    if newlines and not _newlines(after) <= newlines:
        return "brings in another kind of newline"
    if before and after and before.endswith((b"\n", b"\r")) != after.endswith((b"\n", b"\r")):
        return "changes whether the file ends with a newline"
    return ""


def _newlines(data: bytes) -> set[str]:
    pairs = data.count(b"\r\n")
    counts = {"CR LF": pairs, "LF": data.count(b"\n") - pairs, "CR": data.count(b"\r") - pairs}
    return {name for name, count in counts.items() if count}


def _python(path: str, before: bytes, after: bytes, edits: Sequence[Edit], created: bool) -> str:
    wrong = encoding.problem(after)
    if wrong:
        return f"{wrong[1]} afterwards (line {wrong[0]})"
    if not created and encoding.codec_of(before) != encoding.codec_of(after):
        return "changes the declared encoding"
    try:
        new = parse(after)
    except Unparsable as error:
        return f"does not parse afterwards (line {error.line}: {error.why})"
    if created:
        return "" if same.compiles(after, path) else "does not compile afterwards"
    try:
        old = parse(before)
    except Unparsable as error:
        return f"does not parse (line {error.line}: {error.why})"
    if same.compiles(before, path) and not same.compiles(after, path):
        return "does not compile afterwards"
    line = same.changed_outside(old, before, new, after, edits)
    return f"changes line {line}, which lies outside the repair" if line else ""


def _toml(after: bytes) -> str:
    import tomli  # only when a TOML file is repaired

    if len(after) > _CONFIGURATION:
        return f"is larger than {_CONFIGURATION:,} bytes and cannot be checked"
    try:
        tomli.loads(after.decode())
    except (ValueError, RecursionError) as error:
        return f"is not TOML afterwards ({error})"
    return ""


def _notebook(before: bytes, after: bytes, created: bool) -> str:
    try:
        new = json.loads(after)
        old = new if created else json.loads(before)
    except (ValueError, RecursionError) as error:
        return f"is not JSON afterwards ({error})"
    try:
        return "" if _without_sources(old) == _without_sources(new) else "changes more than the code of cells"
    except RecursionError:
        return "is nested too deeply to be compared"


def _without_sources(notebook: object) -> object:
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        return notebook
    cells = [{**cell, "source": ""} if isinstance(cell, dict) else cell for cell in notebook["cells"]]
    return {**notebook, "cells": cells}


def _requirements(before: bytes, after: bytes) -> str:
    known = set(before.decode("utf-8", "replace").splitlines())
    for number, line in enumerate(after.decode().splitlines(), 1):
        if line not in known and not _REQUIREMENT.fullmatch(line[:2000]):
            return f"has a line that is no requirement afterwards (line {number})"
    return ""
