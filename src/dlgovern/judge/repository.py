"""Judge a repository as a whole: the hits of the rules that need more than one file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from dlgovern import bundled, detect
from dlgovern.engine.live import level, scopes
from dlgovern.engine.result import FileResult
from dlgovern.engine.stamps import Stamps
from dlgovern.finding import Hit
from dlgovern.policy import Policy, Rule
from dlgovern.repository.documents import Documents
from dlgovern.repository.view import View
from dlgovern.repository.window import Windows
from dlgovern.store import Store, key

_ANCHORS = ("pyproject.toml", "setup.cfg", "setup.py", "README.md", "requirements.txt")


def judge_repository(
    policy: Policy,
    root: str,
    paths: Sequence[str],
    windows: Windows,
    store: Store | None = None,
    documents: Documents | None = None,
    stamps: Stamps | None = None,
) -> list[FileResult]:
    """One result for each file that a rule speaks of; what speaks of none stands at the file that describes them all.

    The hits are kept while every file, and every other answer they rest on, is as it was.
    """
    groups = _groups(policy)
    if not groups:
        return []
    store = store or Store("")
    view = View(root, paths, windows, policy.tables, documents or Documents(root, store))
    name = f"repository-{key(root, bundled.version())}.json"
    state = _state(policy, groups, view, stamps or Stamps(root)) if store.folder else ""
    found = _kept(store.get(name), state, view) if store.folder else None
    failed: list[tuple[str, str]] = []
    if found is None:
        found = _judge(groups, view, failed)
        view.documents.save()
        if not failed:
            store.put(name, {"state": state, "asked": view.asked, "hits": found})
    anchor = next((name for name in _ANCHORS if os.path.isfile(os.path.join(root, name))), min(paths, default=""))
    return _results(policy, found, failed, anchor)


def _groups(policy: Policy) -> dict[str, list[Rule]]:
    groups: dict[str, list[Rule]] = {}
    for rule in policy.rules:
        alive = any(level != "off" for level in rule.levels.values())
        whole = rule.shape == "repository" or "repository" in rule.kinds
        if whole and alive and all(rule.parameters.get(word) for word in rule.needs):
            groups.setdefault(rule.detector, []).append(rule)
    return groups


def _judge(groups: dict[str, list[Rule]], view: View, failed: list[tuple[str, str]]) -> list[tuple[str, Hit]]:
    found: list[tuple[str, Hit]] = []
    for name, rules in groups.items():
        try:
            found += detect.load(name).judge_repository(rules, view)
        except Exception as error:  # noqa: BLE001 - around a detector: recorded, never swallowed
            failed += [(rule.id, f"{type(error).__name__}: {error}") for rule in rules]
    return found


def _state(policy: Policy, groups: dict[str, list[Rule]], view: View, stamps: Stamps) -> str:
    """Changes whenever a file that is judged, the law or a version window does."""
    rules = [(rule.id, rule.parameters) for rules in groups.values() for rule in rules]
    return key(policy.fingerprint, rules, view.windows.digest, [(path, stamps.mark(path)) for path in view.paths])


def _kept(kept: Any, state: str, view: View) -> list[tuple[str, Hit]] | None:
    """The hits of an earlier run that nothing has overtaken."""
    try:
        if kept["state"] != state or not view.answers_as(kept["asked"]):
            return None
        hits = [(path, Hit(*values)) for path, values in kept["hits"]]
        return [(path, hit._replace(related=tuple(map(tuple, hit.related)))) for path, hit in hits]  # type: ignore[arg-type]
    except (TypeError, ValueError, KeyError):
        return None


def _results(
    policy: Policy, found: list[tuple[str, Hit]], failed: list[tuple[str, str]], anchor: str
) -> list[FileResult]:
    rules = {rule.id: rule for rule in policy.rules}
    by_path: dict[str, list[Hit]] = {}
    for path, hit in found:
        place = path or anchor
        if level(rules[hit.rule], scopes(policy, place)) != "off":
            by_path.setdefault(place, []).append(hit)
    if failed:
        by_path.setdefault(anchor, [])
    return [
        FileResult(path, hits=tuple(hits), failed=tuple(failed) if path == anchor else ())
        for path, hits in sorted(by_path.items())
    ]
