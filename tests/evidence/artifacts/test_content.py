"""Pickles that say nothing of themselves, and compressed ones, are found by what they are, and texts are not taken for them."""

from __future__ import annotations

import bz2
import collections
import gzip
import lzma
import pickle
import zlib

import pytest

from dlgovern.evidence.artifacts.document import is_model

PACKED = {
    "plain": bytes, "gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress, "zlib": zlib.compress,
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
}


@pytest.mark.parametrize("pack", PACKED)
@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_is_found_whatever_it_is_called(tmp_path, judged, pack, protocol):
    data = pickle.dumps({"weights": [(1, 2.5), "three"], "more": collections.OrderedDict(a=1)}, protocol)
    path = tmp_path / "notes.txt"
    path.write_bytes(PACKED[pack](data))
    assert (True, "clean") == (is_model("", str(path)), judged(path.read_bytes(), "notes.txt").verdict)


@pytest.mark.parametrize("before", [b"", b"I1\n0", b"S'" + b"x" * 300 + b"'\n0", b"(1", b"U<" + b"a" * 60 + b"0", b"X\3\0\0\0abc0"])
@pytest.mark.parametrize("behind", [b"", b"and so on"])
@pytest.mark.parametrize("pack", PACKED)
def test_nothing_before_or_behind_hides_one(tmp_path, judged, before, behind, pack):
    path = tmp_path / "notes.txt"
    path.write_bytes(PACKED[pack](before + b"cposix\nsystem\n(S'echo'\ntR." + behind))
    assert (True, "unsafe") == (is_model("", str(path)), judged(path.read_bytes(), "notes.txt").verdict)


@pytest.mark.parametrize("pack", PACKED)
@pytest.mark.parametrize(
    "text",
    [b"cat\ncar\ncup\ncut\nand so on\n", b"N.B. this is no pickle.", b"(See the other file.)", b"I1\nI2\nI3\nI4\nI5\nI6\n", b"(lambda x: x)(1)", b"x^2 + y^2 = 1 holds."],
)
def test_a_text_is_none(tmp_path, judged, text, pack):
    path = tmp_path / "notes.dat"
    path.write_bytes(PACKED[pack](text))
    assert (False, "not an artifact") == (is_model("", str(path)), judged(path.read_bytes(), "notes.dat").verdict)


@pytest.mark.parametrize("ending", ["bin", "h5", "mar", "nemo", "plan", "onnx", "safetensors", "gguf", "keras"])
def test_an_ending_of_models_hides_none_either(judged, ending):
    found = judged(b"cposix\nsystem\n(S'echo'\ntR.", f"a.{ending}")
    assert ("pickle" if ending not in ("plan", "onnx") else found.format, True) == (found.format, found.verdict != "clean")


def test_a_text_with_an_ending_that_others_use_is_no_pickle(judged):
    assert "unknown" == judged(b"cat\ncar\ncup\ncut\nand so on\n", "a.bin").format
