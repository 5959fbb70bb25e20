"""A line's fingerprint is the one that GitHub's upload action computes.

The expected values are published test vectors of github/codeql-action.
"""

from __future__ import annotations

import pytest

from dlgovern.report.linehash import line_hashes

GREETINGS = [
    "e9496ae3ebfced30:1",
    "fb7c023a8b9ccb3f:1",
    "ce8ba1a563dcdaca:1",
    "e20e36e16fcb0cc8:1",
    "b3edc88f2938467e:1",
    "c8e28b0b4002a3a0:1",
    "c129715d7a2bc9a3:1",
]
LOREM = [f"a7f2ff13bc495cf2:{number}" for number in range(1, 7)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["c129715d7a2bc9a3:1"]),
        (" a\nb\n  \t\tc\n d", ["271789c17abda88f:1", "54703d4cd895b18:1", "180aee12dab6264:1", "a23a3dc5e078b07b:1"]),
        (" hello; \t\nworld!!!\n\n\n  \t\tGreetings\n End\n", GREETINGS),
        (" hello; \t\nworld!!!\r\r\r  \t\tGreetings\r End\r", GREETINGS),
        (" hello; \t\r\nworld!!!\r\n\r\n\r\n  \t\tGreetings\r\n End\r\n", GREETINGS),
        (" hello; \t\nworld!!!\r\n\n\r  \t\tGreetings\r End\r\n", GREETINGS),
        (
            "Lorem ipsum dolor sit amet.\n" * 10,
            [
                *LOREM,
                "a7f2ff1481e87703:1",
                "a9cf91f7bbf1862b:1",
                "55ec222b86bcae53:1",
                "cc97dc7b1d7d8f7b:1",
                GREETINGS[-1],
            ],
        ),
    ],
)
def test_every_line_has_its_published_fingerprint(text, expected):
    assert line_hashes(text, range(1, len(expected) + 2)) == dict(enumerate(expected, start=1))


def test_a_character_beyond_the_basic_plane_counts_as_two_units():
    assert line_hashes("\U0001f642", [1]) == line_hashes("\ud83d\ude42", [1])


def test_a_line_keeps_its_fingerprint_when_it_moves_and_is_indented():
    after = "\n".join(f"line number {number} of what follows" for number in range(9))
    here, there = line_hashes(f"x = 1\n{after}", [1]), line_hashes(f"import os\n\n    x = 1\n{after}", [3])
    assert here[1] == there[3]


def test_a_changed_line_changes_its_fingerprint():
    assert line_hashes("x = 1\n", [1]) != line_hashes("x = 2\n", [1])
