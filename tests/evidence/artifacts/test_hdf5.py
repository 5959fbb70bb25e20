"""HDF5 files as Keras and h5py write them: their structure is read, and what leads out of them is said."""

from __future__ import annotations

import random

import pytest

from dlgovern.evidence.artifacts import keras
from dlgovern.evidence.artifacts.values import Findings


def what(found):
    return found.verdict, [one.what for one in found.reasons]


def test_a_model_of_keras(judged, written):
    found = judged(written["dense.h5"], "a.h5")
    assert ("clean", "keras", "3.15.1", "tensorflow") == (found.verdict, *(found.facts[key] for key in ("producer", "framework version", "backend")))
    assert ["Dense", "Dropout", "InputLayer", "Sequential"] == found.facts["layer classes"]
    shapes = {one.name.rpartition("/")[0].split("/")[1] + "/" + one.name.rpartition("/")[2]: one.shape for one in found.tensors if "model_weights" in one.name}
    assert {"dense/kernel": (8, 4), "dense/bias": (4,), "dense_1/kernel": (4, 2), "dense_1/bias": (2,)} == shapes


@pytest.mark.parametrize("name", ["func.h5", "custom.h5", "dense.weights.h5", "groups.h5", "ordered.h5", "compound.h5", "dense-groups.h5", "dense-tree.h5"])
def test_weights_and_plain_data_are_clean(judged, written, name):
    assert ("clean", []) == what(judged(written[name], "a.h5"))


def test_the_losses_and_metrics_of_keras_are_no_code_of_others(judged, written):
    assert ("clean", []) == what(judged(written["compiled.keras"], "a.keras"))


@pytest.mark.parametrize("name", ["lambda.h5", "lambda.keras"])
def test_a_lambda_layer_is_code(judged, written, name):
    found = judged(written[name], name)
    assert ("unsafe", ["Lambda", "__lambda__"]) == (found.verdict, found.facts["code it could run"])


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("external-link.h5", "has a name that leads to another file: x"),
        ("external-storage.h5", "keeps the numbers of w in another file"),
        ("soft-link.h5", "has a name that is a soft link: l"),
        ("virtual.h5", "puts v together from other files"),
    ],
)
def test_what_leads_out_or_is_not_read_is_not_clean(judged, written, name, reason):
    assert ("undecided", [reason]) == what(judged(written[name], "a.h5"))


def test_the_tensors_of_groups(judged, written):
    found = {one.name: (one.dtype, one.shape) for one in judged(written["groups.h5"], "a.h5").tensors}
    assert (36, ("float32", (3, 4)), ("int64", (5,))) == (len(found), found["a/b/w"], found["a/i"])


@pytest.mark.parametrize("name", ["dense.h5", "lambda.h5", "ordered.h5", "dense-groups.h5", "dense-attributes.h5"])
def test_cut_anywhere_it_is_never_clean(judged, written, name):
    data = written[name]
    assert "clean" not in {judged(data[:end], "a.h5").verdict for end in range(8, len(data), 97)}


@pytest.mark.parametrize("name", ["dense.h5", "external-link.h5", "ordered.h5", "dense-groups.h5", "dense-tree.h5", "dense-attributes.h5"])
def test_mutants_are_judged(judged, written, name):
    made = random.Random(1)
    data = written[name]
    for _ in range(300):
        mutant = bytearray(data)
        for _ in range(4):
            mutant[made.randrange(min(len(data), 4096))] = made.choice((0, 1, 8, 255, made.randrange(256)))
        assert judged(bytes(mutant), "a.h5").verdict in ("clean", "undecided", "unsafe")


def test_an_attribute_that_is_a_pickle_is_run_by_pytables_and_pandas(judged, written):
    found = judged(written["pickled-attribute.h5"], "a.h5")
    assert ("unsafe", ["posix.getcwd"]) == (found.verdict, found.facts["code it could run"])
    assert ("clean", []) == what(judged(written["sentences.h5"], "a.h5"))
    assert ("undecided", ["holds pickled objects in df/block1_values, which PyTables and pandas load"]) == what(judged(written["objects.h5"], "a.h5"))


@pytest.mark.parametrize("start", [512, 1024, 65536])
def test_behind_bytes_of_its_user_it_is_found_and_never_clean(judged, written, start):
    found = judged(bytes(start) + written["lambda.h5"], "a.h5")
    assert ("hdf5", "unsafe") == (found.format, found.verdict)
    assert ("hdf5", "undecided") == (judged(bytes(start) + written["dense.h5"], "a.h5").format, judged(bytes(start) + written["dense.h5"], "a.h5").verdict)
    assert "unknown" == judged(bytes(start + 1) + written["lambda.h5"], "a.h5").format


@pytest.mark.parametrize(
    ("function", "verdict"),
    [("math.multiply", "clean"), ("reshape", "clean"), ("__operators__.getitem", "clean"), ("compat.v1.gather", "clean"), ("nn.relu", "clean"),
     ("io.write_file", "unsafe"), ("compat.v1.py_func", "unsafe"), ("raw_ops.WriteFile", "unsafe"), ("reshape_all", "undecided")],
)
def test_a_layer_that_stands_for_a_function_of_tensorflow(function, verdict):
    findings = Findings()
    keras.judge({"class_name": "TFOpLambda", "config": {"name": "x", "function": function}}, findings, "")
    assert verdict == findings.verdict


def test_many_names_and_many_attributes_are_read(judged, written):
    found = judged(written["dense-external.h5"], "a.h5")
    assert ("undecided", ["has a name that is a soft link: w5", "has a name that leads to another file: x"]) == what(found)
    assert {f"{letter}{number}" for number in range(12) for letter in "wz"} - {"w5", "z5"} >= {one.name for one in found.tensors}
    found = judged(written["dense-attributes.h5"], "a.h5")
    assert ("unsafe", ["Lambda", "lambda"]) == (found.verdict, found.facts["code it could run"])


def test_what_only_one_of_two_indexes_lists_is_seen(judged, written):
    data = written["dense-external.h5"]
    trees = [at for at in range(len(data)) if data[at : at + 4] == b"BTHD"]
    assert 2 == len(trees)
    for tree in trees:
        emptied = data[: tree + 24] + bytes(10) + data[tree + 34 :]  # no records in its root, none below
        assert "has a name that leads to another file: x" in what(judged(emptied, "a.h5"))[1]
