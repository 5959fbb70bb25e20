"""Which dotted names from outside the repository a file can possibly mean, told from its bytes.

A superset of what `names.Names` resolves in the parsed file: the law that the prefilter changes no finding
rests on it. It works on text, so comments and strings count too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from dlgovern.source.imports import ImportLine
from dlgovern.source.names import Chase

DOTTED = bytes(c if chr(c).isalnum() or c in b"_." or c >= 0x80 else 0x20 for c in range(256))  # noqa: PLR2004
WORDS = bytes(c if chr(c).isalnum() or c == 0x5F or c >= 0x80 else 0x20 for c in range(256))  # noqa: PLR2004

_DYNAMIC = frozenset({b"import_module", b"__import__"})
_ROUNDS = 6
_PATTERNS: dict[tuple[str, ...], tuple[re.Pattern[str], ...]] = {}


def words(data: bytes) -> set[bytes]:
    """The identifiers, keywords and numbers of a file."""
    return set(data.translate(WORDS).split())


def mentions(
    data: bytes, tokens: set[bytes], imports: Iterable[ImportLine], chase: Chase | None, wanted: Iterable[str]
) -> set[str] | None:
    """Which of the ``wanted`` dotted names the file can mean; None when anything is possible."""
    if tokens & _DYNAMIC:
        return None
    heads = _Heads(wanted)
    inner: dict[str, tuple[int, str]] = {}
    stars: list[tuple[int, str]] = []
    for line in imports:
        _read_import(line, chase, heads, inner, stars)
    for level, module in stars:
        _read_star(level, module, tokens, chase, heads)
    if not heads.origins and not inner:
        return heads.found
    text = data.decode("utf-8", "replace")
    if any(_has_gap(text, name) for name in inner):
        return None
    chains = _chains(data, heads, inner)
    for _ in range(_ROUNDS):
        heads.changed = False
        if not _look(text, chains, heads, inner, chase):
            return None
        if not heads.changed:
            return heads.found
    return None


def _has_gap(text: str, name: str) -> bool:
    """Whether blanks, line ends or comments stand around the dot after a name: then no word shows the chain."""
    for tail in (" ", "\t", "\n", "\r", "\\", "#", ". ", ".\t", ".\n", ".\r", ".\\", ".#"):
        at = text.find(name + tail)
        while at >= 0:
            if _GAP.match(text, at + len(name)):
                return True
            at = text.find(name + tail, at + 1)
    return False


_GAP = re.compile(r"(?:[ \t\r\n\\]|#[^\n]*\n)*\.(?:[ \t\r\n\\]|#[^\n]*\n)*[^\W\d]")


def _chains(data: bytes, heads: _Heads, inner: dict[str, tuple[int, str]]) -> list[str]:
    """The dotted words of a file that can lead to a wanted name: one of their parts is its last name."""
    lasts = {name.rpartition(".")[2].encode() for name in heads.wanted}
    lasts |= {name.encode() for name in inner}
    words = set(data.translate(DOTTED).split())
    return [word.decode("utf-8", "replace") for word in words if b"." in word and not lasts.isdisjoint(word.split(b"."))]


class _Heads:
    """Local names and the origins they may have, as far as they lead to a wanted name."""

    def __init__(self, wanted: Iterable[str]) -> None:
        self.wanted = frozenset(wanted)
        self.above = frozenset(_prefixes(self.wanted))
        self.origins: dict[str, set[str]] = {}
        self.found: set[str] = set()
        self.changed = False

    def meet(self, origin: str) -> bool:
        """Note the wanted names in ``origin`` or above it; whether it leads to one itself."""
        if origin in self.above:
            if origin in self.wanted:
                self.found.add(origin)
            return True
        while origin:
            origin = origin.rpartition(".")[0]
            if origin in self.above:
                while origin:
                    if origin in self.wanted:
                        self.found.add(origin)
                    origin = origin.rpartition(".")[0]
        return False

    def add(self, name: str, origin: str) -> None:
        """Note that ``name`` may stand for ``origin``."""
        if not self.meet(origin):
            return
        known = self.origins.setdefault(name, set())
        if origin not in known:
            known.add(origin)
            self.changed = True


def _prefixes(names: Iterable[str]) -> set[str]:
    """The names and everything above them."""
    found: set[str] = set()
    for name in names:
        while name and name not in found:
            found.add(name)
            name = name.rpartition(".")[0]
    return found


def _read_import(
    line: ImportLine,
    chase: Chase | None,
    heads: _Heads,
    inner: dict[str, tuple[int, str]],
    stars: list[tuple[int, str]],
) -> None:
    level, module, name, local = line
    if name == "*":
        stars.append((level, module))
    elif not name:
        if chase and chase.inside(0, module):
            inner[local] = (0, module)
        heads.add(local, module)
    else:
        full = f"{module}.{name}" if module else name
        if chase and (origin := chase.name(level, module, name)):
            heads.add(local, origin)
        elif chase and chase.inside(level, full):
            inner[local] = (level, full)
        elif not level:
            heads.add(local, full)


def _read_star(level: int, module: str, tokens: set[bytes], chase: Chase | None, heads: _Heads) -> None:
    if chase is not None and (level or chase.inside(level, module)):
        for name, origin in chase.passes_on(level, module).items():
            heads.add(name, origin)
    elif not level:
        for name in (token.decode("utf-8", "replace") for token in tokens):
            heads.add(name, f"{module}.{name}")


def _look(
    text: str, chains: list[str], heads: _Heads, inner: dict[str, tuple[int, str]], chase: Chase | None
) -> bool:
    """Read chains and assignments around the known heads; new heads are added. False: anything is possible."""
    loose, fetch, wrapped = _patterns(tuple(sorted(heads.origins)))
    for chain in chains:
        _meet(chain, heads, inner, chase)
    for match in loose.finditer(text):
        _meet(re.sub(r"\\\r?\n|#[^\n]*\n|\s", "", match.group()), heads, inner, chase)
    for pattern in (wrapped, fetch):
        for match in pattern.finditer(text):
            for origin in _origins(f"{match.group(1)}.{match.group(2)}", heads, inner, chase):
                if heads.meet(origin) and origin not in heads.wanted:
                    return False
    for match in _ASSIGN.finditer(text):
        chain = match.group(1)
        if chain.partition(".")[0] not in heads.origins and not _inside(chain, heads, inner):
            continue
        value = [origin for origin in _origins(chain, heads, inner, chase) if heads.meet(origin)]
        if value:
            for name in _targets(text, match.start()):
                for origin in value:
                    heads.add(name, origin)
    return True


def _inside(chain: str, heads: _Heads, inner: dict[str, tuple[int, str]]) -> bool:
    return any(part in inner or part in heads.origins for part in chain.split("."))


_ASSIGN = re.compile(r"=[\s(\\]*([^\W\d][\w.]*)(?![\w.(\[])")
_TARGET = re.compile(r"[\w.,()\[\] \t]+(?:=[\w. \t]+)*(?::[^=\n]*)?:?$")


def _targets(text: str, at: int) -> list[str]:
    """The names that the assignment whose ``=`` stands at ``at`` may give a value to."""
    line = text[max(0, text.rfind("\n", 0, at) + 1) : at]
    target = _TARGET.search(line[-200:])
    names = re.findall(r"\w+", target.group()) if target else []
    return [name for name in names if name not in ("self", "cls")]


def _meet(chain: str, heads: _Heads, inner: dict[str, tuple[int, str]], chase: Chase | None) -> None:
    for origin in _origins(chain, heads, inner, chase):
        heads.meet(origin)


def _origins(chain: str, heads: _Heads, inner: dict[str, tuple[int, str]], chase: Chase | None) -> list[str]:
    """What a chain may mean, from any of its parts on: ``self.dist.all_reduce`` begins at ``dist``."""
    found = []
    parts = chain.split(".")
    for index, part in enumerate(parts):
        rest = [piece for piece in parts[index + 1 :] if piece]
        for origin in heads.origins.get(part, ()):
            found.append(".".join([origin, *rest]))
        if part in inner and chase is not None and rest:
            found += _add_inner(*inner[part], rest, chase)
    return found


def _add_inner(level: int, module: str, rest: list[str], chase: Chase) -> list[str]:
    for index, name in enumerate(rest):
        if origin := chase.name(level, module, name):
            return [".".join([origin, *rest[index + 1 :]])]
        module = f"{module}.{name}" if module else name
        if not chase.inside(level, module):
            return []
    return []


def _patterns(names: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    if names not in _PATTERNS:
        any_head = "|".join(map(re.escape, names)) or r"(?!)"
        gap = r"(?:\s|\\\r?\n|#[^\n]*\n)"
        chain = rf"(?:{any_head})(?:\.\w+)*"
        _PATTERNS[names] = (
            re.compile(rf"\b(?:{any_head})(?:{gap}*\.{gap}*\w+)*?(?:{gap}+\.{gap}*\w+|\.{gap}+\w+)(?:{gap}*\.{gap}*\w+)*"),
            re.compile(rf"getattr\(\s*({chain})\s*,\s*[\"'](\w+)[\"']"),
            re.compile(rf"\((?:\s*\w+\s*:=)?\s*({chain})\s*\)\s*\.\s*(\w+)"),
        )
    return _PATTERNS[names]
