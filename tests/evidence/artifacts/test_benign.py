"""Files that real libraries write are not called unsafe, and most of them are clean."""

from __future__ import annotations

import collections
import io
import json
import pickle
from collections import Counter

import pytest

np = pytest.importorskip("numpy")


def numpy_files():
    arrays = [
        *(np.ones((2, 3), dtype) for dtype in ("f2", "f4", "f8", "i1", "i8", "u4", "c8", "?", ">f4")),
        *(np.array(["a", "bcd"]), np.zeros((0, 3)), np.array(5), np.zeros(2, [("a", "f4"), ("b", "i8", (2,))]), np.asfortranarray(np.ones((2, 3)))),
        np.array(["2020-01-01"], dtype="M8[D]"),
    ]
    for array in arrays:
        out = io.BytesIO()
        np.save(out, array)
        yield "a.npy", out.getvalue()
        for save in (np.savez, np.savez_compressed):
            out = io.BytesIO()
            save(out, a=array, b=np.zeros(100_000))
            yield "a.npz", out.getvalue()
    out = io.BytesIO()
    np.save(out, np.array([{"a": 1}, None], dtype=object), allow_pickle=True)
    yield "objects.npy", out.getvalue()


def plain_pickles():
    values = [
        {"a": 1, "b": [1.5, None, True], "c": (1, 2, 3, 4)},
        [{"x": n, "y": str(n)} for n in range(200)],
        collections.OrderedDict(a={1, 2}, b=b"bytes", c=bytearray(b"x"), d=1j),
        collections.Counter("hello"),
        "text" * 1000,
        {"empty": b"", "frozen": frozenset((1, 2))},
        {"array": np.ones((2, 3), ">f4"), "text": np.array(["é", "ab"]), "one": np.float64(1), "time": np.array(["2020-01-01"], "M8[D]"), "f": np.asfortranarray(np.ones((2, 3)))},
    ]
    for protocol in range(6):
        for value in values:
            yield "a.pkl", pickle.dumps(value, protocol)


def joblib_files(folder):
    joblib = pytest.importorskip("joblib")
    for number, value in enumerate(({"w": np.ones((3, 4)), "b": [np.arange(5)]}, [1, 2, {"a": "x"}], np.zeros((0, 2)), np.float32(1.5))):
        for compress in (0, 3, ("bz2", 3), ("lzma", 3), ("xz", 3), ("gzip", 3)):
            path = folder / f"{number}.joblib"
            joblib.dump(value, path, compress=compress)
            yield "a.joblib", path.read_bytes()


def onnx_files():
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper, numpy_helper

    for opset in range(13, 22):
        for dtype in (np.float32, np.float16, np.int64):
            weight = numpy_helper.from_array(np.ones((3, 4), dtype), "w")
            nodes = [helper.make_node("Identity", ["w"], ["y"])]
            graph = helper.make_graph(nodes, "g", [], [helper.make_tensor_value_info("y", weight.data_type, [3, 4])], [weight])
            inner = helper.make_graph(nodes, "inner", [], [helper.make_tensor_value_info("y", TensorProto.FLOAT, [3, 4])])
            graph.node.append(helper.make_node("If", ["c"], ["z"], then_branch=inner, else_branch=inner))
            model = helper.make_model(graph, producer_name="test", opset_imports=[helper.make_opsetid("", opset)])
            helper.set_model_props(model, {"licence": "mit"})
            yield "a.onnx", onnx._serialize(model) if hasattr(onnx, "_serialize") else model.SerializeToString()


def gguf_files(folder):
    gguf = pytest.importorskip("gguf")
    templates = [
        "",
        "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'].strip() }}{% endfor %}",
        "{%- if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{%- endif %}{% set ns = namespace(found=false) %}"
        "{%- for m in messages if m.role != 'system' %}{% set ns.found = true %}{{ m.content | trim }}{% else %}"
        "{{ raise_exception('none') }}{%- endfor %}{{ tools | tojson(indent=4) }}{{ strftime_now('%d %b %Y') }}",
    ]
    for number, template in enumerate(templates):
        for quantized in (False, True):
            path = folder / f"{number}{quantized}.gguf"
            writer = gguf.GGUFWriter(path, "llama")
            writer.add_context_length(128)
            writer.add_token_list([f"t{n}" for n in range(50)])
            writer.add_array("sizes", [1, 2, 3])
            if template:
                writer.add_chat_template(template)
            writer.add_tensor("norm", np.ones(7, np.float32))
            weight = np.ones((4, 256), np.float32)
            if quantized:
                writer.add_tensor("w", gguf.quants.quantize(weight, gguf.GGMLQuantizationType.Q8_0), raw_dtype=gguf.GGMLQuantizationType.Q8_0)
            else:
                writer.add_tensor("w", weight.astype(np.float16))
            writer.write_header_to_file()
            writer.write_kv_data_to_file()
            writer.write_tensors_to_file()
            writer.close()
            yield "a.gguf", path.read_bytes()


def safetensors_files():
    module = pytest.importorskip("safetensors.numpy")
    for dtype in ("float16", "float32", "float64", "int8", "int32", "int64", "uint8", "bool"):
        yield "a.safetensors", module.save({"w": np.ones((3, 4), dtype), "b": np.zeros((0,), dtype), "s": np.array(1, dtype)})
        yield "a.safetensors", module.save({"w": np.ones((3, 4), dtype)}, metadata={"format": "np", "licence": "mit"})


def keras_files():
    def archive(config):
        import zipfile

        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as made:
            made.writestr("metadata.json", '{"keras_version": "3.9.0", "date_saved": "2026-01-01"}')
            made.writestr("config.json", json.dumps(config))
        return out.getvalue()

    dense = {
        "module": "keras.layers", "class_name": "Dense", "registered_name": None,
        "config": {
            "units": 4, "activation": "relu", "dtype": {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}, "registered_name": None},
            "kernel_initializer": {"module": "keras.initializers", "class_name": "GlorotUniform", "config": {"seed": None}, "registered_name": None},
        },
    }
    yield "a.keras", archive({"module": "keras", "class_name": "Sequential", "config": {"layers": [dense]}, "registered_name": "Sequential"})


def all_files(folder):
    for maker in (numpy_files, plain_pickles, onnx_files, safetensors_files, keras_files):
        yield from maker()
    for maker in (joblib_files, gguf_files):
        yield from maker(folder)


def test_what_libraries_write_is_not_unsafe(judged, tmp_path):
    found = [(name, judged(data, name)) for name, data in all_files(tmp_path)]
    unsafe = [(name, one.reasons[:2]) for name, one in found if one.verdict == "unsafe"]
    assert ([], True) == (unsafe, len(found) >= 120)
    counts = Counter(one.verdict for _, one in found)
    assert counts["clean"] >= len(found) * 0.75, counts


def test_they_are_all_decided(judged, tmp_path):
    assert {"clean"} == {judged(data, name).verdict for name, data in all_files(tmp_path)}


def test_the_facts_of_an_onnx_model(judged):
    data = next(data for _, data in onnx_files())
    found = judged(data, "a.onnx")
    assert ({"ai.onnx": 13}, "test", {"licence": "mit"}) == (found.facts["opset"], found.facts["producer"], found.facts["metadata"])
    assert [("w", "float32", (3, 4))] == [tuple(one) for one in found.tensors]


def test_the_facts_of_a_gguf_file(judged, tmp_path):
    found = judged([data for _, data in gguf_files(tmp_path)][-1], "a.gguf")
    assert ("llama", True, 3) == (found.facts["architecture"], found.facts["chat template"], found.facts["gguf version"])
    assert [("norm", "F32", (7,)), ("w", "Q8_0", (4, 256))] == [tuple(one) for one in found.tensors]


def test_the_sizes_of_gguf_types_are_those_of_its_own_library():
    gguf = pytest.importorskip("gguf")
    from dlgovern.evidence.artifacts.gguf import TYPES

    theirs = {int(kind): size for kind, size in gguf.GGML_QUANT_SIZES.items()}
    assert {kind: tuple(row[1:]) for kind, row in TYPES.items() if kind in theirs} == {kind: tuple(theirs[kind]) for kind in TYPES if kind in theirs}
