"""The line of a key is found where the TOML parser does not say it."""

from __future__ import annotations

import pytest

from dlgovern.standard.locate import Lines

TEXT = """\
id = "x"
why = '''
not = a key
'''
[call]
names = [
    "a",
]
"quoted.key" = 1
a.b = 2
[[example]]
name = "one"
[example.files]
"x.py" = "1"
[[example]]
name = "two"
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (["id"], 1), (["why"], 2), (["not"], 0), (["call"], 5), (["call", "names"], 6), (["call", "quoted.key"], 9),
        (["call", "a", "b"], 10), (["example", 0, "name"], 12), (["example", 0, "files", "x.py"], 14),
        (["example", 1, "name"], 16), (["example", 1], 15), (["call", "names", 0], 6), (["call", "absent"], 5), ([], 0),
    ],
)
def test_a_key_or_the_nearest_table_around_it_has_a_line(path, line):
    assert line == Lines(TEXT).line(path)
