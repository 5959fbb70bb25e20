"""Pickles put together from opcodes at random: one that is called clean really looks up and calls nothing but what the list has."""

from __future__ import annotations

import io
import pickle
import random
import struct

import pytest

from dlgovern.evidence.artifacts import pickles, streams
from dlgovern.evidence.artifacts.blob import Held
from dlgovern.evidence.artifacts.values import Findings

GOOD = ("collections.OrderedDict", "collections.Counter", "_codecs.encode", "builtins.set", "builtins.bytearray", "builtins.frozenset", "builtins.complex")
BAD = ("posix.getpid", "builtins.getattr", "collections.OrderedDict.fromkeys", "copy_reg._reconstructor")
PLAIN = (
    *(b"N", b"K\1", b"\x88", b"I1\n", b"F1.5\n", b"G" + bytes(8), b"C\1a", b"\x8a\1\5", b"M\1\2", b"]", b"}", b"\x8f", b")", b"(", b"(l", b"(d", b"(t"),
    *(b"a", b"s", b"e", b"u", b"\x90", b"\x91", b"l", b"d", b"t", b"\x85", b"\x86", b"\x87", b"0", b"1", b"2", b"\x94"),
    *(b")R", b"(tR", b"R", b")\x81", b"\x81", b"b", b"}b", b"\x92", b"(o", b"o", b"\x93", b"Px\n", b"Q", b"\x80\2", b"\x82\1", b"\x97"),
)


def opcode(made):
    kind = made.randrange(10)
    if kind < 2:  # noqa: PLR2004
        module, _, name = made.choice((*GOOD, *GOOD, *BAD)).rpartition(".")
        return b"c%s\n%s\n" % (module.encode(), name.encode())
    if kind == 2:  # noqa: PLR2004
        text = made.choice([part for name in (*GOOD, *BAD) for part in name.split(".")] + ["latin1"]).encode()
        return made.choice((b"X" + struct.pack("<I", len(text)) + text, b"\x8c%c" % len(text) + text, b"V%s\n" % text, b"S'%s'\n" % text))
    if kind < 5:  # noqa: PLR2004
        number = made.randrange(4)
        return made.choice((b"q%c" % number, b"h%c" % number, b"r" + struct.pack("<I", number), b"j" + struct.pack("<I", number), b"p%d\n" % number, b"g%d\n" % number))
    return made.choice(PLAIN)


class Watched(pickle.Unpickler):
    """Notes what is looked up and is not on the list, and hands out a function that notes its calls."""

    def __init__(self, data):
        super().__init__(io.BytesIO(data))
        self.seen = []

    def find_class(self, module, name):
        """What GLOBAL and STACK_GLOBAL look up."""
        module = {"__builtin__": "builtins", "copy_reg": "copyreg"}.get(module, module)
        if f"{module}.{name}" in GOOD:
            return super().find_class(module, name)
        self.seen.append(f"{module}.{name}")
        return lambda *_: self.seen.append(f"{module}.{name}()")

    def persistent_load(self, key):
        """What PERSID and BINPERSID ask for."""
        self.seen.append(f"persistent {key}")


@pytest.mark.parametrize("seed", range(4))
def test_what_is_clean_calls_nothing_else(allowed, seed):
    made = random.Random(seed)
    clean = 0
    for _ in range(12_000):
        body = b"".join(opcode(made) for _ in range(made.randrange(2, 14)))
        data = made.choice((b"", b"\x80\2", b"\x80\3", b"\x80\4")) + body + made.choice((b".", b"0.", b"00.", b"\x85.", b"(t."))
        for profile in (pickles.PLAIN, streams.JOBLIB):
            findings = Findings()
            pickles.walk(Held(data), 0, profile, allowed, findings)
            if findings.verdict == "clean":
                clean += 1
                watched = Watched(data)
                try:
                    watched.load()
                except Exception:  # noqa: BLE001, S110 - what loading ends with is no matter
                    pass
                assert ([], data) == (watched.seen, data)
    assert clean > 100  # noqa: PLR2004
