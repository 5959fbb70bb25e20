"""Bad input is said: every file that cannot be read, or not as it seems, ends in a finding or is named as not judged."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from dlgovern.cli.main import main

POD = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - name: a\n"
DEEPSPEED = '{"train_batch_size": 8,\n "zero_optimization": {"stage": 2},\n "train_batch_size": 8}\n'
CELL = '{"cells": [{"cell_type": "code", "source": ["import torch\\n", "x = torch.load(1, weights_only=False)"]}], "nbformat": 4}'
LAUGHS = "image: &a [x, x]\n" + "".join(f"b{n}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(20))
MERGED = "image: &a {k: 1}\n" + "".join(
    f"b{n}: &{chr(98 + n)}\n  k{n}: 1\n  <<: [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(24)
)

SAID = {
    "a missing include": ("requirements.txt", "-r base.txt\n", [("DLG121", 1)]),
    "a missing constraint": ("requirements.txt", "torch>=2.6\n-c base.txt\n", [("DLG121", 2)]),
    "a circle": ("requirements.txt", "-r requirements.txt\n", [("DLG121", 1)]),
    "a missing include of conda": ("environment.yml", "dependencies:\n  - pip:\n      - -r base.txt\n", [("DLG121", 3)]),
    "an include from outside": ("requirements.txt", "-r ../base.txt\n", [("DLG909", 1)]),
    "an include on the network": ("requirements.txt", "-r https://lists.example.com/base.txt\n", [("DLG909", 1)]),
    "an option that nobody knows": ("requirements.txt", "torch>=2.6\n--of-tomorrow\n", [("DLG909", 2)]),
    "an option for the command line": ("requirements.txt", "torch>=2.6\n--no-cache-dir\n", [("DLG901", 2)]),
    "a list for conda": ("requirements.txt", "# $ conda create --name a --file b\ntorch=2.6=py3\n", [("DLG909", 1)]),
    "Helm": ("templates/pod.yaml", POD + '      {{ include "a" . }}: [\n', [("DLG909", 7)]),
    "Jinja around JSON": ("ds_config.json", '{"fp16": {"enabled": {{ half }} {% if x %},\n "train_batch_size": 1 {% endif %}}\n', [("DLG909", 1)]),
    "a workflow, which is no template": (
        ".github/workflows/a.yml", "on: push\njobs:\n  a:\n    steps:\n      - run: |\n          echo ${{ a }}\nEOF\n      - run: x\n", [("DLG901", 8)],
    ),
    "a key of a pod twice": ("pod.yaml", POD + "      image: a/b:1\n      image: a/b:2\n", [("DLG901", 7)]),
    "a key of a template twice": ("templates/pod.yaml", POD + "      {{- if .a }}\n      image: a/b:1\n      {{- else }}\n      image: a/b:2\n      {{- end }}\n", []),
    "a key of DeepSpeed twice": ("ds_config.json", DEEPSPEED, [("DLG901", 3)]),
    "a key of Hydra twice": ("conf/a.yaml", "_target_: a.Model\nsize: 1\nsize: 1\n", [("DLG901", 3)]),
    "a key of Accelerate twice": ("a.yaml", "compute_environment: LOCAL_MACHINE\ndistributed_type: NO\nmixed_precision: fp16\nmixed_precision: bf16\n", [("DLG421", 4)]),
    "a key of an environment twice": ("environment.yml", "name: a\ndependencies: [torch]\nname: b\n", [("DLG901", 3)]),
    "a key of a project twice": ("pyproject.toml", "[project]\nname = 'a'\nname = 'b'\n", [("DLG901", 3)]),
    "too deep": ("a.yaml", "image: " + "[" * 9_000, [("DLG901", 1)]),
    "too deep in JSON": ("ds_config.json", '{"image": ' + "[" * 90_000 + "]" * 90_000 + "}", [("DLG901", 1)]),
    "laughs": ("a.yaml", LAUGHS, [("DLG901", 13)]),
    "merge keys that double": ("a.yaml", MERGED, [("DLG901", 46)]),
    "a stamp in front": ("requirements.txt", "\ufeff-r base.txt\n", [("DLG121", 1)]),
    "lines as Windows ends them": ("requirements.txt", "torch>=2.6\r\n-r base.txt\r\n", [("DLG121", 2)]),
}


def check(capsys, root: Path, *words: str) -> tuple[int, dict]:
    code = main(["check", str(root), "--isolated", "--output-format", "json", "--jobs", "1", "--no-cache", *words])
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("case", SAID)
def test_it_is_said_where_it_stands(tmp_path, capsys, case):
    path, text, expected = SAID[case]
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_bytes(text.encode())
    begun = time.monotonic()

    code, said = check(capsys, tmp_path, "--select", "DLG121,DLG421,DLG9", "--ignore", "DLG906")

    assert expected == [(one["rule"], one["line"]) for one in said["findings"]]
    assert int(any(one["level"] == "error" for one in said["findings"])) == code
    assert 20 > time.monotonic() - begun


def test_a_notebook_of_a_hundred_megabytes_is_named_and_the_rest_is_judged(tmp_path, capsys):
    with open(tmp_path / "big.ipynb", "wb") as file:
        file.write(CELL.encode())
        file.truncate(100 * 1024 * 1024)
    (tmp_path / "small.ipynb").write_text(CELL)

    code, said = check(capsys, tmp_path, "--select", "DLG502,DLG9")

    assert ["big.ipynb"] == [one["path"] for one in said["not_judged"]]
    assert [("DLG502", "small.ipynb")] == [(one["rule"], one["path"]) for one in said["findings"]]
    assert 3 == code


def test_a_character_beyond_16_bits_in_json_is_no_trouble(tmp_path, capsys):
    (tmp_path / "ds_config.json").write_text('{"train_batch_size": 8, "note": "\\\\u \\ud83d\\ude00", "zero_optimization": {}, "train_batch_size": 4}')

    assert ["DLG901"] == [one["rule"] for one in check(capsys, tmp_path, "--select", "DLG421,DLG9")[1]["findings"]]
