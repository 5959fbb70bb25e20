"""Judge a repository as a whole: the hits of the rules about what it must have."""

from __future__ import annotations

import os
from collections.abc import Sequence

from dlgovern import detect
from dlgovern.engine.live import live_rules
from dlgovern.engine.result import FileResult
from dlgovern.finding import Hit
from dlgovern.policy import Policy, Rule

_ANCHORS = ("pyproject.toml", "setup.cfg", "setup.py", "README.md", "requirements.txt")


def judge_repository(policy: Policy, root: str, paths: Sequence[str]) -> list[FileResult]:
    """One result for the repository, at the file that describes it; a rule that raises is recorded."""
    anchor = next((name for name in _ANCHORS if os.path.isfile(os.path.join(root, name))), min(paths, default=""))
    groups: dict[str, list[Rule]] = {}
    for rule in live_rules(policy, anchor):
        if rule.shape == "repository":
            groups.setdefault(rule.detector, []).append(rule)
    hits: list[Hit] = []
    failed: list[tuple[str, str]] = []
    for name, rules in groups.items():
        ready = [rule for rule in rules if all(rule.parameters.get(word) for word in rule.needs)]
        try:
            hits += detect.load(name).judge_repository(ready, root)
        except Exception as error:  # noqa: BLE001 - around a detector: recorded, never swallowed
            failed += [(rule.id, f"{type(error).__name__}: {error}") for rule in ready]
    return [FileResult(anchor, hits=tuple(hits), failed=tuple(failed))] if hits or failed else []
