"""The compiled standard as the engine reads it: plain JSON, no validation, no heavy import."""

from __future__ import annotations

from typing import Any, NamedTuple

FORMAT = 1
"""Version of the compiled form; part of every cache key."""


class Rule(NamedTuple):
    """One rule, ready to run. ``levels`` maps a scope name (or "" for everywhere) to a level."""

    id: str
    name: str
    summary: str
    message: str
    why: str
    instead: str
    limits: str
    confidence: str
    references: tuple[str, ...]
    aliases: tuple[str, ...]
    applies: dict[str, str]  # library -> version specifier such as ">=1.13"
    detector: str
    parameters: dict[str, Any]
    needs: tuple[str, ...]  # parameters that must be set before the rule runs
    fix: dict[str, Any]  # empty: no repair
    shape: str  # python, file, repository, artifact, engine
    since: str
    family: str
    levels: dict[str, str]
    triggers: Any  # see source.prefilter; None: always look
    tags: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()  # of evidence beside Python that the detector reads too


class Scope(NamedTuple):
    """A part of a repository, by path patterns or by kind of file; later scopes win."""

    name: str
    paths: tuple[str, ...]
    kinds: tuple[str, ...]


class Policy(NamedTuple):
    """A compiled standard with a profile chosen."""

    name: str
    version: str
    fingerprint: str
    profile: str
    rules: tuple[Rule, ...]
    scopes: tuple[Scope, ...]
    window: dict[str, str]  # library -> the versions the standard supports, a specifier
    locked: tuple[str, ...]  # rules a project may not loosen
    retired: dict[str, str]  # id -> why
    honour_noqa: bool
    tables: dict[str, Any]  # shared data of the standard: modules to distributions, ...
    tailored: str = ""  # what a project set beside levels, for keys of caches; the fingerprint is the standard's

    def rule(self, wanted: str) -> Rule | None:
        """The rule with this id or name."""
        for rule in self.rules:
            if wanted in (rule.id, rule.name):
                return rule
        return None


def dump(policy: Policy) -> dict[str, Any]:
    """The policy as JSON-ready values."""
    return {
        "format": FORMAT,
        **policy._asdict(),
        "rules": [rule._asdict() for rule in policy.rules],
        "scopes": [scope._asdict() for scope in policy.scopes],
    }


def load(data: dict[str, Any]) -> Policy:
    """The policy from what `dump` wrote. Raises KeyError or TypeError for anything else."""
    fields = {key: value for key, value in data.items() if key != "format"}
    if data["format"] != FORMAT:
        raise KeyError("format")
    fields["rules"] = tuple(Rule(**_tuples(rule, Rule)) for rule in data["rules"])
    fields["scopes"] = tuple(Scope(**_tuples(scope, Scope)) for scope in data["scopes"])
    fields["locked"] = tuple(data["locked"])
    return Policy(**fields)


_TUPLES = {"references", "aliases", "needs", "tags", "paths", "kinds"}


def _tuples(values: dict[str, Any], kind: type) -> dict[str, Any]:
    return {key: tuple(value) if key in _TUPLES else value for key, value in values.items()}
