"""Add a distribution to what a manifest declares for everybody."""

from __future__ import annotations

import re

from dlgovern.edits.manifest import supported
from dlgovern.edits.sheet import Cut, Repair, Sheet
from dlgovern.finding import Hit

_MADE = re.compile(r"^\s*#.*(?:generated|pip-compile|pip compile|\bvia\b)", re.IGNORECASE | re.MULTILINE)
"""A comment of a tool that writes the whole file from another one."""


def declare(sheet: Sheet, hit: Hit, _parameters: dict[str, object]) -> Repair | None:
    """The distribution of the slot ``missing`` at the end of the list, in the versions that the standard supports.

    ``sheet`` is the manifest, another file than that of the hit. Left where a tool writes the file or hashes are
    demanded, and where a pyproject.toml has no plain list: extras, groups and other tables are for a person to choose.
    """
    name = hit.slots.get("missing", "")
    document = sheet.document
    if not name or document.problems or document.skipped or document.partial:
        return None
    wanted = name + supported(sheet, name)
    if sheet.kind == "requirements":
        after = _in_requirements(sheet, wanted)
    else:
        after = _in_project(sheet.text, wanted) if sheet.kind == "pyproject" else ""
    if not after:
        return None
    cut = _changed(sheet, after)
    alone = f'"{wanted}"'
    if sheet.kind == "pyproject" and cut.text.strip() == alone and _comma_behind_last(sheet):
        cut = cut._replace(text=cut.text.replace(alone, f"{alone},"))  # tomlkit forgets it behind a comment
    return Repair((cut,))


def _in_requirements(sheet: Sheet, wanted: str) -> str:
    text = sheet.text
    demands = any(one.hashed for one in sheet.document.requirements) or "--require-hashes" in text
    if demands or _MADE.search(text) or text.rstrip().endswith("\\"):
        return ""
    return f"{text}{wanted}{sheet.newline}" if text.endswith("\n") else f"{text}{sheet.newline}{wanted}"


def _in_project(text: str, wanted: str) -> str:
    import tomlkit  # only when such a repair is made
    from tomlkit.exceptions import TOMLKitError

    try:
        document = tomlkit.parse(text)
        said = document.unwrap()
        listed, other = said["project"]["dependencies"], said.get("tool", {}).get("poetry", {}).get("dependencies")
        if not isinstance(listed, list) or other or tomlkit.dumps(document) != text:
            return ""
        document["project"]["dependencies"].append(wanted)
        after = tomlkit.dumps(document)
        listed.append(wanted)
        return after if tomlkit.parse(after).unwrap() == said else ""
    except (TOMLKitError, KeyError, TypeError, AttributeError, ValueError):
        return ""


def _comma_behind_last(sheet: Sheet) -> bool:
    """Whether the last requirement of the project is followed by a comma."""
    last = max((one for one in sheet.document.requirements if not one.group), key=lambda one: (one.line, one.column), default=None)
    return last is not None and sheet.line(last.line)[last.end_column :].lstrip().startswith(",")


def _changed(sheet: Sheet, after: str) -> Cut:
    """The lines in which the new text differs from that of the sheet, which has not all of them."""
    old, new = sheet.text.splitlines(keepends=True), after.splitlines(keepends=True)
    first = 0
    while first < len(old) and old[first] == new[first]:
        first += 1
    last = 0
    while last < len(old) - first and old[-1 - last] == new[-1 - last]:
        last += 1
    end = len(sheet.text) - sum(map(len, old[len(old) - last :]))
    text = "".join(new[first : len(new) - last])
    return Cut(sum(map(len, old[:first])), end, text.replace("\r\n", "\n"))
