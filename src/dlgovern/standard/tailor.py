"""Fit a compiled policy to one project: its levels, its selection, its parameters, within what is locked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from dlgovern import detect
from dlgovern.errors import ConfigurationError, suggestion
from dlgovern.finding import RuleNotRun
from dlgovern.policy import Policy, Rule, roots

_ORDER = ("off", "info", "warning", "error")


def tailor(policy: Policy, values: Mapping[str, Any]) -> tuple[Policy, list[RuleNotRun], bool]:
    """The policy with a project's configuration applied, the rules that do not run and why, and whether it is whole.

    A policy is whole when nothing was deselected. Raises ConfigurationError for a word that names no rule,
    and for a change that would loosen a locked rule.
    """
    rules = list(policy.rules)
    rules = _set_parameters(rules, values.get("parameters", {}), policy)
    rules = _set_levels(rules, values.get("levels", {}), policy)
    chosen, whole = _selected(rules, values, policy)
    not_run: list[RuleNotRun] = []
    live: list[Rule] = []
    for rule in chosen:
        missing = [name for name in rule.needs if not rule.parameters.get(name)]
        if all(level == "off" for level in rule.levels.values()):
            continue
        if missing:
            not_run.append(RuleNotRun(rule.id, f"its parameter {', '.join(missing)} is not set"))
        else:
            live.append(rule)
    window = {**policy.window, **values.get("window", {})}
    tailored = json.dumps(values.get("parameters", {}), sort_keys=True, default=str)
    more = roots([values.get("parameters", {})], {}) if values.get("parameters") else ()
    return policy._replace(
        rules=tuple(live), window=window, tailored=tailored, roots=(*policy.roots, *sorted(more))
    ), not_run, whole


def named(rules: Iterable[Rule], word: str) -> list[Rule]:
    """The rules that a word of the command line means: ALL, a family such as DLG2, an id, or a name."""
    if word == "ALL":
        return list(rules)
    return [rule for rule in rules if rule.id.startswith(word.upper()) or rule.name == word]


def _demand(rules: list[Rule], word: str, where: str) -> list[Rule]:
    found = named(rules, word) if word else []
    if not found:
        known = [rule.id for rule in rules] + [rule.name for rule in rules]
        raise ConfigurationError(f"no rule is called {word!r}{suggestion(word, known)}", where, "see `dlgovern rule list`")
    return found


def _set_levels(rules: list[Rule], levels: Mapping[str, str], policy: Policy) -> list[Rule]:
    for word in sorted(levels, key=len):
        meant = {rule.id for rule in _demand(rules, word, "levels")}
        rules = [_leveled(rule, levels[word], policy) if rule.id in meant else rule for rule in rules]
    return rules


def _leveled(rule: Rule, level: str, policy: Policy) -> Rule:
    before = rule.levels.get("", "off")
    if _is_locked(rule, policy) and _ORDER.index(level) < _ORDER.index(before):
        raise ConfigurationError(
            f"{rule.id} is locked by the standard {policy.name} at {before}; a project may only tighten it",
            "levels",
            "ask for a waiver with owner, reason and expiry",
        )
    if _is_locked(rule, policy):
        scoped = {name: max(said, level, key=_ORDER.index) for name, said in rule.levels.items()}
        return rule._replace(levels={**scoped, "": level})
    return rule._replace(levels={"": level})


def _set_parameters(rules: list[Rule], settings: Mapping[str, dict[str, Any]], policy: Policy) -> list[Rule]:
    result = list(rules)
    for word, values in settings.items():
        for rule in _demand(rules, word, "parameters"):
            known = detect.load(rule.detector).PARAMETERS
            for name in values:
                if name not in known:
                    raise ConfigurationError(
                        f"{rule.id} has no parameter {name!r}", f"parameters.{word}", f"known: {', '.join(known)}"
                    )
            if _is_locked(rule, policy):
                raise ConfigurationError(f"{rule.id} is locked by the standard {policy.name}", f"parameters.{word}")
            changed = {**rule.parameters, **values}
            triggers = detect.load(rule.detector).triggers(changed, policy.tables) if rule.shape == "python" else None
            result[result.index(rule)] = rule._replace(parameters=changed, triggers=triggers)
    return result


def _selected(rules: list[Rule], values: Mapping[str, Any], policy: Policy) -> tuple[list[Rule], bool]:
    """Explicit beats family: the longest word that means a rule decides; at equal length ignore wins."""
    select, ignore = values.get("select", []), values.get("ignore", [])
    extend, without = values.get("extend-select", []), values.get("extend-ignore", [])
    if not (select or ignore or extend or without):
        return rules, True
    strength: dict[str, int] = {rule.id: 0 if not select else -1 for rule in rules}
    wanted: dict[str, bool] = {rule.id: not select for rule in rules}
    for words, chosen in ((select, True), (extend, True), (ignore, False), (without, False)):
        for word in words:
            weight = 1 if word == "ALL" else len(word) + 1
            for rule in _demand(rules, word, "select" if chosen else "ignore"):
                if not chosen and _is_locked(rule, policy) and rule.levels.get("", "off") != "off":
                    raise ConfigurationError(f"{rule.id} is locked by the standard {policy.name}", "ignore")
                if weight >= strength[rule.id]:
                    strength[rule.id], wanted[rule.id] = weight, chosen
    asked = {rule.id for word in extend for rule in named(rules, word)}
    kept = [_awake(rule) if rule.id in asked else rule for rule in rules if wanted[rule.id]]
    return kept, False


def _awake(rule: Rule) -> Rule:
    """A rule that was asked for by name runs even where its profile leaves it off."""
    return rule if rule.levels.get("", "off") != "off" else rule._replace(levels={"": "warning"})


def _is_locked(rule: Rule, policy: Policy) -> bool:
    return any(rule.id.startswith(word) for word in policy.locked)
