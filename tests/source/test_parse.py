"""A source becomes a tree, or one exception that says where, why and of which kind."""

from __future__ import annotations

import ast
import sys
import time
import warnings

import pytest

from dlgovern.source.dialect import explain
from dlgovern.source.parse import DEPTH, Unparsable, parse


def refusal(data: bytes) -> tuple[int, int, str, str]:
    with pytest.raises(Unparsable) as caught:
        parse(data)
    return caught.value.line, caught.value.column, caught.value.why, caught.value.kind


def kind(data: bytes) -> str:
    return refusal(data)[3]


def test_an_ordinary_source_gives_the_tree_of_ast():
    data = b"\xef\xbb\xbfimport torch\r\nclass A:\r\n    def f(self): return torch.load('x')\r\n"
    assert ast.dump(parse(data), include_attributes=True) == ast.dump(ast.parse(data), include_attributes=True)


def test_an_empty_source_is_an_empty_module():
    assert parse(b"").body == []


def test_a_syntax_error_has_its_place_in_characters():
    assert refusal("x = 1\ny = 'é' +* 2\n".encode())[:2] == (2, 10)


@pytest.mark.parametrize(
    "data",
    [
        b"x = (",
        b"  x = 1",
        b"if x:\n\ty\n        z\n",
        b"'abc",
        b"x = 1 +\n",
        b"1" * 5000,
        b"\xff",
        b"x\0",
        b"# coding: nonsense\n",
        b"# coding: rot13\n",
        b"'\\N{no such name}'",
        b"x = \xe2\x82",
        b"return = 1",
        b"f(**x, *y)",
    ],
)
def test_every_broken_source_is_unparsable_and_nothing_else(data):
    assert kind(data) in ("syntax", "limits")


DEEP = {
    "brackets": b"(" * 300 + b")" * 300,
    "unary": b"-" * 100_000 + b"1",
    "not": b"not " * 50_000 + b"x",
    "lambda": b"lambda: " * 20_000 + b"1",
    "operators": b"+".join([b"a"] * 2_000),
    "more operators": b"+".join([b"a"] * 20_000),
    "operators over lines": b"x = (" + b" +\n".join([b"a"] * 600) + b")\n",
    "operators in a deep block": b"class A:\n def f():\n  x = (" + b" +\n".join([b"a"] * 600) + b")\n",
    "operators in a default": b"def f(x=(" + b" +\n".join([b"a"] * 600) + b")): pass\n",
    "operators in a decorator": b"@(" + b" +\n".join([b"a"] * 600) + b")\nclass A: pass\n",
    "operators in a condition": b"while (" + b" +\n".join([b"a"] * 600) + b"): pass\n",
    "operators in a guard": b"match x:\n case 1 if (" + b" +\n".join([b"a"] * 600) + b"): pass\n",
    "operators in a with": b"with (" + b" +\n".join([b"a"] * 600) + b"): pass\n",
    "operators in an except": b"try: pass\nexcept (" + b" +\n".join([b"a"] * 600) + b"): pass\n",
    "operators in bases": b"class A(" + b" +\n".join([b"a"] * 600) + b"): pass\n",
    "operators in a returned type": b"def f() -> (" + b" +\n".join([b"a"] * 600) + b"): pass\n",
    "operators in a subject": b"match (" + b" +\n".join([b"a"] * 600) + b"):\n case 1: pass\n",
    "a short argument": b"f(" + b"-" * 450 + b"1)",
    "attributes": b"a" + b".b" * 5_000,
    "calls": b"a" + b"()" * 5_000,
    "elif": b"if a: pass\n" + b"elif a: pass\n" * 1_000,
    "many elif": b"if a: pass\n" + b"elif a: pass\n" * 10_000,
    "indents": b"".join(b" " * n + b"if x:\n" for n in range(150)) + b" " * 150 + b"x\n",
    "power": b"**".join([b"a"] * 20_000),
    "many nodes": b"a\n" * 490_000,
    "many numbers": b"x = [" + b"1," * 490_000 + b"]",
    "many fields": b"f'" + b"{a}" * 150_000 + b"'",
}  # fmt: skip


@pytest.mark.parametrize("data", DEEP.values(), ids=list(DEEP))
def test_what_is_too_deep_or_too_large_is_refused_as_such_in_time(data):
    begin = time.perf_counter()
    assert kind(data) == "limits"
    assert time.perf_counter() - begin < 20


@pytest.mark.parametrize(
    "data",
    [
        b"+".join([b"a"] * (DEPTH - 10)),
        b"if a: pass\n" + b"elif a: pass\n" * (DEPTH - 10),
        b"x = (" + b" or\n".join([b"a"] * 5_000) + b")\n",
        b"x = [\n" + b"    [1, 2, 3],\n" * 5_000 + b"]\n",
        b"'''" + b"((((" * 5_000 + b"'''\n",
        b"f(" + b"a, " * 5_000 + b")\n",
        b"x = {" + b"'a': {'b': 1}, " * 20_000 + b"}\n",
        b"a = 1\n" * 140_000,
    ],
    ids=["sum", "elif", "flat or", "table", "text", "arguments", "dictionaries", "statements"],
)
def test_what_is_large_but_flat_parses(data):
    assert parse(data).body


def test_warnings_about_a_source_are_not_ours_to_show():
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        parse(b"'\\d'\nx = 1 is 1\nassert (1, 2)\n")
    assert shown == []


def test_warnings_as_errors_do_not_make_a_source_unparsable():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(parse(b"'\\d'\n").body) == 1


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"print 'x'\n", "a print statement"),
        (b"exec 'x'\n", "an exec statement"),
        (b"try: pass\nexcept ValueError, e: pass\n", "except with a comma"),
        (b"raise ValueError, 'x'\n", "raise with a comma"),
        (b"x = 0777\n", "an octal number without 0o"),
        (b"x = 1 <> 2\n", "the operator <>"),
        (b"x = `y`\n", "backquotes"),
    ],
)
def test_python_2_is_called_by_its_name(data, what):
    if sys.version_info >= (3, 14) and b"except" in data:
        pytest.skip("newer Python reads this")
    assert refusal(data)[2:] == (f"is written for Python 2: {what}", "syntax")


NEWER = [
    ((3, 15), "lazy import torch\n", "a lazy import"),
    ((3, 15), "x = [*y for y in z]\n", "unpacking in a comprehension"),
    ((3, 14), "try: pass\nexcept ValueError, TypeError: pass\n", "except without parentheses"),
    ((3, 14), "x = t'a {b}'\n", "a template string"),
    ((3, 13), "def f[T = int](x): pass\n", "defaults of type parameters"),
    ((3, 12), "def f[T](x): pass\n", "type parameters"),
    ((3, 12), "class A[T]: pass\n", "type parameters"),
    ((3, 12), "async def f[T](x): pass\n", "type parameters"),
    ((3, 12), "type X = int\n", "a type statement"),
    ((3, 12), "type X[T] = list[T]\n", "a type statement"),
    ((3, 12), "x = f'{'\\n'.join(y)}'\n", "a formatted string of the newer grammar"),
    ((3, 12), 'x = f"{y["a"]}"\n', "a formatted string of the newer grammar"),
    ((3, 12), "x = f'{\n y}'\n", "a formatted string of the newer grammar"),
]


@pytest.mark.parametrize(("since", "text", "what"), NEWER)
def test_newer_syntax_is_told_apart_from_wrong_syntax(since, text, what):
    if sys.version_info[:2] >= since:
        assert parse(text.encode()).body
        return
    have = "Python {}.{}".format(*sys.version_info[:2])
    why = f"uses {what} of Python {since[0]}.{since[1]}, which {have} does not read"
    assert refusal(text.encode())[2:] == (why, "newer")


@pytest.mark.parametrize(
    "data",
    [
        b"lazy = import torch\n",
        b"t 'a'\n",
        b"def f(T](x): pass\n",
        b"class A(T]: pass\n",
        b"type X int\n",
        b"x = 'f{' 'a' y\n",
        b"x = not_t'a' b\n",
    ],
)
def test_wrong_syntax_that_resembles_newer_is_only_wrong(data):
    assert kind(data) == "syntax"


def test_newer_syntax_is_not_excused_on_the_python_that_has_it():
    assert explain("invalid syntax", 1, 1, b"def f[T](x) pass\n", (3, 12)) == ("invalid syntax", False)


def test_a_hostile_line_is_explained_in_bounded_time():
    begin = time.perf_counter()
    for text in (b"f'" * 500_000, b"f'{" * 300_000, b"`" * 900_000, b"t " * 400_000, b"except A" + b", A" * 300_000):
        explain("invalid syntax", 1, 1, text, (3, 11))
    assert time.perf_counter() - begin < 20
