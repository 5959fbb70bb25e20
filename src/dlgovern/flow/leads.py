"""Whether a call can lead to functions of certain names, told from the text of the files before one is opened."""

from __future__ import annotations

import ast

from dlgovern.flow.facts import Facts
from dlgovern.repository.outline import Seeds, outlines


def may_lead(facts: Facts, call: ast.Call, seeds: Seeds) -> bool:
    """Whether the function that a call runs may hold one of the names, itself or through others. The files count as read."""
    func = call.func
    known = outlines(facts.repository)
    inner = known.imported(facts.path)
    if isinstance(func, ast.Name):
        return func.id not in inner or _reaches(facts, *inner[func.id], seeds)
    if not isinstance(func, ast.Attribute):
        return True
    base = func.value
    if isinstance(base, ast.Name) and base.id in inner and not inner[base.id][1]:
        return _reaches(facts, inner[base.id][0], func.attr, seeds)
    return func.attr in known.of(facts.path) or _any_import(facts, seeds)


def _any_import(facts: Facts, seeds: Seeds) -> bool:
    """Whether anything that the file imports may: an object whose method is called is an instance of it."""
    key = (may_lead, seeds)
    if key not in facts.memo:
        inner = outlines(facts.repository).imported(facts.path)
        facts.memo[key] = any(name and _reaches(facts, path, name, seeds) for path, name in inner.values())
    return bool(facts.memo[key])


def _reaches(facts: Facts, path: str, name: str, seeds: Seeds) -> bool:
    if not name:
        return True
    found, reads = outlines(facts.repository).reaches(path, name, seeds)
    facts.reads |= reads
    return found
