"""What the standard's library table says about a distribution and about a module."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from dlgovern.detect import Parameter
from dlgovern.evidence.values import normal

PARAMETERS = {
    "rings": Parameter("strings", "rings of the library table that are reported: hold, assess, trial", default=[]),
    "deny": Parameter("strings", "distributions that are always reported", default=[]),
    "allow": Parameter("strings", "distributions that are never reported", default=[]),
    "closed": Parameter("boolean", "report every distribution that neither the table nor allow lists", default=False),
}
"""What the detectors of libraries have in common."""

_LOWER = {"assess": "warning", "trial": "info"}


class Entry(NamedTuple):
    """One ``[[library]]`` of the table."""

    distribution: str
    ring: str
    imports: tuple[str, ...]
    part: bool
    discontinued: bool
    rename: bool
    replaced_by: str
    because: str


class Verdict(NamedTuple):
    """Why a library is reported: words for a message, and the level if it is lower than the rule's."""

    words: str
    instead: str
    level: str
    entry: Entry | None


class Listing:
    """The library table, looked up by module and by distribution."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        self._modules: dict[str, tuple[str, ...]] = {
            module: (names,) if isinstance(names, str) else tuple(names)
            for module, names in table.get("modules", {}).items()
        }
        self._by_import: dict[str, Entry] = {}
        self._by_name: dict[str, Entry] = {}
        self._parts: dict[str, Entry] = {}
        for row in table.get("library", []):
            entry = Entry(
                row["distribution"],
                row["ring"],
                tuple(row.get("imports", ())),
                row.get("part", False),
                row.get("discontinued", False),
                row.get("rename", False),
                row.get("replaced_by", ""),
                row.get("because", ""),
            )
            for module in entry.imports:
                self._by_import[module] = entry
            named = self._parts if entry.part else self._by_name
            named[normal(entry.distribution)] = entry

    def distributions(self, module: str) -> tuple[str, ...]:
        """What a dotted module may come from, the usual one first; its own first name where the table is silent."""
        return _longest(module, self._modules) or (module.partition(".")[0],)

    def of_module(self, module: str) -> Entry | None:
        """What the table says about a dotted module."""
        found = _longest(module, self._by_import)
        return found or self.of_distribution(self.distributions(module)[0], modules=True)

    def of_distribution(self, name: str, *, modules: bool = False) -> Entry | None:
        """What the table says about a distribution; with ``modules`` entries for manifests alone do not count."""
        entry = self._by_name.get(normal(name))
        return None if entry and modules and not entry.imports else entry

    def part_of(self, name: str) -> Entry | None:
        """What the table says about one part of a distribution, its modules, and not about the whole."""
        return self._parts.get(normal(name))

    def imports(self, rings: Iterable[str], deny: Iterable[str]) -> list[str]:
        """The dotted modules of these rings and of these distributions."""
        wanted = set(rings)
        names = {normal(name) for name in deny}
        found = {module for module, entry in self._by_import.items() if entry.ring in wanted}
        found |= {module for module, made in self._modules.items() if normal(made[0]) in names}
        found |= {module for module, entry in self._by_import.items() if normal(entry.distribution) in names}
        return sorted(found | {name.replace("-", "_") for name in deny})


def judged(parameters: Mapping[str, Any], names: tuple[str, ...], entry: Entry | None) -> Verdict | None:
    """Whether a rule's parameters report a distribution, given what the table says about it.

    Of several ``names`` that a module may come from, the first is denied and any is allowed.
    """
    possible = [normal(name) for name in names]
    instead = (entry.replaced_by if entry else "") or "an approved library"
    if possible[0] in map(normal, parameters.get("deny", ())):
        return Verdict("denied by the standard", instead, "", entry)
    if not set(map(normal, parameters.get("allow", ()))).isdisjoint(possible):
        return None
    if entry is None:
        return Verdict("not on the list of approved libraries", instead, "", None) if parameters.get("closed") else None
    if entry.ring not in parameters.get("rings", ()):
        return None
    words = {"hold": "on hold", "assess": "only being assessed", "trial": "on trial"}.get(entry.ring, entry.ring)
    return Verdict(f"{words}: {entry.because}" if entry.because else words, instead, _LOWER.get(entry.ring, ""), entry)


def _longest(module: str, table: Mapping[str, Any]) -> Any:
    current = module
    while current:
        if current in table:
            return table[current]
        current = current.rpartition(".")[0]
    return None
