"""Merge three versions of a text file line by line, by git's own merge."""

from __future__ import annotations

import difflib
import os
import re
import subprocess
import tempfile
from typing import Literal, NamedTuple

from dlgovern.errors import ConfigurationError
from dlgovern.source.git import SAFE, environment, find

Side = Literal["marker", "ours", "theirs"]

OPEN = re.compile(rb"^(?:<{7} |\|{7} |>{7} |[ \t]*# dlgovern: conflict: )", re.M)
"""Where a conflict is not resolved yet: git's markers, and the note above a key of a TOML file."""

_SECONDS = 60


class Merged(NamedTuple):
    """What a merge gives, and how many conflicts are in it."""

    data: bytes
    conflicts: int


def merge(base: bytes, yours: bytes, theirs: bytes, labels: tuple[str, str, str], side: Side = "marker") -> Merged | None:
    """The three-way merge; ``labels`` are for yours, base and theirs. None where one of them is no text."""
    if any(b"\0" in data for data in (base, yours, theirs)):
        return None
    program = find(tempfile.gettempdir())
    if not program:
        raise ConfigurationError("git is not installed", do="merging needs `git merge-file`")
    for style in ("--zdiff3", "--diff3"):  # git before 2.35 knows only the second
        with tempfile.TemporaryDirectory(prefix="dlgovern-") as folder:
            for name, data in (("yours", yours), ("base", base), ("theirs", theirs)):
                with open(os.path.join(folder, name), "xb") as file:
                    file.write(data)
            words = [program, *SAFE, "merge-file", "-p", "-q", style, *(word for label in labels for word in ("-L", label))]
            words += {"marker": [], "ours": ["--ours"], "theirs": ["--theirs"]}[side]
            try:
                done = subprocess.run(
                    [*words, "yours", "base", "theirs"], cwd=folder, env=environment(), stdin=subprocess.DEVNULL,
                    capture_output=True, timeout=_SECONDS, check=False,
                )  # fmt: skip
            except (OSError, ValueError, subprocess.TimeoutExpired) as error:
                raise ConfigurationError(f"git did not answer ({type(error).__name__})") from None
        if done.returncode < 128:  # the number of conflicts
            return Merged(done.stdout, done.returncode)
    return None


def two_way(yours: bytes, theirs: bytes, labels: tuple[str, str, str], side: Side = "marker") -> Merged | None:
    """The merge of two versions whose common past is lost: every difference is a conflict."""
    if b"\0" in yours or b"\0" in theirs:
        return None
    if side != "marker":
        return Merged(yours if side == "ours" else theirs, 0)
    left, right = yours.splitlines(keepends=True), theirs.splitlines(keepends=True)
    out: list[bytes] = []
    conflicts = 0
    for kind, a, b, c, d in difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if kind == "equal":
            out += left[a:b]
            continue
        conflicts += 1
        out += [b"<<<<<<< %s\n" % labels[0].encode(), *_ended(left[a:b]), b"=======\n", *_ended(right[c:d])]
        out.append(b">>>>>>> %s\n" % labels[2].encode())
    return Merged(b"".join(out), conflicts)


def _ended(lines: list[bytes]) -> list[bytes]:
    return [line if line.endswith(b"\n") else line + b"\n" for line in lines]
