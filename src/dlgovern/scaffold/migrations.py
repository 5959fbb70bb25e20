"""Answers given to one version of a template, in the words of a later one: pure functions, keyed by template and version."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dlgovern.scaffold.load import order
from dlgovern.scaffold.template import Answer

Migration = Callable[[dict[str, Answer]], dict[str, Answer]]

MIGRATIONS: dict[tuple[str, str], Migration] = {}
"""(template, version) -> answers for the version before to answers for this version.

Only for questions that were renamed or whose choices changed: a new question takes its default, one that is gone is dropped.
"""


def migrate(
    template: str, before: str, after: str, answers: Mapping[str, Answer],
    migrations: Mapping[tuple[str, str], Migration] = MIGRATIONS,
) -> dict[str, Answer]:
    """The answers as the version ``after`` asks for them."""
    found = dict(answers)
    steps = sorted((version for identity, version in migrations if identity == template), key=order)
    for version in steps:
        if order(before) < order(version) <= order(after):
            found = migrations[template, version](dict(found))
    return found
