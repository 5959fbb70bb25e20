"""Checkpoints that torch itself writes: clean where `weights_only` loads them, and never clean where it does not."""

from __future__ import annotations

import importlib.util
import io
import json
import re
import subprocess
import sys
import warnings
import zipfile
from collections import Counter
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from dlgovern.evidence.artifacts.allowed import newest  # noqa: E402
from dlgovern.evidence.artifacts.blob import Held  # noqa: E402
from dlgovern.evidence.artifacts.read import read_artifact  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
TABLE = [line.split("\t") for line in (ROOT / "rules/exports/weights-only.tsv").read_text().splitlines() if line[:1] != "#"]
ALLOWED = newest(TABLE, reaches=lambda version: version < (2, 14))


def saved(value, **how) -> bytes:
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.save(value, out, **how)
    return out.getvalue()


def judged(data: bytes, name: str = "a.pt"):
    return read_artifact(Held(data), name, ALLOWED)


def models():
    nn = torch.nn
    yield nn.Linear(3, 4)
    yield nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten(), nn.LazyLinear(2))
    yield nn.LSTM(3, 4, num_layers=2, bidirectional=True)
    yield nn.TransformerEncoderLayer(8, 2, 16)
    yield nn.MultiheadAttention(8, 2)
    yield nn.Embedding(10, 4).half()
    yield nn.Linear(3, 4).to(torch.bfloat16)
    yield nn.Linear(3, 4).double()
    yield nn.utils.parametrizations.weight_norm(nn.Linear(3, 3))
    yield nn.ModuleDict({"a": nn.GRU(2, 2), "b": nn.ModuleList([nn.LayerNorm(3), nn.PReLU()])})
    tied = nn.Sequential(nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False))
    tied[1].weight = tied[0].weight
    yield tied


def states():
    """State dicts, optimiser states and what training scripts put around them."""
    for model in models():
        if any(isinstance(one, torch.nn.LazyLinear) for one in model.modules()):
            model(torch.zeros(1, 1, 8, 8))
        yield dict(model.state_dict())
        yield model.state_dict()
        parameters = list(model.parameters())
        for kind in (torch.optim.SGD, torch.optim.AdamW, torch.optim.Adagrad, torch.optim.RMSprop):
            optimizer = kind(parameters, lr=0.1, **({"momentum": 0.9} if kind is torch.optim.SGD else {}))
            for one in parameters:
                one.grad = torch.ones_like(one)
            optimizer.step()
            yield {
                "model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3, "best": 0.5, "name": "run", "rng": torch.get_rng_state(),
                "scheduler": torch.optim.lr_scheduler.StepLR(optimizer, 2).state_dict(),
            }
    yield {"t": torch.ones(4)[1:], "p": torch.nn.Parameter(torch.ones(2)), "s": torch.Size([1, 2]), "d": torch.device("cpu"), "f": torch.float16}
    yield {"empty": torch.empty(0, 3), "scalar": torch.tensor(1.5), "bool": torch.tensor([True]), "view": torch.ones(4, 4).t(), "z": torch.ones(2, dtype=torch.complex64)}
    yield {"sparse": torch.eye(3).to_sparse(), "meta": torch.empty(2, 3, device="meta"), "u16": torch.ones(2, dtype=torch.uint16)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        quantized = torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8)
    yield {"q": quantized}
    yield {"f8": torch.ones(4).to(torch.float8_e4m3fn)}
    yield [torch.ones(1) for _ in range(2000)]


FORMS = {"zip": {}, "legacy": {"_use_new_zipfile_serialization": False}}


def test_state_dicts_are_not_unsafe_and_load_with_weights_only():
    counts: Counter[str] = Counter()
    wrong = []
    for state in states():
        for form, how in FORMS.items():
            data = saved(state, **how)
            found = judged(data)
            counts[found.verdict] += 1
            if found.verdict == "clean":
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    try:
                        torch.load(io.BytesIO(data), weights_only=True)
                    except AttributeError as error:  # torch writes newer types in its legacy format and cannot read them
                        assert (form, True) == ("legacy", "UntypedStorage" in str(error))
            elif found.verdict == "unsafe" or form == "zip":
                wrong.append((form, list(state)[:3] if isinstance(state, dict) else "list", found.verdict, found.reasons[:2]))
    assert ([], True) == (wrong, counts["clean"] >= 100), counts


def test_a_whole_module_is_unsafe():
    for model in models():
        if any(hasattr(one, "parametrizations") for one in model.modules()):
            continue  # torch refuses to save these
        for how in FORMS.values():
            assert "unsafe" == judged(saved(model, **how)).verdict


def test_what_is_not_on_the_list_is_what_weights_only_refuses():
    import argparse
    import datetime

    for value in (argparse.Namespace(lr=0.1), datetime.timedelta(days=1), range(3), slice(1, 2), torch.nn.ReLU(), Path("a")):
        data = saved({"a": torch.ones(1), "b": value})
        assert "unsafe" == judged(data).verdict
        with pytest.raises(Exception, match=r"Weights only load failed|weights_only"):
            torch.load(io.BytesIO(data), weights_only=True)


def test_the_tensors_of_a_checkpoint_are_told():
    found = judged(saved({"model": {"w": torch.ones(2, 3, dtype=torch.bfloat16)}, "steps": [torch.zeros(4, dtype=torch.int64)]}))
    assert [("model.w", "bfloat16", (2, 3)), ("steps.0", "int64", (4,))] == [tuple(one) for one in found.tensors]


def test_exported_programs_and_scripts():
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4)).eval()
    out = io.BytesIO()
    torch.export.save(torch.export.export(model, (torch.ones(2, 3),)), out)
    found = judged(out.getvalue(), "a.pt2")
    assert ("pt2", "clean", 7) == (found.format, found.verdict, len(found.tensors))
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.trace(model, torch.ones(1, 3)), out)
    found = judged(out.getvalue())
    assert ("torchscript", "unsafe") == (found.format, found.verdict)


@pytest.mark.skipif(not torch.__version__.startswith("2.13."), reason="the table was asked of 2.13")
def test_the_table_is_what_torch_says():
    from torch._weights_only_unpickler import _get_allowed_globals

    installed = tuple(int(part) for part in torch.__version__.split(".")[:2])
    allowed = newest(TABLE, reaches=lambda version: version <= installed)
    names = [row[2] for row in TABLE if allowed.kind(*row[2].rsplit(".", 1), data=False)]
    assert sorted(_get_allowed_globals()) == names


def test_weights_only_really_refuses_what_is_called_unsafe_for_a_call():
    """A harmless callable: loading runs it without weights_only, and is refused with it."""
    data = saved(_Calls())
    found = judged(data)
    assert ("unsafe", "builtins.print") == (found.verdict, found.reasons[0].name)
    with pytest.raises(Exception, match="Weights only load failed"):
        torch.load(io.BytesIO(data), weights_only=True)


class _Calls:
    def __reduce__(self):
        return print, ()


def run(code: str, tmp_path: Path) -> None:
    """Run code in a process of its own, whatever becomes of it."""
    ran = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert ran.returncode in (0, 1), ran.stderr


def test_the_texts_of_an_exported_program_are_really_evaluated(tmp_path):
    """What DLG523 says of them, seen: a size and a structure when it is loaded, a guard when it is called."""
    dim = torch.export.Dim("n", min=2, max=64)
    program = torch.export.export(_Rows(), (torch.ones(6, 4),), dynamic_shapes=({0: dim},))
    torch.export.save(program, tmp_path / "good.pt2")
    assert "clean" == judged((tmp_path / "good.pt2").read_bytes(), "good.pt2").verdict
    (tmp_path / "marks.py").write_text("open('structure', 'w').close()\nx = list\n")

    def change(text: str, place: str) -> str:
        code = f"open('{place}', 'w').close()"
        said = json.loads(text)
        if place == "guard":
            said["guards_code"] = [f"{code} or True"]
        elif place == "structure":
            signature = said["graph_module"]["module_call_graph"][0]["signature"]
            context = {"default_factory_module": "marks", "default_factory_name": "x", "dict_context": []}
            signature["in_spec"] = json.dumps([1, {"type": "collections.defaultdict", "context": context, "children_spec": []}])
        else:
            said = json.loads(re.sub(r'"expr_str": "[^"]*"', f'"expr_str": "{code}"', text, count=1))
        return json.dumps(said)

    places = ("size", "guard", "structure")
    for place in places:
        with zipfile.ZipFile(tmp_path / "good.pt2") as old, zipfile.ZipFile(tmp_path / f"{place}.pt2", "w") as new:
            for entry in old.infolist():
                data = old.read(entry)
                new.writestr(entry, change(data.decode(), place) if entry.filename.endswith("models/model.json") else data)
        assert "unsafe" == judged((tmp_path / f"{place}.pt2").read_bytes(), "a.pt2").verdict
    code = "import contextlib, torch\n"
    for place in places:
        code += f"with contextlib.suppress(Exception):\n    torch.export.load('{place}.pt2').module()(torch.ones(6, 4))\n"
    run(code, tmp_path)
    assert [True] * 3 == [(tmp_path / place).exists() for place in places]


class _Rows(torch.nn.Module):
    def forward(self, x):
        return torch.cat([x, x[:1]]).reshape(-1)


def test_a_legacy_checkpoint_that_is_a_tar_too_is_read_as_a_tar(tmp_path):
    spec = importlib.util.spec_from_file_location("hostile_torch", ROOT / "tests/evidence/artifacts/hostile.py")
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    data = module.legacy_in_tar("system").replace(b"echo hello", b":>   mark ")
    (tmp_path / "a.pt").write_bytes(data)
    assert ("torch-tar", "unsafe") == (judged(data).format, judged(data).verdict)
    run("import torch; torch.load('a.pt', weights_only=False)", tmp_path)
    assert (tmp_path / "mark").exists()
