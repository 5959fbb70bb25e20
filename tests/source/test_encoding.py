"""Bytes become text as in CPython, and what would let text say two things is refused with its line."""

from __future__ import annotations

import ast
import codecs
import time
from encodings.aliases import aliases

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlgovern.source import encoding
from dlgovern.source.encoding import byte_offset, decode, line_of, line_starts, problem

ORDINARY = b"# an ordinary file\nimport torch\n\nx = 'text'\n"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        ORDINARY,
        ORDINARY.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbfx = 1\n",
        b"\xef\xbb\xbf# coding: utf-8\nx = 1\n",
        "x = 'é' # ünï\n".encode(),
        "# -*- coding: latin-1 -*-\nx = 'é'\n".encode("latin-1"),
        "# vim: set fileencoding=cp1252 :\nx = '€'\n".encode("cp1252"),
        "#!/usr/bin/python\n# coding=euc-jp\nx = '日本'\n".encode("euc-jp"),
        "# coding: gb18030\nx = '中'\n".encode("gb18030"),
        "# coding: iso-8859-15\nx = '€'\n".encode("iso8859-15"),
        "# coding: latin-1-unix\nx = 'é'\n".encode("latin-1"),
        "# coding: UTF8\nx = 'é'\n".encode(),
    ],
)
def test_text_that_says_one_thing_is_no_problem_and_reads_as_in_python(data):
    assert problem(data) is None
    assert ast.dump(ast.parse(decode(data))) == ast.dump(ast.parse(data))


@pytest.mark.parametrize(
    ("data", "line", "why"),
    [
        (b"x = 1\n# a\0b\n", 2, "contains a NUL byte"),
        ("x = 1\n".encode("utf-16"), 1, "starts with a UTF-16 byte order mark; Python reads UTF-8"),
        ("x = 1\n".encode("utf-32"), 1, "starts with a UTF-32 byte order mark; Python reads UTF-8"),
        (b"\xfe\xff\0x", 1, "starts with a UTF-16 byte order mark; Python reads UTF-8"),
        (b"\xef\xbb\xbf# coding: latin-1\n", 1, "starts with a UTF-8 byte order mark but declares latin-1"),
        (b"\n# coding: utf-7\n# +AAo-import os\n", 2, "declares utf-7, in which what looks like a comment can be code"),
        (
            b"# coding: unicode_escape\n# \\nimport os\n",
            1,
            "declares unicode_escape, in which what looks like a comment can be code",
        ),
        (
            b"# coding=raw-unicode-escape\n",
            1,
            "declares raw-unicode-escape, in which what looks like a comment can be code",
        ),
        (b"# coding: rot13\n", 1, "declares rot13, in which what looks like a comment can be code"),
        (b"# coding: cp037\n", 1, "declares cp037, which is not an encoding for source text"),
        (b"# coding: nonsense\n", 1, "declares nonsense, which is not an encoding for source text"),
        (b"x = 1\n# caf\xe9\n", 2, "has bytes that are not UTF-8"),
        (b"x = '\xed\xa0\x80'\n", 1, "has bytes that are not UTF-8"),
        (b"# coding: ascii\n\nx = '\xe9'\n", 3, "has bytes that are not ascii"),
        (b"x = 1\n# harmless\rimport os\n", 3, "hides code behind a comment by a lone carriage return"),
        (b"# a\r# b\rimport os", 3, "hides code behind a comment by a lone carriage return"),
        (b"x = 1\r\n# harmless\r  import os\r\n", 3, "hides code behind a comment by a lone carriage return"),
    ],
)
def test_text_that_can_say_two_things_is_refused_where_it_does(data, line, why):
    assert problem(data) == (line, why)


@pytest.mark.parametrize(
    "data",
    [
        b"# unencoding utf-7\nx = 1\n",
        b"x = 1\n# coding: utf-7\n",
        b"\n\n# coding: utf-7\n",
        b"x = 'coding: utf-7'\n",
        b"x = 1\ry = 2\r",
        b"# harmless\r\r\nx = 1\n",
        b"# harmless\r# more\n",
        b"# ends with it\r",
        "x = '\u2028' # \x85\n".encode(),
    ],
)
def test_what_only_looks_like_a_trick_is_no_problem(data):
    assert problem(data) is None


def test_every_honest_codec_leaves_ascii_as_it_is():
    ascii_bytes = bytes(range(1, 128))
    changed = [name for name in encoding.HONEST if ascii_bytes.decode(name) != ascii_bytes.decode("ascii")]
    assert changed == []


def test_every_codec_that_changes_ascii_is_refused():
    accepted = []
    for name in sorted(set(aliases.values()) - encoding.HONEST):
        if problem(f"# coding: {name.replace('_', '-')}\n".encode()) is None:
            accepted.append(name)
    assert accepted == []


def test_every_alias_of_python_is_understood_as_python_does():
    wrong = [
        alias
        for alias in aliases
        if encoding._codec(alias) in encoding.HONEST
        and codecs.lookup(encoding._codec(alias)).name != codecs.lookup(alias).name
    ]
    assert wrong == []


def test_decoding_refuses_what_problem_refuses():
    with pytest.raises(LookupError):
        decode(b"# coding: utf-7\n")


@given(
    cookie=st.sampled_from(["", "# coding: utf-8", "#coding=latin-1", "# coding: ascii", "# -*- coding: cp1252 -*-"]),
    bom=st.sampled_from([b"", b"\xef\xbb\xbf"]),
    body=st.lists(st.sampled_from([b"x = 1", b"# c", b"'\xc3\xa9'", b"'\xe9'", b"\n", b"\r", b"\r\n", b"\f", b" "])),
)
def test_whatever_is_no_problem_reads_as_in_python(cookie, bom, body):
    data = bom + cookie.encode() + b"\n" + b"".join(body)
    if problem(data) is not None:
        return
    try:
        tree = ast.parse(data)
    except SyntaxError as error:
        assert "decode" not in str(error) and "encoding" not in str(error)
        return
    assert ast.dump(ast.parse(decode(data))) == ast.dump(tree)


@given(st.lists(st.sampled_from([b"x", b"\n", b"\r", b"\r\n", b"\f", b"\x0b", b"\x85", b"\x1c"])).map(b"".join))
def test_lines_are_counted_as_they_start(data):
    starts = line_starts(data)
    expected = [sum(start <= offset for start in starts) for offset in range(len(data))]
    assert [line_of(data, offset) for offset in range(len(data))] == expected


@pytest.mark.parametrize("codec", ["utf-8", "latin-1", "utf-8-sig"])
def test_a_node_is_found_at_its_bytes_in_every_codec(codec):
    cookie = "latin-1" if codec == "latin-1" else "utf-8"
    data = f"# coding: {cookie}\r\ny = ['é', target]\r\n".encode(codec)
    node = ast.parse(data).body[0].value.elts[1]
    start = byte_offset(data, line_starts(data), node.lineno, node.col_offset)
    assert data[start : start + 6] == b"target"


def test_an_ordinary_file_costs_far_less_than_parsing_it():
    data = ORDINARY * 1000

    def best(function):
        times = []
        for _ in range(5):
            begin = time.perf_counter()
            function(data)
            times.append(time.perf_counter() - begin)
        return min(times)

    assert best(problem) * 20 < best(ast.parse)


@pytest.mark.parametrize(
    "data", [b"#" * 1_000_000, b"#\r" * 500_000, b"# coding:" * 100_000, b"# coding: " + b" " * 900_000]
)
def test_a_hostile_file_is_scanned_in_linear_time(data):
    begin = time.perf_counter()
    problem(data)
    assert time.perf_counter() - begin < 20
