"""No file that was made to fool a scanner is called clean, and none of them breaks the reader."""

from __future__ import annotations

import io
import json
import os
import pickle
import random
import struct
import subprocess
import sys
import time
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING

import pytest

FULL = bool(os.environ.get("DLGOVERN_FULL"))


def test_none_is_clean(hostile, judged):
    wrong = []
    count = 0
    for one in hostile.files() if FULL else hostile.sample():
        count += 1
        verdict = judged(one.data, one.name).verdict
        if verdict not in ("unsafe", "undecided"):
            wrong.append((one.construction, one.name, verdict))
    assert ([], True) == (wrong, count > (2000 if FULL else 700))


def test_the_full_set_is_as_large_as_promised(hostile):
    assert sum(1 for _ in hostile.files()) >= 2000


def test_a_gadget_is_named_with_its_place(hostile, judged):
    for module, name in hostile.gadgets():
        translated = NAME_MAPPING.get((module, name), (IMPORT_MAPPING.get(module, module), name))
        found = judged(hostile.torch_zip(hostile.call(module, name)), "a.pt")
        assert ".".join(translated) in {reason.name for reason in found.reasons}, (module, name)


# -- what is called clean looks nothing else up


class Watching(pickle.Unpickler):
    """Resolves nothing, and remembers what it was asked for."""

    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data))
        self.asked: list[str] = []

    def find_class(self, module: str, name: str):
        """What a name stands for: nothing."""
        self.asked.append(f"{module}.{name}")
        return _Nothing

    def persistent_load(self, _key):
        """What an id stands for: nothing."""
        return


class Trusting(pickle.Unpickler):
    """CPython's own, for a file that this test made."""


class _Nothing(dict):
    def __new__(cls, *_a, **_k):
        return dict.__new__(cls)

    def __init__(self, *_a, **_k):
        dict.__init__(self)

    def __setstate__(self, _state):
        pass

    def append(self, _item):
        pass

    def extend(self, _items):
        pass

    def add(self, _item):
        pass


def asked(data: bytes) -> list[str]:
    """The names that CPython's own unpickler looks up before it is done or fails."""
    watching = Watching(data)
    try:
        watching.load()
    except Exception:  # noqa: BLE001 - any end of a hostile pickle will do
        pass
    return watching.asked


def test_what_is_clean_looks_up_only_what_the_list_has(hostile, judged, allowed):
    """CPython's own unpickler, hooked, is the judge: benign pickles mutated byte by byte."""
    random_ = random.Random(20260701)
    seeds = [
        pickle.dumps({"a": [1, 2.5, None, (1, 2)], "b": {"c": {1, 2}, "d": b"xyz"}, "e": "text"}, protocol) for protocol in range(6)
    ]
    seeds += [data for _, data in hostile.forms("collections", "OrderedDict")] + [data for _, data in hostile.odd_names()]
    seeds += [hostile.call("collections", "OrderedDict", protocol=protocol) for protocol in (0, 2, 4)]
    clean = 0
    for _number in range(60_000 if FULL else 4_000):
        data = bytearray(random_.choice(seeds))
        for _ in range(random_.randint(0, 3)):
            _mutate(data, random_)
        if judged(bytes(data)).verdict != "clean":
            continue
        clean += 1
        for name in asked(bytes(data)):
            module, _, last = name.rpartition(".")
            module, last = NAME_MAPPING.get((module, last), (IMPORT_MAPPING.get(module, module), last))
            assert allowed.kind(module, last, data=True), (name, bytes(data))
    assert clean > 20


def _mutate(data: bytearray, random_: random.Random) -> None:
    at = random_.randrange(len(data)) if data else 0
    what = random_.randrange(4)
    if what == 0 and data:
        data[at] = random_.randrange(256)
    elif what == 1 and data:
        del data[at : at + random_.randint(1, 4)]
    elif what == 2:
        data[at:at] = bytes(random_.choice(b"(0.)]}2abeostu\x85\x86\x87\x93Rc\x81q\x00h\x00N") for _ in range(random_.randint(1, 3)))
    elif data:
        other = random_.randrange(len(data))
        data[at:at] = data[other : other + random_.randint(1, 12)]


@pytest.mark.parametrize("suffix", [".pt", ".pkl", ".safetensors", ".onnx", ".gguf", ".keras", ".npy", ".npz", ".joblib", ".pt2", ".h5", ".bin"])
def test_mutants_neither_break_nor_slow_the_reader(hostile, judged, suffix):
    random_ = random.Random(suffix)
    seeds = [one.data for one in hostile.sample(40) if one.name.endswith(suffix) and len(one.data) < 50_000]
    start = time.process_time()
    for _ in range(3_000 if FULL else 150):
        data = bytearray(random_.choice(seeds))
        for _ in range(random_.randint(1, 8)):
            _mutate(data, random_)
        judged(bytes(data), f"a{suffix}")
    assert time.process_time() - start < (200 if FULL else 20)


# -- "would call X" is what happens


RUN = """
import json, pickle, sys
called = []
def marker(*arguments):
    called.append(list(map(repr, arguments)))
    return {}
import types
module = types.ModuleType("harmless_marker")
module.run = marker
sys.modules["harmless_marker"] = module
try:
    pickle.loads(sys.stdin.buffer.read())
except Exception as error:
    pass
print(json.dumps(len(called)))
"""
"""Really loads what comes in, where the only thing that it can call is a marker."""

FORMS = (
    "global text protocol 0|global protocol 1|global protocol 2|global in the middle of data|call thrown away|stack global"
    "|names by memoize and get|names by put and get|memo overwritten after use|inst|obj|reduce on a memoised function|second stream"
    "|names by dup|pop mark between|junk after reduce|unknown opcode after reduce|truncated after reduce"
).split("|")


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_the_call_that_is_named_happens(hostile, judged, form):
    data = dict(hostile.forms("harmless_marker", "run"))[form]
    found = judged(data)
    named = "harmless_marker.run" in {reason.name for reason in found.reasons if "call" in reason.what or "create" in reason.what}
    ran = subprocess.run([sys.executable, "-I", "-c", RUN], input=data, capture_output=True, timeout=60, check=True)
    happened = json.loads(ran.stdout) > 0
    assert (True, form != "second stream") == (named, happened)  # pickle.loads stops after the first; pickle.load in a loop does not


def test_a_file_of_two_natures_is_both(hostile, judged):
    """Its own library reads it, and for pickle it is a call: the verdict is about every loader."""
    data = hostile.two_natures(hostile.call("builtins", "len"))
    assert 4 == Trusting(io.BytesIO(data)).load()
    pytest.importorskip("safetensors").deserialize(data)
    assert {"undecided"} == {judged(data, f"a{suffix}").verdict for suffix in (".safetensors", ".pkl", ".pt", "")}


def test_external_data_of_onnx_stay_in_their_folder(hostile, allowed, tmp_path):
    from dlgovern.evidence.artifacts.read import read_file

    def judged(location):
        (tmp_path / "m.onnx").write_bytes(hostile.onnx_external(location=location, length="4"))
        return read_file(str(tmp_path / "m.onnx"), "m.onnx", allowed).verdict

    (tmp_path / "w.bin").write_bytes(b"1234")
    (tmp_path / "short.bin").write_bytes(b"12")
    (tmp_path / "outside").mkdir()
    (tmp_path / "link.bin").symlink_to("w.bin")
    (tmp_path / "folder").symlink_to("outside")
    (tmp_path / "outside" / "w.bin").write_bytes(b"1234")
    os.link(tmp_path / "outside" / "w.bin", tmp_path / "two.bin")
    assert ["clean", "undecided", "undecided", "unsafe", "unsafe", "undecided"] == [
        judged(name) for name in ("w.bin", "short.bin", "none.bin", "link.bin", "folder/w.bin", "two.bin")
    ]


MEASURE = """
import re, sys
from dlgovern.evidence.artifacts.allowed import newest
from dlgovern.evidence.artifacts.read import read_file
verdict = read_file(sys.argv[1], sys.argv[1], newest([])).verdict
print(verdict, int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) // 1024)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("suffix", "data"),
    [
        (".pkl", b"\x80\x02(" + b"]K\x01a" * 1_200_000 + b"l."),
        (".pkl", b"\x80\x04(" + b"".join(b"]\x94(J%bJ%be" % (struct.pack("<i", n + 70_000), struct.pack("<i", n + 900_000)) for n in range(740_000)) + b"l."),
        (".pkl", b"\x80\x02(" + b"G@\0\0\0\0\0\0\1" * 2_000_000 + b"l."),
        (".pkl", b"\x80\x02(" + (b"\x8a\xff" + b"\x7f" * 255) * 200_000 + b"l."),
        (".safetensors", (7_800_009).to_bytes(8, "little") + b'{"a":[' + b"[]," * 2_600_000 + b"[]]}"),
    ],
    ids=["lists", "lists of numbers", "floats", "long numbers", "header"],
)
@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="only Linux says how much memory was used")
def test_a_bomb_takes_less_than_200_megabytes(tmp_path, suffix, data):
    path = tmp_path / f"bomb{suffix}"
    path.write_bytes(data)
    ran = subprocess.run([sys.executable, "-P", "-c", MEASURE, path], capture_output=True, text=True, timeout=100, check=True)
    verdict, memory = ran.stdout.split()
    assert (True, True) == (verdict == "undecided" or suffix == ".pkl", int(memory) < 200), ran.stdout
