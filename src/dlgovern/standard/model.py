"""The form of the files in which a standard is written, as pydantic models."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from dlgovern.standard.tables import Line

Level = Literal["off", "info", "warning", "error"]
Confidence = Literal["low", "medium", "high"]
Shape = Literal["python", "file", "repository", "artifact", "engine"]
Kind = Literal["training", "library", "test", "example", "notebook"]
RuleId = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}[0-9]{3}$")]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Example(_Strict):
    """One proof of a rule: source text, or several files, and where the findings must stand."""

    name: str = ""
    bad: str = ""
    ok: str = ""
    missed: str = ""
    why_ok: str = ""
    fixed: str | None = None  # the one file that is repaired, which may be another than that of the finding
    at: list[int | str] = []
    path: str = ""  # where the text lies; a law about scopes needs it
    files: dict[str, str] = {}
    window: dict[str, str] = {}  # library -> specifier, for rules that depend on versions
    parameters: dict[str, Any] = {}  # settings of the rule, for rules that need them
    asleep: list[str] = []  # lines of an ok without which it must fire

    @model_validator(mode="after")
    def _one_kind(self) -> Example:
        kinds = [kind for kind in ("bad", "ok", "missed") if getattr(self, kind)]
        if len(kinds) > 1 or (not kinds and not self.files):
            raise ValueError("an example has exactly one of bad, ok, missed or [example.files]")
        if self.ok and self.at:
            raise ValueError("an ok example has no findings, so 'at' means nothing")
        if self.bad and not self.at:
            raise ValueError("a bad example says at which lines it is bad")
        return self

    @property
    def kind(self) -> str:
        """Bad, ok or missed; of several files: bad when it has places, else ok unless marked missed."""
        if self.files:
            return "missed" if self.missed else "bad" if self.at else "ok"
        return "bad" if self.bad else "ok" if self.ok else "missed"

    @property
    def text(self) -> str:
        """The source of a one-file example."""
        return self.bad or self.ok or self.missed


class Fix(BaseModel):
    """How a rule's finding is repaired: an action of the edits room and its parameters."""

    model_config = ConfigDict(extra="allow")
    action: str
    safe: bool = False
    since: dict[str, str] = {}  # library -> lowest version at which the repaired code works
    document: dict[str, Any] | None = None  # the repair in files that are not Python, where that is another one


class RuleFile(_Strict):
    """One rule. The detector's own table, named like the detector, is checked against its parameters."""

    id: RuleId
    name: Name
    since: str
    summary: Line
    message: Line
    why: str = Field(min_length=20)
    instead: str = Field(min_length=5)
    limits: str = Field(min_length=5)
    confidence: Confidence
    references: list[str] = Field(min_length=1)
    aliases: list[str] = []
    applies: dict[str, str] = {}
    detect: str
    shape: Shape = "python"
    needs: list[str] = []
    tags: list[str] = []
    tier: Literal["", "bronze", "silver", "gold"] = ""
    fix: Fix | None = None
    example: list[Example] = Field(min_length=1)


class StandardHead(_Strict):
    """Who a standard is."""

    name: Name
    version: str
    title: str = ""
    owner: str = ""
    extends: str = ""
    dlgovern: str = ""  # versions of this program it was written for
    feedback: str = ""


class Profile(_Strict):
    """A set of rules with their levels; a family such as ``DLG2`` may stand for its rules."""

    description: Line
    levels: dict[str, Level]


class ScopeTable(_Strict):
    """A part of a repository in which other levels hold, or in which a rule is less sure."""

    name: Name
    kinds: list[Kind] = []
    paths: list[str] = []
    levels: dict[str, Level] = {}
    confidence: dict[str, Confidence] = {}  # how sure a finding is there at most


class StandardFile(_Strict):
    """``standard.toml``."""

    schema_: Literal[1] = Field(alias="schema")
    standard: StandardHead
    profiles: dict[str, Profile] = {}
    scope: list[ScopeTable] = []
    window: dict[str, str] = {}
    retired: dict[str, str] = {}
    locked: list[str] = []
    honour_noqa: bool | None = None
    parameters: dict[str, dict[str, Any]] = {}
    tables: dict[str, str] = {}

    @field_validator("retired")
    @classmethod
    def _reasons(cls, value: dict[str, str]) -> dict[str, str]:
        if any(not reason for reason in value.values()):
            raise ValueError("say why an id was retired")
        return value
