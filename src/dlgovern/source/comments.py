"""Comments that excuse findings: ``# dlgovern: ignore[DLG201] reason`` and ``# noqa: DLG201``."""


import io
import re
from typing import NamedTuple

from dlgovern.source.encoding import decode
from dlgovern.source.patterns import lazy

_OURS = lazy(r"#\s*dlgovern:\s*(.*)", re.I | re.S)
_IGNORE = lazy(r"ignore\s*\[([^\]]*)\]\s*(.*)", re.I | re.S)
_NOQA = lazy(r"#\s*noqa\s*:\s*([A-Z]+[0-9]+(?:[,\s]+[A-Z]+[0-9]+)*)", re.I)
_UNTIL = lazy(r"\buntil=(\d{4}-\d{2}-\d{2})\b")
_OURS_BYTES = lazy(rb"dlgovern\s*:", re.I)
_NOQA_BYTES = lazy(rb"noqa\s*:([^\n]*)", re.I)
_CODE = lazy(rb"[A-Za-z]+[0-9]+")


class Excuse(NamedTuple):
    """One comment that wants to hide findings.

    ``lines`` is the line it covers, and its own; ``wrong`` says why it is refused, "" if it is well formed.
    """

    kind: str  # ignore or noqa
    line: int
    column: int
    end_column: int
    covers: int  # the line whose findings it means
    codes: tuple[str, ...]
    reason: str
    until: str  # ISO date, "" for ever
    wrong: str
    through: int = 0  # the last line it covers, where that is not the same: a continued command


def excuses(data: bytes, known: frozenset[str]) -> list[Excuse]:
    """Every excuse in a Python file, in order; of ``noqa`` only those with a known code or one of ours.

    Tokenizes only when the bytes can hold one.
    """
    if not _can_hold(data, known):
        return []
    import tokenize  # few files hold one

    text = decode(data).replace("\r\n", "\n").replace("\r", "\n")
    found: list[Excuse] = []
    lines = text.split("\n")
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                line, column = token.start
                alone = not lines[line - 1][:column].strip()
                found += _read(token.string, line, column + 1, _next_code(lines, line) if alone else line)
    except (tokenize.TokenError, SyntaxError, ValueError):
        pass  # the parse error is a finding of its own
    return found


def excuses_by_sign(data: bytes, signs: str, *, continued: bool = False) -> list[Excuse]:
    """Every excuse in a file that is not Python, whose comments begin with one of ``signs``.

    ``continued``: a line that ends with a backslash goes on in the next, and an excuse above or at its end covers both.
    ``noqa`` means nothing there.
    """
    if b"dlgovern" not in data.lower() or not _OURS_BYTES.search(data):
        return []
    lines = decode(data).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    begin = re.compile(rf"(?:^|\s)[{re.escape(signs)}](?=\s*dlgovern\s*:)", re.IGNORECASE)
    found: list[Excuse] = []
    for number, line in enumerate(lines, 1):
        match = begin.search(line)
        if match is None:
            continue
        start = match.end() - 1
        alone = not line[:start].strip()
        covers = _next_code(lines, number, signs) if alone else number
        through = covers
        if continued:
            while alone and through < len(lines) and _goes_on(lines[through - 1], signs if through > covers else ""):
                through += 1
            while not alone and covers > 1 and lines[covers - 2].rstrip().endswith("\\"):
                covers -= 1
        text = line[start:].replace(line[start], "#", 1)
        found += [one._replace(through=through) for one in _read(text, number, start + 1, covers) if one.kind == "ignore"]
    return found


def _goes_on(line: str, signs: str) -> bool:
    """Whether a command goes on below a line: at a backslash, and in a Dockerfile below a comment in its middle."""
    text = line.strip()
    return text.endswith("\\") or (bool(text) and text[0] in signs)


def _can_hold(data: bytes, known: frozenset[str]) -> bool:
    if b"dlgovern" in data.lower() and _OURS_BYTES.search(data):
        return True
    if b"noqa" not in data and b"NOQA" not in data:
        return False
    codes = {code.upper() for line in _NOQA_BYTES.findall(data) for code in _CODE.findall(line)}
    return any(code.startswith(b"DLG") or code.decode() in known for code in codes)


def _read(comment: str, line: int, column: int, covers: int) -> list[Excuse]:
    end = column + len(comment)
    ours = _OURS.search(comment)
    if ours:
        return [_ignore(ours.group(1), line, column + ours.start(), end, covers)]
    noqa = _NOQA.search(comment)
    if noqa:
        codes = tuple(code.upper() for code in re.split(r"[,\s]+", noqa.group(1)) if code)
        return [Excuse("noqa", line, column + noqa.start(), end, line, codes, "", "", "")]
    return []


def _ignore(text: str, line: int, column: int, end: int, covers: int) -> Excuse:
    match = _IGNORE.match(text)
    if match is None:
        wrong = "say which rules: `# dlgovern: ignore[DLG000] reason`"
        return Excuse("ignore", line, column, end, covers, (), "", "", wrong)
    codes = tuple(code.strip() for code in match.group(1).split(",") if code.strip())
    reason = match.group(2).partition(" #")[0].strip()
    until = _UNTIL.search(reason)
    if until:
        reason = " ".join(_UNTIL.sub("", reason).split())
    wrong = ""
    if not codes:
        wrong = "it names no rule"
    elif any(code.upper() in ("ALL", "*") for code in codes):
        wrong = "a blanket form is refused; name the rules"
    elif not reason:
        wrong = "it gives no reason"
    return Excuse("ignore", line, column, end, covers, codes, reason, until.group(1) if until else "", wrong)


def _next_code(lines: list[str], line: int, signs: str = "#") -> int:
    """The first line after ``line`` that is neither blank nor only a comment."""
    for number in range(line + 1, len(lines) + 1):
        text = lines[number - 1].strip()
        if text and text[0] not in signs:
            return number
    return line
