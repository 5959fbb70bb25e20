"""A changed file is proven to be what it was but for the repair, or it is refused with the reason."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlgovern.finding import Edit
from dlgovern.fix.merge import replace
from dlgovern.fix.prove import codec_for, fault
from dlgovern.fix.same import equal


def proof(before: str | bytes, *swaps: tuple[str, str], path: str = "a.py") -> str:
    """The fault of replacing each old text, found from left to right, by the new one; "|" in it marks an insertion."""
    data = before.encode() if isinstance(before, str) else before
    edits = []
    at = 0
    for old, new in swaps:
        left, bar, right = old.partition("|")
        start = data.index((left + right).encode(), at)
        start, end = (start + len(left),) * 2 if bar else (start, start + len(old))
        edits.append(Edit(path, "d", start, end, new))
        at = end
    return fault(path, data, replace(data, edits, codec_for(path, data)), edits)


SOURCE = '''"""Doc."""
import torch
@torch.no_grad()
def f(x):
    if x:
        y = torch.load(x)
    else:
        y = 1
    return y
z = f("a")
'''


@pytest.mark.parametrize(
    "swaps",
    [
        [("torch.load(x)", "torch.load(x, weights_only=True)")],
        [("torch.load(x|)", ", weights_only=True")],
        [("|import torch", "import os\n")],
        [("import torch\n", "")],
        [("no_grad", "inference_mode")],
        [("@torch.no_grad()\n", "")],
        [("|z = ", "w = 2\n")],
        [('z = f("a")', 'z = g("a")'), ],
        [('f("a")|', '.cpu()')],
        [('|z = f("a")', 'assert z;')],
        [('f("a")\n|', "w = 3\n")],
        [("if x:", "if x is not None:"), ("y = 1", "y = 2")],
        [('"""Doc."""', '"""New."""')],
        [('f("a")|', "  # ünï")],
    ],
)  # fmt: skip
def test_a_repair_that_changes_only_what_it_touches_is_proven(swaps):
    assert proof(SOURCE, *swaps) == ""
    assert (
        proof(
            SOURCE.replace("\n", "\r\n"),
            *((old.replace("\n", "\r\n"), new.replace("\n", "\r\n")) for old, new in swaps),
        )
        == ""
    )


@pytest.mark.parametrize(
    ("swaps", "why"),
    [
        ([("torch.load(x)", "torch.load(x")], "does not parse afterwards (line 6: '(' was never closed)"),
        ([("@torch.no_grad()\n", "'''\n"), ("    else:\n", "'''\n")], "does not parse afterwards"),
        ([("|import torch", "import torch; ")], ""),
        ([('|"""Doc."""', '"""Other."""\n')], "changes line 1, which lies outside the repair"),
        ([("|return y", "return y\n    yield 1\n    ")], ""),
        ([("    return y", "return y")], "does not compile afterwards"),
        ([("return y", "break")], "does not compile afterwards"),
        ([("x = 1", "x = 2")], None),
        ([("import torch", "import torch\r\n")], "brings in another kind of newline"),
        ([('f("a")\n', 'f("a")')], "changes whether the file ends with a newline"),
        ([('|"""Doc."""', "\ufeff")], "changes the byte order mark"),
        ([("import torch", "# a\0b")], "contains a NUL byte afterwards (line 2)"),
        ([("import torch", "import torch")], "changes nothing"),
        ([('|"""Doc."""', "# coding: latin-1\n")], "changes the declared encoding"),
    ],
)
def test_a_repair_that_changes_more_is_refused(swaps, why):
    if why is None:
        with pytest.raises(ValueError):
            proof(SOURCE, *swaps)
    elif why.startswith("does not parse"):
        assert proof(SOURCE, *swaps).startswith(why)
    else:
        assert proof(SOURCE, *swaps) == why


def test_a_statement_between_two_edits_that_swallow_it_is_noticed():
    assert proof("a = 1\nb = 2\nc = 3\n", ("a = 1", "a = '''"), ("c = 3", "'''")) == (
        "changes line 2, which lies outside the repair"
    )


def test_a_block_that_grows_without_being_touched_is_noticed():
    before = "if x:\n    pass\ny = 1\nif z:\n    pass\nelse:\n    w = 2\n"
    assert proof(before, ("y = 1\nif z:\n    pass\nelse:\n", "")) == "changes line 1, which lies outside the repair"


def test_statements_that_end_up_in_a_text_are_noticed():
    assert (
        proof("a\nb\nc\nd\n", ("a", "def f(x='''"), ("d", "'''): pass"))
        == "changes line 2, which lies outside the repair"
    )


def test_bytes_changed_beside_the_edits_are_noticed():
    edits = [Edit("a.py", "d", 0, 1, "y")]
    assert fault("a.py", b"x = 1\n", b"y = 2\n", edits) == "changes bytes outside the repair"


def test_a_file_that_did_not_parse_is_not_repaired():
    assert proof("x = (\ny = 1\n", ("x = (", "x = 1")).startswith("does not parse (line 1")


def test_a_source_that_never_compiled_need_not_compile_afterwards():
    assert proof("return 1\nx = 2\n", ("x = 2", "x = 3")) == ""


def test_a_bom_and_a_legacy_codec_are_kept():
    assert proof(b"\xef\xbb\xbfx = 1\n", ("1", "'\u00e9'")) == ""
    data = "# coding: latin-1\nx = 'é'; y = 1\nz = 'ü'\n".encode("latin-1")
    assert proof(data, ("1", "'ö'")) == ""
    assert proof(data, ("z = |", "1 + ")) == ""


def test_a_deep_tree_gives_an_answer_and_no_traceback():
    deep = "x = " + "+".join(["a"] * 390) + "\ny = 1\n"
    assert proof(deep, ("y = 1", "y = 2")) == ""
    assert proof(deep, ("y = 1", "y = " + "-" * 5000 + "1")).startswith("does not parse afterwards")


@pytest.mark.parametrize(
    ("path", "before", "swap", "why"),
    [
        ("pyproject.toml", "[a]\nb = 1\n", ("1", "2"), ""),
        ("pyproject.toml", "[a]\nb = 1\n", ("1", "[1"), "is not TOML afterwards"),
        ("uv.lock", "version = 1\n", ("1", "x"), "is not TOML afterwards"),
        (
            "requirements.txt",
            "torch==2.1\n-r x.txt\n",
            ("torch==2.1", "torch[cuda]>=2.2,<3 ; python_version>'3' # why"),
            "",
        ),
        ("requirements.txt", "torch==2.1\nodd line!\n", ("2.1", "2.2"), ""),
        (
            "requirements.txt",
            "torch==2.1\n",
            ("==2.1", " 2.2"),
            "has a line that is no requirement afterwards (line 1)",
        ),
        ("a.ipynb", '{"cells": [{"source": "x"}], "n": 1}\n', ('"x"', '"y"'), ""),
        ("a.ipynb", '{"cells": [{"source": "x"}], "n": 1}\n', ("1", "2"), "changes more than the code of cells"),
        ("a.ipynb", '{"cells": [{"source": "x"}], "n": 1}\n', ("1", "]"), "is not JSON afterwards"),
        ("run.sh", "torchrun a\n", ("a", "b"), ""),
        ("bin/train", "#!/usr/bin/python\nx = 1\n", ("1", "("), "does not parse afterwards"),
        ("bin/train", "#!/usr/bin/python\nx = 1\n", ("python", "perl"), "changes what kind of file this is"),
    ],
)
def test_other_files_stay_what_they_are(path, before, swap, why):
    result = proof(before, swap, path=path)
    assert result.startswith(why) if why else result == ""


def test_a_new_file_need_only_be_sound():
    def new(path: str, text: str) -> str:
        return fault(path, b"", text.encode(), [Edit(path, "", 0, 0, text)])

    assert [new("a.py", "x = 1\n"), new("a.py", ""), new("b.toml", "a = 1")] == ["", "", ""]
    assert new("a.py", "x = (").startswith("does not parse afterwards")
    assert new("b.toml", "a = ").startswith("is not TOML afterwards")


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("x = 1", "x  =  1 # c", True), ("x = 1", "x = 1.0", False), ("x = 1", "x = True", False),
        ("x = 'a'", "x = b'a'", False),
        ("x = 1e999 - 1e999", "x = 1e999 - 1e999", True), ("f(a, b)", "f(a)", False), ("f(a)", "f(b)", False),
        ("'a' 'b'", "'ab'", True), ("u'a'", "'a'", False), ("x.y", "x.z", False),
        ("def f(): pass", "async def f(): pass", False),
    ],
)  # fmt: skip
def test_trees_are_equal_but_for_positions(one, other, expected):
    assert equal(ast.parse(one), ast.parse(other)) == expected


STATEMENTS = st.sampled_from(
    ["a = 1", "def f():\n    b = 2\n    return b", "if x:\n    c = 3\nelse:\n    d = 4", "import e", "'s'"]
)


@given(st.lists(STATEMENTS, min_size=1, max_size=6), st.data())
def test_a_proven_change_leaves_every_untouched_statement_at_the_top_alone(statements, data):
    before = ("\n".join(statements) + "\n").encode()
    start = data.draw(st.integers(0, len(before)))
    end = data.draw(st.integers(start, min(len(before), start + 8)))
    text = data.draw(
        st.sampled_from(["", "'''", "z = 9\n", "\n", "if y:\n    ", "#", "(", ")", " + 1", "    ", "\\\n"])
    )
    edits = [Edit("a.py", "d", start, end, text)]
    after = replace(before, edits, "utf_8")
    if fault("a.py", before, after, edits):
        return
    offsets = [0]
    for line in before.splitlines(keepends=True):
        offsets.append(offsets[-1] + len(line))
    dumped = [ast.dump(node) for node in ast.parse(after).body]
    for node in ast.parse(before).body:
        if offsets[node.end_lineno - 1] + node.end_col_offset < start or offsets[node.lineno - 1] > end:
            assert ast.dump(node) in dumped
