"""Judge the files that are not Python, each by itself: the hits of the rules of shape `file` on their documents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from dlgovern import bundled, detect
from dlgovern.engine.cache import Cache
from dlgovern.engine.live import live_rules
from dlgovern.engine.result import FileResult
from dlgovern.evidence import registry
from dlgovern.finding import Hit
from dlgovern.policy import Policy, Rule
from dlgovern.repository.documents import Documents
from dlgovern.repository.facts import MANIFESTS
from dlgovern.repository.window import Windows
from dlgovern.store import Store

if TYPE_CHECKING:
    from dlgovern.evidence.published import Published

_PARTS = 4  # of the cache: there are few such files


def judge_evidence(
    policy: Policy,
    root: str,
    paths: Iterable[str],
    windows: Windows,
    store: Store | None = None,
    documents: Documents | None = None,
    texts: Mapping[str, bytes] | None = None,
) -> list[FileResult]:
    """One result for each file of which a live rule reads the kind; a rule that raises is recorded.

    What is read is left in ``documents`` for the rules that look at several files. ``texts`` has the bytes of files
    that are not, or not so, on disk: without ``store`` and ``documents``, which know files by their status.
    """
    wanted = _wanted(policy, root, paths)
    if not wanted:
        return []
    from dlgovern.evidence.published import Published  # its parsers are for runs that have something to parse

    cache = Cache(store or Store(""), root, policy, windows, f"{bundled.version()} evidence", _PARTS)
    projects = Published(root)
    results = []
    for path, kind in wanted:
        result = cache.get(path)
        if result is None:
            reading = registry.read_file(root, path, kind, (texts or {}).get(path))
            result = _judge(policy, (path, reading.kind or kind), reading, windows, projects, documents)
            if not registry.READERS[reading.kind or kind].opens:
                cache.put(result)
        results.append(result)
    cache.save()
    return results


def _wanted(policy: Policy, root: str, paths: Iterable[str]) -> list[tuple[str, str]]:
    """The paths with their kinds that some rule reads."""
    read = {kind for rule in policy.rules for kind in rule.kinds}
    read |= MANIFESTS  # one that does not parse is said even where no rule reads it
    kinds = ((path, registry.kind_of(path, root)) for path in sorted(set(paths)))
    return [(path, kind) for path, kind in kinds if kind in read and kind in registry.READERS]


def _judge(
    policy: Policy, file: tuple[str, str], reading: registry.Reading, windows: Windows, projects: Published,
    documents: Documents | None,
) -> FileResult:
    path, kind = file
    if reading.not_judged:
        return FileResult(path, not_judged=reading.not_judged)
    document = reading.document
    if documents is not None and not registry.READERS[kind].opens:
        documents.keep(path, kind, document)
    reads: tuple[tuple[str, str], ...] = ()
    if kind == "requirements":
        if projects.hands_on(path):
            document = document._replace(published=True)
        reads = projects.asked(path)
    rules = live_rules(policy, path)
    hits: list[Hit] = []
    failed: list[tuple[str, str]] = []
    for event, problems in (("parse-error", document.problems), ("part-not-read", getattr(document, "skipped", ()))):
        sayers = [rule.id for rule in rules if rule.parameters.get("event") == event] if problems else []
        for problem in problems:
            hits += [Hit(one, problem.line or 1, 1, problem.line or 1, 2, slots={"why": problem.why}) for one in sayers]
    for name, group in _by_detector(rules, kind).items():
        try:
            hits += detect.load(name).judge(group, document, policy.tables, windows)
        except Exception as error:  # noqa: BLE001 - around a detector: recorded, never swallowed
            failed += [(rule.id, f"{type(error).__name__}: {error}") for rule in group]
    return FileResult(path, reading.digest, tuple(hits), reading.excuses, reads, tuple(failed), parsed=True)


def _by_detector(rules: tuple[Rule, ...], kind: str) -> dict[str, list[Rule]]:
    """The rules that read a kind, by their detector; made once for all files on which the same rules are live."""
    known = _GROUPS.get((id(rules), kind))
    if known is None:
        groups: dict[str, list[Rule]] = {}
        for rule in rules:
            if kind in rule.kinds:
                groups.setdefault(rule.detector, []).append(rule)
        known = _GROUPS[(id(rules), kind)] = (rules, groups)
    return known[1]


_GROUPS: dict[tuple[int, str], tuple[tuple[Rule, ...], dict[str, list[Rule]]]] = {}
"""The asked tuple is kept beside the answer: while it lives, no other one can have its id."""
