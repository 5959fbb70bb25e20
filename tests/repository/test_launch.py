"""The launch graph: who starts what, with how many processes."""

from __future__ import annotations

import pytest

from dlgovern.detect.world import processes
from dlgovern.evidence.arguments import read_arguments, takes
from dlgovern.evidence.recipe import read
from dlgovern.repository.launch import gpus_per_node, launches, request

OLD = "torch.distributed.launch"


def started(text: str) -> list[tuple[list[str], str, bool]]:
    recipe = read("a.sh", text.encode())
    return [([s.name for s in one.steps], one.target.text if one.target else "", one.module) for one in launches(recipe)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("python train.py --lr 1", (["python"], "train.py", False)),
        ("python -u -m pkg.train", (["python"], "pkg.train", True)),
        ("python3.11 -X dev -W ignore train.py", (["python"], "train.py", False)),
        ("torchrun --nproc_per_node 8 --standalone train.py", (["torchrun"], "train.py", False)),
        ("torchrun --nproc-per-node=8 -m pkg.train", (["torchrun"], "pkg.train", True)),
        ("python -m torch.distributed.run --nnodes=2 train.py", (["torchrun"], "train.py", False)),
        (f"python -m {OLD} train.py", ([OLD], "train.py", False)),
        ("srun -N 2 --ntasks-per-node=1 -l torchrun train.py", (["srun", "torchrun"], "train.py", False)),
        ("srun bash -c 'torchrun --nproc-per-node 8 train.py'", (["srun", "torchrun"], "train.py", False)),
        ("accelerate launch --multi_gpu --num_processes 2 train.py", (["accelerate"], "train.py", False)),
        ("accelerate launch -m pkg.train", (["accelerate"], "pkg.train", True)),
        ("deepspeed --num_gpus=2 train.py --deepspeed ds.json", (["deepspeed"], "train.py", False)),
        ("mpirun -np 4 -x PATH --allow-run-as-root python train.py", (["mpirun", "python"], "train.py", False)),
        ("env A=1 nohup uv run --frozen torchrun train.py", (["env", "nohup", "uv run", "torchrun"], "train.py", False)),
        ("timeout 60 python train.py", (["timeout", "python"], "train.py", False)),
        (f"$PYTHON -m {OLD} a.py", ([OLD], "a.py", False)),
        ("srun ./run.sh --a", (["srun", "script"], "./run.sh", False)),
        ("torchrun --no-python ./run.sh", (["torchrun", "script"], "./run.sh", False)),
    ],
)
def test_who_starts_what(text, expected):
    assert started(text) == [expected]


@pytest.mark.parametrize("text", ["echo torchrun a.py", "pip install torchrun", "python -c 'import a'", "ls", "python -"])
def test_what_starts_nothing(text):
    assert started(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("torchrun --nnodes 2 --nproc-per-node 8 a.py", 16), ("torchrun --nproc-per-node 8 a.py", 8),
        ("torchrun --nproc-per-node gpu a.py", None), ("torchrun --nnodes $N --nproc-per-node 8 a.py", None),
        ("deepspeed --num_gpus 4 a.py", 4), ("deepspeed a.py", None), ("deepspeed --include h:0,1 --num_gpus 2 a.py", None),
        ("accelerate launch --num_processes 4 a.py", 4), ("python a.py", None),
    ],
)
def test_how_many_processes(text, expected):
    assert processes(launches(read("a.sh", text.encode()))[0]) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [("--gres=gpu:8", 8), ("--gres=gpu:a100:4", 4), ("--gpus-per-node=2", 2), ("--gpus-per-node v100:2", 2), ("--gres=craynetwork:1", None)],
)
def test_what_a_batch_file_asks_for(line, expected):
    found = gpus_per_node(request(read("a.sbatch", f"#SBATCH {line}\n".encode())))
    assert (found[0] if found else None) == expected


PARSER = "import argparse\np = argparse.ArgumentParser()\np.add_argument('--lr')\np.add_argument('-e', '--epochs')\n"


def test_the_arguments_of_a_script():
    found = read_arguments((PARSER + "a = p.parse_args()\n").encode())

    assert (True, ("--lr", "-e", "--epochs"), 5) == (found.strict, found.options, found.line)
    assert [takes(found, option) for option in ("--lr", "--lr=1", "--epo", "--help", "--rl")] == [True, True, True, True, False]


@pytest.mark.parametrize(
    "end",
    [
        "a, b = p.parse_known_args()", "add(p)\na = p.parse_args()", "p.add_subparsers()\na = p.parse_args()", "p.parse_args([])",
        "q = argparse.ArgumentParser(parents=[p])\nq.parse_args()", "def f():\n    return p\na = p.parse_args()", "def f(:",
        "p.add_argument('rest', nargs=argparse.REMAINDER)\na = p.parse_args()", "p.add_argument('rest', nargs='...')\na = p.parse_args()",
        "for n in names:\n    p.add_argument('--' + n)\na = p.parse_args()", "",
    ],
)
def test_a_parser_that_others_may_add_to_is_not_strict(end):
    assert not read_arguments((PARSER + end + "\n").encode()).strict
