"""From a dotted name to the rules that mean it, in one look-up."""

from __future__ import annotations

from collections.abc import Iterable

from dlgovern.policy import Rule


class NameIndex:
    """Names of rules; one that ends in ``.*`` means everything below it."""

    def __init__(self, pairs: Iterable[tuple[str, Rule]]) -> None:
        self._exact: dict[str, list[Rule]] = {}
        self._below: dict[str, list[Rule]] = {}
        for name, rule in pairs:
            where = self._below if name.endswith(".*") else self._exact
            found = where.setdefault(name.removesuffix(".*"), [])
            if rule not in found:
                found.append(rule)

    def rules(self, origin: str) -> list[Rule]:
        """The rules that mean ``origin``."""
        found = self._exact.get(origin, [])
        if not self._below:
            return found
        result = list(found)
        parent = origin.rpartition(".")[0]
        while parent:
            result += [rule for rule in self._below.get(parent, ()) if rule not in result]
            parent = parent.rpartition(".")[0]
        return result
