"""What a file says of one name: which changes of the file change its digest, and which do not."""

from __future__ import annotations

import json

import pytest

from dlgovern.repository.reads import Packed, Statements, of_surface, of_text, parts

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


MEANS = [
    (b"torch.load\n", b"torch.save\n"),
    (b"= torch.load\n", b"= \\\ntorch.save\n"),
    (b"load_all = torch.load\n", b""),
    (b"from torch import load", b"from numpy import load"),
    (b"from torch import load", b"from torch import (\n    save as load,\n)"),
    (b"from torch import load", b"try:\n    from torch import load\nexcept ImportError:\n    pass"),
    (b"from .more import *", b"from .less import *"),
    (b"import os\n", b"import os\nanything = torch.save\n"),
    (b"import os\n", b"import os\nload = None\n"),
    (b"import os\n", b"import os\nif os:\n    anything = torch.save\n"),
    (b"import os\n", b"import os\ndef anything(): ...\n"),
    (b"def fetch(", b"def fetches("),
    (b"    def fetch_two", b"    pass\n\n\ndef fetch_two"),
]


@pytest.mark.parametrize(("before", "after"), MEANS)
def test_what_names_mean_is_the_surface(before, after):
    assert BEFORE.count(before) == 1
    assert _digest(BEFORE, of_surface("a.py")) != _digest(BEFORE.replace(before, after), of_surface("a.py"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"        return 1\n", b"        return 2\n\n\nMORE = 3  # at the end\n"),
        (b"return load(path)", b"value = load(path)\n    return value"),
        (b"@cached\n", b"@cached()\n"),
        (b"import os\n", b"import os\n\n# more\nLIMIT = 3\n"),
    ],
)
def test_what_functions_do_is_not(before, after):
    assert BEFORE.count(before) == 1
    assert _digest(BEFORE, of_surface("a.py")) == _digest(BEFORE.replace(before, after), of_surface("a.py"))


@pytest.mark.parametrize(
    ("name", "before", "after", "same"),
    [
        ("load_all", b"torch.load\n", b"torch.save\n", False),
        ("fetch", b"return load(path)", b"return path", False),
        ("Reader", b"return 1", b"return 2", False),
        ("Reader", b"return load(path)", b"return path", True),
        ("fetch", b"return 1", b"return 2", True),
        ("anything", b"import os\n", b"import os\nanything = 1\n", False),
        ("anything", b"import os\n", b"import os\nanything_else = 1\n", True),
    ],
)
def test_every_statement_that_says_a_name_counts_for_it(name, before, after, same):
    assert BEFORE.count(before) == 1
    assert same == (_digest(BEFORE, of_text("a.py", name)) == _digest(BEFORE.replace(before, after), of_text("a.py", name)))


@pytest.mark.parametrize(
    "text",
    [b'name = """\nfirst\nsecond\n"""\n', b"name = [\n1,\n2,\nfirst,\n]\n", b"name = torch.func(\nfirst)\n"],
)
def test_a_statement_that_goes_on_at_the_margin_is_one(text):
    assert _digest(text, of_text("a.py", "name")) != _digest(text.replace(b"first", b"other"), of_text("a.py", "name"))


def test_a_name_in_another_form_of_the_same_letters_is_the_name():
    plain, odd = b"ab = torch.load\n", "ａb = torch.load\n".encode()
    assert _digest(plain, of_text("a.py", "ab")) == _digest(odd, of_text("a.py", "ab"))


def test_reads_are_packed_by_file():
    reads = ["a.py", of_text("a.py", "x"), "b/c.py", of_text("a.py", "x"), of_surface("d.py"), of_text("e.py", "")]
    first = Packed([], [], [])
    first.add(reads[:3])
    second = Packed(**json.loads(json.dumps(first.columns())))
    second.add(reads[3:])
    columns = second.columns()
    assert (["a.py", "b/c.py", "d.py", "e.py"], [0, 0, 1, 0, 2, 3]) == (columns["paths"], columns["files"])
    assert reads == Packed(**columns).reads()
