"""What the laws say about a rule, as plain values."""

from __future__ import annotations

from typing import NamedTuple

from dlgovern.policy import Rule
from dlgovern.standard.laws.court import Case
from dlgovern.standard.model import Example

LAWS = {
    "L1": "each bad example gives exactly the stated places, each ok none",
    "L2": "without any one clause some example changes",
    "L3": "each ok is a near miss: without one clause or one line named in `asleep` it fires, or it is one line from a bad one",
    "L4": "a missed example stays silent",
    "L5": "every spelling of an import gives the same verdict",
    "L6": "in a function, a class, an `if` and among comments the verdict is the same",
    "L7": "examples parse, are named and differ",
    "L8": "a repair parses, removes its finding, adds none, is idempotent and touches only its span",
    "L9": "the prefilter changes nothing",
    "L10": "a message is one line, a fact in lower case without a final stop, every slot filled",
    "L11": "ids and names are unique, retired ids stay retired, the family is the folder",
    "L12": "why, instead, a reference, two bad and two ok examples",
    "L13": "a rule stays within its budget of calls on a large file, and its cost grows with the file, not faster",
}
"""Every law in one line."""


class Broken(NamedTuple):
    """One law that one rule breaks, and the example that shows it ("" for the whole rule)."""

    rule: str
    law: str
    example: str
    what: str


class Skipped(NamedTuple):
    """What was not tried on one example, and why."""

    rule: str
    law: str
    example: str
    why: str


class Proof(NamedTuple):
    """An example with its case."""

    example: Example
    case: Case
    title: str


class Trial(NamedTuple):
    """One rule with the examples that could be made."""

    rule: Rule
    path: str  # of the rule's file, relative to its standard
    standard: str  # name of the standard it stands in
    proofs: tuple[Proof, ...]
