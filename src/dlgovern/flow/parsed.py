"""Parse single Python files for rules about a repository, which know from cheaper evidence which ones they need."""

from __future__ import annotations

import os

from dlgovern.flow.facts import Facts
from dlgovern.repository.exports import Repository
from dlgovern.repository.view import View
from dlgovern.source.parse import Unparsable, parse
from dlgovern.source.read import Unreadable, read


def parsed(view: View, path: str) -> Facts | None:
    """The facts of one file, parsed once; None where that cannot be done: the engine says so."""
    found: Facts | None = view.once(f"parsed:{path}", lambda asked: _parse(asked, path))
    return found


def _parse(view: View, path: str) -> Facts | None:
    try:
        data = read(os.path.join(view.root, path))
        return Facts(path, data, parse(data), view.once("exports", lambda asked: Repository(asked.root)), view.windows)
    except (Unreadable, Unparsable):
        return None
