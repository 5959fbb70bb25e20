"""Compile a standard and what it extends into one policy, with a profile chosen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from dlgovern import detect
from dlgovern.errors import Mistake, StandardError, UsageError, suggestion
from dlgovern.policy import FORMAT, Policy, Rule, Scope, roots
from dlgovern.standard import radar
from dlgovern.standard.model import StandardFile
from dlgovern.standard.read import RuleSource, Source

FAMILIES = {
    "1": "libraries",
    "2": "distributed",
    "3": "training",
    "4": "launch",
    "5": "exports",
    "6": "api",
    "7": "reproducibility",
    "8": "repository",
    "9": "judgement",
}
"""First digit of an id -> the folder and the word of the family."""

ALL = "all"
"""The profile in which every rule of every profile is live, each at its highest level."""


def compile_policy(sources: list[Source], profile: str) -> Policy:
    """The policy of a chain of standards, base first. Raises StandardError or UsageError."""
    rules = [rule for source in sources for rule in source.rules]
    tables: dict[str, Any] = {}
    window: dict[str, str] = {}
    parameters: dict[str, dict[str, Any]] = {}
    retired: dict[str, str] = {}
    locked: list[str] = []
    scopes: list[Scope] = []
    noqa = True
    for source in sources:
        for name, table in source.tables.items():
            tables[name] = _laid_over(tables.get(name), table)
        window |= source.file.window
        retired |= source.file.retired
        locked += source.file.locked
        for rule_id, values in source.file.parameters.items():
            parameters.setdefault(rule_id, {}).update(values)
        scopes += [Scope(s.name, tuple(s.paths), tuple(s.kinds)) for s in source.file.scope]
        noqa = noqa if source.file.honour_noqa is None else source.file.honour_noqa
    if radar.TABLE in tables:
        tables[radar.TABLE] = radar.kept(tables[radar.TABLE])
        window = radar.windows(tables[radar.TABLE]) | window
    levels = _levels(sources, rules, profile)
    head = sources[-1].file.standard
    compiled = tuple(
        _rule(rule, parameters.get(rule.rule.id, {}), levels[rule.rule.id], tables)._replace(most=_most(sources, rule.rule.id))
        for rule in sorted(rules, key=lambda rule: rule.rule.id)
    )
    policy = Policy(
        head.name, head.version, "", profile, compiled, tuple(_unique(scopes)), window, tuple(sorted(set(locked))),
        retired, noqa, tables, tuple(sorted(roots(([rule.parameters, rule.triggers] for rule in compiled), tables))),
    )
    return policy._replace(fingerprint=_fingerprint(policy))


def profiles(sources: list[Source]) -> dict[str, str]:
    """The profiles of a chain and their descriptions."""
    found = {name: p.description for source in sources for name, p in source.file.profiles.items()}
    return {**found, ALL: "every rule of every profile"}


def _levels(sources: list[Source], rules: list[RuleSource], profile: str) -> dict[str, dict[str, str]]:
    known = profiles(sources)
    if profile not in known:
        raise UsageError(f"there is no profile {profile!r}{suggestion(profile, list(known))}", do=f"known: {', '.join(known)}")
    ids = [rule.rule.id for rule in rules]
    mistakes = [m for source in sources for m in _unknown(source.file, ids)]
    if mistakes:
        raise StandardError(mistakes)
    result: dict[str, dict[str, str]] = {}
    order = ("off", "info", "warning", "error")
    for rule_id in ids:
        base = "off"
        chosen = [name for name in known if name != ALL] if profile == ALL else [profile]
        for name in chosen:
            said = _said(sources, rule_id, lambda file, name=name: file.profiles[name].levels if name in file.profiles else {})
            base = max(base, said or "off", key=order.index)
        found = {"": base}
        if base != "off":
            for source in sources:
                for scope in source.file.scope:
                    if level := _lookup(scope.levels, rule_id):
                        found[scope.name] = level
        result[rule_id] = found
    return result


def _most(sources: list[Source], rule_id: str) -> dict[str, str]:
    """Scope -> how sure a finding of a rule is there at most."""
    scopes = [scope for source in sources for scope in source.file.scope]
    return {scope.name: said for scope in scopes if (said := _lookup(scope.confidence, rule_id))}


def _said(sources: list[Source], rule_id: str, table: Any) -> str | None:
    said = None
    for source in sources:
        said = _lookup(table(source.file), rule_id) or said
    return said


def _lookup(levels: Mapping[str, str], rule_id: str) -> str | None:
    """The level said for a rule: the longest prefix of its id wins."""
    best = max((key for key in levels if rule_id.startswith(key)), key=len, default=None)
    return levels[best] if best is not None else None


def _unknown(file: StandardFile, ids: list[str]) -> list[Mistake]:
    groups: list[tuple[str, Iterable[str]]] = [(f"profiles.{name}", p.levels) for name, p in file.profiles.items()]
    groups += [(f"scope {s.name}", {**s.levels, **s.confidence}) for s in file.scope]
    groups += [("parameters", file.parameters), ("locked", dict.fromkeys(file.locked, ""))]
    return [
        Mistake("standard.toml", 0, f"{where}: no rule begins with {key!r}{suggestion(key, ids)}")
        for where, levels in groups
        for key in levels
        if not any(rule_id.startswith(key) for rule_id in ids)
    ]


def triggers_of(detector: str, shape: str, parameters: dict[str, Any], tables: dict[str, Any]) -> Any:
    """What makes a rule look at a file: bytes of Python (see `source.prefilter`), or the kinds of other evidence."""
    if shape == "python":
        return detect.load(detector).triggers(parameters, tables)
    return sorted(detect.load(detector).KINDS) if shape == "file" else None


def _rule(source: RuleSource, settings: dict[str, Any], levels: dict[str, str], tables: dict[str, Any]) -> Rule:
    rule = source.rule
    parameters = {**source.parameters, **settings}
    triggers = triggers_of(rule.detect, rule.shape, parameters, tables)
    return Rule(
        id=rule.id,
        name=rule.name,
        summary=rule.summary,
        message=rule.message,
        why=rule.why.strip(),
        instead=rule.instead.strip(),
        limits=rule.limits.strip(),
        confidence=rule.confidence,
        references=tuple(rule.references),
        aliases=tuple(rule.aliases),
        applies=rule.applies,
        detector=rule.detect,
        parameters=parameters,
        needs=tuple(rule.needs),
        fix=rule.fix.model_dump() if rule.fix else {},
        shape=rule.shape,
        since=rule.since,
        family=FAMILIES.get(rule.id[3], ""),
        levels=levels,
        triggers=triggers,
        tags=tuple(rule.tags),
        kinds=tuple(sorted(getattr(detect.load(rule.detect), "KINDS", ()))) if rule.shape in ("python", "file") else (),
    )


def _laid_over(below: Any, above: Any) -> Any:
    """A table of a company over the one it extends: keys replace keys, rows join rows and come first."""
    if isinstance(below, dict) and isinstance(above, dict):
        return {**below, **{key: _laid_over(below.get(key), value) for key, value in above.items()}}
    if isinstance(below, list) and isinstance(above, list):
        return [*above, *below]
    return above


def _unique(scopes: list[Scope]) -> list[Scope]:
    return list({scope.name: scope for scope in scopes}.values())


def _fingerprint(policy: Policy) -> str:
    values = [FORMAT, {**policy._asdict(), "words": ""}]
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]
