"""Notebooks become Python source whose every place is known in the cell and in the file."""

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlgovern.source.notebook import read_notebook
from dlgovern.source.parse import Unparsable


def code(source, kind="code"):
    return {"cell_type": kind, "metadata": {}, "source": source, "outputs": []}


def four(*cells, **metadata):
    return {"cells": list(cells), "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def three(*cells):
    inner = [{"cell_type": "code", "language": "python", "input": one, "outputs": []} for one in cells]
    return {"worksheets": [{"cells": inner}], "metadata": {"name": ""}, "nbformat": 3, "nbformat_minor": 0}


def written(book, **options):
    return json.dumps(book, **options).encode()


def lines(book):
    return read_notebook(written(book)).code.decode().split("\n")[1:-1]


def at(text, spot):
    return text.split("\n")[spot.raw_line - 1][spot.raw_column - 1 :]


def test_cells_follow_each_other_and_markdown_is_left_out():
    assert ["a = 1", "b = a"] == lines(four(code("a = 1"), code("# text", "markdown"), code(["b = a\n"])))


def test_format_three_is_read():
    assert ["a = 1", "b = a"] == lines(three(["a = 1"], "b = a"))


def test_cells_count_with_those_that_hold_no_code():
    book = read_notebook(written(four(code("# text", "markdown"), code("a = 1"))))
    assert (2, 1, 5) == book.spot(2, 5)[:3]


@pytest.mark.parametrize("indent", (None, 1, 4))
@pytest.mark.parametrize("ascii_only", (True, False))
@pytest.mark.parametrize("source", ("x = 'é😀\\t\"'; here = 1\n", ["x = 'é😀\\t\"'; ", "here = 1\n"], "\n\nx = '😀'; here = 1"))
def test_a_column_is_found_behind_escapes(indent, ascii_only, source):
    text = json.dumps(four(code(source)), indent=indent, ensure_ascii=ascii_only)
    book = read_notebook(text.encode())
    found = next((n, line.index("here")) for n, line in enumerate(book.code.decode().split("\n"), 1) if "here" in line)
    assert at(text, book.spot(found[0], found[1] + 1)).startswith("here = 1")


@pytest.mark.parametrize(
    ("source", "plain"),
    (
        ("%matplotlib inline\nx = 1", ["pass", "x = 1"]),
        ("!ls -l\nx = 1", ["pass", "x = 1"]),
        ("!!ls", ["pass"]),
        ("!pip install \\\n  torch\nx = 1", ["pass", "", "x = 1"]),
        ("if x:\n    !ls\n    %pip list", ["if x:", "    pass", "    pass"]),
        ("files = !ls", ["files = None"]),
        ("a, b = !ls", ["a, b = None"]),
        ("took = %timeit -o f()", ["took = None"]),
        ("%time f(1)", ["f(1)"]),
        ("%timeit -n 10 -r3 f(1)", ["f(1)"]),
        ("%time", ["pass"]),
        ("torch.load?", ["pass"]),
        ("?torch.load", ["pass"]),
        ("torch.load??", ["pass"]),
        ("%%time\nx = 1", ["", "x = 1"]),
        ("%%capture out\n%pip list\nx = 1", ["", "pass", "x = 1"]),
        ("%%bash\nls\n", ["", ""]),
        ("\n%%html\n<b>", ["", "", ""]),
        ("  x = 1\n  y = 2", ["x = 1", "y = 2"]),
        ("x = '''\n!no\n%no\n'''", ["x = '''", "!no", "%no", "'''"]),
        ("x = (1\n% 3)", ["x = (1", "% 3)"]),
        ("x = 1 \\\n% 3", ["x = 1 \\", "% 3"]),
        ("x = {  # [\n'a': 1,\n}\n!ls", ["x = {  # [", "'a': 1,", "}", "pass"]),
        ("x = 5 if a != b else '?'", ["x = 5 if a != b else '?'"]),
        ("print('%s' % x)  # what?", ["print('%s' % x)  # what?"]),
        ("x = 'a\\\n!no'\n!ls", ["x = 'a\\", "!no'", "pass"]),
        ("x %= 2\ny = x % 2", ["x %= 2", "y = x % 2"]),
    ),
)
def test_what_is_not_python_is_taken_out_in_place(source, plain):
    assert plain == lines(four(code(source)))


@pytest.mark.parametrize(
    ("source", "said"),
    (
        ("!pip install torch", ("shell", "pip install torch", 1, 1)),
        ("x = 1\n%pip install -q torch", ("pip", "install -q torch", 2, 1)),
        ("if 1:\n    !pip install \\\n       torch", ("shell", "pip install torch", 2, 5)),
        ("files = !ls *.pt", ("shell", "ls *.pt", 1, 9)),
        ("%%bash\ntorchrun train.py\n", ("script", "torchrun train.py", 2, 1)),
        ("%%script bash --bg\nls", ("script", "ls", 2, 1)),
        ("%%writefile train.py\nx", ("writefile", "train.py\nx", 1, 1)),
        ("%env CUDA_VISIBLE_DEVICES=0", ("env", "CUDA_VISIBLE_DEVICES=0", 1, 1)),
    ),
)
def test_commands_are_given_as_facts(source, said):
    (command,) = read_notebook(written(four(code(source)))).commands
    assert said == (command.kind, command.text, command.spot.line, command.spot.column)


def test_a_command_is_found_in_the_file():
    text = json.dumps(four(code(["x = 1\n", "!pip install torch"])), indent=1)
    (command,) = read_notebook(text.encode()).commands
    assert at(text, command.spot).startswith("!pip install torch")


@pytest.mark.parametrize("about", ({"kernelspec": {"language": "R"}}, {"language_info": {"name": "julia"}}))
def test_another_language_is_no_python(about):
    assert b"" == read_notebook(written(four(code("x <- 1"), **about))).code


def test_text_of_outputs_and_metadata_is_no_code():
    cell = {**code("x = 1"), "metadata": {"source": "no"}, "outputs": [{"source": ["no"], "cells": [code("no")]}]}
    assert ["x = 1"] == lines(four(cell, cells=[code("no")]))


def test_a_key_in_escapes_is_the_same_key():
    assert b"x = 1" in read_notebook(written(four(code("x = 1"))).replace(b'"source"', b'"s\\u006furce"')).code


@pytest.mark.parametrize("front", (b"\xef\xbb\xbf", b"\r\n", b" \t\n"))
def test_marks_and_blanks_at_the_front_change_nothing(front):
    assert b"x = 1" in read_notebook(front + written(four(code("x = 1")))).code


def test_line_ends_of_windows_are_line_ends():
    text = json.dumps(four(code(["x = 1\r\n", "y = 2"])), indent=1).replace("\n", "\r\n")
    book = read_notebook(text.encode())
    assert "# coding: utf-8\nx = 1\ny = 2\n" == book.code.decode()
    assert at(text, book.spot(3, 1)).startswith("y = 2")


def test_a_declared_coding_does_not_count():
    assert "# coding: utf-8\n# coding: latin-1\nx = 'é'\n" == read_notebook(
        written(four(code("# coding: latin-1\nx = 'é'")))
    ).code.decode()


@pytest.mark.parametrize(
    ("data", "why"),
    (
        (b"", "is not valid JSON"),
        (b"{", "is not valid JSON"),
        (b"[]", "it is no object"),
        (b"{}", "it has no cells"),
        (b'{"cells": 5}', "its cells are no list"),
        (b'{"cells": [5]}', "cell 1 is no object"),
        (b'{"worksheets": 5}', "its worksheets are no objects"),
        (b'{"worksheets": [5]}', "its worksheets are no objects"),
        (b'{"cells": [{"cell_type": "code", "source": 5}]}', "the source of cell 1 is no text"),
        (b'{"cells": [{"cell_type": "code", "source": ["a", null]}]}', "the source of cell 1 is no text"),
        (b'{"cells": [], "x": "a\0b"}', "is not valid JSON"),
        (b"\xff\xfe{\0}\0", "is not UTF-8"),
        (b'{"x": ' + b"9" * 10_000 + b"}", "is not valid JSON"),
        (b"[" * 100_000, "nests too deeply"),
        (b'{"a":' * 100_000, "nests too deeply"),
        (b"[" + b"[]," * 3_000_000, "has more than"),
        (written(four(code("x = 1\n" * 400_000))), "bytes of code"),
    ),
    ids=lambda value: str(value)[:30],
)
def test_what_cannot_be_read_is_said(data, why):
    with pytest.raises(Unparsable) as caught:
        read_notebook(data)
    assert why in caught.value.why


CELLS = st.lists(
    st.one_of(
        st.sampled_from(("x = 1\n", "!ls\n", "%time f()\n", "'''\n", "(\n", "x = !ls \\\n", "%%bash\n", "\\", "é😀\r\n", "a?\n", "'", "#")),
        st.text(max_size=20),
    ),
    max_size=8,
)


@settings(max_examples=200, deadline=None)
@given(st.lists(CELLS, max_size=4), st.sampled_from((None, 1)), st.booleans())
def test_any_text_is_read_and_every_line_is_in_its_cell(cells, indent, ascii_only):
    text = json.dumps(four(*map(code, cells)), indent=indent, ensure_ascii=ascii_only)
    book = read_notebook(text.encode("utf-8", "surrogatepass") if not _lone(text) else json.dumps(four(*map(code, cells))).encode())
    for number in range(1, len(book.lines) + 1):
        spot = book.spot(number, 3)
        assert 1 <= spot.cell <= max(len(cells), 1)
        assert spot.line >= 1
        assert spot.raw_line >= 1
        assert spot.raw_column >= 1


def _lone(text):
    return any("\ud800" <= char <= "\udfff" for char in text)


def test_a_damaged_notebook_is_read_or_refused():
    whole = written(four(code(["import torch\n", "!ls\n", "x = torch.load('a')"]), code("%%bash\nls")), indent=1)
    chance = random.Random(0)
    for _ in range(1500):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            where = chance.randrange(len(data))
            data[where : where + chance.randint(0, 3)] = bytes(chance.choices(b'\0"\\[]{},:\xff\xc3 an\n', k=chance.randint(0, 3)))
        try:
            read_notebook(bytes(data))
        except Unparsable:
            continue


@pytest.mark.parametrize(
    "line", ("%time -a" + " " * 50_000 + ")", "x" + " " * 50_000 + "=!", "?" * 50_000, "=" * 50_000 + "!", "%" * 50_000, "'" * 50_000)
)
def test_long_lines_cost_no_more_than_their_length(line):
    assert 1 == len(lines(four(code(line))))
