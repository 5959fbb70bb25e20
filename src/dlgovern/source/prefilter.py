"""Which rules could fire on a file, told from its bytes, so that most files are never parsed.

A rule's triggers are a list of alternatives: ``{"name": "torch.load"}`` wants the dotted name to be meant
somewhere, ``{"all": ["a", "b"]}`` wants these words; both keys together want both; ``{"part": "hf_"}`` wants these
bytes, inside a word too. A name that ends in ``.*`` stands for everything below it. No triggers (None) means that
the file must always be parsed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from dlgovern.source.imports import normal, scan
from dlgovern.source.mentions import Links, link, mentions
from dlgovern.source.names import Chase
from dlgovern.source.words import read_words


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
            if part in data and not rules <= fired:
                fired |= rules
        said = read_words(data)
        keys = self._keys & said.tokens
        links = None
        if chase:
            links = link(chase.imports(data), chase)
            keys |= self._keys & _renamed(links, chase, said.tokens)
        if not keys:
            return frozenset(fired)
        named: list[_Entry] = []
        for key in keys:
            for entry in self._entries[key]:
                if entry.rule not in fired and entry.words <= said.tokens:
                    if entry.name:
                        named.append(entry)
                    else:
                        fired.add(entry.rule)
        named = [entry for entry in named if entry.rule not in fired]
        if named:
            wanted = {name for entry in named for name in (entry.name, entry.also) if name}
            meant = mentions(data, said, links or link(scan(data), chase), chase, wanted)
            fired.update(entry.rule for entry in named if meant is None or _is_meant(entry, meant))
        return frozenset(fired)


def _is_meant(entry: _Entry, meant: set[str]) -> bool:
    return entry.name in meant and (not entry.also or entry.also in meant)


def _renamed(links: Links, chase: Chase, tokens: set[bytes]) -> set[bytes]:
    """Parts of the outside origins that this file may use under another name, through the repository's modules."""
    found: set[bytes] = set()
    for _local, origin in links.outside:
        found |= _parts(origin)
    for level, module in (*links.inner.values(), *links.stars):
        for origin in chase.passes_on(level, module, tokens).values():
            found |= _parts(origin)
    return found


_PARTS: dict[str, frozenset[bytes]] = {}


def _parts(origin: str) -> frozenset[bytes]:
    """Every part: a rule may mean the module that a name lies in."""
    known = _PARTS.get(origin)
    if known is None:
        known = _PARTS[origin] = frozenset(origin.encode().split(b"."))
    return known
