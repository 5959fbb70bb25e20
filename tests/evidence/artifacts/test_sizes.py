"""The bytes that the tensors of a file take, as far as their types say."""

from __future__ import annotations

import pytest

from dlgovern.evidence.artifacts.values import Tensor, size_of


@pytest.mark.parametrize(
    ("dtype", "codes", "size"),
    [
        ("float32", True, 24), ("bfloat16", True, 12), ("float8_e4m3fn", True, 6), ("bool", True, 6), ("complex64", True, 48), ("uint8", True, 6),
        ("<f4", True, 24), ("i8", True, 48), ("|b1", True, 6), ("<U3", True, 72), ("S5", True, 30),
        ("F32", False, 24), ("I8", False, 6), ("U8", False, 6), ("BF16", False, 12), ("F8_E4M3", False, 6), ("BOOL", False, 6),
        ("Q4_K", False, None), ("|O", True, None), ("<M8[D]", True, None), ("", True, None), ("text", True, None),
    ],
)
def test_of_six_elements(dtype, codes, size):
    assert size == size_of([Tensor("w", dtype, (2, 3))], codes=codes)


def test_of_several_none_is_left_out():
    assert (28, None) == tuple(size_of([Tensor("a", "float32", (2, 3)), Tensor("b", other, ())], codes=True) for other in ("int32", "|O"))


def test_it_is_a_fact_of_a_file(judged, written):
    assert judged(written["compiled.keras"], "a.keras").facts["tensor bytes"] > 0
