"""The allow-list is that of the newest torch which a repository may have."""

from __future__ import annotations

import pytest

from dlgovern.evidence.artifacts.allowed import newest
from dlgovern.evidence.artifacts.blob import Held
from dlgovern.evidence.artifacts.read import read_artifact
from dlgovern.repository.window import Window


@pytest.mark.parametrize(
    ("floor", "below", "version", "names"),
    [
        ((2, 4), (2, 7), "2.6", [True, False, False, False]),
        ((2, 7, 1), (2, 7, 1, 1), "2.7", [True, True, False, False]),
        ((2, 13, 0), (2, 13, 0, 1), "2.8", [True, True, True, False]),
        ((2, 14), (2, 15), "2.14", [True, True, True, True]),
        ((2, 4), (), "2.15", [False, True, True, True]),
        ((1, 13), (2, 0), "2.6", [True, False, False, False]),
    ],
)
def test_the_list_of_a_window(rows, floor, below, version, names):
    allowed = newest(rows, reaches=Window(floor, below, "").reaches)
    asked = ("torch._utils._rebuild_nested_tensor", "torch.int4", "torch.float4_e2m1fn_x2", "torch.bcomplex32")
    assert (version, names) == (allowed.version, [bool(allowed.kind(*name.rsplit(".", 1), data=False)) for name in asked])


def test_without_a_table_nothing_is_allowed():
    allowed = newest([], ["mine.Config"])
    assert ("", "", "user") == (allowed.version, allowed.kind("torch", "Size", data=False), allowed.kind("mine", "Config", data=False))


def test_what_another_torch_loads_is_not_unsafe(rows):
    allowed = newest(rows, reaches=lambda version: version < (2, 7))
    found = read_artifact(Held(b"\x80\x02ctorch\nint4\n."), "a.pkl", allowed)
    assert ("undecided", ["names torch.int4, which the allow-list does not have"]) == (found.verdict, [one.what for one in found.reasons])
