"""Source lines are read from inside the root only, and clipped around what they show."""

from __future__ import annotations

import os

import pytest

from dlgovern.report import frame
from dlgovern.report.frame import Sources, excerpt


def test_a_line_is_read_by_number(tmp_path):
    (tmp_path / "a.py").write_bytes(b"one\ntwo\r\nthree\rfour")
    sources = Sources(str(tmp_path))
    assert [sources.line("a.py", number) for number in range(6)] == ["", "one", "two", "three", "four", ""]


def test_a_form_feed_does_not_end_a_line(tmp_path):
    (tmp_path / "a.py").write_bytes("a\x0cb\u2028c\nd".encode())
    assert Sources(str(tmp_path)).line("a.py", 2) == "d"


def test_a_byte_order_mark_is_not_part_of_the_first_line(tmp_path):
    (tmp_path / "a.py").write_bytes(b"\xef\xbb\xbfx = 1\n")
    assert Sources(str(tmp_path)).line("a.py", 1) == "x = 1"


def test_an_undecodable_byte_is_replaced(tmp_path):
    (tmp_path / "a.py").write_bytes(b"x = '\xff'\n")
    assert Sources(str(tmp_path)).line("a.py", 1) == "x = '\ufffd'"


def test_a_binary_file_has_no_lines_but_has_bytes(tmp_path):
    (tmp_path / "a.pt").write_bytes(b"PK\x00\x01\nx\n")
    sources = Sources(str(tmp_path))
    assert (sources.line("a.pt", 2), sources.data("a.pt")) == ("", b"PK\x00\x01\nx\n")


def test_a_file_outside_the_root_is_not_read(tmp_path):
    (tmp_path / "secret").write_text("key\n")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "link.py").symlink_to(tmp_path / "secret")
    (tmp_path / "root" / "up").symlink_to(tmp_path)
    sources = Sources(str(tmp_path / "root"))
    paths = ("../secret", "link.py", "up/secret", str(tmp_path / "secret"), "bad\0name", "missing", "")
    assert [sources.line(path, 1) for path in paths] == [""] * 7


def test_a_link_inside_the_root_is_followed(tmp_path):
    (tmp_path / "a.py").write_text("x\n")
    (tmp_path / "b.py").symlink_to("a.py")
    assert Sources(str(tmp_path)).line("b.py", 1) == "x"


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.py")
    assert Sources(str(tmp_path)).line("a.py", 1) == ""


def test_a_file_over_the_limit_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(frame, "MOST_BYTES", 4)
    (tmp_path / "fits.py").write_text("1234")
    (tmp_path / "over.py").write_text("12345")
    sources = Sources(str(tmp_path))
    assert (sources.data("fits.py"), sources.data("over.py")) == (b"1234", b"")


def test_a_file_is_read_once(tmp_path):
    (tmp_path / "a.py").write_text("old\n")
    sources = Sources(str(tmp_path))
    first = sources.line("a.py", 1)
    (tmp_path / "a.py").write_text("new\n")
    assert (first, sources.line("a.py", 1)) == ("old", "old")


@pytest.mark.parametrize(
    ("line", "span", "width", "expected"),
    [
        ("    f(x)", (4, 8), 40, ("    f(x)", 4, 4)),
        ("\tf(x)  ", (1, 5), 40, ("    f(x)", 4, 4)),
        ("a = '重み', f(x)", (10, 14), 40, ("a = '重み', f(x)", 12, 4)),
        ("a\x1bf(x)", (2, 6), 40, ("a\\x1bf(x)", 5, 4)),
        ("f(x)", (9, 9), 40, ("f(x)", 4, 1)),
        ("f(x)", (2, 1), 40, ("f(x)", 2, 1)),
        ("0123456789" * 3, (2, 4), 20, ("01234567890123...", 2, 2)),
        ("0123456789" * 3, (25, 27), 20, ("...67890123456789", 12, 2)),
        ("# e\u0301 f(x)", (5, 9), 40, ("# e\u0301 f(x)", 4, 4)),
    ],
)
def test_an_excerpt_shows_the_span_and_where_it_is(line, span, width, expected):
    assert excerpt(line, *span, width) == expected


def test_an_excerpt_is_never_wider_than_asked():
    lines = ["\t" * 90, "重" * 90, "\x1b" * 90, "x" * 90, "##[" * 30, "\U000e0041" * 30]
    wide = [line for line in lines for start in range(0, 90, 7) if sum(excerpt(line, start, start + 5, 50)[1:]) > 50]
    assert wide == []


def test_an_excerpt_cannot_command_a_runner():
    text, offset, under = excerpt("x = 1  ##[add-mask]x", 0, 5, 80)
    assert (text, offset, under) == ("x = 1  #\\x23[add-mask]x", 0, 5)
