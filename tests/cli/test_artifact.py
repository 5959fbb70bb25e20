"""`dlgovern artifact`: what a file is, as text and JSON, and the exit codes."""

from __future__ import annotations

import hashlib
import json
import pickle

import pytest

from dlgovern.cli.main import main


class Runs:
    """Pickles as a call."""

    def __reduce__(self):
        return eval, ("1",)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "good.pkl").write_bytes(pickle.dumps({"a": 1}))
    (tmp_path / "bad.pkl").write_bytes(pickle.dumps(Runs()))
    (tmp_path / "notes.txt").write_text("nothing")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / ".cache"))
    return tmp_path


def run(capsys, *words):
    code = main(["artifact", *words])
    return code, capsys.readouterr().out


def test_a_clean_file(folder, capsys):
    code, said = run(capsys, "good.pkl")
    assert (0, True) == (code, said.startswith("good.pkl: clean (pickle, "))


def test_an_unsafe_file_says_what_it_runs_and_where(folder, capsys):
    code, said = run(capsys, "bad.pkl")
    assert (1, True) == (code, "unsafe: would call builtins.eval (byte " in said)


def test_a_folder_takes_the_files_with_a_known_ending(folder, capsys):
    code, said = run(capsys, ".", "--output-format", "json")
    found = {one["path"]: one["verdict"] for one in json.loads(said)["artifacts"]}
    assert (1, {"./bad.pkl": "unsafe", "./good.pkl": "clean"}) == (code, found)


def test_other_files_are_no_artifacts(folder, capsys):
    code, said = run(capsys, "notes.txt")
    assert (0, True) == (code, "not an artifact" in said)


def test_what_cannot_be_read_leaves_three(folder, capsys):
    (folder / "link.pt").symlink_to("good.pkl")
    code, said = run(capsys, "link.pt", "bad.pkl")
    assert (3, True) == (code, "link.pt: not read: is a symbolic link" in said)


def test_what_does_not_exist_leaves_two(folder, capsys):
    assert 2 == run(capsys, "none.pt")[0]


def test_exit_zero(folder, capsys):
    assert 0 == run(capsys, "bad.pkl", "--exit-zero")[0]


def test_a_manifest_is_written_and_then_holds(folder, capsys):
    (folder / "dlgovern.toml").write_text("")
    assert 1 == run(capsys, "manifest", "good.pkl")[0]
    assert (0, "") == run(capsys, "manifest", "--write", "good.pkl")
    said = json.loads((folder / "artifacts.json").read_text())["artifacts"]
    assert [("good.pkl", "pickle", "clean", 64)] == [(one["path"], one["format"], one["verdict"], len(one["sha256"])) for one in said]
    assert 0 == run(capsys, "manifest", "good.pkl")[0]
    (folder / "good.pkl").write_bytes(pickle.dumps({"a": 2}))
    assert 1 == run(capsys, "manifest", "good.pkl")[0]


@pytest.fixture
def onnx_with_weights_beside_it(folder):
    onnx = pytest.importorskip("onnx")
    weight = onnx.helper.make_tensor("w", onnx.TensorProto.FLOAT, [4], b"\0" * 16, raw=True)
    graph = onnx.helper.make_graph([], "g", [], [], [weight])
    onnx.save(onnx.helper.make_model(graph), "m.onnx", save_as_external_data=True, location="m.data", size_threshold=0)
    return folder / "m.data"


def test_a_manifest_knows_the_weights_beside_a_model(onnx_with_weights_beside_it, capsys, monkeypatch):
    monkeypatch.delenv("CI", raising=False)  # it switches the cache off
    assert 0 == run(capsys, "manifest", "--write", "m.onnx")[0]
    folder = onnx_with_weights_beside_it.parent
    (said,) = json.loads((folder / "artifacts.json").read_text())["artifacts"]
    assert {"m.data": hashlib.sha256(b"\0" * 16).hexdigest()} == said["external"]
    onnx_with_weights_beside_it.write_bytes(b"\1" * 16)
    assert 1 == run(capsys, "manifest", "m.onnx")[0]
    (folder / "s").mkdir()
    (folder / "s" / "standard.toml").write_text(
        'schema = 1\n[standard]\nname = "s"\nversion = "1"\nextends = "reference"\n[parameters.DLG809]\nreleased = ["*.onnx"]\n'
    )
    words = ["check", "--standard", "s", "--profile", "all", "--select", "DLG809", "--fail-on", "warning", "."]
    onnx_with_weights_beside_it.write_bytes(b"\0" * 16)
    assert 0 == main(words)
    onnx_with_weights_beside_it.write_bytes(b"\2" * 16)
    assert 1 == main(words)  # also where results are kept
    capsys.readouterr()
    assert 1 == main(["check", "--no-cache", "--standard", "s", "--profile", "all", "--select", "DLG809", "--fail-on", "warning", "."])
    assert "m.onnx:1:1 error DLG809" in (shown := capsys.readouterr().out)
    assert "m.data, which holds its weights" in shown


def test_a_bill_names_the_weights_beside_a_model(onnx_with_weights_beside_it, capsys):
    pytest.importorskip("cyclonedx")
    (model,) = json.loads(run(capsys, "m.onnx", "--ml-bom")[1])["components"]
    (weights,) = model["components"]
    assert ("m.data", "file", hashlib.sha256(b"\0" * 16).hexdigest()) == (weights["name"], weights["type"], weights["hashes"][0]["content"])


def test_a_bill_of_materials_is_valid(folder, capsys, monkeypatch):
    cyclonedx = pytest.importorskip("cyclonedx.validation.json")
    from cyclonedx.schema import SchemaVersion

    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1780000000")
    code, said = run(capsys, "bad.pkl", "good.pkl", "--ml-bom")
    bill = json.loads(said)
    assert (1, {"machine-learning-model"}) == (code, {one["type"] for one in bill["components"]})
    assert said == run(capsys, "bad.pkl", "good.pkl", "--ml-bom")[1]
    try:
        wrong = cyclonedx.JsonStrictValidator(SchemaVersion.V1_6).validate_str(said)
    except Exception as error:  # noqa: BLE001 - its validation is an extra of its own
        pytest.skip(f"the validator is not installed: {error}")
    assert wrong is None


@pytest.mark.parametrize("name", ["weights.dat", "notes.jpg", "model", "UPPER.BAD"])
def test_a_folder_is_searched_by_content_too(folder, capsys, name):
    (folder / "bad.pkl").rename(folder / name)
    code, said = run(capsys, ".")
    assert (1, True, False) == (code, f"./{name}: unsafe" in said, "notes.txt" in said)


@pytest.mark.parametrize("name", ["weights.dat", "notes.jpg", "model", "UPPER.BAD", "a b.md5"])
def test_check_finds_a_model_by_its_content(folder, capsys, name):
    (folder / "bad.pkl").rename(folder / name)
    code = main(["check", "--no-cache", "."])
    assert (1, True) == (code, f"{name}:1:1 error DLG523" in capsys.readouterr().out)
    assert 0 == main(["check", "--no-cache", "--extend-ignore", "DLG523", "."])


@pytest.mark.parametrize("name", ["notes.md", "a.rst", "a.yaml", "a.yml", "a.json", "a.toml", "run.sh", ".env", "Dockerfile", "Makefile", "requirements.txt"])
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_check_finds_a_model_under_the_name_of_a_document(folder, capsys, name, protocol):
    (folder / "bad.pkl").unlink()
    (folder / name).write_bytes(pickle.dumps(Runs(), protocol))
    (folder / "other.md").write_text("(See the other file.)\n\n```sh\npython train.py\n```\n")
    code = main(["check", "--no-cache", "."])
    assert (1, True) == (code, f"{name}:1:1 error DLG523" in capsys.readouterr().out)


def test_a_folder_without_models_is_a_mistake(folder, capsys):
    (folder / "inner").mkdir()
    assert 2 == main(["artifact", "inner"])
    assert "no model file was found" in capsys.readouterr().err


def test_archives_and_data_of_other_kinds_are_no_models(folder, capsys):
    import zipfile

    (folder / "bad.pkl").unlink()
    for name in ("a.whl", "b.docx"):
        with zipfile.ZipFile(folder / name, "w") as archive:
            archive.writestr("x/__init__.py", "print(1)")
    (folder / "c.tar.gz").write_bytes(b"\x1f\x8b" + b"\0" * 40)
    (folder / "d.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 40)
    (folder / "e.pfb").write_bytes(b"\x80\x01\x10\0\0\0%!PS-AdobeFont")
    assert (0, False) == (main(["check", "--no-cache", "."]), "DLG5" in capsys.readouterr().out)
    assert 0 == main(["artifact", "."])
    assert "1 file" in capsys.readouterr().out.splitlines()[-1]
