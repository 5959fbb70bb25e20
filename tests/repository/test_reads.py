"""What a file says of one name: which changes of the file change its digest, and which do not."""

from __future__ import annotations

import pytest

from dlgovern.repository.reads import Statements, of_origin, of_passed_on, of_text, packed, parts, unpacked

BEFORE = b"""import os
from torch import load
from .more import *

load_all = torch.load


@cached
def fetch(path):
    return load(path)


class Reader:
    def fetch_two(self):
        return 1
"""


def _digest(data: bytes, read: str) -> str:
    return Statements(data).digest(parts(read)[1])


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("load_all", b"torch.load\n", b"torch.save\n"),
        ("load_all", b"= torch.load\n", b"= \\\ntorch.save\n"),
        ("load_all", b"load_all = torch.load\n", b""),
        ("load", b"from torch import load", b"from numpy import load"),
        ("load", b"from torch import load", b"from torch import (\n    save as load,\n)"),
        ("anything", b"from .more import *", b"from .less import *"),
        ("anything", b"import os\n", b"import os\nanything = torch.save\n"),
        ("anything", b"import os\n", b"import os\nif os:\n    from torch import save as anything\n"),
        ("anything", b"import os\n", b"import os\ndef anything(): ...\n"),
        ("fetch", b"def fetch(", b"def fetches("),
    ],
)
def test_what_says_the_name_counts(name, before, after):
    assert BEFORE.count(before) == 1
    changed = BEFORE.replace(before, after)
    assert _digest(BEFORE, of_origin("a.py", name)) != _digest(changed, of_origin("a.py", name))
    assert _digest(BEFORE, of_text("a.py", name)) != _digest(changed, of_text("a.py", name))


@pytest.mark.parametrize("name", ["load", "load_all", "anything", "fetch"])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"import os\n", b"import os\nimport re\n\n"),
        (b"        return 1\n", b"        return 2\n\n\nMORE = 3  # at the end\n"),
        (b"fetch_two", b"fetch_three"),
    ],
)
def test_what_says_another_name_does_not(name, before, after):
    assert BEFORE.count(before) == 1
    changed = BEFORE.replace(before, after)
    assert _digest(BEFORE, of_origin("a.py", name)) == _digest(changed, of_origin("a.py", name))
    assert _digest(BEFORE, of_text("a.py", name)) == _digest(changed, of_text("a.py", name))


def test_a_function_comes_from_nowhere_else_whatever_it_does():
    changed = BEFORE.replace(b"return load(path)", b"return path")
    assert _digest(BEFORE, of_origin("a.py", "fetch")) == _digest(changed, of_origin("a.py", "fetch"))
    assert _digest(BEFORE, of_text("a.py", "fetch")) != _digest(changed, of_text("a.py", "fetch"))


@pytest.mark.parametrize(
    "text",
    [b'name = """\nfirst\nsecond\n"""\n', b"name = [\n1,\n2,\nfirst,\n]\n", b"name = torch.func(\nfirst)\n"],
)
def test_a_statement_that_goes_on_at_the_margin_is_one(text):
    assert _digest(text, of_text("a.py", "name")) != _digest(text.replace(b"first", b"other"), of_text("a.py", "name"))


def test_a_name_in_another_form_of_the_same_letters_is_the_name():
    plain, odd = b"ab = torch.load\n", "ａb = torch.load\n".encode()
    assert _digest(plain, of_text("a.py", "ab")) == _digest(odd, of_text("a.py", "ab"))


def test_names_that_are_passed_on():
    changed = BEFORE.replace(b"return 1", b"return 2")
    assert _digest(BEFORE, of_passed_on("a.py")) == _digest(changed, of_passed_on("a.py"))
    for line in (b"from x import y\n", b"other = torch.save\n"):
        assert _digest(BEFORE, of_passed_on("a.py")) != _digest(BEFORE + line, of_passed_on("a.py"))


def test_reads_are_packed_by_file():
    reads = ["a.py", of_text("a.py", "x"), "b/c.py", of_origin("a.py", "x"), of_passed_on("d.py"), of_text("e.py", "")]
    paths, files, names = packed(reads)
    assert (["a.py", "b/c.py", "d.py", "e.py"], [0, 0, 1, 0, 2, 3]) == (paths, files)
    assert reads == unpacked(paths, files, names)
