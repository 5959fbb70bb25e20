"""Find the settings of one program that stand in several files: in a file, and in those that it imports."""

from __future__ import annotations

from collections.abc import Iterator

from dlgovern.flow.facts import Facts
from dlgovern.source.imports import normal
from dlgovern.source.words import words

_FILES = 100  # a larger program is not looked through


def imported(facts: Facts) -> Iterator[tuple[str, set[bytes]]]:
    """The files of the repository that a file imports, directly or not, with the words in each. All count as read."""
    repository = facts.repository
    todo, seen = [facts.path], {facts.path}
    while todo:
        path = todo.pop(0)
        for found in repository.imported(path, facts.data if path == facts.path else None):
            if found in seen or len(seen) > _FILES:
                continue
            seen.add(found)
            todo.append(found)
            facts.reads.add(found)
            yield found, words(normal(repository.data(found)))
