"""What a repair would change, as edits of bytes; computed only when somebody asks."""

from __future__ import annotations

from dlgovern.edits.actions import ACTIONS
from dlgovern.edits.source import Change, Place, Source
from dlgovern.finding import Edit, Fix, Hit
from dlgovern.flow.facts import Facts
from dlgovern.policy import Rule
from dlgovern.repository.window import Window, parse_version


def repair(rule: Rule, hit: Hit, facts: Facts) -> Fix | None:
    """The repair of one hit, or None where it cannot be made for sure.

    It is safe only where the rule says so and every version the file must work with is known to have what the
    repair uses (``since``) or to mean the same by it (``safe_since``).
    """
    action = ACTIONS.get(str(rule.fix.get("action", "")))
    if action is None:
        return None
    bounds = _bounds(rule, hit)
    if any(_too_old(facts, library, version) for library, version in bounds.items()):
        return None
    source = Source.of(facts)
    changes = action(Place(source, hit, rule.fix))
    if not changes:
        return None
    edits = tuple(sorted({source.edit(change) for change in changes}, key=lambda edit: (edit.start, edit.end)))
    bounds |= rule.fix.get("safe_since", {})
    known = all(_has(facts, library, version) for library, version in bounds.items())
    return Fix(bool(rule.fix.get("safe", False)) and known, edits)


def compute(rule: Rule, hit: Hit, facts: Facts) -> tuple[Edit, ...] | None:
    """The edits that repair one hit, or None where it cannot be repaired for sure."""
    found = repair(rule, hit, facts)
    return found.edits if found else None


def _bounds(rule: Rule, hit: Hit) -> dict[str, str]:
    """Library -> the lowest version at which the repaired code works."""
    bounds: dict[str, str] = dict(rule.fix.get("since", {}))
    if rule.fix.get("action") == "as-table-says":
        said = hit.slots.get("since") or (hit.slots.get("version", "") if hit.slots.get("fix") == "rename" else "")
        if said:
            bounds[str(rule.parameters.get("library", "torch")) or hit.slots.get("call", "").partition(".")[0].replace("_", "-")] = said
    return bounds


def _window(facts: Facts, library: str) -> Window | None:
    return facts.windows.of(facts.path, library)


def _too_old(facts: Facts, library: str, version: str) -> bool:
    """Whether the repository itself says that it works with a version that lacks what the repair uses."""
    window = _window(facts, library)
    return window is not None and window.starts_below(parse_version(version))


def _has(facts: Facts, library: str, version: str) -> bool:
    window = _window(facts, library)
    return window is not None and bool(window.floor) and not window.starts_below(parse_version(version))


__all__ = ["ACTIONS", "Change", "compute", "repair"]
