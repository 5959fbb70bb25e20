"""The sources of a standard and of what it extends, for commands that work on standards themselves."""

from __future__ import annotations

import os

from dlgovern.errors import Mistake, StandardError, UsageError
from dlgovern.standard.law import REFERENCE, find
from dlgovern.standard.read import Source, read_head, read_rule, read_standard


def read_chain(name: str, base: str = ".") -> list[Source]:
    """The standards from the outermost base to the named one. Raises StandardError or ConfigurationError."""
    return _chain(read_standard(find(name, os.path.abspath(base)).folder))


def read_path(path: str) -> tuple[list[Source], list[str] | None]:
    """The chain of a standard's folder, or of the standard around one rule file, and the ids that are meant.

    Of a single rule file the other rules are left out when they have mistakes: those are not its own.
    """
    if os.path.isdir(path):
        if not os.path.isfile(os.path.join(path, "standard.toml")):
            raise UsageError("holds no standard.toml", path, "name the folder of a standard, or one rule file")
        return _chain(read_standard(path)), None
    if not os.path.isfile(path):
        raise UsageError("there is no such file or folder", path)
    folder = _around(path)
    rule = read_rule(path, path)
    relative = os.path.relpath(os.path.abspath(path), folder).replace(os.sep, "/")
    try:
        whole = read_standard(folder)
    except StandardError:
        source = read_head(folder)
    else:
        return _chain(whole), [rule.rule.id]
    profiles = {name: p.model_copy(update={"levels": {}}) for name, p in source.file.profiles.items()}
    scopes = [
        s.model_copy(update={
            said: {k: v for k, v in getattr(s, said).items() if rule.rule.id.startswith(k)} for said in ("levels", "confidence")
        })
        for s in source.file.scope
    ]
    parameters = {k: v for k, v in source.file.parameters.items() if k == rule.rule.id}
    head = source.file.model_copy(update={"profiles": profiles, "scope": scopes, "locked": [], "parameters": parameters})
    return _chain(source._replace(file=head, rules=[rule._replace(path=relative)])), [rule.rule.id]


def _around(path: str) -> str:
    folder = os.path.dirname(os.path.abspath(path))
    while not os.path.isfile(os.path.join(folder, "standard.toml")):
        parent = os.path.dirname(folder)
        if parent == folder:
            raise UsageError("lies in no standard: no folder above it holds a standard.toml", path)
        folder = parent
    return folder


def _chain(last: Source) -> list[Source]:
    chain = [last]
    folders = {os.path.realpath(last.folder)}
    while name := chain[0].file.standard.extends:
        if chain[0].file.standard.name == REFERENCE and name == REFERENCE:
            break
        where = find(name, chain[0].folder)
        if os.path.realpath(where.folder) in folders:
            raise StandardError([Mistake("standard.toml", 0, "extends itself, directly or through another standard")])
        folders.add(os.path.realpath(where.folder))
        chain.insert(0, read_standard(where.folder))
    return chain
