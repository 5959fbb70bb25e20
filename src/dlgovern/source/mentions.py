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
_ROUNDS = 4
_PATTERNS: dict[tuple[str, ...], tuple[re.Pattern[str], ...]] = {}


def words(data: bytes) -> set[bytes]:
    """The identifiers, keywords and numbers of a file."""
    return set(data.translate(WORDS).split())


def mentions(data: bytes, tokens: set[bytes], imports: Iterable[ImportLine], chase: Chase | None) -> set[str] | None:
    """Every dotted name the file can mean, with all its prefixes; None when anything is possible."""
    if tokens & _DYNAMIC:
        return None
    heads: dict[str, set[str]] = {}
    inner: dict[str, tuple[int, str]] = {}
    stars: list[tuple[int, str]] = []
    for line in imports:
        _read_import(line, chase, heads, inner, stars)
    for level, module in stars:
        _read_star(level, module, tokens, chase, heads)
    found = {origin for origins in heads.values() for origin in origins}
    chains = {chain.decode("utf-8", "replace") for chain in set(data.translate(DOTTED).split())}
    known: dict[str, set[str]] = {}
    text = ""
    for _ in range(_ROUNDS):
        if not heads and not inner:
            break
        known = {name: set(origins) for name, origins in heads.items()}
        if not text:
            text = data.decode("utf-8", "replace")
        _assigned(text, chains, heads, inner, chase, found)
        if heads == known:
            break
    else:
        return None
    return _closed(found)


def _read_import(
    line: ImportLine,
    chase: Chase | None,
    heads: dict[str, set[str]],
    inner: dict[str, tuple[int, str]],
    stars: list[tuple[int, str]],
) -> None:
    level, module, name, local = line
    if name == "*":
        stars.append((level, module))
    elif not name:
        if chase and chase.inside(0, module):
            inner[local] = (0, module)
        heads.setdefault(local, set()).add(module)
    else:
        full = f"{module}.{name}" if module else name
        if chase and (origin := chase.name(level, module, name)):
            heads.setdefault(local, set()).add(origin)
        elif chase and chase.inside(level, full):
            inner[local] = (level, full)
        elif not level:
            heads.setdefault(local, set()).add(full)


def _read_star(level: int, module: str, tokens: set[bytes], chase: Chase | None, heads: dict[str, set[str]]) -> None:
    if chase is not None and (level or chase.inside(level, module)):
        for name, origin in chase.passes_on(level, module).items():
            heads.setdefault(name, set()).add(origin)
    elif not level:
        for name in (token.decode("utf-8", "replace") for token in tokens):
            heads.setdefault(name, set()).add(f"{module}.{name}")


def _assigned(
    text: str,
    chains: set[str],
    heads: dict[str, set[str]],
    inner: dict[str, tuple[int, str]],
    chase: Chase | None,
    found: set[str],
) -> None:
    """Read chains, assignments, getattr and parentheses around the known heads; new heads are added."""
    pattern = _patterns(tuple(sorted({*heads, *inner})))
    for chain in chains:
        _add(chain, heads, inner, chase, found)
    loose, assign, fetch, wrapped = pattern
    for match in loose.finditer(text):
        _add(re.sub(r"\s|#[^\n]*\n", "", match.group()), heads, inner, chase, found)
    for match in wrapped.finditer(text):
        _add(f"{match.group(1)}.{match.group(2)}", heads, inner, chase, found)
    for match in fetch.finditer(text):
        _add(f"{match.group(1)}.{match.group(2)}", heads, inner, chase, found)
    for match in assign.finditer(text):
        before = text[max(0, match.start() - 200) : match.start()]
        target = _TARGET.search(before)
        if target is None:
            continue
        value: set[str] = set()
        _add(match.group(1), heads, inner, chase, value)
        for name in re.findall(r"\w+", target.group()):
            if name not in ("self", "cls"):
                heads.setdefault(name, set()).update(value)
        found |= value


_TARGET = re.compile(r"[\w.,()\[\] \t]+(?:=[\w. \t]+)*(?::[^=\n]*)?:?$")


def _add(
    chain: str, heads: dict[str, set[str]], inner: dict[str, tuple[int, str]], chase: Chase | None, found: set[str]
) -> None:
    parts = [part for part in chain.split(".") if part]
    for index, part in enumerate(parts):
        rest = parts[index + 1 :]
        for origin in heads.get(part, ()):
            found.add(".".join([origin, *rest]))
        if part in inner and chase is not None and rest:
            _add_inner(*inner[part], rest, chase, found)


def _add_inner(level: int, module: str, rest: list[str], chase: Chase, found: set[str]) -> None:
    for index, name in enumerate(rest):
        if origin := chase.name(level, module, name):
            found.add(".".join([origin, *rest[index + 1 :]]))
            return
        module = f"{module}.{name}" if module else name
        if not chase.inside(level, module):
            return


def _patterns(names: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    if names not in _PATTERNS:
        any_head = "|".join(map(re.escape, names)) or r"(?!)"
        gap = r"(?:\s|#[^\n]*\n)"
        chain = rf"(?:{any_head})(?:\.\w+)*"
        _PATTERNS[names] = (
            re.compile(rf"\b(?:{any_head})(?:{gap}*\.{gap}*\w+)*?(?:{gap}+\.{gap}*\w+|\.{gap}+\w+)(?:{gap}*\.{gap}*\w+)*"),
            re.compile(rf"=[\s(\\]*({chain})(?![\w.])"),
            re.compile(rf"getattr\(\s*({chain})\s*,\s*[\"'](\w+)[\"']"),
            re.compile(rf"\((?:\s*\w+\s*:=)?\s*({chain})\s*\)\s*\.\s*(\w+)"),
        )
    return _PATTERNS[names]


def _closed(found: set[str]) -> set[str]:
    closed: set[str] = set()
    for name in found:
        while name and name not in closed:
            closed.add(name)
            name = name.rpartition(".")[0]
    return closed
