"""The quick way through a pickle finds what the table of opcodes alone finds."""

from __future__ import annotations

import itertools
import pickle
import random
import struct

import pytest

from dlgovern.evidence.artifacts import pickles
from dlgovern.evidence.artifacts.blob import Held
from dlgovern.evidence.artifacts.machine import AHEAD, OPCODES, Budget
from dlgovern.evidence.artifacts.values import Findings


def by_the_table(m, table, *, modern):  # noqa: ARG001
    """What `run` shortens."""
    position, data, soft = 0, b"", -1
    for _ in range(OPCODES):
        if position > soft:
            if data is m.data or not data:
                position = m.fill(position)
            data = m.data
            soft = len(data) if m.whole else len(data) - AHEAD
        m.position = position
        position = table[data[position]](m, position + 1)
        if m.data is not data:
            soft = -1
    raise Budget("has too many")


def tensors(count):
    """The state of a model as `torch.save` writes it, put into the memo by long numbers from the start."""

    def text(value):
        return b"X" + struct.pack("<I", len(value)) + value.encode()

    index = iter(range(10_000))

    def put():
        return b"r" + struct.pack("<I", next(index))

    parts = [b"\x80\x02ccollections\nOrderedDict\n", put(), b")R", put(), b"("]
    parts += [text("storage"), put(), b"ctorch\nFloatStorage\n", put(), text("cpu"), put(), b"ctorch._utils\n_rebuild_tensor_v2\n", put(), b"0000"]
    for number in range(count):
        sizes = ((2, 3, 3, 1), (300, 1, 1, 1), (70_000,))[number % 3]
        codes = [b"".join(b"K%c" % n if n < 256 else b"M" + struct.pack("<H", n) if n < 65536 else b"J" + struct.pack("<i", n) for n in one)
                 for one in ((sizes, (1,)) if len(sizes) == 1 else (sizes[:2], sizes[2:]))]
        count_ = 6 if number % 3 == 0 else 70_000
        tuple_ = b"\x85" if len(sizes) == 1 else b"\x86"
        parts += [text(f"layer.{number}"), put(), b"h\5((h\2h\3", text(str(number % 7)), put(), b"h\4J" + struct.pack("<i", count_) + b"t", put()]
        parts += [b"QK\0", codes[0] + tuple_, put(), codes[1] + tuple_, put(), b"\x89h\0)R", put(), b"t", put(), b"R", put()]
    return b"".join(parts) + b"u."


def mutants(data, count, seed):
    made = random.Random(seed)
    for _ in range(count):
        at = made.randrange(len(data))
        yield data[:at] + bytes((made.randrange(256),)) + data[at + made.randrange(3) :]


def told(found):
    """Everything but how far a file was read that is no pickle."""
    return found.verdict, {one[:3] for one in found.reasons}, found.facts, found.tensors


@pytest.fixture
def same(monkeypatch, judged):
    def check(data, name):
        quick = judged(data, name)
        with monkeypatch.context() as changed:
            changed.setattr(pickles, "run", by_the_table)
            slow = judged(data, name)
        assert told(slow) == told(quick)
        return quick

    return check


def test_on_hostile_files(hostile, same):
    verdicts = {same(one.data, one.name).verdict for one in itertools.islice(hostile.files(), 0, None, 7)}
    assert {"unsafe", "undecided"} == verdicts


@pytest.mark.parametrize("seed", range(3))
def test_on_mutants_of_a_checkpoint(allowed, monkeypatch, seed):
    def walked(data):
        findings = Findings()
        found = pickles.walk(Held(data), 0, pickles.TORCH, allowed, findings)
        pickles.tensors(found.value, findings)
        return {one[:3] for one in findings.reasons}, findings.tensors, found.storages, found.names, found.end

    pickled = tensors(40)
    samples = [pickled, *mutants(pickled, 200, seed)]
    quick = [walked(data) for data in samples]
    monkeypatch.setattr(pickles, "run", by_the_table)
    assert ([walked(data) for data in samples], 40) == (quick, len(quick[0][1]))


def test_on_mutants_of_plain_data(same):
    for protocol in (0, 2, 4):
        data = pickle.dumps([{"id": n, "name": f"n{n}", "x": n / 7, "of": (n, (n, "é\ud800")), "big": 2**n} for n in range(80)], protocol)
        assert same(data, "a.pkl").verdict == "clean"
        assert "undecided" in {same(one, "a.pkl").verdict for one in mutants(data, 200, protocol)}

