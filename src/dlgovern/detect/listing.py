"""What the standard's technology selection says about a distribution and about a module."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from dlgovern.detect import Parameter
from dlgovern.evidence.values import normal
from dlgovern.source.globs import matcher

PARAMETERS = {
    "rings": Parameter("strings", "rings of the technology selection that are reported: hold, assess, trial", default=[]),
    "deny": Parameter("strings", "distributions that are always reported", default=[]),
    "allow": Parameter("strings", "distributions that are never reported", default=[]),
    "unlisted": Parameter("boolean", "mention, as information, what neither the selection nor allow lists", default=False),
    "closed": Parameter("boolean", "report every distribution that neither the selection nor allow lists", default=False),
}
"""What the detectors of libraries have in common."""

_LOWER = {"assess": "warning", "trial": "info"}


class Entry(NamedTuple):
    """One ``[[technology]]`` of the selection."""

    id: str
    distributions: tuple[str, ...]
    ring: str
    imports: tuple[str, ...]
    part: bool
    discontinued: bool
    rename: bool
    replaced_by: str
    because: str
    sunset: str  # ISO date, "" for none
    licence: str
    versions: str
    allowed_paths: tuple[str, ...]
    images: tuple[str, ...]
    quadrant: str


class Verdict(NamedTuple):
    """Why a library is reported: words for a message, and the level if it is lower than the rule's.

    ``sunset`` is the day from which that level is the rule's own, "" where time changes nothing.
    """

    words: str
    instead: str
    level: str
    entry: Entry | None
    sunset: str = ""


class Listing:
    """The technology selection, looked up by module and by distribution; of two entries the first counts."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        self._modules: dict[str, tuple[str, ...]] = {
            module: (names,) if isinstance(names, str) else tuple(names)
            for module, names in table.get("modules", {}).items()
        }
        self.licences: dict[str, str] = {normal(name): said for name, said in table.get("licences", {}).items()}
        self.entries: list[Entry] = []
        self._by_import: dict[str, Entry] = {}
        self._by_name: dict[str, Entry] = {}
        self._parts: dict[str, Entry] = {}
        for row in table.get("technology", []):
            entry = _entry(row)
            self.entries.append(entry)
            for module in entry.imports:
                self._by_import.setdefault(module, entry)
            named = self._parts if entry.part else self._by_name
            for name in map(normal, entry.distributions):
                named.setdefault(name, entry)
                if entry.licence:
                    self.licences.setdefault(name, entry.licence)

    def distributions(self, module: str) -> tuple[str, ...]:
        """What a dotted module may come from, the usual one first; its own first name where the table is silent."""
        found: tuple[str, ...] | None = _longest(module, self._modules)
        if found is None and (entry := _longest(module, self._by_import)) is not None:
            found = entry.distributions
        return found or (module.partition(".")[0],)

    def knows(self, module: str) -> bool:
        """Whether the selection says where a module comes from."""
        return bool(_longest(module, self._modules) or _longest(module, self._by_import))

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
        found |= {m for m, entry in self._by_import.items() if not names.isdisjoint(map(normal, entry.distributions))}
        return sorted(found | {name.replace("-", "_") for name in deny})


def judged(
    parameters: Mapping[str, Any], names: tuple[str, ...], entry: Entry | None, path: str = ""
) -> Verdict | None:
    """Whether a rule's parameters report a distribution that the file at ``path`` uses, given what the table says.

    Of several ``names`` that a module may come from, the first is denied and any is allowed.
    """
    possible = [normal(name) for name in names]
    instead = (entry.replaced_by if entry else "") or "an approved library"
    if possible[0] in map(normal, parameters.get("deny", ())):
        return Verdict("denied by the standard", instead, "", entry)
    if not set(map(normal, parameters.get("allow", ()))).isdisjoint(possible):
        return None
    if entry is None:
        if parameters.get("closed"):
            return Verdict("not on the list of approved libraries", instead, "", None)
        return Verdict("not in the technology selection", instead, "info", None) if parameters.get("unlisted") else None
    if entry.ring not in parameters.get("rings", ()) or (entry.ring == "assess" and _is_allowed(entry, path)):
        return None
    words = {"hold": "on hold", "assess": "only being assessed", "trial": "on trial"}.get(entry.ring, entry.ring)
    words = f"{words}: {entry.because}" if entry.because else words
    if entry.sunset:
        return Verdict(f"{words}; an error from {entry.sunset}", instead, "warning", entry, entry.sunset)
    return Verdict(words, instead, _LOWER.get(entry.ring, ""), entry)


def listing_of(tables: Mapping[str, Any]) -> Listing:
    """The selection of these tables, indexed once for as long as they live."""
    table = tables.get("selection", _NOTHING)
    known = _KNOWN.get("selection")
    if known is None or known[0] is not table:
        known = _KNOWN["selection"] = (table, Listing(table))
    return known[1]


_NOTHING: dict[str, Any] = {}
_KNOWN: dict[str, tuple[Any, Listing]] = {}


def _entry(row: Mapping[str, Any]) -> Entry:
    return Entry(
        row["id"],
        tuple(row.get("distributions", ())),
        row["ring"],
        tuple(row.get("imports", ())),
        row.get("part", False),
        row.get("discontinued", False),
        row.get("rename", False),
        row.get("replaced_by", ""),
        row.get("because", ""),
        row.get("sunset", ""),
        row.get("licence", ""),
        row.get("versions", ""),
        tuple(row.get("allowed_paths", ())),
        tuple(row.get("images", ())),
        row.get("quadrant", ""),
    )


def _is_allowed(entry: Entry, path: str) -> bool:
    pattern = matcher(entry.allowed_paths) if entry.allowed_paths else None
    return pattern is not None and pattern.match(path) is not None


def _longest(module: str, table: Mapping[str, Any]) -> Any:
    current = module
    while current:
        if current in table:
            return table[current]
        current = current.rpartition(".")[0]
    return None
