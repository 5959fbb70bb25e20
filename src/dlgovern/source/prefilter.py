"""Which rules could fire on a file, told from its bytes, so that most files are never parsed.

A rule's triggers are a list of alternatives: ``{"name": "torch.load"}`` wants the dotted name to be meant
somewhere, ``{"all": ["a", "b"]}`` wants these words; both keys together want both; ``{"part": "hf_"}`` wants these
bytes, inside a word too. A name that ends in ``.*`` stands for everything below it. No triggers (None) means that
the file must always be parsed.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from dlgovern.source.imports import ImportLine, scan
from dlgovern.source.mentions import mentions, words
from dlgovern.source.names import Chase


class _Entry(NamedTuple):
    rule: str
    name: str  # "" when only words are wanted
    below: bool  # the name stands for what lies below it
    words: frozenset[bytes]
    also: str  # a second name that must be meant, "" for none


class Prefilter:
    """The triggers of the live rules, indexed by the word that is looked up first."""

    def __init__(self, triggers: Iterable[tuple[str, Sequence[dict[str, Any]] | None]]) -> None:
        self.always: frozenset[str] = frozenset()
        self._entries: dict[bytes, list[_Entry]] = {}
        self._parts: dict[bytes, set[str]] = {}
        for rule, alternatives in triggers:
            if alternatives is None:
                self.always |= {rule}
                continue
            for alternative in alternatives:
                self._add(rule, alternative)
        self._keys = frozenset(self._entries)

    def _add(self, rule: str, alternative: dict[str, Any]) -> None:
        if part := alternative.get("part"):
            self._parts.setdefault(part.encode(), set()).add(rule)
            return
        name = alternative.get("name", "")
        wanted = frozenset(word.encode() for word in alternative.get("all", ()))
        below = name.endswith(".*")
        name = name.removesuffix(".*")
        key = name.rpartition(".")[2].encode() if name else max(wanted, key=len)
        self._entries.setdefault(key, []).append(_Entry(rule, name, below, wanted, alternative.get("and", "")))

    def rules(self, data: bytes, chase: Chase | None) -> frozenset[str]:
        """The ids of the rules that could fire on this file; empty means that it need not be parsed."""
        data = normal(data)
        fired = set(self.always)
        for part, rules in self._parts.items():
            if not rules <= fired and part in data:
                fired |= rules
        tokens = words(data)
        imports = scan(data)
        keys = self._keys & tokens
        if chase:
            keys |= self._keys & _renamed(imports, chase)
        if not keys:
            return frozenset(fired)
        named: list[_Entry] = []
        for key in keys:
            for entry in self._entries[key]:
                if entry.words <= tokens:
                    if entry.name:
                        named.append(entry)
                    else:
                        fired.add(entry.rule)
        named = [entry for entry in named if entry.rule not in fired]
        if named:
            meant = mentions(data, tokens, imports, chase, {name for entry in named for name in (entry.name, entry.also) if name})
            fired.update(entry.rule for entry in named if meant is None or _is_meant(entry, meant))
        return frozenset(fired)


def _is_meant(entry: _Entry, meant: set[str]) -> bool:
    return entry.name in meant and (not entry.also or entry.also in meant)


def normal(data: bytes) -> bytes:
    """The bytes with identifiers in the form in which Python compares them (NFKC)."""
    if data.isascii():
        return data
    return unicodedata.normalize("NFKC", data.decode("utf-8", "replace")).encode()


def _renamed(imports: list[ImportLine], chase: Chase) -> set[bytes]:
    """Parts of the outside origins that this file may use under another name, through the repository's modules."""
    found: set[bytes] = set()
    for level, module, name, _local in imports:
        inner = f"{module}.{name}" if module and name else module or name
        if name == "*" or not name:
            if level or chase.inside(level, module):
                found.update(*map(_parts, chase.passes_on(level, module).values()))
        elif origin := chase.name(level, module, name):
            found |= _parts(origin)
        elif chase.inside(level, inner):
            found.update(*map(_parts, chase.passes_on(level, inner).values()))
    return found


def _parts(origin: str) -> set[bytes]:
    """Every part: a rule may mean the module that a name lies in."""
    return set(origin.encode().split(b"."))
