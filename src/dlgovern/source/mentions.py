"""Which dotted names from outside the repository a file can possibly mean, told from its bytes.

A superset of what `names.Names` resolves in the parsed file: the law that the prefilter changes no finding
rests on it. It works on text, so comments and strings count too.
"""


from collections.abc import Iterable, Iterator
from typing import NamedTuple

from dlgovern.source.gaps import joined
from dlgovern.source.imports import ImportLine
from dlgovern.source.names import Chase
from dlgovern.source.patterns import lazy
from dlgovern.source.words import Words

_DYNAMIC = frozenset({b"import_module", b"__import__"})
_ROUNDS = 6


class Links(NamedTuple):
    """What the imports of a file bind: names from outside, modules of the repository, and star imports."""

    outside: list[tuple[str, str]]  # local name, origin
    inner: dict[str, tuple[int, str]]  # local name -> level and module
    stars: list[tuple[int, str]]


def link(imports: Iterable[ImportLine], chase: Chase | None) -> Links:
    """Follow the imports of a file, through the other files of the repository when ``chase`` can."""
    outside: list[tuple[str, str]] = []
    inner: dict[str, tuple[int, str]] = {}
    stars: list[tuple[int, str]] = []
    for level, module, name, local, _top in imports:
        if name == "*":
            stars.append((level, module))
        elif not name:
            if chase and chase.inside(0, module):
                inner[local] = (0, module)
            outside.append((local, module))
        else:
            origin = chase.name(level, module, name) if chase else None
            full = f"{module}.{name}" if module else name
            if origin:
                outside.append((local, origin))
            elif chase and chase.inside(level, full):
                inner[local] = (level, full)
            elif not level:
                outside.append((local, full))
    return Links(outside, inner, stars)


def mentions(data: bytes, said: Words, links: Links, chase: Chase | None, wanted: Iterable[str]) -> set[str] | None:
    """Which of the ``wanted`` dotted names the file can mean; None when anything is possible."""
    if said.tokens & _DYNAMIC:
        return None
    heads = _Heads(wanted, said.tokens, links.inner, chase)
    for local, origin in links.outside:
        heads.add(local, origin)
    for level, module in links.stars:
        _read_star(level, module, said.tokens, chase, heads)
    if not heads.origins and not heads.inner:
        return heads.found
    chains = _chains(said.dotted, heads)
    values = _Values(data)
    for _ in range(_ROUNDS):
        heads.changed = False
        for chain in chains:
            heads.meet_all(chain)
        _follow_assignments(values, heads)
        if not heads.changed:
            break
    else:
        return None
    names = {name.encode() for name in (*heads.origins, *heads.inner)}
    for chain in joined(data, said.dotted, names, heads.parts | heads.lasts):
        heads.meet_all(chain)
    return None if _is_unclear(data, said, heads) else heads.found


class _Heads:
    """Local names and the origins they may have, as far as they lead to a wanted name."""

    def __init__(
        self, wanted: Iterable[str], tokens: set[bytes], inner: dict[str, tuple[int, str]], chase: Chase | None
    ) -> None:
        self.wanted = frozenset(wanted)
        self.above: set[str] = set()
        for name in self.wanted:
            self.above.update(_prefixes(name))
        self.lasts = {name.rpartition(".")[2].encode() for name in self.wanted} & tokens
        self.parts = {name.rpartition(".")[2].encode() for name in self.above} & tokens
        self.inner = inner if chase else {}
        self.origins: dict[str, set[str]] = {}
        self.found: set[str] = set()
        self.changed = False
        self._chase = chase

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

    def meet_all(self, chain: str) -> None:
        """Note the wanted names that a chain can mean."""
        for origin in self.of(chain):
            self.meet(origin)

    def of(self, chain: str) -> list[str]:
        """What a chain may mean, from any of its parts on: ``self.dist.all_reduce`` begins at ``dist``."""
        found = []
        parts = chain.split(".")
        for index, part in enumerate(parts):
            if part in self.origins:
                rest = [piece for piece in parts[index + 1 :] if piece]
                found += [".".join([origin, *rest]) for origin in self.origins[part]]
            if part in self.inner and index + 1 < len(parts):
                found += self._through(*self.inner[part], [piece for piece in parts[index + 1 :] if piece])
        return found

    def knows(self, part: bytes) -> bool:
        """Whether a word is one of the local names."""
        name = part.decode("utf-8", "replace")
        return name in self.origins or name in self.inner

    def _through(self, level: int, module: str, rest: list[str]) -> list[str]:
        assert self._chase is not None
        for index, name in enumerate(rest):
            if origin := self._chase.name(level, module, name):
                return [".".join([origin, *rest[index + 1 :]])]
            module = f"{module}.{name}" if module else name
            if not self._chase.inside(level, module):
                return []
        return []


_ABOVE: dict[str, tuple[str, ...]] = {}


def _prefixes(name: str) -> tuple[str, ...]:
    """The name and everything above it."""
    known = _ABOVE.get(name)
    if known is None:
        parts = name.split(".")
        known = _ABOVE[name] = tuple(".".join(parts[: index + 1]) for index in range(len(parts)))
    return known


def _read_star(level: int, module: str, tokens: set[bytes], chase: Chase | None, heads: _Heads) -> None:
    if chase is not None and (level or chase.inside(level, module)):
        for name, origin in chase.passes_on(level, module, tokens).items():
            heads.add(name, origin)
    elif not level and module in heads.above:
        for name in (token.decode("utf-8", "replace") for token in tokens):
            heads.add(name, f"{module}.{name}")


def _chains(dotted: bytes, heads: _Heads) -> list[str]:
    """The dotted words that can lead to a wanted name: one of their parts is its last name."""
    found: set[bytes] = set()
    for part in heads.lasts:
        found.update(_words_with(dotted, b".%b." % part))
        found.update(_words_with(dotted, b".%b\n" % part))
    for name in heads.inner:
        found.update(_words_with(dotted, b"\n%b." % name.encode()))
    return [word.decode("utf-8", "replace") for word in found]


def _words_with(dotted: bytes, piece: bytes) -> Iterator[bytes]:
    at = dotted.find(piece)
    while at >= 0:
        end = dotted.index(b"\n", at + 1)
        yield dotted[dotted.rindex(b"\n", 0, at + 1) + 1 : end]
        at = dotted.find(piece, end)


# -- assignments -------------------------------------------------------------------------------------------

_NAME = lazy(rb"[\w\x80-\xff]+")
_FAR = 300  # bytes between the names that get values and the value


_VALUE = lazy(rb"=\n*+([A-Za-z_\x80-\xff][\w.,\x80-\xff]*+)(?=[\n)\]};#:=])")
_FLAT = b" \t\r\f([\\"


class _Values:
    """Every plain chain that may be the value of an assignment, those of tuples included, and the names that may get it."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        flat = data.translate(None, _FLAT)
        self.chains = {chain: chain.split(b".") for chain in set(b",".join(_VALUE.findall(flat + b"\n")).split(b","))}
        self._names: dict[bytes, list[str]] = {}

    def names(self, chain: bytes) -> list[str]:
        """The names, looked for once."""
        known = self._names.get(chain)
        if known is None:
            data = self._data
            known = self._names[chain] = list(dict.fromkeys(name for at in _given(data, chain) for name in _targets(data, at)))
        return known


def _follow_assignments(values: _Values, heads: _Heads) -> None:
    """Add the names that may get a value which leads to a wanted name."""
    for chain, parts in values.chains.items():
        if any(map(heads.knows, parts)):
            origins = [origin for origin in heads.of(chain.decode("utf-8", "replace")) if heads.meet(origin)]
            for name in values.names(chain) if origins else ():
                for origin in origins:
                    heads.add(name, origin)


def _given(data: bytes, chain: bytes) -> Iterator[int]:
    """The ``=`` or comma in front of each place where this very chain may be the value that a name gets."""
    at = data.find(chain)
    while at >= 0:
        if data[at + len(chain) : at + len(chain) + 1] not in _GOES_ON:
            before = at - 1
            while before >= 0 and data[before] in _BETWEEN:
                before -= 1
            if before >= 0 and data[before] in _GIVES:
                yield before
        at = data.find(chain, at + 1)


_GOES_ON = frozenset(bytes([c]) for c in range(256) if chr(c).isalnum() or c in b"_." or c >= 0x80)  # noqa: PLR2004
_BETWEEN = frozenset(b" \t\r\n\f([\\")
_GIVES = frozenset(b"=,")


def _targets(data: bytes, at: int) -> list[str]:
    """The names that may get the value behind the ``=`` or comma at ``at``: all before the last ``=`` of its statement."""
    before = data[max(0, at - _FAR) : at]
    if data[at] == ord(","):
        before = before.rpartition(b"=")[0]
    line = before.rpartition(b"\n")[2]
    if not line.strip() or line.count(b")") > line.count(b"("):
        line = before  # the names stand on several lines
    return [name for name in (found.decode("utf-8", "replace") for found in _NAME.findall(line)) if name not in ("self", "cls")]


_FETCH = lazy(rb"getattr\(\s*([\w.\x80-\xff]+)\s*,\s*[\"'](\w+)[\"']")
_WRAPPED = lazy(rb"\((?:\s*\w+\s*:=)?\s*([\w.\x80-\xff]+)\s*\)\s*\.\s*(\w+)")


def _is_unclear(data: bytes, said: Words, heads: _Heads) -> bool:
    """Whether ``getattr`` or a name in parentheses leads on to where only the parsed file can follow."""
    found: list[tuple[bytes, bytes]] = _FETCH.findall(data) if b"getattr" in said.tokens else []
    if any(b"\n.%b" % part in said.dotted for part in heads.parts):
        found += _WRAPPED.findall(data)
    for base, name in set(found):
        if any(map(heads.knows, base.split(b"."))):
            for origin in heads.of(f"{base.decode('utf-8', 'replace')}.{name.decode('utf-8', 'replace')}"):
                if heads.meet(origin) and origin not in heads.wanted:
                    return True
    return False
