"""The import statements of a file, read from its bytes without parsing: a superset of what the parser sees."""


import unicodedata
from functools import lru_cache
from typing import NamedTuple

from dlgovern.source.patterns import lazy

_FROM = lazy(rb"(?:^|[;:])[ \t\f]*from[ \t]*(\.[. \t]*)?([\w.]*)[ \t]*$")
_PLAIN = lazy(rb"(?:^|[;:])[ \t\f\xef\xbb\xbf]*$")
_IMPORT = lazy(rb"import(?![\w])")
_COMMENT = lazy(rb"#[^\n]*")


class ImportLine(NamedTuple):
    """``from <level dots><module> import <name> as <local>``; name "" for ``import module as local``.

    ``local`` is "*" for a star import; for a plain ``import a.b`` it is ``a``, which is then also the module.
    """

    level: int
    module: str
    name: str
    local: str
    top: bool = False  # it begins its line: not in a function, a branch or a ``try``


def normal(data: bytes) -> bytes:
    """The bytes with identifiers in the form in which Python compares them (NFKC)."""
    return data if data.isascii() else _normalised(data)


@lru_cache(maxsize=4)  # several ask for the file that is judged
def _normalised(data: bytes) -> bytes:
    return unicodedata.normalize("NFKC", data.decode("utf-8", "replace")).encode()


def scan(data: bytes) -> list[ImportLine]:
    """Every import statement, those in functions, strings and comments included."""
    if b"\\\n" in data or b"\\\r\n" in data:
        data = data.replace(b"\\\r\n", b" ").replace(b"\\\n", b" ")
    found: list[ImportLine] = []
    for match in _IMPORT.finditer(data):
        at = match.start()
        before = data[data.rfind(b"\n", 0, at) + 1 : at]
        if b"from" in before and (source := _FROM.search(before)):
            level = (source.group(1) or b"").count(b".")
            module = source.group(2).decode("utf-8", "replace")
            top = before.startswith(b"from")
            for name, local in _names(data, match.end()):
                found.append(ImportLine(level, module, name, local, top))
        elif not before or _PLAIN.search(before):
            for name, local in _names(data, match.end()):
                if local == name:
                    first = name.partition(".")[0]
                    found.append(ImportLine(0, first, "", first, not before))
                else:
                    found.append(ImportLine(0, name, "", local, not before))
    return found


def _names(data: bytes, at: int) -> list[tuple[str, str]]:
    end = data.find(b"\n", at)
    line = data[at:] if end < 0 else data[at:end]
    text = line.strip()
    if text.startswith(b"("):
        close = data.find(b")", at)
        text = data[at:close] if close >= 0 else data[at:]
        text = _COMMENT.sub(b"", text).replace(b"(", b"", 1) if b"#" in text else text.replace(b"(", b"", 1)
    else:
        text = text.partition(b"#")[0].partition(b";")[0]
    pairs = []
    for part in text.decode("utf-8", "replace").split(","):
        words = part.split()
        if len(words) == 1:
            pairs.append((words[0], words[0]))
        elif len(words) == 3 and words[1] == "as":  # noqa: PLR2004 - name as local
            pairs.append((words[0], words[2]))
    return pairs
