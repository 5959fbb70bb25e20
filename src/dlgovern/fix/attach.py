"""Give findings their repairs: each file is parsed once more, and only where a rule of its findings has one."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from dlgovern.edits import documents, repair
from dlgovern.edits.sheet import Sheet
from dlgovern.engine.walk import Walk, see
from dlgovern.finding import Finding, Fix
from dlgovern.fix.alone import judge_alone, repairs_elsewhere
from dlgovern.flow.facts import Facts
from dlgovern.policy import Rule
from dlgovern.source import encoding
from dlgovern.source.classify import HEAD, classify
from dlgovern.source.parse import Unparsable, parse
from dlgovern.source.read import Unreadable, read

_SHAPES = ("python", "file", "repository")
_Key = tuple[str, int, int, int, int]


def attach(findings: Iterable[Finding], walk: Walk, texts: Mapping[str, bytes] | None = None) -> tuple[Finding, ...]:
    """The findings, in their order, those that can be repaired with `Finding.fix`.

    ``texts`` has the bytes of files that are not, or not so, on disk. A hit keeps more than a finding says, so the
    rules in question look at the file again.
    """
    found = list(findings)
    rules = {rule.id: rule for rule in walk.policy.rules if rule.fix and rule.shape in _SHAPES and not repairs_elsewhere(rule)}
    paths = {one.place.path for one in found if one.rule in rules and one.state == "open"}
    fixes = {path: _of_file(walk, path, (texts or {}).get(path), found) for path in sorted(paths)}
    return tuple(
        one._replace(fix=fixes[one.place.path].get(_key(one))) if one.place.path in fixes and one.state == "open" else one
        for one in found
    )


def _of_file(walk: Walk, path: str, data: bytes | None, findings: list[Finding]) -> dict[_Key, Fix]:
    wanted = {one.rule for one in findings if one.place.path == path}
    rules = [rule for rule in walk.policy.rules if rule.fix and rule.id in wanted]
    try:
        data = read(os.path.join(walk.root, path)) if data is None else data
        if classify(path, data[:HEAD]) not in ("python", "notebook"):
            return _of_document(walk, path, data, rules)
        rules = [rule for rule in rules if rule.shape == "python"]
        if path.endswith(".ipynb") or encoding.problem(data) is not None:
            return {}
        module = parse(data)
    except (Unreadable, Unparsable):
        return {}
    facts = Facts(path, data, module, walk.repository, walk.windows)
    hits, _failed = see(rules, facts, walk.policy.tables)
    by_id = {rule.id: rule for rule in rules}
    made = {}
    for hit in hits:
        fix = repair(by_id[hit.rule], hit, facts)
        if fix is not None:
            made[(hit.rule, hit.line, hit.column, hit.end_line, hit.end_column)] = fix
    return made


def _of_document(walk: Walk, path: str, data: bytes, rules: list[Rule]) -> dict[_Key, Fix]:
    by_id = {rule.id: rule for rule in rules}
    sheet = Sheet(path, data, walk.repository, walk.windows)
    policy = walk.policy._replace(rules=tuple(rules))
    made = {}
    for result in judge_alone(policy, walk.root, path, walk.windows, data):
        for hit in result.hits:
            fix = documents.repair(by_id[hit.rule], hit, sheet) if hit.rule in by_id else None
            if fix is not None:
                made[(hit.rule, hit.line, hit.column, hit.end_line, hit.end_column)] = fix
    return made


def _key(finding: Finding) -> _Key:
    place = finding.place
    return finding.rule, place.line, place.column, place.end_line, place.end_column
