"""Tell how bytes become text, exactly as CPython would, and refuse what lets text say two things."""

from __future__ import annotations

from encodings import normalize_encoding
from encodings.aliases import aliases

from dlgovern.source.patterns import lazy

_BOM = b"\xef\xbb\xbf"
_WIDE = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)

HONEST = frozenset(
    """
    ascii utf_8 utf_8_sig latin_1
    iso8859_2 iso8859_3 iso8859_4 iso8859_5 iso8859_6 iso8859_7 iso8859_8 iso8859_9 iso8859_10 iso8859_11
    iso8859_13 iso8859_14 iso8859_15 iso8859_16
    cp1250 cp1251 cp1252 cp1253 cp1254 cp1255 cp1256 cp1257 cp1258
    cp437 cp850 cp852 cp855 cp866 cp874 koi8_r koi8_u mac_roman tis_620
    big5 big5hkscs cp949 cp950 cp932 euc_jp euc_jis_2004 euc_jisx0213 euc_kr gb2312 gbk gb18030 shift_jis
    """.split()
)
"""Codecs in which a byte below 0x80 that stands alone is that ASCII character, and no byte switches a mode."""

_HIDING = frozenset(
    """
    utf_7 unicode_escape raw_unicode_escape punycode idna undefined charmap
    rot_13 hex_codec base64_codec bz2_codec zlib_codec quopri_codec uu_codec
    utf_16 utf_16_le utf_16_be utf_32 utf_32_le utf_32_be hz
    iso2022_jp iso2022_jp_1 iso2022_jp_2 iso2022_jp_2004 iso2022_jp_3 iso2022_jp_ext iso2022_kr
    johab shift_jis_2004 shift_jisx0213
    """.split()
)
"""Codecs that give other characters than a reader of the bytes sees: a comment can then be code."""

_FIRST_TWO = lazy(rb"([^\r\n]*)(?:\r\n|\r|\n)?([^\r\n]*)")
_COOKIE = lazy(rb"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")


def problem(data: bytes) -> tuple[int, str] | None:
    """The first reason not to trust a reading of this source, as (line, why), or None.

    ``why`` completes the sentence "FILE …". Ordinary files cost a few searches at the speed of C.
    """
    for mark, name in _WIDE:
        if data.startswith(mark):
            return 1, f"starts with a {name} byte order mark; Python reads UTF-8"
    at = data.find(b"\0")
    if at >= 0:
        return line_of(data, at), "contains a NUL byte"
    line, name = _cookie(data)
    codec = _codec(name)
    refused = _refused(data, name, codec)
    if refused:
        return line, refused
    if not data.isascii():
        try:
            data.decode(codec)
        except UnicodeDecodeError as error:
            return line_of(data, error.start), f"has bytes that are not {name or 'UTF-8'}"
    return _hidden_by_return(data) if b"\r" in data else None


def decode(data: bytes) -> str:
    """The text as CPython reads it: without byte order mark, in the declared codec, newlines as they are.

    Only for bytes in which `problem` finds none; others may raise ValueError or LookupError.
    """
    codec = codec_of(data)
    if codec not in HONEST:
        raise LookupError(f"not a codec for source text: {codec}")
    return data[_start(data) :].decode(codec)


def codec_of(data: bytes) -> str:
    """Python's own name of the codec in which this source is written, byte order mark aside."""
    codec = _codec(_cookie(data)[1])
    return "utf_8" if codec == "utf_8_sig" else codec


def line_of(data: bytes, offset: int) -> int:
    """The line, counted from 1, that holds this byte; LF, CR and CR LF end lines, as in CPython's tokenizer."""
    returns = data.count(b"\r", 0, offset)
    pairs = data.count(b"\r\n", 0, offset + 1) if returns else 0
    return 1 + data.count(b"\n", 0, offset) + returns - pairs


def line_starts(data: bytes) -> list[int]:
    """The offset at which each line begins, first line first; a byte order mark stands before line 1."""
    starts = [_start(data)]
    at = 0
    for line in data.splitlines(keepends=True):  # of bytes: splits at LF, CR and CR LF only
        at += len(line)
        starts.append(at)
    return starts


def byte_offset(data: bytes, starts: list[int], line: int, column: int) -> int:
    """Where a node begins in the file, from ``lineno`` and ``col_offset`` (UTF-8 bytes, whatever the file's codec)."""
    start = starts[line - 1]
    codec = codec_of(data)
    if codec in ("utf_8", "ascii"):
        return start + column
    end = starts[line] if line < len(starts) else len(data)
    before = data[start:end].decode(codec).encode()[:column].decode()
    return start + len(before.encode(codec))


def _start(data: bytes) -> int:
    return len(_BOM) if data.startswith(_BOM) else 0


def _cookie(data: bytes) -> tuple[int, str]:
    """Line and name of the declared coding, (1, "") where none is declared."""
    start = _start(data)
    match = _FIRST_TWO.match(data, start)
    if match is None or data.find(b"coding", start, match.end()) < 0:
        return 1, ""
    for number, line in enumerate(match.groups(), 1):
        found = _COOKIE.match(line)
        if found:
            return number, found[1].decode("ascii")
        if line.lstrip(b" \t\f")[:1] not in (b"", b"#"):
            break
    return 1, ""


def _codec(name: str) -> str:
    """Python's own name of a codec, by the rules that CPython applies to a cookie."""
    short = name[:12].lower().replace("_", "-")
    if short in ("", "utf-8") or short.startswith("utf-8-"):
        return "utf_8"
    for latin in ("latin-1", "iso-8859-1", "iso-latin-1"):
        if short == latin or short.startswith(latin + "-"):
            return "latin_1"
    plain = normalize_encoding(name).lower()
    return aliases.get(plain) or aliases.get(plain.replace(".", "_")) or plain


def _refused(data: bytes, name: str, codec: str) -> str:
    """Why this declaration is not accepted, "" where it is."""
    if _start(data) and codec != "utf_8":
        return f"starts with a UTF-8 byte order mark but declares {name}"
    if codec in HONEST:
        return ""
    if codec in _HIDING:
        return f"declares {name}, in which what looks like a comment can be code"
    return f"declares {name}, which is not an encoding for source text"


def _hidden_by_return(data: bytes) -> tuple[int, str] | None:
    """Code after a lone CR on what most readers show as one comment line; for CPython the CR ends the comment."""
    if data.count(b"\r") == data.count(b"\r\n"):
        return None
    offset = 0
    for line in data.split(b"\n"):
        commented = False
        for part in line.split(b"\r"):
            text = part.lstrip(b" \t\f")
            if commented and text and not text.startswith(b"#"):
                return line_of(data, offset), "hides code behind a comment by a lone carriage return"
            commented = commented or b"#" in part
            offset += len(part) + 1
    return None
