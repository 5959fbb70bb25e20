"""Where the calls of a file can lead, told from the text of files before one is opened."""

from __future__ import annotations

import ast

from dlgovern.flow.facts import Facts
from dlgovern.repository.outline import Outline, Seeds, outlines
from dlgovern.source.imports import normal


def imported(facts: Facts) -> dict[str, tuple[str, str]]:
    """Local name -> the file of the repository and the name in it that an import means, "" for the module itself."""
    return facts.once(imported, lambda: outlines(facts.repository).bound(facts.path, facts.imports(normal(facts.data)))[0])


def reaches(facts: Facts, path: str, name: str, seeds: Seeds) -> bool:
    """Whether what another file calls ``name`` can lead to one of the seeds. The files count as read."""
    return outlines(facts.repository).reaches(path, name, seeds, facts.reads)


def elsewhere(facts: Facts, func: ast.AST) -> tuple[str, str] | None:
    """The other file, and the name in it, that an imported name or ``module.name`` means."""
    inner = imported(facts)
    if isinstance(func, ast.Name):
        path, name = inner.get(func.id, ("", ""))
    elif isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name):
        path, whole = inner.get(func.value.id, ("", ""))
        name = "" if whole else func.attr
    else:
        return None
    return (path, name) if path and name else None


def may_inherit(facts: Facts, base: ast.AST, name: str, reads: set[str]) -> bool:
    """Whether a class whose base is ``base`` can have a method from there, as far as the text of other files tells."""
    place = elsewhere(facts, base)
    return place is None or outlines(facts.repository).may_have(*place, name, reads)


def may_lead(facts: Facts, call: ast.Call, seeds: Seeds) -> bool:
    """Whether the function that a call runs may hold one of the seeds, itself or through others."""
    func = call.func
    if (place := elsewhere(facts, func)) is not None:
        return reaches(facts, *place, seeds)
    if not isinstance(func, ast.Attribute) or func.attr in facts.once(Outline, lambda: Outline(facts.data)):
        return True
    return facts.once((may_lead, seeds), lambda: _any_import(facts, seeds))


def _any_import(facts: Facts, seeds: Seeds) -> bool:
    """Whether anything that the file imports may: an object whose method is called is an instance of it."""
    return any(bool(name) and reaches(facts, path, name, seeds) for path, name in imported(facts).values())
