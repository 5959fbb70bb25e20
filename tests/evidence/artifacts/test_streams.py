"""joblib's streams, where the bytes of arrays stand between opcodes: read as joblib reads them, and as pickle would."""

from __future__ import annotations

import io
import pickle

import pytest

np = pytest.importorskip("numpy")
joblib = pytest.importorskip("joblib")

RUNS = b"cbuiltins\nlen\nX\2\0\0\0hi\x85R."


class Plain(pickle.Unpickler):
    """Reads what was written here, and nothing else."""


def dumped(value, protocol=4):
    out = io.BytesIO()
    joblib.dump(value, out, protocol=protocol)
    return out.getvalue()


def what(found):
    return found.verdict, [one.what for one in found.reasons]


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("dtype", ["f8", ">f4", "U5", "S3", "M8[D]", "?", "c16"])
def test_arrays_are_clean_and_named(judged, dtype, protocol):
    array = np.zeros((2, 3), dtype)
    found = judged(dumped({"w": array, "again": [array, np.asfortranarray(array)]}, protocol), "a.joblib")
    assert ("clean", [(2, 3)] * 3, "joblib") == (found.verdict, [one.shape for one in found.tensors], found.facts["producer"])


@pytest.mark.parametrize("name", ["a.joblib", "a.pkl"])
def test_opcodes_in_an_array_are_run_by_nobody(judged, name):
    data = dumped(np.frombuffer(RUNS, "u1"))
    assert "clean" == judged(data, name).verdict
    with pytest.raises(pickle.UnpicklingError):
        Plain(io.BytesIO(data)).load()


def test_an_array_that_hides_in_a_frame_is_not_clean(judged):
    """Joblib reads the array behind the frame; the rest of the frame it runs."""
    data = dumped(np.frombuffer(RUNS, "u1"))
    start = data.index(b"\x95")
    length = int.from_bytes(data[start + 1 : start + 9], "little") + len(RUNS) + 20
    hidden = data[: start + 1] + length.to_bytes(8, "little") + data[start + 9 :]
    assert judged(hidden + b"\0" * 60, "a.joblib").verdict == "undecided"


def test_padding_that_is_an_opcode_is_not_clean(judged):
    data = dumped(np.zeros(200, "u1"))
    at = data.index(b"K\x10ub") + 4
    hidden = data[:at] + b"(" + b"\xff" * 40 + b"\0" * 200 + b"."
    assert judged(hidden, "a.joblib").verdict == "undecided"


@pytest.mark.parametrize(("first", "verdict"), [(0, "clean"), (ord("c"), "undecided")])
def test_an_array_without_alignment_is_clean_where_pickle_would_stop(judged, first, verdict):
    """As joblib before 1.2 wrote it."""
    array = np.full(5, first, "u1")
    wrapper = joblib.numpy_pickle.NumpyArrayWrapper(np.ndarray, array.shape, "C", array.dtype)
    del wrapper.numpy_array_alignment_bytes
    data = pickle.dumps(wrapper, 3)[:-1] + array.tobytes() + b"."
    assert array.tolist() == joblib.load(io.BytesIO(data)).tolist()
    assert verdict == judged(data, "a.joblib").verdict


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"\x8c\x02f8", b"\x8c\x02V8"),  # its state would say another size
        (b"\x8c\x01C\x94", b"\x8c\x01K\x94"),
        (b"K\x03K\x04\x86", b"K\x03K\x05\x86"),
        (b"K\x10ub", b"K\x11ub"),
    ],
)
def test_a_wrapper_that_joblib_does_not_write_is_not_clean(judged, old, new):
    data = dumped(np.ones((3, 4)))
    assert (1, "undecided") == (data.count(old), judged(data.replace(old, new), "a.joblib").verdict)


def test_an_array_of_objects_is_walked_and_not_decided(judged):
    assert "undecided" == judged(dumped(np.array([1, "a"], dtype=object)), "a.joblib").verdict
    assert what(judged(dumped(np.array([len, 1], dtype=object)), "a.joblib"))[0] == "unsafe"
