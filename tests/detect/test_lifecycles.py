"""Rules about life cycles see through files, and stay silent where a framework or another file answers."""

import json
import subprocess
import sys

import pytest


@pytest.fixture(autouse=True)
def _compiled(cache, monkeypatch):
    """The standard is compiled already."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))


def _findings(folder, rule, *more):
    command = [
        sys.executable, "-P", "-m", "dlgovern", "check", str(folder), "--isolated", "--profile", "all", "--exit-zero",
        "--min-confidence", "low", "--select", rule, "--output-format", "json", *more,
    ]
    report = json.loads(subprocess.run(command, capture_output=True, check=True, cwd=folder).stdout)
    return [(f["path"], f["line"], f["confidence"]) for f in report["findings"] if f["rule"] == rule]


def _write(folder, **files):
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)


LOADERS = """import torch
from torch.utils.data.distributed import DistributedSampler
def loader(data):
    return torch.utils.data.DataLoader(data, sampler=DistributedSampler(data))
"""
TRAIN = """from loaders import loader
def main(model, data):
    batches = loader(data)
    for epoch in range(3):
        for batch in batches:
            model(batch).backward()
"""


def test_a_sampler_is_reported_where_it_is_made_although_another_file_trains(tmp_path):
    _write(tmp_path, loaders=LOADERS, train=TRAIN)
    assert _findings(tmp_path, "DLG228") == [("loaders.py", 4, "medium")]


@pytest.mark.parametrize("line", ["batches.sampler.set_epoch(epoch)", "import lightning.pytorch"])
def test_the_program_that_uses_it_answers_for_a_sampler(tmp_path, line):
    _write(tmp_path, loaders=LOADERS, train=TRAIN + f"            {line}\n")
    assert _findings(tmp_path, "DLG228") == []


def test_a_file_that_only_lies_beside_does_not_answer(tmp_path):
    _write(tmp_path, loaders=LOADERS, train=TRAIN, other="def f(s):\n    s.set_epoch(1)\n")
    assert _findings(tmp_path, "DLG228") == [("loaders.py", 4, "medium")]


def test_a_test_that_imports_everything_makes_no_program(tmp_path):
    _write(tmp_path, loaders=LOADERS, train=TRAIN, other="def f(s):\n    s.set_epoch(1)\n", test_all="import loaders\nimport other\n")
    assert _findings(tmp_path, "DLG228") == [("loaders.py", 4, "medium")]


def test_an_optimizer_is_followed_into_the_functions_of_another_file(tmp_path):
    _write(
        tmp_path,
        parts="from torch.distributed.fsdp import fully_shard\ndef cut(m):\n    for layer in m.layers:\n        fully_shard(layer)\n",
        train="import parts\nfrom torch import optim\ndef main(net):\n    opt = optim.SGD(net.parameters())\n    parts.cut(net)\n    return opt\n",
        right="import parts\nfrom torch import optim\ndef main(net):\n    parts.cut(net)\n    return optim.SGD(net.parameters())\n",
    )
    assert _findings(tmp_path, "DLG215") == [("train.py", 4, "high")]


def test_other_files_count_for_the_cache(tmp_path):
    _write(tmp_path, helpers="def back(loss):\n    loss.backward()\n", train="import helpers\ndef f(x, optimizer):\n    for b in x:\n        helpers.back(b)\n        optimizer.step()\n")
    command = [
        sys.executable, "-P", "-m", "dlgovern", "check", ".", "--isolated", "--profile", "all", "--exit-zero", "--select", "DLG319",
        "--output-format", "json", "--cache-dir", str(tmp_path / "cache"),
    ]

    def run():
        report = json.loads(subprocess.run(command, capture_output=True, check=True, cwd=tmp_path).stdout)
        return [(f["path"], f["line"]) for f in report["findings"]]

    before = run()
    _write(tmp_path, helpers="def back(loss, opt=None):\n    opt.zero_grad()\n    loss.backward()\n")
    assert (before, run()) == ([("train.py", 5)], [])


STEP = "def fit(model, batches, criterion, optimizer{more}):\n    for x, y in batches:\n        loss = criterion(model(x{on}), y)\n        loss.backward()\n        optimizer.step()\n        print(loss.item())\n"


@pytest.mark.parametrize(("more", "on", "sure"), [(", device", ".to(device)", "high"), ("", "", "medium")])
def test_waiting_for_the_device_is_sure_only_where_there_is_one(tmp_path, more, on, sure):  # DLG307
    _write(tmp_path, fit=STEP.format(more=more, on=on))
    assert _findings(tmp_path, "DLG307") == [("fit.py", 6, sure)]
