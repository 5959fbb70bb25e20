"""Files about building and launching: what is read of each kind, and that nothing brings a reader down."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlgovern.evidence import codec
from dlgovern.evidence.dockerfile import read_dockerfile
from dlgovern.evidence.nodes import Broken, read_json, read_yaml
from dlgovern.evidence.recipe import SCRIPTS, Recipe, read
from dlgovern.repository.launch import launches

DOCKERFILE = """\
# syntax=docker/dockerfile:1
ARG CUDA=12.4.1
ARG BASE=nvidia/cuda:${CUDA}-devel
FROM --platform=$BUILDPLATFORM ${BASE} AS build
ENV NCCL_DEBUG=INFO A=b
ENV X y z
RUN --mount=type=cache,target=/root/.cache \\
    # a comment between
    pip install torch==2.1 && \\

    apt-get install -y git
RUN <<EOF
pip install deepspeed
EOF
FROM ${UNKNOWN}
FROM python:3.11
COPY --from=build /a /b
COPY --from=ghcr.io/astral-sh/uv:latest /uv /bin/
CMD ["torchrun", "--nproc-per-node=8", "train.py"]
ENTRYPOINT python x.py
"""
PROSE = """\
Talk of `torchrun a.py`.

```bash
$ torchrun --nproc_per_node=8 \\
    train.py
some output
```
- item
  ```
  python b.py <your args>
  ```
```python
import torch
```
"""
WORKFLOW = """\
on: [push, pull_request]
env: {NCCL_DEBUG: INFO}
jobs:
  test:
    runs-on: gpu
    container: pytorch/pytorch:latest
    steps:
      - uses: actions/checkout@v4
      - run: |
          pip install -e .
          torchrun tests/a.py
        continue-on-error: true
      - run: >
          python
          b.py
"""
JOB = """\
apiVersion: kubeflow.org/v1
kind: PyTorchJob
metadata: {name: a}
spec:
  nprocPerNode: "4"
  pytorchReplicaSpecs:
    Worker:
      replicas: 3
      template:
        spec:
          containers:
            - name: pytorch
              image: example.com/a:1
              command: [torchrun, train.py]
              env: [{name: NCCL_DEBUG, value: INFO}]
              resources: {limits: {nvidia.com/gpu: 4}}
              volumeMounts: [{mountPath: /dev/shm, name: shm}]
          volumes: [{name: shm, emptyDir: {medium: Memory}}]
"""
HELM = """\
{{- if .Values.train }}
apiVersion: batch/v1
kind: Job
metadata:
  labels: {{- include "a.labels" . | nindent 4 }}
spec:
  template:
    spec:
      containers:
        - name: a
          image: "{{ .Values.image }}:{{ .Values.tag }}"
          command: [torchrun, --nproc-per-node, {{ .Values.gpus }}, train.py]
{{- end }}
"""
DEEPSPEED = '{\n\t"train_batch_size": 64, // no comment in JSON\n\t"fp16": {"enabled": true}\n}\n'.replace(" // no comment in JSON", "")
FILES = {
    "Dockerfile": DOCKERFILE, "README.md": PROSE, ".github/workflows/a.yml": WORKFLOW, "job.yaml": JOB, "helm.yaml": HELM,
    "ds_config.json": DEEPSPEED, "Makefile": "N := 2\nrun:\n\t@torchrun --nproc-per-node=$(N) a.py\n",
    "justfile": "run:\n    torchrun {{script}}\n", "tox.ini": "[testenv]\ncommands =\n    python -m pytest\n    torchrun a.py\n",
    "Jenkinsfile": "pipeline { steps { sh '''\n torchrun a.py\n ''' } }", ".env": "NCCL_DEBUG=INFO\nA='b'\n",
    "train.sbatch": "#SBATCH -N 2\nsrun torchrun a.py\n", "docs/a.rst": "Run::\n\n    torchrun a.py\n\nand more\n",
}


def recipe(path: str) -> Recipe:
    return read(path, FILES[path].encode())


def commands(path: str) -> list[list[str]]:
    return [[word.text for word in command.words] for command in recipe(path).commands]


def test_a_dockerfile():
    found = recipe("Dockerfile")

    assert [(image.name, image.known, image.final, image.line) for image in found.images] == [
        ("nvidia/cuda:12.4.1-devel", True, True, 4), ("${UNKNOWN}", False, False, 15), ("python:3.11", True, True, 16),
        ("ghcr.io/astral-sh/uv:latest", True, True, 18),
    ]
    assert commands("Dockerfile") == [
        ["pip", "install", "torch==2.1"], ["apt-get", "install", "-y", "git"], ["pip", "install", "deepspeed"],
        ["torchrun", "--nproc-per-node=8", "train.py"], ["python", "x.py"],
    ]
    assert [(s.name, s.value) for s in found.settings] == [("NCCL_DEBUG", "INFO"), ("A", "b"), ("X", "y z")]
    assert [(c.line, c.column) for c in found.commands][:2] == [(9, 5), (11, 5)]


def test_an_argument_whose_default_is_another_one_s():
    found = read_dockerfile("ARG ONE=${NONE:-3}\nARG TWO=$NONE\nFROM a:${ONE}\nFROM a:${TWO}\nFROM b/{{ name }}\n")

    assert [(stage.image, stage.known) for stage in found.stages] == [("a:3", True), ("a:${TWO}", False), ("b/{{", False)]


def test_code_blocks_of_prose():
    found = recipe("README.md")

    assert commands("README.md") == [["torchrun", "--nproc_per_node=8", "train.py"], ["python", "b.py", "`         `"]]
    assert [(c.line, c.column) for c in found.commands] == [(4, 3), (10, 3)]
    assert commands("docs/a.rst") == [["torchrun", "a.py"]]


def test_a_workflow():
    found = recipe(".github/workflows/a.yml")

    assert found.form == "github"
    assert commands(".github/workflows/a.yml") == [["pip", "install", "-e", "."], ["torchrun", "tests/a.py"], ["python", "b.py"]]
    assert [(c.line, c.column) for c in found.commands] == [(10, 11), (11, 11), (14, 11)]
    assert [image.name for image in found.images] == ["pytorch/pytorch:latest"]
    assert found.workflow is not None
    assert [(step.uses, step.tolerated) for step in found.workflow.steps] == [("actions/checkout@v4", False), ("", True), ("", False)]
    assert found.workflow.events == ("push", "pull_request")


def test_a_job_of_a_cluster():
    found = recipe("job.yaml")

    assert [(r.api, r.kind, r.line) for r in found.resources] == [("kubeflow.org/v1", "PyTorchJob", 2)]
    assert [(p.role, p.gpus, p.replicas, p.shared, p.processes) for p in found.pods] == [("Worker", 4, 3, True, "4")]
    assert [(s.name, s.value) for s in found.settings] == [("NCCL_DEBUG", "INFO")]


def test_a_template_is_read_as_far_as_it_goes():
    found = recipe("helm.yaml")

    assert ([], []) == (list(found.problems), list(found.skipped))
    assert [(image.known, image.line) for image in found.images] == [(False, 11)]
    assert [[word.known for word in command.words] for command in found.commands] == [[True, True, False, True]]


def test_json_has_places_and_tabs():
    found = recipe("ds_config.json")

    assert found.form == "deepspeed"
    assert [(v.key, v.text, v.line, v.column) for v in found.values] == [
        ("train_batch_size", "64", 2, 22), ("fp16.enabled", "true", 3, 22),
    ]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("Makefile", [["torchrun", "--nproc-per-node=2", "a.py"]]), ("justfile", [["torchrun", "{{script}}"]]),
        ("tox.ini", [["python", "-m", "pytest"], ["torchrun", "a.py"]]), ("Jenkinsfile", [["torchrun", "a.py"]]),
        ("train.sbatch", [["srun", "torchrun", "a.py"]]),
    ],
)
def test_commands_of_other_kinds(path, expected):
    assert commands(path) == expected


def test_a_continued_recipe_keeps_its_dashes():
    found = read("Makefile", b"a:\n\t@-docker run \\\n\t\t-v x y:1\n")

    assert [[word.text for word in command.words] for command in found.commands] == [["docker", "run", "-v", "x", "y:1"]]


def test_windows_line_ends_and_a_mark_change_nothing():
    for path, text in FILES.items():
        plain, odd = read(path, text.encode()), read(path, b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
        assert plain == odd, path


def test_a_recipe_comes_back_from_json():
    import json

    for path in FILES:
        assert codec.restore(Recipe, json.loads(json.dumps(recipe(path)))) == recipe(path)


BOMBS = {
    "sequences": "[" * 100_000,
    "mappings": "{a: " * 50_000,
    "indents": "\n".join(" " * n + "a:" for n in range(2_000)),
    "dashes": "- " * 50_000 + "x",
    "laughs": "a: &a [x, x]\n" + "".join(f"b{n}: &b{n} [{', '.join([f'*b{n - 1}' if n else '*a'] * 9)}]\n" for n in range(30)),
    "merges": "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n}\n  <<: [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 45)),
    "a cycle": "a: &a [*a]",
    "aliases": "a: &a 1\n" + "b: [" + "*a, " * 5_000 + "]",
    "many": "[" + "1," * 120_000 + "]",
    "documents": "---\na\n" * 5_000,
    "keys": "? " * 3_000 + "a",
    "a NUL": "image: a\0b",
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_a_problem_at_once(name):
    start = time.process_time()

    found = read("values.yaml", b"image: a\n" * (name == "never") + BOMBS[name].encode() + b"\n# image")

    assert found.problems
    assert time.process_time() - start < 1


@pytest.mark.parametrize("text", ["{a: 1}}", "a: b: c", "a: *b", "\t- a", "'open"])
def test_what_does_not_parse_says_so(text):
    with pytest.raises(Broken):
        read_yaml(text)


def test_tags_make_no_objects():
    assert read_yaml("a: !!python/object/apply:os.system [exit 1]").roots[0].get("a") is not None
    assert read_json('{"a": 1}').roots[0].number("a") == 1


@pytest.mark.parametrize("path", FILES)
def test_any_mutant_of_a_real_file_is_read_or_refused(path):
    shuffled = random.Random(path)
    data = FILES[path].encode()
    for _ in range(60):
        mutant = bytearray(data)
        for _ in range(shuffled.randint(1, 6)):
            at = shuffled.randrange(len(mutant) + 1)
            action = shuffled.randrange(4)
            if action == 0:
                mutant[at:at] = shuffled.choice((b"\0", b"{{", b"'", b'"', b"\\\n", b"<<EOF\n", b"$(", b"`", b"\t", b"&a", b"*a", b"\xff", b"\r"))
            elif action == 1:
                del mutant[at : at + shuffled.randint(1, 30)]
            elif action == 2:
                mutant[at:at] = mutant[shuffled.randrange(len(mutant) + 1) :][: shuffled.randint(1, 60)]
            elif at < len(mutant):
                mutant[at] = shuffled.randrange(256)
        check(read(path, bytes(mutant)), bytes(mutant))


@settings(max_examples=150, deadline=None)
@given(path=st.sampled_from(sorted(FILES)), text=st.text(alphabet=st.sampled_from("ab${}()'\"`\\\n\t <>|&;#=-:[]*!%@,?0\ufffd\0"), max_size=200))
def test_any_text_is_read_or_refused(path, text):
    check(read(path, ("python torch image: " + text).encode()), text.encode())


def check(found: Recipe, data: bytes) -> None:
    """Places lie in the file, and the launch graph of what was read can be made."""
    assert found.kind in SCRIPTS
    last = data.count(b"\n") + data.count(b"\r") + 2
    for command in found.commands:
        assert 1 <= command.line <= command.end_line <= last
        assert all(1 <= word.line <= last and word.column >= 1 for word in command.words)
    list(launches(found))
