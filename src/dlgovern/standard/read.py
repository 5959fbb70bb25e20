"""Read the files of a standard, every mistake at once with its file and line."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, NamedTuple

from dlgovern import detect
from dlgovern.detect import where
from dlgovern.errors import Mistake, StandardError, suggestion
from dlgovern.standard import radar
from dlgovern.standard.locate import Lines
from dlgovern.standard.model import RuleFile, StandardFile
from dlgovern.standard.tables import fitted, parsed, validated


class RuleSource(NamedTuple):
    """A rule as written: the validated file, its detector's table and where it stands."""

    rule: RuleFile
    parameters: dict[str, Any]
    path: str  # relative to the standard's folder
    lines: Lines


class Source(NamedTuple):
    """A standard as written."""

    folder: str
    file: StandardFile
    rules: list[RuleSource]
    tables: dict[str, Any]


def read_standard(folder: str) -> Source:
    """The standard in a folder. Raises StandardError with every mistake found."""
    mistakes: list[Mistake] = []
    path = os.path.join(folder, "standard.toml")
    head = validated(StandardFile, path, "standard.toml", mistakes)
    rules = [rule for name in rule_files(folder) if (rule := _rule(folder, name, mistakes))]
    tables = _tables(folder, head, mistakes) if head else {}
    if head:
        mistakes += _mistakes_between(head, rules)
    if mistakes or head is None:
        raise StandardError(mistakes)
    return Source(folder, head, rules, tables)


def read_head(folder: str) -> Source:
    """The standard in a folder without its rules, for work on one rule file. Raises StandardError."""
    mistakes: list[Mistake] = []
    head = validated(StandardFile, os.path.join(folder, "standard.toml"), "standard.toml", mistakes)
    tables = _tables(folder, head, mistakes) if head else {}
    if mistakes or head is None:
        raise StandardError(mistakes)
    return Source(folder, head, [], tables)


def rule_files(folder: str) -> list[str]:
    """Paths of the rule files below a standard, relative, sorted: every TOML file named by a rule id."""
    found = []
    for base, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            if name.endswith(".toml") and name[:3].isupper() and name[3:6].isdigit():
                found.append(os.path.relpath(os.path.join(base, name), folder).replace(os.sep, "/"))
    return sorted(found)


def read_rule(path: str, shown: str) -> RuleSource:
    """One rule file. Raises StandardError."""
    mistakes: list[Mistake] = []
    found = _rule(os.path.dirname(path), os.path.basename(path), mistakes)
    if found is None or mistakes:
        raise StandardError([Mistake(shown, mistake[1], mistake[2]) for mistake in mistakes])
    return found


def _rule(folder: str, name: str, mistakes: list[Mistake]) -> RuleSource | None:
    data, lines = parsed(os.path.join(folder, name), name, mistakes)
    if data is None:
        return None
    detector = str(data.get("detect", ""))
    table = data.pop(detector.rpartition(":")[2] or detector, {}) if detector else {}
    before = len(mistakes)
    rule = fitted(RuleFile, data, name, lines, mistakes, extra=[detector])
    if detector:
        mistakes += _parameter_mistakes(detector, table, name, lines)
    if rule is None or len(mistakes) > before:
        return None
    return RuleSource(rule, _with_defaults(detector, table), name, lines)


def _parameter_mistakes(detector: str, table: Any, name: str, lines: Lines) -> Iterator[Mistake]:
    try:
        known = detect.load(detector).PARAMETERS
    except ImportError as error:
        yield Mistake(name, lines.line(["detect"]), f"there is no detector {detector!r} ({error})")
        return
    key = detector.rpartition(":")[2]
    if not isinstance(table, dict):
        yield Mistake(name, lines.line([key]), f"[{key}] must be a table")
        return
    for word in table:
        if word not in known:
            yield Mistake(name, lines.line([key, word]), f"[{key}] has no {word!r}{suggestion(word, list(known))}")
    for word, parameter in known.items():
        if word in table:
            for wrong in _value_mistakes(parameter.kind, table[word]):
                yield Mistake(name, lines.line([key, word]), f"{word}: {wrong}")
        elif parameter.required:
            yield Mistake(name, lines.line([key]), f"[{key}] needs {word!r}: {parameter.help}")


def _value_mistakes(kind: str, value: Any) -> Iterator[str]:
    if kind in ("names", "strings"):
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            yield "expected a list of strings"
    elif kind == "string" and not isinstance(value, str):
        yield "expected a string"
    elif kind == "boolean" and not isinstance(value, bool):
        yield "expected true or false"
    elif kind == "integer" and (not isinstance(value, int) or isinstance(value, bool)):
        yield "expected a whole number"
    elif kind in ("predicates", "lower"):
        entries = value if isinstance(value, list) else [value]
        for entry in entries:
            predicate = entry.get("when", {}) if kind == "lower" and isinstance(entry, dict) else entry
            if not isinstance(predicate, dict) or not predicate:
                yield "expected a list of predicates such as { argument = \"x\", is = true }"
                continue
            yield from where.mistakes(predicate)
            for word in predicate:
                if word not in where.KEYS:
                    yield f"{word!r} is unknown{suggestion(word, list(where.KEYS))}"


def _with_defaults(detector: str, table: dict[str, Any]) -> dict[str, Any]:
    known = detect.load(detector).PARAMETERS
    return {**{word: p.default for word, p in known.items() if p.default not in (None, [], "", False)}, **table}


def _tables(folder: str, head: StandardFile, mistakes: list[Mistake]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, relative in head.tables.items():
        path = os.path.join(folder, relative)
        if relative.endswith(".tsv"):
            try:
                found[name] = _rows(path)
            except OSError as error:
                mistakes.append(Mistake("standard.toml", 0, f"tables.{name}: {error.strerror}: {relative}"))
        else:
            data, lines = parsed(path, relative, mistakes)
            if data is not None and name == radar.TABLE:
                fitted(radar.Selection, data, relative, lines, mistakes)
            found[name] = data or {}
    return found


def _rows(path: str) -> list[list[str]]:
    with open(path, encoding="utf-8") as file:
        lines = [line.rstrip("\n") for line in file if line.strip() and not line.startswith("#")]
    return [line.split("\t") for line in lines]


def _mistakes_between(head: StandardFile, rules: list[RuleSource]) -> Iterator[Mistake]:
    ids: dict[str, str] = {}
    names: dict[str, str] = {}
    for source in rules:
        rule = source.rule
        for word, known in ((rule.id, ids), (rule.name, names)):
            if word in known:
                yield Mistake(source.path, source.lines.line(["id"]), f"{word} is also used by {known[word]}")
            known[word] = source.path
        if rule.id in head.retired:
            yield Mistake(source.path, source.lines.line(["id"]), f"{rule.id} is retired: {head.retired[rule.id]}")
        if not os.path.basename(source.path).startswith(f"{rule.id}-{rule.name}."):
            yield Mistake(source.path, 0, f"the file should be called {rule.id}-{rule.name}.toml")
