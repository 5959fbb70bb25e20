"""A change is shown as the unified diff that its edits make; applying it gives the new file."""

from __future__ import annotations

import subprocess

from hypothesis import given, settings
from hypothesis import strategies as st

from dlgovern.finding import Edit
from dlgovern.fix.diff import diff
from dlgovern.fix.merge import replace

LINES = b"".join(b"line %d\n" % number for number in range(1, 21))


def shown(before: bytes, *spans: tuple[int, int, str], path: str = "a.py", raw: bool = False) -> str:
    edits = [Edit(path, "d", *span) for span in spans]
    return diff(path, before, replace(before, edits, "utf_8"), edits, raw=raw)


def test_a_changed_line_is_shown_between_three_lines_of_context():
    at = LINES.index(b"line 10")
    assert shown(LINES, (at + 5, at + 7, "ten")) == (
        "--- a/a.py\n+++ b/a.py\n@@ -7,7 +7,7 @@\n line 7\n line 8\n line 9\n"
        "-line 10\n+line ten\n line 11\n line 12\n line 13\n"
    )


def test_an_inserted_line_is_only_added():
    assert shown(b"a\nb\n", (2, 2, "new\n")) == "--- a/a.py\n+++ b/a.py\n@@ -1,2 +1,3 @@\n a\n+new\n b\n"


def test_a_line_at_the_end_and_a_removed_one_are_shown():
    assert shown(b"a\nb\n", (4, 4, "c\n")) == "--- a/a.py\n+++ b/a.py\n@@ -1,2 +1,3 @@\n a\n b\n+c\n"
    assert shown(b"a\nb\n", (0, 2, "")) == "--- a/a.py\n+++ b/a.py\n@@ -1,2 +1 @@\n-a\n b\n"


def test_changes_far_apart_have_hunks_of_their_own_and_near_ones_share_one():
    far = shown(LINES, (0, 4, "Line"), (LINES.index(b"line 20"), LINES.index(b"line 20") + 4, "Line"))
    near = shown(LINES, (0, 4, "Line"), (LINES.index(b"line 8\n"), LINES.index(b"line 8\n") + 4, "Line"))
    assert (far.count("@@ -"), near.count("@@ -")) == (2, 1)


def test_a_missing_newline_at_the_end_is_said():
    assert shown(b"a\nb", (2, 3, "c")) == (
        "--- a/a.py\n+++ b/a.py\n@@ -1,2 +1,2 @@\n a\n"
        "-b\n\\ No newline at end of file\n+c\n\\ No newline at end of file\n"
    )


def test_a_new_file_comes_from_nowhere():
    edits = [Edit("x/a.py", "", 0, 0, "a\nb\n")]
    assert diff("x/a.py", b"", b"a\nb\n", edits) == "--- /dev/null\n+++ b/x/a.py\n@@ -0,0 +1,2 @@\n+a\n+b\n"


def test_edits_that_change_nothing_show_nothing():
    assert shown(b"a\n", (0, 1, "a")) == ""
    assert shown(b"a\n") == ""


def test_control_characters_of_name_and_text_are_escaped():
    text = shown(b"a\x1b[31m\tb\xe2\x80\xae\n", (0, 1, "c"), path="x\n::error::.py")
    assert text == (
        '--- "a/x\\n::error::.py"\n+++ "b/x\\n::error::.py"\n@@ -1 +1 @@\n'
        "-a\\x1b[31m\tb\\u202e\n+c\\x1b[31m\tb\\u202e\n"
    )


def test_windows_newlines_are_kept():
    assert shown(b"a\r\nb\r\n", (0, 1, "c")) == "--- a/a.py\n+++ b/a.py\n@@ -1,2 +1,2 @@\n-a\r\n+c\r\n b\r\n"


def test_a_legacy_codec_is_read():
    before = "# coding: latin-1\nx = 'é'\n".encode("latin-1")
    edits = [Edit("a.py", "d", 18, 19, "y")]
    assert "-x = 'é'\n+y = 'é'\n" in diff("a.py", before, replace(before, edits, "latin_1"), edits)


SPANS = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 6), st.sampled_from(["", "X", "new\n", "\n", "a\nb"])), max_size=5
)


def separate(spans, size):
    edits, at = [], 0
    for start, length, text in sorted(spans):
        start = min(start, size)
        if start >= at and not (edits and edits[-1][:2] == (start, start)):
            edits.append((start, min(start + length, size), text))
            at = edits[-1][1]
    return edits


@settings(max_examples=60, deadline=None)
@given(
    before=st.lists(st.sampled_from(["a", "b", "", "c\r", "é", "same"]), max_size=30).map("\n".join),
    end=st.sampled_from(["", "\n"]),
    spans=SPANS,
)
def test_git_applies_the_raw_diff_and_gets_the_new_file(tmp_path_factory, before, end, spans):
    data = (before + end).encode()
    edits = [Edit("a.txt", "d", *span) for span in separate(spans, len(data))]
    after = replace(data, edits, "utf_8")
    text = diff("a.txt", data, after, edits, raw=True)
    assert (text == "") == (data == after)
    if text:
        folder = tmp_path_factory.mktemp("apply")
        (folder / "a.txt").write_bytes(data)
        command = ["git", "apply", "--unidiff-zero", "--whitespace=nowarn", "-"]
        patch = text.encode("utf-8", "surrogateescape")
        done = subprocess.run(command, cwd=folder, input=patch, capture_output=True)
        assert (done.stderr, (folder / "a.txt").read_bytes()) == (b"", after)
