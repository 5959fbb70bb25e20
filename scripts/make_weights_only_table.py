"""Writes the allow-list of `torch.load(weights_only=True)` of the installed torch as a table of the standard.

python scripts/make_weights_only_table.py > rules/exports/weights-only.tsv
"""

import sys
import types
from typing import Any

import torch
from torch._weights_only_unpickler import _get_allowed_globals


def kind(name: str, value: Any) -> str:
    """What an allowed name is: data, function, class, storage or tensor."""
    if isinstance(value, torch.serialization.StorageType) or name.startswith("torch.storage."):
        return "storage"
    if value in torch._tensor_classes:
        return "tensor"
    if isinstance(value, type):
        return "class"
    if isinstance(value, (types.FunctionType, types.BuiltinFunctionType)):
        return "function"
    return "data"


def rows() -> list[tuple[str, str, str]]:
    """(torch version, name, kind) of every allowed name, sorted by name."""
    version = ".".join(torch.__version__.split(".")[:2])
    return [(version, name, kind(name, value)) for name, value in sorted(_get_allowed_globals().items())]


def main() -> None:
    """Print the table."""
    sys.stdout.write("# What torch.load(weights_only=True) may look up, asked of the torch version in the first column.\n")
    sys.stdout.write("# Made by scripts/make_weights_only_table.py; kind: data, function, class, storage, tensor.\n")
    sys.stdout.write("# torch\tname\tkind\n")
    for row in rows():
        sys.stdout.write("\t".join(row) + "\n")


if __name__ == "__main__":
    main()
