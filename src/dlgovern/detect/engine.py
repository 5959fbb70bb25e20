"""Rules about the judgement itself: the engine and the judge raise their findings, this only names the events."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.finding import Hit
from dlgovern.flow.facts import Facts
from dlgovern.policy import Rule

EVENTS = (
    "parse-error",
    "part-not-read",
    "unknown-rule",
    "unused-suppression",
    "bad-suppression",
    "expired-suppression",
    "budget-exceeded",
    "unresolved-window",
    "expired-waiver",
)
"""What can happen while judging."""

PARAMETERS = {"event": Parameter("string", f"one of {', '.join(EVENTS)}", required=True)}


def triggers(_parameters: dict[str, Any], _tables: dict[str, Any]) -> list[dict[str, Any]]:
    """Never looks at a file by itself."""
    return []


def watch(_rules: list[Rule], _facts: Facts, _tables: dict[str, Any]) -> dict[type, Callable[[Any], Iterator[Hit]]]:
    """No handlers."""
    return {}
