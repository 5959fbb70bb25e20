"""Text from a checked repository is printed without any power of its own."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from dlgovern.report.display import display, display_line, lead, markdown, whole


def test_plain_text_stays_as_it_is():
    assert display("torch.load(path)  # größer, 重み, 🙂") == "torch.load(path)  # größer, 重み, 🙂"


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("a\nb\rc\td", "a\\nb\\rc\\td"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x9b31m", "\\x9b31m"),
        ("a\x7f\x00", "a\\x7f\\x00"),
        ("user\u202etxt.exe", "user\\u202etxt.exe"),
        ("a\u2028b\u2029c\x85d", "a\\u2028b\\u2029c\\x85d"),
        ("zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("select\ufe0f", "select\\ufe0f"),
        ("hangul\u3164filler", "hangul\\u3164filler"),
        ("bytes\udcff.py", "bytes\\xff.py"),
        ("half\ud83d", "half\\ud83d"),
    ],
)
def test_hostile_characters_become_escapes(hostile, shown):
    assert display(hostile) == shown


def test_two_undecodable_bytes_do_not_join_into_a_control_character():
    assert display("\udcc2\udc9b31m") == "\\xc2\\x9b31m"


def test_no_control_format_or_separator_character_of_unicode_survives():
    survivors = [
        code
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code)) in ("Cc", "Cf", "Cs", "Zl", "Zp") and chr(code) in display(chr(code))
    ]
    assert survivors == []


def test_a_runner_command_is_broken_up_wherever_it_stands():
    assert display("x ##[error]y ##[group]") == "x #\\x23[error]y #\\x23[group]"


@pytest.mark.parametrize("near_miss", ["## [error]", "#[error]", "a::b", "##"])
def test_what_is_not_a_runner_command_stays(near_miss):
    assert display(near_miss) == near_miss


@pytest.mark.parametrize("path", ["::error::x.py", "  ::error::x.py", ":"])
def test_a_path_that_begins_a_command_is_anchored(path):
    assert lead(path) == f"./{path}"


def test_a_path_with_colons_inside_is_not_anchored():
    assert lead("a::error::x.py") == "a::error::x.py"


def test_a_tab_in_a_source_line_is_four_spaces():
    assert display_line("\tx\x1b") == "    x\\x1b"


def test_whole_text_only_loses_lone_surrogates():
    assert whole("a\x1b\n🙂\udcff\ud83d") == "a\x1b\n🙂\\xff\\ud83d"


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ("a|b", "a\\|b"),
        ("`x`", "\\`x\\`"),
        ("<img src=x>", "&lt;img src=x&gt;"),
        ("&lt;", "&amp;lt;"),
        ("[x](https://evil.example)", "\\[x\\]\\(https:\\//evil.example\\)"),
        ("www.evil.example", "www\u200b.evil.example"),
        ("@torvalds", "@\u200btorvalds"),
        ("fixes #12", "fixes \\#\u200b12"),
        ("- item", "\\- item"),
        ("1. item", "1\\. item"),
        ("1.5 items", "1.5 items"),
        ("a\n# b", "a\\\\n\\# b"),
        ("__init__.py", "\\_\\_init\\_\\_.py"),
        ("a - b at 1.5", "a - b at 1.5"),
    ],
)
def test_markdown_shows_text_literally(text, literal):
    assert markdown(text) == literal
