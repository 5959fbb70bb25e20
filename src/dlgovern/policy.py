"""The compiled standard as the engine reads it: plain JSON, no validation, no heavy import."""


import json
from collections.abc import ItemsView, Iterable, Iterator, Mapping, ValuesView
from typing import Any, NamedTuple

FORMAT = 3
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
    most: dict[str, str] = {}  # noqa: RUF012 - never changed; scope name -> how sure a finding is there at most


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
    roots: tuple[str, ...] = ()  # the packages that any rule or table speaks of
    words: bytes = b""  # the prose of the rules, which then is not in them yet: see `spoken`
    tailored: str = ""  # what a project set beside levels, for keys of caches; the fingerprint is the standard's

    def rule(self, wanted: str) -> Rule | None:
        """The rule with this id or name."""
        for rule in self.rules:
            if wanted in (rule.id, rule.name):
                return rule
        return None


class Tables(dict[str, Any]):
    """Tables by name, each read from its JSON when it is first asked for: most runs need few of them."""

    def __getitem__(self, name: str) -> Any:
        """The table of this name."""
        value = super().__getitem__(name)
        if isinstance(value, bytes):
            value = json.loads(value)
            self[name] = value
        return value

    def __iter__(self) -> Iterator[str]:
        """The names; that this is defined makes ``{**tables}`` ask `__getitem__` as well."""
        return super().__iter__()

    def get(self, name: str, default: Any = None) -> Any:
        """The table of this name, or the default."""
        return self[name] if name in self else default  # noqa: SIM401 - this is that method

    def values(self) -> ValuesView[Any]:  # type: ignore[override]
        """All tables."""
        return dict(self.items()).values()

    def items(self) -> ItemsView[str, Any]:  # type: ignore[override]
        """All tables with their names."""
        return {name: self[name] for name in self}.items()

    def __eq__(self, other: object) -> bool:
        """Whether the tables are the same."""
        return isinstance(other, dict) and dict(self.items()) == dict(other.items())

    __hash__ = None


_PROSE = ("summary", "message", "why", "instead", "limits", "references")


def roots(parameters: Iterable[Any], tables: dict[str, Any]) -> set[str]:
    """The packages that parameters and triggers of rules, or tables, speak of, and those through which names are bound."""
    found = {"functools", "importlib", "os"}
    for table in tables.values():
        if isinstance(table, list):
            found.update(row[0].partition(".")[0] for row in table if row)
    todo: list[Any] = list(parameters)
    while todo:
        value = todo.pop()
        if isinstance(value, dict):
            todo += value.values()
        elif isinstance(value, list | tuple):
            todo += value
        elif isinstance(value, str) and value.replace(".", "").replace("_", "").replace("()", "").replace("*", "").isalnum():
            found.add(value.partition(".")[0])
    return found


def done_by_frameworks(parameters: Mapping[str, Any], tables: Mapping[str, Any]) -> Mapping[str, Any]:
    """What frameworks do themselves of that which a rule is about: the entry of a table that its ``frameworks`` and ``do`` name."""
    found: Mapping[str, Any] = tables.get(parameters.get("frameworks", ""), {}).get(parameters.get("do", ""), {})
    return found


def dump(policy: Policy) -> bytes:
    """The policy as lines of JSON: what judging needs, the prose, and each table on a line of its own."""
    silent = [rule._replace(summary="", message="", why="", instead="", limits="", references=()) for rule in policy.rules]
    words = policy.words or _line({rule.id: [getattr(rule, name) for name in _PROSE] for rule in policy.rules})
    head = {"format": FORMAT, **policy._asdict(), "rules": silent, "tables": list(policy.tables), "words": ""}
    raw = (dict.__getitem__(policy.tables, name) for name in policy.tables)
    return b"\n".join([_line(head), words, *(value if isinstance(value, bytes) else _line(value) for value in raw)])


def load(data: bytes) -> Policy:
    """The policy from what `dump` wrote, without its prose. Raises LookupError, TypeError or ValueError for anything else."""
    first, words, *tables = data.split(b"\n")
    head = json.loads(first)
    if head.pop("format") != FORMAT or len(tables) != len(head["tables"]):
        raise LookupError("format")
    head["rules"] = tuple(Rule(*_tuples(rule, _RULE)) for rule in head["rules"])
    head["scopes"] = tuple(Scope(*_tuples(scope, _SCOPE)) for scope in head["scopes"])
    head["tables"] = Tables(zip(head["tables"], tables, strict=True))
    return Policy(**{**head, "locked": tuple(head["locked"]), "roots": tuple(head["roots"]), "words": words})


def spoken(policy: Policy) -> Policy:
    """The policy with the prose of its rules. Raises as `load` where it is damaged."""
    if not policy.words:
        return policy
    words = json.loads(policy.words)
    said = {rule: dict(zip(_PROSE, (*texts[:-1], tuple(texts[-1])), strict=True)) for rule, texts in words.items()}
    return policy._replace(rules=tuple(rule._replace(**said[rule.id]) for rule in policy.rules), words=b"")


def _line(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


_TUPLES = {"references", "aliases", "needs", "tags", "paths", "kinds"}
_RULE = tuple(index for index, name in enumerate(Rule._fields) if name in _TUPLES)
_SCOPE = tuple(index for index, name in enumerate(Scope._fields) if name in _TUPLES)


def _tuples(values: list[Any], indexes: tuple[int, ...]) -> list[Any]:
    for index in indexes:
        values[index] = tuple(values[index])
    return values
