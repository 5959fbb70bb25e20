"""What reading a model file brings: plain values that know nothing of rules or of how they are shown."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from math import prod
from typing import Any, NamedTuple

VERDICTS = ("clean", "undecided", "unsafe")
"""In rising order: the worst reason decides. ``not an artifact`` stands outside the order."""

NO_ARTIFACT = "not an artifact"
"""The verdict on a file that neither by its name nor by its content is a model file."""

SECONDS = 60.0
"""Time for one file, however it is made."""

MOST_TENSORS = 200_000

MOST_REASONS = 50
"""Reasons kept for one file; a hostile file could have millions."""


class Reason(NamedTuple):
    """Why a file is not clean, or what is worth knowing about it."""

    verdict: str  # unsafe, undecided, or note: changes nothing
    what: str  # one line: "would call os.system"
    member: str = ""  # of an archive: "archive/data.pkl"; "" is the file itself
    offset: int = 0  # byte in the member
    name: str = ""  # the callable that would run: "os.system"


class Tensor(NamedTuple):
    """What a file says about one tensor."""

    name: str
    dtype: str
    shape: tuple[int, ...]


_NAME = re.compile(r"(?:bool|[a-z]+?([0-9]+)(?:_e[0-9]m[0-9][a-z]*)?)\Z", re.IGNORECASE)  # in bits: float32, BF16, uint8, float8_e4m3fn
_CODE = re.compile(r"[<>|=]?([bfiucUS])([0-9]+)\Z")  # of numpy, in bytes: <f4, |b1, i8; U in characters


def size_of(tensors: Iterable[Tensor], *, codes: bool) -> int | None:
    """The bytes that tensors take together; None where a type does not say its size, as those of blocks do not.

    ``codes``: types may be codes of numpy; in safetensors and GGUF files ``I8`` counts bits.
    """
    total = 0
    widths: dict[str, int] = {}
    for one in tensors:
        if one.dtype not in widths:
            widths[one.dtype] = _bits(one.dtype, codes=codes)
        bits = widths[one.dtype]
        if not bits:
            return None
        total += (bits * prod(one.shape) + 7) // 8
    return total


def _bits(dtype: str, *, codes: bool) -> int:
    """The bits of one element, 0 where the type does not say."""
    if codes and (code := _CODE.match(dtype)):
        return int(code[2]) * (32 if code[1] == "U" else 8)
    name = _NAME.match(dtype)
    return int(name[1] or 8) if name and (name[1] or dtype.lower() == "bool") else 0


class Artifact(NamedTuple):
    """One model file as its bytes describe it."""

    path: str
    format: str  # one of `sniff.FORMATS`; "" where nothing is known
    size: int
    verdict: str
    reasons: tuple[Reason, ...] = ()
    facts: dict[str, Any] = {}  # noqa: RUF012 - never changed; the empty default is shared
    tensors: tuple[Tensor, ...] = ()


class Findings:
    """Collects the reasons of one file while its readers run; the same thing is said once."""

    def __init__(self) -> None:
        self.reasons: list[Reason] = []
        self.facts: dict[str, Any] = {}
        self.tensors: list[Tensor] = []
        self.left = 0  # reasons that were one too many
        self.until = time.monotonic() + SECONDS
        self.spent = 0  # bytes that were unpacked
        self._said: set[tuple[str, str, str]] = set()
        self._worst = 0

    def say(self, verdict: str, what: str, member: str = "", offset: int = 0, name: str = "") -> None:
        """Add one reason. The verdict counts even where the reason is one too many to be kept."""
        if verdict != "note":
            self._worst = max(self._worst, VERDICTS.index(verdict))
        what = what if len(what) <= 300 else f"{what[:300]}…"  # noqa: PLR2004 - names come from the file
        name = name[:300]
        key = (verdict, what, member)
        if key in self._said:
            return
        if len(self._said) >= MOST_REASONS:
            self.left += 1
            return
        self._said.add(key)
        self.reasons.append(Reason(verdict, what, member, offset, name))

    def unsafe(self, what: str, member: str = "", offset: int = 0, name: str = "") -> None:
        """Loading this file runs code, or corrupts what loads it."""
        self.say("unsafe", what, member, offset, name)

    def undecided(self, what: str, member: str = "", offset: int = 0) -> None:
        """Something was not understood, so nothing is promised."""
        self.say("undecided", what, member, offset)

    def note(self, what: str, member: str = "", offset: int = 0) -> None:
        """Worth knowing; changes no verdict."""
        self.say("note", what, member, offset)

    def tensor(self, name: str, dtype: str, shape: Iterable[int]) -> None:
        """Add what the file says about one tensor."""
        if len(self.tensors) < MOST_TENSORS:
            self.tensors.append(Tensor(name[:300], dtype, tuple(shape)))
        else:
            self.facts["tensors not listed"] = self.facts.get("tensors not listed", 0) + 1

    @property
    def late(self) -> bool:
        """Whether this file has had its time."""
        return time.monotonic() > self.until

    @property
    def verdict(self) -> str:
        """The worst that was said."""
        return VERDICTS[self._worst]
