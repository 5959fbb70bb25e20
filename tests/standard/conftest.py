"""Small standards on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dlgovern.standard.read import Source, read_standard

HEAD = """\
schema = 1
[standard]
name = "acme"
version = "1.0"
[profiles.defects]
description = "all of it"
[profiles.defects.levels]
ACM = "error"
"""

RULE = """\
id = "{id}"
name = "{name}"
since = "0.1"
summary = "a file is loaded loudly"
message = "{{call}} is loud"
why = "Loud loading wakes the neighbours, who complain."
instead = "Write `loud=False`."
limits = "A value that is only known at run time."
confidence = "high"
references = ["https://example.org/loud"]
detect = "call"

[call]
names = ["lib.load"]

[[example]]
name = "loud"
bad = '''
import lib
lib.load("a", loud=True)
'''
at = [2]
"""

Make = Callable[..., Source]


@pytest.fixture
def rule() -> Callable[..., str]:
    """The text of a rule with this id and name."""
    return lambda rule_id="ACM501", name="loud-load": RULE.format(id=rule_id, name=name)


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """A folder with a standard: its head, and rule files by path."""

    def make(head: str = HEAD, inner: str = "standard", **files: str) -> Path:
        base = tmp_path / inner
        base.mkdir(exist_ok=True)
        (base / "standard.toml").write_text(head)
        for name, text in files.items():
            (base / f"{name.replace('_', '-', 1)}.toml").write_text(text)
        return base

    return make


@pytest.fixture
def head() -> str:
    return HEAD


@pytest.fixture
def standard(folder: Callable[..., Path], rule: Callable[..., str]) -> Make:
    """A standard as read, with rules ACM501 loud-load and ACM502 loud-save unless files are given."""

    def make(head: str = HEAD, inner: str = "standard", **files: str) -> Source:
        both = {"ACM501_loud-load": rule(), "ACM502_loud-save": rule("ACM502", "loud-save")}
        return read_standard(str(folder(head, inner, **(files or both))))

    return make
