"""Which rules are live on a file, and at which level: the scopes of the standard decide."""

from __future__ import annotations

import re

from dlgovern.finding import sure
from dlgovern.policy import Policy, Rule
from dlgovern.source.classify import setting
from dlgovern.source.globs import matcher


def scopes(policy: Policy, path: str) -> tuple[str, ...]:
    """The names of the scopes a path lies in, in the order of the standard; "" (everywhere) comes first."""
    kind = setting(path)
    found = [""]
    for scope in policy.scopes:
        if kind in scope.kinds or (scope.paths and _matches(scope.paths, path)):
            found.append(scope.name)
    return tuple(found)


def _matches(patterns: tuple[str, ...], path: str) -> bool:
    if patterns not in _PATTERNS:
        _PATTERNS[patterns] = matcher(patterns)
    pattern = _PATTERNS[patterns]
    return pattern is not None and pattern.match(path) is not None


def level(rule: Rule, names: tuple[str, ...]) -> str:
    """The level of a rule in these scopes: the last scope that says one wins."""
    return next((rule.levels[name] for name in reversed(names) if name in rule.levels), "off")


def confidence(rule: Rule, said: str, names: tuple[str, ...]) -> str:
    """How sure a finding of a rule is in these scopes, which is at most what they say: the last that says something wins."""
    most = next((rule.most[name] for name in reversed(names) if name in rule.most), said) if rule.most else said
    return min(said, most, key=sure)


def live_rules(policy: Policy, path: str) -> tuple[Rule, ...]:
    """The rules that run on a file, in the order of the policy."""
    return _live(policy.rules, scopes(policy, path))


_PATTERNS: dict[tuple[str, ...], re.Pattern[str] | None] = {}
_CACHE: dict[tuple[int, tuple[str, ...]], tuple[tuple[Rule, ...], tuple[Rule, ...]]] = {}
"""The asked tuple is kept beside the answer: while it lives, no other one can have its id."""


def _live(rules: tuple[Rule, ...], names: tuple[str, ...]) -> tuple[Rule, ...]:
    key = (id(rules), names)
    if key not in _CACHE:
        _CACHE[key] = (rules, tuple(rule for rule in rules if level(rule, names) != "off"))
    return _CACHE[key][1]
