"""Judge one file: prefilter, parse, one walk with all live rules. A rule that raises is recorded."""

from __future__ import annotations

import ast
import os
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from dlgovern import detect
from dlgovern.digest import sha256
from dlgovern.engine.filters import Filters
from dlgovern.engine.live import live_rules
from dlgovern.engine.parts import Lessons
from dlgovern.engine.result import FileResult, Learnt
from dlgovern.finding import Hit
from dlgovern.flow.facts import Facts
from dlgovern.flow.files import done, keep, kept, named, reach
from dlgovern.policy import Policy, Rule
from dlgovern.repository.exports import Repository
from dlgovern.repository.learned import Learned
from dlgovern.repository.sight import Sight
from dlgovern.repository.window import Windows
from dlgovern.source import encoding
from dlgovern.source.comments import Excuse, excuses
from dlgovern.source.parse import Unparsable, parse
from dlgovern.source.read import LIMIT, NOTEBOOK, Unreadable, read
from dlgovern.source.syntax import may_be_broken
from dlgovern.store import Store

Handler = Callable[[Any], Iterator[Hit]]


class Walk:
    """Judges the files of one repository by one policy."""

    def __init__(
        self, policy: Policy, root: str, windows: Windows, *, prefilter: bool = True, store: Store | None = None
    ) -> None:
        self.policy = policy
        self.root = root
        self.windows = windows
        self.repository = Repository(root, frozenset(policy.roots) or None)
        self._use_prefilter = prefilter
        self._codes = frozenset(word for rule in policy.rules for word in (rule.id, *rule.aliases))
        self.filters = Filters(policy, store or Store(""))

    def judge(self, path: str, data: bytes | None = None) -> FileResult:
        """The raw hits of one file. ``data`` stands for the file's bytes when it is not on disk as such."""
        start = time.perf_counter()
        on_disk = data is None
        try:
            if data is None:
                data = self._bytes(path)
        except Unreadable as error:
            return FileResult(path, not_judged=str(error))
        digest = sha256(data)
        if path.lower().endswith(".ipynb"):
            from dlgovern.engine.notebook import judge_notebook  # most repositories have none

            result = judge_notebook(self, path, data, digest)
        else:
            if on_disk:
                self.repository.give(path, data)
            result = self.judge_code(path, data, digest, on_disk=on_disk)
        result = result._replace(learned=self._learned())
        done(self.repository)
        return result._replace(looked=self.repository.modules.looked(), spent=round(time.perf_counter() - start, 6))

    def learn(self, lessons: Lessons) -> None:
        """From now on take over what earlier runs learned of a file, and tell what this one learns."""
        self.repository.learned = Learned(lessons.recall)
        self.repository.recorded = lessons.recorded

    def _learned(self) -> tuple[Learnt, ...]:
        return tuple(
            (one.path, one.question, one.answer, self._reads(named(self.repository, one.reads))) for one in self.repository.learned.told()
        )

    def _bytes(self, path: str) -> bytes:
        return read(os.path.join(self.root, path), NOTEBOOK if path.lower().endswith(".ipynb") else LIMIT)

    def judge_code(self, path: str, data: bytes, digest: str, *, on_disk: bool = False) -> FileResult:
        """The raw hits of Python source; ``digest`` is that of the file it was found in.

        ``on_disk``: it is the file at ``path`` itself, so what is known of that file holds for it.
        """
        rules = live_rules(self.policy, path)
        if (trouble := encoding.problem(data)) is not None:
            return FileResult(path, digest, self.unread(path, trouble[0], 1, trouble[1]))
        comments = tuple(excuses(data, self._codes))
        view = Sight(self.repository, path, on_disk=on_disk)
        running = [rule for rule in rules if rule.shape == "python"]
        if self._use_prefilter:
            filter_ = self.filters.of(self.windows.of(path, "torch"))
            wanted = filter_.rules(data, view, _ids(rules))
            running = [rule for rule in running if rule.id in wanted]
        if not running and not may_be_broken(data):
            return FileResult(path, digest, (), comments, self._reads(view.reads))
        return self._see(path, data, digest, running, comments, view.reads, on_disk=on_disk)

    def _see(
        self,
        path: str,
        data: bytes,
        digest: str,
        running: list[Rule],
        comments: tuple[Excuse, ...],
        reads: set[str],
        *,
        on_disk: bool,
    ) -> FileResult:
        facts = kept(self.repository, path, data) if on_disk else None
        if facts is None:
            try:
                module = parse(data)
            except Unparsable as error:
                hits = self.unread(path, error.line, error.column, reason(error))
                return FileResult(path, digest, hits, comments, self._reads(reads))
            facts = Facts(path, data, module, self.repository, self.windows)
            if on_disk:
                keep(facts)
        facts.reads |= reads
        found, failed = see(running, facts, self.policy.tables)
        found += self._incomplete(path, facts)
        return FileResult(
            path, digest, tuple(sorted(found, key=_order)), comments, self._reads(reach(facts)), tuple(failed), parsed=True
        )

    def _incomplete(self, path: str, facts: Facts) -> list[Hit]:
        """The hits that say which functions an analysis gave up on."""
        if not facts.gave_up:
            return []
        rules = [rule for rule in live_rules(self.policy, path) if rule.parameters.get("event") == "budget-exceeded"]
        places = {(getattr(node, "lineno", 1), getattr(node, "col_offset", 0), getattr(node, "name", ""), why) for node, why in facts.gave_up}
        return [
            Hit(rule.id, line, column + 1, line, column + 2, slots={"function": f"`{name}`" if name else "the code outside of functions", "why": why})
            for rule in rules
            for line, column, name, why in sorted(places)
        ]

    def _reads(self, paths: Iterable[str]) -> tuple[tuple[str, str], ...]:
        return tuple(sorted((path, self.repository.digest(path)) for path in paths))

    def unread(self, path: str, line: int, column: int, why: str) -> tuple[Hit, ...]:
        """The hits that say that a file, or a part of it, cannot be read as what it is."""
        return tuple(
            Hit(rule.id, line, column, line, column + 1, slots={"why": why})
            for rule in live_rules(self.policy, path)
            if rule.detector == "engine" and rule.parameters.get("event") == "parse-error"
        )


def reason(error: Unparsable) -> str:
    """Why a source has no tree, as the end of the sentence "FILE …"."""
    plain = error.why.startswith(("uses ", "is ", "has ", "needs ", "nests "))
    return error.why if plain else f"does not parse: {error.why}"


_IDS: dict[int, tuple[tuple[Rule, ...], frozenset[str]]] = {}
"""The tuple of rules is kept beside its ids: while it lives, no other one can have its identity."""


def _ids(rules: tuple[Rule, ...]) -> frozenset[str]:
    if id(rules) not in _IDS:
        _IDS[id(rules)] = (rules, frozenset(rule.id for rule in rules))
    return _IDS[id(rules)][1]


def see(rules: list[Rule], facts: Facts, tables: dict[str, Any]) -> tuple[list[Hit], list[tuple[str, str]]]:
    """One walk: the hits of these rules on a parsed file, and the rules that raised."""
    handlers, failed = _handlers(rules, facts, tables)
    hits: list[Hit] = []
    for kind, group in handlers.items():
        nodes: Iterable[ast.AST | None] = facts.tree.of(kind) if kind is not None else (None,)
        for node in nodes:
            for names, handler in group:
                try:
                    hits.extend(handler(node))
                except Exception as error:  # noqa: BLE001 - the one place where any detector may fail
                    failed += [(name, _describe(error)) for name in names if (name, _describe(error)) not in failed]
    return _unique(hits), failed


def _handlers(
    rules: list[Rule], facts: Facts, tables: dict[str, Any]
) -> tuple[dict[type | None, list[tuple[tuple[str, ...], Handler]]], list[tuple[str, str]]]:
    groups: dict[str, list[Rule]] = {}
    for rule in rules:
        groups.setdefault(rule.detector, []).append(rule)
    handlers: dict[type | None, list[tuple[tuple[str, ...], Handler]]] = {}
    failed: list[tuple[str, str]] = []
    for name, group in groups.items():
        ids = tuple(rule.id for rule in group)
        try:
            for kind, handler in detect.load(name).watch(group, facts, tables).items():
                handlers.setdefault(kind, []).append((ids, handler))
        except Exception as error:  # noqa: BLE001 - as above: loading or preparing a detector
            failed += [(rule, _describe(error)) for rule in ids]
    return handlers, failed


def _unique(hits: list[Hit]) -> list[Hit]:
    seen: dict[Any, Hit] = {}
    for hit in hits:
        seen.setdefault(_frozen(hit), hit)
    return list(seen.values())


def _frozen(hit: Hit) -> tuple[Any, ...]:
    return (hit.rule, hit.line, hit.column, hit.end_line, hit.end_column)


def _order(hit: Hit) -> tuple[Any, ...]:
    return (hit.line, hit.column, hit.rule)


def _describe(error: Exception) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = ""
    if trace is not None:
        where = f" at {os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}"
    return f"{type(error).__name__}: {error}{where}"
