"""The technology selection of a standard: its form, what must hold between its parts, and what the rules keep of it."""

from __future__ import annotations

import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, model_validator

from dlgovern.evidence.values import normal
from dlgovern.evidence.versions import versions_of

TABLE = "selection"
"""The name under which a standard lists the table."""

Ring = Literal["adopt", "trial", "assess", "hold"]
_KEPT = (
    "id", "ring", "quadrant", "distributions", "imports", "versions", "images", "allowed_paths", "part", "discontinued", "rename",
    "replaced_by", "sunset", "licence", "because",
)  # fmt: skip


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Move(_Strict):
    """One change of ring."""

    date: str
    ring: Ring
    note: str = ""


class Technology(_Strict):
    """One technology and what the standard says about it."""

    id: str
    name: str
    quadrant: Literal["frameworks", "libraries", "platforms", "tools"]
    layer: str = ""
    ring: Ring
    distributions: list[str] = []
    imports: list[str] = []
    versions: str = ""
    images: list[str] = []
    allowed_paths: list[str] = []
    part: bool = False
    discontinued: bool = False
    rename: bool = False
    replaced_by: str = ""
    decision: str = ""
    sunset: str = ""
    licence: str = ""
    because: str
    history: list[Move]

    @model_validator(mode="after")
    def _whole(self) -> Technology:
        if self.ring == "hold" and not self.replaced_by:
            raise ValueError("a hold names what to use instead (replaced_by)")
        if not self.history or self.history[-1].ring != self.ring:
            raise ValueError("the last entry of history has the ring in force")
        for day in (self.sunset, *(move.date for move in self.history)):
            if day:
                datetime.date.fromisoformat(day)
        if self.sunset and self.ring != "hold":
            raise ValueError("only a hold has a sunset")
        if self.versions and versions_of(self.versions) == ((), ()):
            raise ValueError(f"{self.versions!r} is no range of versions")
        return self


class Selection(_Strict):
    """The whole table."""

    modules: dict[str, str | list[str]] = {}
    licences: dict[str, str] = {}
    technology: list[Technology] = []

    @model_validator(mode="after")
    def _unique(self) -> Selection:
        ids = [one.id for one in self.technology]
        twice = sorted({one for one in ids if ids.count(one) > 1})
        if twice:
            raise ValueError(f"these ids stand twice: {', '.join(twice)}")
        return self


def kept(table: dict[str, Any]) -> dict[str, Any]:
    """What the rules read of a table, the first row of each id: a company's row stands before the one it replaces."""
    rows: dict[str, dict[str, Any]] = {}
    for row in table.get("technology", []):
        rows.setdefault(row["id"], {key: row[key] for key in _KEPT if row.get(key)})
    return {**table, "technology": list(rows.values())}


def windows(table: dict[str, Any]) -> dict[str, str]:
    """Distribution -> the versions of it that the standard supports."""
    return {
        normal(name): row["versions"] for row in table.get("technology", []) if row.get("versions")
        for name in row.get("distributions", [])
    }  # fmt: skip
