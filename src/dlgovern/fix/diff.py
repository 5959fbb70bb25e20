"""Show a change of a file as a unified diff."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from dlgovern.finding import Edit
from dlgovern.fix.merge import replace
from dlgovern.fix.prove import codec_for
from dlgovern.report.display import display

_CONTEXT = 3  # lines, as every reader of such diffs expects
_NO_NEWLINE = "\\ No newline at end of file\n"


class _Block(NamedTuple):
    """Lines ``first:last`` of the old file, counted from 0, that become others."""

    first: int
    last: int
    new: list[bytes]


def diff(path: str, before: bytes, after: bytes, edits: Sequence[Edit], *, raw: bool = False) -> str:
    """The diff that sorted, separate ``edits`` make, "" where nothing changes.

    Made from the edits, so its cost is linear in the file. Safe to print: control characters of name and text are
    escaped, but for tabs and the CR of a CR LF. With ``raw`` the text is the file's bytes as UTF-8 with surrogate
    escapes, so that what reads patches gets exactly the bytes.
    """
    old = _at_line_feeds(before)
    blocks = list(_blocks(old, before, edits))
    if not blocks:
        return ""
    created = not before and all(not edit.digest for edit in edits)
    codec = codec_for(path, before or after)
    lines = [
        "--- /dev/null\n" if created else f"--- {_name('a', path)}\n",
        f"+++ {_name('b', path)}\n",
    ]
    grown = 0
    for hunk in _hunks(blocks):
        top = max(hunk[0].first - _CONTEXT, 0)
        end = min(hunk[-1].last + _CONTEXT, len(old))
        body: list[str] = []
        at = top
        for block in hunk:
            body += [_line(" ", line, codec, raw) for line in old[at : block.first]]
            body += [_line("-", line, codec, raw) for line in old[block.first : block.last]]
            body += [_line("+", line, codec, raw) for line in block.new]
            at = block.last
        body += [_line(" ", line, codec, raw) for line in old[at:end]]
        more = sum(len(block.new) - (block.last - block.first) for block in hunk)
        lines.append(f"@@ -{_range(top, end - top)} +{_range(top + grown, end - top + more)} @@\n")
        lines += body
        grown += more
    return "".join(lines)


def _blocks(old: list[bytes], before: bytes, edits: Sequence[Edit]) -> Iterator[_Block]:
    """The lines that edits touch; edits that touch the same or neighbouring lines share a block."""
    starts = [0, *accumulate(map(len, old))]
    codec = codec_for(edits[0].path, before) if edits else ""
    groups: list[tuple[int, int, list[Edit]]] = []
    for edit in edits:
        first = min(bisect_right(starts, edit.start) - 1, len(old))
        last = min(bisect_right(starts, max(edit.end - 1, edit.start)), len(old))
        if first == len(old) and old and not old[-1].endswith(b"\n"):
            first -= 1
        if groups and first <= groups[-1][1]:
            groups[-1] = (groups[-1][0], max(last, groups[-1][1]), [*groups[-1][2], edit])
        else:
            groups.append((first, last, [edit]))
    for first, last, inside in groups:
        moved = [edit._replace(start=edit.start - starts[first], end=edit.end - starts[first]) for edit in inside]
        new = _at_line_feeds(replace(before[starts[first] : starts[last]], moved, codec))
        block = _trimmed(old, first, last, new)
        if block.new or block.first < block.last:
            yield block


def _trimmed(old: list[bytes], first: int, last: int, new: list[bytes]) -> _Block:
    """The block without equal lines at its ends."""
    head = 0
    while first < last and head < len(new) and old[first] == new[head]:
        first, head = first + 1, head + 1
    tail = len(new)
    while first < last and head < tail and old[last - 1] == new[tail - 1]:
        last, tail = last - 1, tail - 1
    return _Block(first, last, new[head:tail])


def _hunks(blocks: list[_Block]) -> Iterator[list[_Block]]:
    """Blocks whose context would touch, together."""
    hunk: list[_Block] = []
    for block in blocks:
        if hunk and block.first - hunk[-1].last > 2 * _CONTEXT:
            yield hunk
            hunk = []
        hunk.append(block)
    yield hunk


def _at_line_feeds(data: bytes) -> list[bytes]:
    """Lines as every tool that reads diffs counts them; a lone CR ends none."""
    lines = [line + b"\n" for line in data.split(b"\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]


def _range(start: int, count: int) -> str:
    """Lines from ``start``, counted from 0, in the notation of hunks: an empty range names the line before it."""
    first = start + 1 if count else start
    return str(first) if count == 1 else f"{first},{count}"


def _line(sign: str, line: bytes, codec: str, raw: bool) -> str:
    ended = line.endswith(b"\n")
    text = line[:-1] if ended else line
    if raw:
        return sign + text.decode("utf-8", "surrogateescape") + "\n" + ("" if ended else _NO_NEWLINE)
    end = "\r\n" if ended and text.endswith(b"\r") else "\n"
    shown = text[:-1] if end == "\r\n" else text
    safe = "\t".join(display(part) for part in shown.decode(codec, "backslashreplace").split("\t"))
    return sign + safe + end + ("" if ended else _NO_NEWLINE)


def _name(side: str, path: str) -> str:
    shown = display(path.replace("\\", "\\\\").replace('"', '\\"'))
    return f"{side}/{path}" if shown == path else f'"{side}/{shown}"'
