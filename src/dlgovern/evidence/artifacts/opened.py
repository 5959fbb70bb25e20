"""An opened archive of torch: its members by their names below the one folder that holds them all."""

from __future__ import annotations

import json
from typing import Any

from dlgovern.evidence.artifacts import pickles, zips
from dlgovern.evidence.artifacts.blob import Blob, Broken
from dlgovern.evidence.artifacts.values import Findings
from dlgovern.evidence.artifacts.zips import Member

_SMALL = 16 * 1024 * 1024
_PARTS = 600_000  # lists and objects of one member


class Opened:
    """The members of one archive, by their name without the folder that holds everything."""

    def __init__(self, blob: Blob, members: list[Member], findings: Findings) -> None:
        self.blob = blob
        self.findings = findings
        self.members = members
        roots = {member.name.partition("/")[0] for member in members if "/" in member.name}
        self.root = next(iter(roots)) if len(roots) == 1 and all("/" in member.name for member in members) else ""
        self.by_name = {self.short(member): member for member in members}

    def short(self, member: Member) -> str:
        """The name of a member below the one top folder."""
        return member.name[len(self.root) + 1 :] if self.root else member.name

    def content(self, member: Member) -> Blob | None:
        """The bytes of a member, or None with a reason said."""
        try:
            return zips.content(self.blob, member, self.findings)
        except Broken as error:
            self.findings.undecided(str(error), member.name, member.header)
            return None

    def text(self, name: str) -> str:
        """A small member as text, "" where there is none."""
        member = self.by_name.get(name)
        blob = self.content(member) if member and member.size <= _SMALL else None
        return blob.read(0, blob.size).decode("utf-8", "replace") if blob else ""

    def json(self, name: str) -> Any:
        """A small member as JSON, None where it is none."""
        text = self.text(name)
        if text.count("[") + text.count("{") > _PARTS:
            return None
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return None


def kind_of(opened: Opened) -> str:
    """Which kind of torch archive this is: pt2, torchscript, torch-zip, or "" for none."""
    names = opened.by_name
    if "archive_format" in names or any(name.startswith(("models/", "data/weights/")) for name in names):
        return "pt2"
    if "serialized_exported_program.json" in names:
        return "pt2"
    if "constants.pkl" in names or any(name.startswith("code/") for name in names):
        return "torchscript"
    if "data.pkl" in names or any(member.name.endswith("data.pkl") for member in opened.members):
        return "torch-zip"
    return ""


def ended(found: pickles.Walked, blob: Blob, findings: Findings, name: str) -> None:
    """A pickle that is one: nothing stands behind it."""
    if 0 <= found.end < blob.size:
        findings.undecided(f"has {blob.size - found.end:,} bytes after its pickle", name, found.end)
