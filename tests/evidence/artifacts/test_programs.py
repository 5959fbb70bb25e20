"""Programs for devices: what they are made of is said, and they are never clean."""

from __future__ import annotations

import random


def test_a_program_of_executorch(judged, written):
    found = judged(written["linear.pte"], "a.pte")
    assert ("executorch", "undecided", ["forward"], 4) == (found.format, found.verdict, found.facts["methods"], found.facts["operators"])
    assert [("float32", (3, 4)), ("float32", (3,))] == [(one.dtype, one.shape) for one in found.tensors]
    assert "custom operators" not in found.facts


def test_an_operator_of_somebody_else_is_named(judged, written):
    data = written["linear.pte"].replace(b"aten::relu", b"mine::relu")
    assert ["mine::relu.out"] == judged(data, "a.pte").facts["custom operators"]


def test_a_program_of_tflite(judged, written):
    found = judged(written["dense.tflite"], "a.tflite")
    assert ("tflite", "undecided", 3) == (found.format, found.verdict, found.facts["schema version"])


def test_mutants_are_judged(judged, written):
    made = random.Random(1)
    for name in ("linear.pte", "dense.tflite"):
        for _ in range(300):
            mutant = bytearray(written[name])
            for _ in range(3):
                mutant[made.randrange(8, len(mutant))] = made.choice((0, 1, 255, made.randrange(256)))
            assert judged(bytes(mutant), name).verdict == "undecided"
