"""Which functions of a file can disagree between ranks, told from their words before any is interpreted."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from dlgovern.flow.facts import Facts
from dlgovern.flow.ranks.project import Target
from dlgovern.flow.ranks.tables import Tables
from dlgovern.source.words import words

_ROUNDS = 4
_ANSWERS = frozenset({b"return", b"yield", b"barrier"})  # a function without one cannot tell its caller anything
_COMMON = frozenset(b"self cls if elif while for in not and or return assert int str bool None True False is args".split())
_APART = frozenset(b"exists isfile isdir is_file is_dir listdir glob isnan isinf isfinite".split())
"""Words of conditions that ranks may answer differently although nothing in them is a rank."""
_CLOCKS = frozenset(b"time monotonic perf_counter now time_ns".split())
_ENDS = frozenset(b"while break".split())


class Candidates:
    """Names of a file that lead to something ranks do together (`active`) or that tell ranks apart (`parting`)."""

    def __init__(self, facts: Facts, tables: Tables, targets: list[Target], *, trains: bool, signalled: Iterable[str] = ()) -> None:
        self.facts = facts
        self.clocks = set(_CLOCKS)
        self.signalled = {name.rpartition(".")[2].encode() for name in signalled}
        self._ends = _ends(facts.data)
        self.words = {target.key: self._words(target) for target in targets}
        self.active = {word for word in tables.event_words if word in facts.data} | tables.methods_in(facts.data)
        if not trains:
            self.active.discard(b"backward")
        self.parting = {word for word in tables.parting_words if word in facts.data}
        self._imported(tables)
        for found in (self.active, self.parting):
            self._spread(found, targets)
            self._assigned(found)
            self._spread(found, targets)

    def parts(self, target: Target) -> bool:
        """Whether a function tells ranks apart."""
        return not self.parting.isdisjoint(self.words[target.key])

    def wants(self, target: Target) -> bool:
        """Whether a function can hold a disagreement."""
        mine = self.words[target.key]
        if self.active.isdisjoint(mine):
            return False
        if self.parts(target) or not _APART.isdisjoint(mine) or {b"except", b"backward"} <= mine:
            return True
        return not self.signalled.isdisjoint(mine) or (not self.clocks.isdisjoint(mine) and not _ENDS.isdisjoint(mine))

    def _words(self, target: Target) -> set[bytes]:
        node = target.node
        if not node.name:
            return words(b"\n".join(self._bytes(part) for part in node.body if not isinstance(part, ast.FunctionDef | ast.ClassDef)))
        return words(self._bytes(node))

    def _bytes(self, node: ast.stmt) -> bytes:
        first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", ()))])
        return self.facts.data[self._ends[first - 1] : self._ends[min(node.end_lineno or first, len(self._ends) - 1)]]

    def _imported(self, tables: Tables) -> None:
        """Names from files of the repository in which words of the tables stand."""
        repository = self.facts.repository
        for node in self.facts.tree.of(ast.ImportFrom):
            module: str = node.module or ""  # type: ignore[attr-defined]
            for alias in node.names:  # type: ignore[attr-defined]
                inner = repository.modules.find(self.facts.path, node.level, f"{module}.{alias.name}".strip("."))  # type: ignore[attr-defined]
                inner = inner or repository.modules.find(self.facts.path, node.level, module)  # type: ignore[attr-defined]
                if inner is not None:
                    self._from(inner, (alias.asname or alias.name).encode(), tables)
                elif alias.asname:
                    for found in (self.active, self.parting, self.clocks):
                        if alias.name.encode() in found:
                            found.add(alias.asname.encode())
        for node in self.facts.tree.of(ast.Import):
            for alias in node.names:  # type: ignore[attr-defined]
                inner = repository.modules.find(self.facts.path, 0, alias.name)
                if inner is not None:
                    self._from(inner, (alias.asname or alias.name.partition(".")[0]).encode(), tables)

    def _from(self, path: str, name: bytes, tables: Tables) -> None:
        data = self.facts.repository.data(path)
        package = path.endswith("__init__.py")
        if package or tables.acts(data):
            self.active.add(name)
        if package or tables.parting.search(data):
            self.parting.add(name)

    def _spread(self, found: set[bytes], targets: list[Target]) -> None:
        """Functions and classes that hold one of the names count too."""
        for _ in range(_ROUNDS):
            before = len(found)
            for target in targets:
                answers = found is self.active or not _ANSWERS.isdisjoint(self.words[target.key])
                if target.node.name and answers and not found.isdisjoint(self.words[target.key]):
                    found.add(target.node.name.encode())
                    if target.owner is not None and target.node.name in ("__init__", "__enter__", "__exit__", "__call__"):
                        found.add(target.owner.name.encode())
            if len(found) == before:
                return

    def _assigned(self, found: set[bytes]) -> None:
        """Variables and attributes that are given a value on a line in which one of the names stands."""
        if not found:
            return
        pattern = re.compile(rb"^([^=\n]*)=[^\n]*\b(?:" + b"|".join(sorted(map(re.escape, found))) + rb")\b", re.M)
        for target in pattern.findall(self.facts.data):
            for name in words(target.rpartition(b":")[0] or target):
                found.add(name)
        found -= _COMMON


def _ends(data: bytes) -> list[int]:
    found = [0]
    for line in data.splitlines(keepends=True):
        found.append(found[-1] + len(line))
    return found
