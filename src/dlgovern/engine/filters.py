"""The prefilters of a policy, one a version window, from the store where an earlier run made them."""

from __future__ import annotations

from typing import Any

from dlgovern import bundled, detect
from dlgovern.policy import Policy, Rule
from dlgovern.repository.window import Window
from dlgovern.source.prefilter import Prefilter
from dlgovern.store import Store, key


class Filters:
    """Prefilters by the torch window they were made for; the triggers of tables depend on it."""

    def __init__(self, policy: Policy, store: Store) -> None:
        self._policy = policy
        self._store = store
        self._made: dict[Window | None, Prefilter] = {}

    def of(self, window: Window | None) -> Prefilter:
        """The prefilter of all rules about Python files."""
        if window not in self._made:
            self._made[window] = self._load(window)
        return self._made[window]

    def _load(self, window: Window | None) -> Prefilter:
        rules = [rule for rule in self._policy.rules if rule.shape == "python"]
        if not self._store.folder or not self._policy.fingerprint:
            return self._make(rules, window)
        ids = [rule.id for rule in rules]
        name = f"triggers-{key(bundled.version(), self._policy.fingerprint, self._policy.tailored, ids, window and window[:2])}.json"
        kept = self._store.get(name)
        if isinstance(kept, dict):
            try:
                return Prefilter.load(kept)
            except (KeyError, TypeError, ValueError, AttributeError):
                pass
        made = self._make(rules, window)
        self._store.put(name, made.dump())
        return made

    def _make(self, rules: list[Rule], window: Window | None) -> Prefilter:
        return Prefilter((rule.id, _triggers(rule, self._policy.tables, window)) for rule in rules)


def _triggers(rule: Rule, tables: dict[str, Any], window: Window | None) -> Any:
    """The triggers of a rule; those of a table depend on the versions the repository works with."""
    if rule.triggers != "window":
        return rule.triggers
    return detect.load(rule.detector).triggers_in(rule.parameters, tables, window)
