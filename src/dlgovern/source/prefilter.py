"""Which rules could fire on a file, told from its bytes, so that most files are never parsed.

A rule's triggers are a list of alternatives: ``{"name": "torch.load"}`` wants the dotted name to be meant
somewhere, ``{"all": ["a", ".b"]}`` wants these words, the second one as an attribute; both keys together want both;
``{"part": "hf_"}`` wants these bytes, inside a word too; ``{"parts": [...], "words": [...], "text": "..."}`` one of these,
and then one of the words or what the regular expression means; ``{"parts": [...], "word": "..."}`` a word that holds one of
these and what the regular expression means. ``"alone": true`` beside a name wants a call of it as a
statement of its own, or another use that only the parsed file can tell. A name that ends in ``.*`` stands for everything
below it. No triggers (None) means that the file must always be parsed.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from dlgovern.source.imports import normal, scan
from dlgovern.source.mentions import Links, link, mentions
from dlgovern.source.names import Chase
from dlgovern.source.patterns import lazy
from dlgovern.source.words import Words, read_words


class _Entry(NamedTuple):
    rule: str
    name: str  # "" when only words are wanted
    below: bool  # the name stands for what lies below it
    words: frozenset[bytes]
    attributes: tuple[bytes, ...]  # those of the words that must stand behind a dot
    also: str  # a second name that must be meant, "" for none
    alone: bytes  # the last part of the name where its call must be a statement, empty: wherever it stands


class Prefilter:
    """The triggers of rules, indexed by the word that is looked up first."""

    def __init__(self, triggers: Iterable[tuple[str, Sequence[dict[str, Any]] | None]]) -> None:
        self._always: list[str] = []
        self._parts: dict[str, list[str]] = {}
        self._texts: list[list[Any]] = []  # parts, words, pattern, whether it is looked for in words, rules
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
        made._always, made._parts, made._texts, made._rows = (values[key] for key in ("always", "parts", "texts", "rows"))
        made._index()
        return made

    def dump(self) -> dict[str, Any]:
        """The prefilter as JSON-ready values."""
        return {"always": self._always, "parts": self._parts, "texts": self._texts, "rows": self._rows}

    def _add(self, rule: str, alternative: dict[str, Any]) -> None:
        if part := alternative.get("part"):
            self._parts.setdefault(part, []).append(rule)
            return
        if parts := alternative.get("parts"):
            word = alternative.get("word", "")
            wanted = [list(parts), list(alternative.get("words", ())), word or alternative["text"], bool(word)]
            same = next((text for text in self._texts if text[:-1] == wanted), None)
            if same is None:
                self._texts.append([*wanted, [rule]])
            else:
                same[-1].append(rule)
            return
        name = alternative.get("name", "")
        wanted = alternative.get("all", ())
        below = name.endswith(".*")
        name = name.removesuffix(".*")
        key = name.rpartition(".")[2] if name else max((word.lstrip(".") for word in wanted), key=len)
        row = [rule, name, below, list(wanted), alternative.get("and", ""), bool(alternative.get("alone"))]
        self._rows.setdefault(key, []).append(row)

    def _index(self) -> None:
        self._keys = frozenset(key.encode() for key in self._rows)
        words = (word for rows in self._rows.values() for row in rows for word in row[3])
        self._attributes = frozenset(word[1:].encode() for word in words if word[0] == ".")
        self._told = [
            (parts, frozenset(word.encode() for word in words), text.encode(), inside, rules)
            for parts, words, text, inside, rules in self._texts
        ]
        self._entries: dict[bytes, list[_Entry]] = {}  # made of the rows when a file has the word

    def _of(self, key: bytes) -> list[_Entry]:
        known = self._entries.get(key)
        if known is None:
            known = self._entries[key] = [_entry(*row) for row in self._rows[key.decode()]]
        return known

    def rules(self, data: bytes, chase: Chase | None, live: frozenset[str] | None = None) -> frozenset[str]:
        """The ids of the rules, of those that are ``live``, that could fire on this file; none: it need not be parsed."""
        data = normal(data)
        fired = {rule for rule in self._always if live is None or rule in live}
        said = read_words(data)
        for part, rules in self._parts.items():
            if _holds(part, data, said):
                fired.update(rule for rule in rules if live is None or rule in live)
        for parts, words, text, inside, rules in self._told:
            if inside:
                told = any(re.search(text, word) for part in parts for word in _words_with(part.encode(), said))
            else:
                told = any(_holds(part, data, said) for part in parts) and (not words.isdisjoint(said.tokens) or bool(re.search(text, data)))
            if told:
                fired.update(rule for rule in rules if live is None or rule in live)
        keys = self._keys & said.tokens
        links = None
        if chase:
            links = link(chase.imports(data), chase)
            keys |= self._keys & _renamed(links, chase, said.tokens)
        if not keys:
            return frozenset(fired)
        named: list[_Entry] = []
        behind = {word: _has_attribute(data, said, word) for word in self._attributes & said.tokens}
        for key in keys:
            for entry in self._of(key):
                if entry.rule not in fired and entry.words <= said.tokens and (live is None or entry.rule in live):
                    if entry.attributes and not all(behind[word] for word in entry.attributes):
                        continue
                    if entry.name:
                        named.append(entry)
                    else:
                        fired.add(entry.rule)
        named = [entry for entry in named if entry.rule not in fired]
        if named:
            wanted = {name for entry in named for name in (entry.name, entry.also) if name}
            meant = mentions(data, said, links or link(scan(data), chase), chase, wanted)
            fired.update(entry.rule for entry in named if meant is None or _is_meant(entry, meant, data))
        return frozenset(fired)


def _entry(rule: str, name: str, below: bool, words: list[str], also: str, alone: bool) -> _Entry:  # noqa: FBT001 - a row
    attributes = tuple(word[1:].encode() for word in words if word[0] == ".")
    last = name.rpartition(".")[2].encode() if alone else b""
    return _Entry(rule, name, below, frozenset(word.lstrip(".").encode() for word in words), attributes, also, last)


def _is_meant(entry: _Entry, meant: set[str], data: bytes) -> bool:
    return entry.name in meant and (not entry.also or entry.also in meant) and (not entry.alone or _stands_alone(data, entry.alone))


def _holds(part: str, data: bytes, said: Words) -> bool:
    """Whether a file holds these bytes: the words of a file, each once, are looked through faster than the file."""
    return part.encode() in (said.dotted if part.isidentifier() else data)


def _words_with(part: bytes, said: Words) -> Iterator[bytes]:
    """The dotted words of a file that hold these bytes."""
    lines = said.dotted
    at = lines.find(part)
    while at >= 0:
        end = lines.find(b"\n", at)
        yield lines[lines.rfind(b"\n", 0, at) + 1 : end]
        at = lines.find(part, end)


_FAR = 400  # bytes of comments between a dot and what follows it
_BLANKS = b" \t\r\n\f\\"
_BEHIND_COMMENT = lazy(rb"\.(?:[\s\\]|#[^\n]*\n)+\Z")


def _has_attribute(data: bytes, said: Words, word: bytes) -> bool:
    """Whether a word stands behind a dot; blanks and comments may stand between the two."""
    if b".%b\n" % word in said.dotted or b".%b." % word in said.dotted:
        return True
    at = data.find(word)
    while at >= 0:
        if data[max(0, at - _FAR) : at].rstrip(_BLANKS).endswith(b"."):
            return True
        if data[data.rfind(b"\n", 0, at) + 1 : at].isspace() and _BEHIND_COMMENT.search(data, max(0, at - _FAR), at):
            return True
        at = data.find(word, at + 1)
    return False


def _stands_alone(data: bytes, word: bytes) -> bool:
    """Whether a name is called at the start of a statement, or used in any way but a call: it may have another name then."""
    at = data.find(word)
    while at >= 0:
        end = at + len(word)
        if data[end : end + 1] not in _IN_WORD and data[at - 1 : at] not in _IN_WORD:
            if data[end : end + _FAR].lstrip(_BLANKS)[:1] != b"(":
                return True
            before = data[data.rfind(b"\n", 0, at) + 1 : at].rstrip(_CHAIN).rstrip(b" \t\f(")
            if not before or before.endswith((b";", b":", b" and", b" or", b" else", b" await", b" not")):
                return True
        at = data.find(word, end)
    return False


_IN_WORD = frozenset(bytes([code]) for code in range(256) if chr(code).isalnum() or code == 0x5F or code >= 0x80)  # noqa: PLR2004
_CHAIN = b"".join(_IN_WORD) + b"."


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
