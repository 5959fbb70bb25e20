"""What the commands of scripts, images and workflows install."""

from __future__ import annotations

import pytest

from dlgovern.evidence.installs import installs, manifest_of
from dlgovern.evidence.recipe import read

COMMANDS = [
    ("pip install torch==2.9.1 'numpy<2'", ["torch==2.9.1", "numpy<2"]),
    ("sudo -E python3 -m pip install -U --no-cache-dir --target /x deepspeed", ["deepspeed"]),
    ("uv pip install --system --index-url https://a.example/simple torch", ["torch"]),
    ("conda install -y -c pytorch -n base pytorch=2.1 pytorch-cuda=12.1", ["torch==2.1.*", "pytorch-cuda==12.1.*"]),
    ("mamba create -n a python=3.10 numpy", ["numpy"]),
    ("uv add wandb && pip install -e .[dev] ; pip install -r requirements.txt", ["wandb"]),
    ("pip install git+https://github.com/a/b@main", ["b"]),
    ("pip install $EXTRA torch", ["torch"]),
    ("${RUN} python -m uv pip install numpy", ["numpy"]),
    ("$INSTALL torch", []),
    ("pip download torch", []),
    ("echo pip install torch", []),
    ("pip list | grep torch", []),
]


@pytest.mark.parametrize(("line", "expected"), COMMANDS)
def test_a_command(line: str, expected: list[str]) -> None:
    manifest = manifest_of(read("run.sh", f"{line}\n".encode()))
    assert [f"{one.name}{one.specifier}" for one in manifest.requirements] == expected


def test_places_lists_and_indexes() -> None:
    recipe = read("Dockerfile", b"FROM a:1\nRUN pip install --extra-index-url https://b.example/x \\\n    torch -r dev.txt\n")
    (found,) = installs(recipe.commands, recipe.path)
    assert [(one.name, one.line, one.column, one.end_column) for one in found.requirements] == [("torch", 3, 5, 10)]
    assert [(one.kind, one.url, one.line) for one in found.indexes] == [("extra-index-url", "https://b.example/x", 2)]
    assert (found.files, found.local) == (("dev.txt",), False)


def test_an_index_that_a_variable_holds_is_not_known() -> None:
    recipe = read("run.sh", b"pip install torch --extra-index-url=$TORCH_URL\n")
    assert manifest_of(recipe).indexes == ()
