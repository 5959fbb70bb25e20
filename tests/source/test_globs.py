"""A pattern names paths as .gitignore does, and no pattern can make matching slow."""

from __future__ import annotations

import time
from fnmatch import fnmatchcase
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlgovern.errors import ConfigurationError
from dlgovern.source.globs import matcher


def matches(pattern: str, path: str) -> bool:
    return matcher([pattern]).match(path) is not None


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("build", "build/a.py"), ("build", "x/build/a.py"), ("build", "x/build"), ("*.gen.py", "x/y/a.gen.py"),
        ("/build", "build/a.py"),
        ("x/build", "x/build/a.py"), ("build/", "x/build/a.py"), ("x/*/a.py", "x/y/a.py"),
        ("x/**/a.py", "x/a.py"), ("x/**/a.py", "x/y/z/a.py"), ("**/a.py", "a.py"), ("**/x/*.py", "y/x/a.py"),
        ("x/**", "x/y/a.py"), ("x/**", "x/a.py"), ("**", "a.py"), ("*", "x/a.py"), ("a?.py", "ab.py"),
        ("[ab].py", "b.py"),
        ("[!ab].py", "c.py"), ("./x/a.py", "x/a.py"), (r"\*.py", "*.py"), ("a+b(c).py", "a+b(c).py"), ("[", "x/["),
        ("*a*b", "xaxxb/c.py"), ("x/**/y/**/z", "x/1/y/2/3/z/a"), ("**/a/b", "a/a/b"), ("**/a*b/c", "ab/aXb/c"),
    ],
)  # fmt: skip
def test_a_pattern_matches_what_it_names_and_what_lies_in_it(pattern, path):
    assert matches(pattern, path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("build", "rebuild/a.py"), ("build", "build.py"), ("/build", "x/build/a.py"),
        ("x/build", "y/x/build/a.py"),
        ("build/", "x/build"), ("x/*/a.py", "x/a.py"), ("x/*/a.py", "x/y/z/a.py"), ("x/**/a.py", "xa.py"),
        ("x/**", "x"), ("a?.py", "a/.py"), ("[!a].py", "a.py"), ("a[!b]c", "a/c"), ("*.py", "a.pyc"),
        (r"\*.py", "a.py"),
        ("**/a/b", "aa/b"), ("x/**/y/**/z", "x/y/1"), ("a.py", "aXpy"), ("*a*b", "xb"),
    ],
)  # fmt: skip
def test_a_pattern_does_not_match_its_neighbour(pattern, path):
    assert not matches(pattern, path)


@pytest.mark.parametrize("pattern", ["!a.py", "/", "", "[z-a]"])
def test_a_pattern_that_makes_no_sense_is_refused(pattern):
    with pytest.raises(ConfigurationError):
        matcher([pattern])


def test_no_patterns_match_nothing():
    assert matcher([]) is None


def slow(pattern: str, path: str) -> bool:
    """The same by definition: some leading part of the path matches name by name."""
    names = pattern.strip("/").split("/")
    if "/" not in pattern.removesuffix("/"):
        names.insert(0, "**")
    parts = path.split("/")

    @cache
    def fits(i: int, j: int) -> bool:
        if i == len(names):
            return not pattern.endswith("/") or j < len(parts)
        if names[i] == "**":
            if i == len(names) - 1 and i > 0:
                return j < len(parts)
            return fits(i + 1, j) or (j < len(parts) and fits(i, j + 1))
        return j < len(parts) and fnmatchcase(parts[j], names[i]) and fits(i + 1, j + 1)

    return fits(0, 0)


NAMES = st.sampled_from(["a", "b", "ab", "ba", "aab", "abab", "c"])
PATTERNS = st.sampled_from(["a", "ab", "*", "a*", "*b", "*a*b", "a?", "[ab]", "[!a]*", "**"])


@given(
    pattern=st.lists(PATTERNS, min_size=1, max_size=5)
    .map("/".join)
    .filter(lambda p: not p.endswith("**") and "**/**" not in p),
    slash=st.sampled_from(["", "/"]),
    path=st.lists(NAMES, min_size=1, max_size=6).map("/".join),
)
def test_the_expression_agrees_with_the_definition(pattern, slash, path):
    assert matches(pattern + slash, path) == slow(pattern + slash, path)


@pytest.mark.parametrize(
    "pattern", ["*a" * 50 + "b", "**/a/" * 40 + "b", "a/**/" * 40 + "*a*a*a*b", "*?" * 100, "[a]*" * 100 + "b"]
)
def test_no_pattern_is_slow_on_a_long_path(pattern):
    expression = matcher([pattern])
    begin = time.perf_counter()
    for path in ("a" * 4000, "a/" * 2000 + "c", ("a" * 100 + "/") * 40 + "c"):
        expression.match(path)
    assert time.perf_counter() - begin < 20
