"""Judge the manifests of a repository: the hits of the rules about requirements, indexes and metadata."""

from __future__ import annotations

from collections.abc import Iterable

from dlgovern import detect
from dlgovern.engine.live import live_rules
from dlgovern.engine.result import FileResult
from dlgovern.finding import Hit
from dlgovern.policy import Policy, Rule
from dlgovern.repository.facts import MANIFESTS
from dlgovern.repository.window import Windows
from dlgovern.source.classify import classify


def judge_manifests(policy: Policy, root: str, paths: Iterable[str], windows: Windows) -> list[FileResult]:
    """One result for each manifest among ``paths``; a rule that raises is recorded."""
    wanted = [path for path in sorted(set(paths)) if classify(path) in MANIFESTS]
    if not wanted:
        return []
    from dlgovern.evidence.manifests import collect  # cold: packaging and tomli come with it
    from dlgovern.evidence.published import Published

    read = collect(root, wanted)
    projects = Published(root)
    results = []
    for path in wanted:
        rules = [rule for rule in live_rules(policy, path) if rule.shape == "file"]
        manifest = read[path]
        if manifest.kind == "requirements" and projects.hands_on(path):
            manifest = manifest._replace(published=True)
        hits: list[Hit] = []
        failed: list[tuple[str, str]] = []
        for problem in manifest.problems:
            hits += [
                Hit(rule.id, problem.line or 1, 1, problem.line or 1, 2, slots={"why": problem.why})
                for rule in live_rules(policy, path)
                if rule.parameters.get("event") == "parse-error"
            ]
        for name, group in _by_detector(rules).items():
            try:
                hits += detect.load(name).judge(group, manifest, policy.tables, windows)
            except Exception as error:  # noqa: BLE001 - around a detector: recorded, never swallowed
                failed += [(rule.id, f"{type(error).__name__}: {error}") for rule in group]
        results.append(FileResult(path, hits=tuple(hits), failed=tuple(failed), parsed=True))
    return results


def _by_detector(rules: list[Rule]) -> dict[str, list[Rule]]:
    groups: dict[str, list[Rule]] = {}
    for rule in rules:
        groups.setdefault(rule.detector, []).append(rule)
    return groups
