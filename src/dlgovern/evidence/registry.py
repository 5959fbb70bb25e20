"""Which kinds of files are evidence beside Python, and the reader that makes a document of each.

The evidence frame, in the order of a file's way through it:

1. `source.classify` gives a file its kind from its name; a new kind is a row there.
2. A row of `READERS` names the module below ``dlgovern.evidence`` that reads the kind, loaded when the first such file
   is read. Its ``read(path, data)`` takes the path (POSIX, relative to the root) and the bytes, and gives the document:
   a NamedTuple of plain values (strings, numbers, tuples, dictionaries by string, other such NamedTuples), annotated,
   because `evidence.codec` keeps it as JSON. It never raises; ``document.problems`` is a tuple of `evidence.values.
   Problem`, each of which becomes a finding that the file does not parse. What was left out on purpose goes elsewhere.
3. A detector of shape ``file`` has ``KINDS``, the kinds it reads, and ``judge(rules, document, tables, windows)`` that
   yields the hits in that one document. `judge.evidence` keeps them by the file's status as those of Python files.
4. A detector of shape ``repository`` has ``judge_repository(rules, view)`` and yields ``(path, hit)``, path "" for the
   file that describes the repository. `repository.view.View` gives it documents by kind, the version windows, what
   each Python file imports, names in folders, and whatever `View.once` makes of these. It runs where the whole
   repository is taken up; all hits are kept until a file that was there, or an answer of the view, changes.
5. Comments of the kind's own sign excuse findings as in Python: ``sign`` lists the characters that begin a comment.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from typing import Any, NamedTuple, get_type_hints

from dlgovern.digest import sha256
from dlgovern.evidence.text import CONFIG_LIMIT, LOCK_LIMIT
from dlgovern.source.classify import HEAD, classify
from dlgovern.source.comments import Excuse, excuses_by_sign
from dlgovern.source.models import may_be_model
from dlgovern.source.read import FLAGS, LIMIT, NOTEBOOK, Unreadable, read


class Reader(NamedTuple):
    """How the files of one kind are read."""

    module: str  # below dlgovern.evidence; its function `read` gives the document
    limit: int = CONFIG_LIMIT  # bytes; a larger file is not judged, and that is said
    sign: str = "#"  # characters that begin a comment, "" where the format has none
    continued: bool = False  # a backslash at its end joins a line with the next
    opens: bool = False  # the reader opens the file itself, and never reads all of it; nothing about it is kept
    large_is_data: bool = False  # a file over the limit is no configuration: it is left out, and nothing is lost


READERS: dict[str, Reader] = {
    "pyproject": Reader("manifests", LIMIT),
    "requirements": Reader("manifests", LIMIT, continued=True),
    "setup-cfg": Reader("manifests", sign="#;"),
    "setup-py": Reader("manifests", LIMIT, sign=""),  # its comments are read with the Python
    "pipfile": Reader("manifests"),
    "environment": Reader("conda"),
    "python-version": Reader("conda"),
    "lock": Reader("manifests", LOCK_LIMIT),
    "python": Reader("python", LIMIT, sign=""),
    "shell": Reader("recipe", LIMIT, continued=True),
    "prose": Reader("recipe", LIMIT, continued=True, large_is_data=True),
    "notebook": Reader("recipe", NOTEBOOK, sign="", large_is_data=True),  # its code is judged as Python
    "dockerfile": Reader("recipe", continued=True),
    "make": Reader("recipe", LIMIT, continued=True),
    "just": Reader("recipe", continued=True),
    "tox": Reader("recipe"),
    "jenkins": Reader("recipe", sign=""),
    "env": Reader("recipe"),
    "yaml": Reader("recipe", LIMIT, continued=True, large_is_data=True),
    "json": Reader("recipe", sign="", large_is_data=True),
    "artifact": Reader("artifacts.document", sign="", opens=True),
}
"""Kind -> how it is read."""


class Reading(NamedTuple):
    """One file as read; ``document`` is None where the file is not judged."""

    document: Any
    digest: str = ""
    excuses: tuple[Excuse, ...] = ()
    not_judged: str = ""
    kind: str = ""  # what it is, where that is something else than its name says


def kind_of(path: str, root: str = "") -> str | None:
    """The kind of evidence a file is. With ``root`` the first bytes are asked too: of a script without suffix, of a model by another name."""
    if path.rpartition("/")[2] == "setup.py":
        return "setup-py"
    found = classify(path)
    if found is None and root:
        try:
            descriptor = os.open(os.path.join(root, path), FLAGS)
            try:
                head = os.read(descriptor, HEAD)
            finally:
                os.close(descriptor)
        except (OSError, ValueError):
            return None
        found = classify(path, head)
        if found is None and _is_model(root, path, head):
            return "artifact"
    return found


def _is_model(root: str, path: str, head: bytes) -> bool:
    if not may_be_model(head):
        return False
    is_model: Callable[[str, str], bool] = importlib.import_module("dlgovern.evidence.artifacts.document").is_model
    return is_model(root, path)


def read_file(root: str, path: str, kind: str, data: bytes | None = None) -> Reading:
    """The document of one file, its digest and the comments in it that excuse findings.

    ``data`` stands for the file's bytes where it is not on disk as such. A model file is read as one, whatever its name says it is.
    """
    how = READERS[kind]
    if how.opens:
        place: Callable[[str, str], Any] = importlib.import_module(f"dlgovern.evidence.{how.module}").place
        try:
            return Reading(place(root, path))
        except Unreadable as error:
            return Reading(None, not_judged=str(error))
    try:
        data = read(os.path.join(root, path), how.limit) if data is None else data
    except Unreadable as error:
        if how.large_is_data and "larger" in error.why:
            return Reading(reader(kind)(path, b""))
        return Reading(None, not_judged=str(error))
    if root and _is_model(root, path, data[:HEAD]):
        return read_file(root, path, "artifact")._replace(kind="artifact")
    found = excuses_by_sign(data, how.sign, continued=how.continued) if how.sign else []
    document = reader(kind)(path, data)
    if kind == "prose":  # what stands in a block of Python or of YAML speaks of another file
        found = [e for e in found if any(c.line <= (e.through or e.covers) and e.covers <= c.end_line for c in document.commands)]
    return Reading(document, sha256(data), tuple(found))


def reader(kind: str) -> Callable[[str, bytes], Any]:
    """The function that makes a document of a path and bytes."""
    made: Callable[[str, bytes], Any] = importlib.import_module(f"dlgovern.evidence.{READERS[kind].module}").read
    return made


def form(kind: str) -> Any:
    """The type of the documents of a kind, as its reader declares it."""
    return get_type_hints(reader(kind))["return"]
