"""Single pickles: what they would call is said with its place, and data alone is clean."""

from __future__ import annotations

import collections
import pickle
from pathlib import Path

import pytest

from dlgovern.evidence.artifacts import pickles
from dlgovern.evidence.artifacts.allowed import newest
from dlgovern.evidence.artifacts.blob import Held
from dlgovern.evidence.artifacts.read import read_artifact
from dlgovern.evidence.artifacts.values import Findings

ROOT = Path(__file__).resolve().parents[3]
ROWS = [line.split("\t") for line in (ROOT / "rules/exports/weights-only.tsv").read_text().splitlines() if line[:1] != "#"]
ALLOWED = newest(ROWS)


class Runs:
    """Pickles as a call."""

    def __init__(self, function, *arguments):
        self.parts = (function, arguments)

    def __reduce__(self):
        return self.parts


def verdict(data: bytes, name: str = "a.pkl"):
    return read_artifact(Held(data), name, ALLOWED).verdict


def reasons(data: bytes, name: str = "a.pkl"):
    return [one.what for one in read_artifact(Held(data), name, ALLOWED).reasons]


@pytest.mark.parametrize("protocol", range(6))
def test_a_call_is_named(protocol):
    assert ["would call builtins.eval"] == reasons(pickle.dumps(Runs(eval, "1"), protocol))


@pytest.mark.parametrize("protocol", range(6))
def test_data_alone_is_clean(protocol):
    value = {"a": [1, -2, 2.5, None, True, 10**40], "b": (1, (2, 3, 4, 5)), "c": collections.OrderedDict(x={1, 2}), "d": "é", "e": b"xy"}
    assert "clean" == verdict(pickle.dumps(value, protocol))


@pytest.mark.parametrize("protocol", [2, 4])
def test_cut_anywhere_it_is_never_clean(protocol):
    data = pickle.dumps({"weights": [1.5] * 20, "name": "x" * 300}, protocol)
    assert {"undecided"} == {verdict(data[:end]) for end in range(1, len(data))}


def test_the_offset_is_that_of_the_opcode():
    findings = Findings()
    data = pickle.dumps([1, 2, Runs(len, "x")], 2)
    pickles.walk(Held(data), 0, pickles.PLAIN, ALLOWED, findings)
    found = {one.what: one.offset for one in findings.reasons}
    assert (b"c", b"R") == (data[found["would import builtins.len"] :][:1], data[found["would call builtins.len"] :][:1])


def test_what_a_standard_allows_is_clean():
    data = pickle.dumps(collections.deque([1]), 2)
    allowed = newest(ROWS, ["collections.deque", "os.system"])
    assert ("unsafe", "clean") == (verdict(data), read_artifact(Held(data), "a.pkl", allowed).verdict)
    assert "unsafe" == read_artifact(Held(b"\x80\x02cos\nsystem\n."), "a.pkl", allowed).verdict


def test_a_long_pickle_is_read_through_a_window():
    data = pickle.dumps([{"name": f"layer.{n}", "text": "y" * 70_000} for n in range(60)], 4)
    assert (True, "clean") == (len(data) > 3_000_000, verdict(data))
    hidden = pickle.dumps([*({"text": "y" * 70_000} for _ in range(60)), Runs(eval, "1")], 4)
    assert "unsafe" == verdict(hidden)


@pytest.mark.parametrize(
    "data",
    [
        *(b"\x80\x02}r\xff\xff\xff\xff.", b"\x80\x02" + b"(" * 500_000 + b".", b"\x80\x02N" + b"\x85" * 200_000 + b"."),
        *(b"\x80\x02\x8b\x00\x00\x00\x7f", b"\x80\x02B\xff\xff\xff\xff", b"\x80\x02\x8e" + b"\xff" * 7 + b"\x7f.", b""),
        b"\x80\x02]" + b"(hhh".replace(b"h", b"2") * 0 + b"q\x00" + b"".join(b"]q%c(h%ch%ce" % (n + 1, n, n) for n in range(60)) + b".",
    ],
)
def test_a_bomb_is_not_clean(data):
    assert verdict(data) == "undecided"
