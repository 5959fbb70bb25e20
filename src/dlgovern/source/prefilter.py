"""Which rules could fire on a file, told from its bytes, so that most files are never parsed.

A rule's triggers are a list of alternatives: ``{"name": "torch.load"}`` wants the dotted name to be meant
somewhere, ``{"all": ["a", "b"]}`` wants these words; both keys together want both; ``{"part": "hf_"}`` wants these
bytes, inside a word too. A name that ends in ``.*`` stands for everything below it. No triggers (None) means that
the file must always be parsed.
"""

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
    """The triggers of rules, indexed by the word that is looked up first."""

    def __init__(self, triggers: Iterable[tuple[str, Sequence[dict[str, Any]] | None]]) -> None:
        self._always: list[str] = []
        self._parts: dict[str, list[str]] = {}
        self._rows: dict[str, list[list[Any]]] = {}
        for rule, alternatives in triggers:
            if alternatives is None:
                self._always.append(rule)
                continue
            for alternative in alternatives:
                self._add(rule, alternative)
        self._index()

    @classmethod
    def load(cls, values: dict[str, Any]) -> "Prefilter":
        """The prefilter from what `dump` gave. Raises KeyError or TypeError for anything else."""
        made = cls(())
        made._always, made._parts, made._rows = values["always"], values["parts"], values["rows"]
        made._index()
        return made

    def dump(self) -> dict[str, Any]:
        """The prefilter as JSON-ready values."""
        return {"always": self._always, "parts": self._parts, "rows": self._rows}

    def _add(self, rule: str, alternative: dict[str, Any]) -> None:
        if part := alternative.get("part"):
            self._parts.setdefault(part, []).append(rule)
            return
        name = alternative.get("name", "")
        wanted = alternative.get("all", ())
        below = name.endswith(".*")
        name = name.removesuffix(".*")
        key = name.rpartition(".")[2] if name else max(wanted, key=len)
        self._rows.setdefault(key, []).append([rule, name, below, list(wanted), alternative.get("and", "")])

    def _index(self) -> None:
        self._keys = frozenset(key.encode() for key in self._rows)
        self._entries: dict[bytes, list[_Entry]] = {}  # made of the rows when a file has the word

    def _of(self, key: bytes) -> list[_Entry]:
        known = self._entries.get(key)
        if known is None:
            known = self._entries[key] = [
                _Entry(rule, name, below, frozenset(word.encode() for word in words), also)
                for rule, name, below, words, also in self._rows[key.decode()]
            ]
        return known

    def rules(self, data: bytes, chase: Chase | None, live: frozenset[str] | None = None) -> frozenset[str]:
        """The ids of the rules, of those that are ``live``, that could fire on this file; none: it need not be parsed."""
        data = normal(data)
        fired = {rule for rule in self._always if live is None or rule in live}
        for part, rules in self._parts.items():
            if part.encode() in data:
                fired.update(rule for rule in rules if live is None or rule in live)
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
            for entry in self._of(key):
                if entry.rule not in fired and entry.words <= said.tokens and (live is None or entry.rule in live):
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
