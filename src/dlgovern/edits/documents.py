"""Repairs of files that are not Python: scripts, images, workflows, manifests, requirements."""

from __future__ import annotations

import re
from collections.abc import Callable

from dlgovern.edits import declare, index, launcher, manifest, memory
from dlgovern.edits.sheet import Cut, Repair, Sheet
from dlgovern.finding import Fix, Hit
from dlgovern.policy import Rule
from dlgovern.repository.window import parse_version


def repair(rule: Rule, hit: Hit, sheet: Sheet) -> Fix | None:
    """The repair of one hit, or None where it cannot be made for sure.

    A rule whose ``[fix]`` is about Python has another one for documents in ``[fix.document]``.
    """
    said = rule.fix.get("document") or rule.fix
    action = ACTIONS.get(str(said.get("action", "")))
    if action is None or not sheet.usable:
        return None
    windows = {library: sheet.window(library) for library in said.get("since", {})}
    oldest = {library: parse_version(version) for library, version in said.get("since", {}).items()}
    if any(window is not None and window.starts_below(oldest[library]) for library, window in windows.items()):
        return None
    made = action(sheet, hit, said)
    if made is None or not made.cuts:
        return None
    known = all(window is not None and bool(window.floor) for window in windows.values())
    return Fix(bool(said.get("safe")) and made.safe and known, tuple(sheet.edit(cut) for cut in made.cuts))


def replace_text(sheet: Sheet, hit: Hit, parameters: dict[str, object]) -> Repair | None:
    """Write ``new`` for the one word ``old`` in what was hit, unless the file uses the word as a variable elsewhere."""
    if "slot" in parameters:
        return manifest.rename_requirement(sheet, hit, parameters)
    old, new = (_filled(str(parameters.get(name, "")), hit) for name in ("old", "new"))
    start, end = sheet.span(hit)
    found = list(re.finditer(rf"(?<![\w-]){re.escape(old)}(?![\w-])", sheet.text[start:end])) if old and new else []
    used = re.search(rf"\$\{{?{re.escape(old)}\b|unset[^\n]*\b{re.escape(old)}\b", sheet.text)
    if len(found) != 1 or used:
        return None
    return Repair((Cut(start + found[0].start(), start + found[0].end(), new),))


def rename_key(sheet: Sheet, hit: Hit, _parameters: dict[str, object]) -> Repair | None:
    """The key of a configuration under the name that its row has for it, where only the name changed."""
    start, end = sheet.span(hit)
    old, new = hit.slots.get("argument", ""), hit.slots.get("replacement", "")
    written = sheet.text[start:end]
    quote = written[:1] if written[:1] in ("'", '"') else ""
    if hit.slots.get("fix") != "rename" or not new.isidentifier() or not old or not written.startswith(f"{quote}{old}{quote}"):
        return None
    return Repair((Cut(start + len(quote), start + len(quote) + len(old), new),))


def _filled(template: str, hit: Hit) -> str:
    """A template with its slots filled, "" where one is not known."""
    names = re.findall(r"\{(\w+)\}", template)
    if not all(hit.slots.get(name) for name in names):
        return ""
    return re.sub(r"\{(\w+)\}", lambda found: hit.slots[found[1]], template)


ACTIONS: dict[str, Callable[[Sheet, Hit, dict[str, object]], Repair | None]] = {
    "as-table-says": rename_key,
    "declare": declare.declare,
    "explicit-index": index.explicit_index,
    "replace-text": replace_text,
    "set-versions": manifest.set_versions,
    "share-memory": memory.share_memory,
    "start-with-torchrun": launcher.start_with_torchrun,
    "tighten": manifest.tighten,
}
"""Action -> what it would change at one place, None where that is not sure."""

ELSEWHERE = frozenset({"declare"})
"""Actions for a hit whose repair lies in another file: the sheet is that of the file which the slot ``owner`` names."""
