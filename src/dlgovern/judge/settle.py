"""Take back hits that say "nowhere" when a file that belongs to the same program has what is missing."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from dlgovern.engine.result import FileResult
from dlgovern.engine.stamps import Stamps
from dlgovern.finding import SURE, Hit
from dlgovern.policy import Policy, done_by_frameworks
from dlgovern.store import Store

if TYPE_CHECKING:
    from dlgovern.judge.programs import Programs


def settle(policy: Policy, root: str, results: Iterable[FileResult], store: Store | None = None, stamps: Stamps | None = None) -> list[FileResult]:
    """The results without hits that another file of the program answers.

    The whole repository is asked, whatever part of it is judged: the verdict on a file must not depend on that.
    A rule may also want words that some file of the program must have (``alongside``; ``|`` between words of which one does).
    """
    wanted = {rule.id: rule.parameters for rule in policy.rules if rule.parameters.get("elsewhere")}
    results = list(results)
    asked = {hit.rule for result in results for hit in result.hits} & wanted.keys()
    if not asked:
        return results
    wanted = {rule_id: wanted[rule_id] for rule_id in asked}
    for rule_id, parameters in wanted.items():
        done = done_by_frameworks(parameters, policy.tables)
        wanted[rule_id] = {**parameters, "absent": [*parameters.get("absent", ()), *done.get("text", ())], "idle_names": done.get("idle", ())}
    from dlgovern.judge.programs import Programs  # it looks at every file of the repository

    words = {tuple(p.get("absent", ())) for p in wanted.values()}
    words |= {tuple(one.split("|")) for p in wanted.values() for one in p.get("alongside", ())}
    programs = Programs(root, sorted(words), store or Store(""), stamps)
    settled = []
    for result in results:
        kept = tuple(hit for hit in result.hits if hit.rule not in wanted or _stands(programs, result.path, wanted[hit.rule], hit))
        settled.append(result._replace(hits=kept) if len(kept) != len(result.hits) else result)
    programs.save()
    return settled


def _stands(programs: Programs, path: str, parameters: Mapping[str, Any], hit: Hit) -> bool:
    """Whether no other file of the program has what must be absent, and some file has each word that is wanted."""
    if programs.too_many:
        return False
    beside = bool(parameters.get("beside", False))
    words = tuple(parameters.get("absent", ()))
    others = {other for near in {beside, False} for other in programs.holding(path, words, beside=near)} - {path}
    if SURE not in hit.slots and any(_says(programs, other, words, parameters) and not _lies_idle(programs, path, other, parameters) for other in others):
        return False
    if parameters.get("idle") and not _is_idle(programs, path, parameters["absent"], hit):
        return False
    return all(programs.holding(path, tuple(one.split("|")), beside=False) for one in parameters.get("alongside", ()))


def _says(programs: Programs, path: str, words: tuple[str, ...], parameters: Mapping[str, Any]) -> bool:
    """Whether what a file says of the words means anything."""
    through, idle = parameters.get("through", ""), parameters.get("idle_names", ())
    if not through and not idle:
        return True
    from dlgovern.source.handed import says  # it parses

    return says(programs.data(path), words, through, idle)


def _lies_idle(programs: Programs, path: str, other: str, parameters: Mapping[str, Any]) -> bool:
    """Whether the words stand in another file of a program only in functions that no file of the program names."""
    if not parameters.get("idle"):
        return False
    from dlgovern.source.idle import idle, in_prose, named  # it parses

    data = programs.data(other)
    said = [word for word in parameters["absent"] if word.encode() in data and not in_prose(data, word)]
    if not said:
        return True
    around = programs.around(path)
    if other not in around:
        return False  # who names what only lies beside is not known
    dead = [idle(data, word) for word in said]
    if not all(dead):
        return False
    files = (programs.data(one) for one in (path, *around) if one != other)
    return not any(named(one, name) for one in files for names in dead for name in names)


def _is_idle(programs: Programs, path: str, words: list[str], hit: Hit) -> bool:
    """Whether the functions of this file that have the words are named by nobody, and the one of the hit by somebody else."""
    from dlgovern.source.idle import called_outside, idle, named  # it parses

    data = programs.data(path)
    dead = frozenset(name for word in words for name in idle(data, word))
    if not dead:
        return True  # the file has none of the words
    others = [programs.data(other) for other in programs.around(path)]
    caller = hit.symbol.partition(".")[0]
    lives = not caller or called_outside(data, caller, dead) or any(named(one, caller) for one in others)
    module = stem if (stem := posixpath.splitext(posixpath.basename(path))[0]) != "__init__" else posixpath.basename(posixpath.dirname(path))
    if not any(named(one, module) for one in others):
        return lives  # no other file can call what is in this one
    return lives and not any(named(one, name) for one in others for name in dead)
