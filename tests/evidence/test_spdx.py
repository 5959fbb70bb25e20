"""Licence expressions, and which of them an allowed set of licences meets."""

from __future__ import annotations

import pytest

from dlgovern.evidence.spdx import Unparsable, satisfied

ALLOWED = ["MIT", "Apache-2.0", "GPL-2.0+"]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("MIT", True),
        ("mit", True),
        ("AGPL-3.0-only", False),
        ("AGPL-3.0-only OR MIT", True),
        ("MIT AND BSD-3-Clause", False),
        ("(MIT OR BSD-3-Clause) AND Apache-2.0", True),
        ("MIT AND BSD-3-Clause OR Apache-2.0", True),
        ("Apache-2.0 WITH LLVM-exception", True),
        ("BSL-1.0 WITH LLVM-exception", False),
        ("GPL-2.0", True),
    ],
)
def test_an_expression(expression: str, expected: bool) -> None:
    assert satisfied(expression, ALLOWED) == expected


@pytest.mark.parametrize("text", ["", "MIT AND", "(MIT", "MIT)", "OR MIT", "MIT Apache-2.0", "(" * 500 + "MIT", "MIT AND " * 500 + "MIT"])
def test_what_is_no_expression(text: str) -> None:
    with pytest.raises(Unparsable):
        satisfied(text, ALLOWED)
