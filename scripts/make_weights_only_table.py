"""Writes the allow-lists of `torch.load(weights_only=True)` of several releases of torch as one table of the standard.

python scripts/make_weights_only_table.py FOLDER… > rules/exports/weights-only.tsv

Each FOLDER is an unpacked wheel of one release. The names are read from its source: those that `_get_allowed_globals` writes
out, the rebuild functions, and the types and storages that `torch.storage` and `torch` list. What torch makes in C++, its tensor
classes and the storages of CUDA, no source lists: it is asked of the torch that is installed, and taken for the same in all.
"""

import ast
import pathlib
import re
import sys
import types
from typing import Any

import torch
from torch._weights_only_unpickler import _get_allowed_globals

_ALIASES = {"double": "float64", "float": "float32", "half": "float16", "int": "int32", "long": "int64", "cdouble": "complex128", "cfloat": "complex64"}


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


def listed(folder: pathlib.Path) -> set[str]:
    """The names that the source of one release lists."""
    unpickler, storage, package = (
        ast.parse((folder / "torch" / name).read_text(encoding="utf-8")) for name in ("_weights_only_unpickler.py", "storage.py", "__init__.py")
    )
    found: set[str] = set()
    for node in ast.walk(_function(unpickler, "_get_allowed_globals")):
        if isinstance(node, ast.Dict):
            found |= {str(key.value) for key in node.keys if isinstance(key, ast.Constant)}
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            found.add(str(node.slice.value))
        elif isinstance(node, ast.List):
            found |= {ast.unparse(one) for one in node.elts if isinstance(one, ast.Attribute)}
        elif isinstance(node, ast.For) and (match := re.search(r"f'(u?int)\{x\}'.*range\((\d+), (\d+)\)", ast.unparse(node.iter))):
            found |= {f"torch.{match[1]}{width}" for width in range(int(match[2]), int(match[3]))}
    for node in ast.walk(_function(unpickler, "_tensor_rebuild_functions")):
        if isinstance(node, ast.Attribute) and node.attr.startswith("_rebuild"):
            found.add(f"torch._utils.{node.attr}")
    for function in ("_dtype_to_storage_type_map", "_new_dtypes"):
        for node in ast.walk(_function(storage, function)):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "torch" and node.attr not in ("device", "dtype"):
                found.add(f"torch.{_ALIASES.get(node.attr, node.attr)}")
    for node in ast.walk(package):
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and "_storage_classes" in ast.unparse(node).partition("=")[0] and node.value:
            names = {one.id for one in ast.walk(node.value) if isinstance(one, ast.Name) and one.id.endswith("Storage")}
            found |= {f"torch.storage.{name}" if name in ("TypedStorage", "UntypedStorage") else f"torch.{name}" for name in names}
    return found


def _function(tree: ast.Module, name: str) -> ast.FunctionDef:
    return next(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == name)


def rows(folders: list[str]) -> list[tuple[str, str, str, str]]:
    """(first torch with it, first torch without it or -, name, kind), sorted by name."""
    here = {name: kind(name, value) for name, value in _get_allowed_globals().items()}
    lists = {}
    for folder in map(pathlib.Path, folders):
        text = (folder / "torch" / "version.py").read_text(encoding="utf-8")
        numbers = re.search(r"__version__ = '(\d+)\.(\d+)", text)
        if numbers is None:
            raise SystemExit(f"{folder}: no version")
        lists[int(numbers[1]), int(numbers[2])] = listed(folder)
    versions = sorted(lists)
    installed = tuple(int(part) for part in torch.__version__.split(".")[:2])
    compiled = set(here) - lists[installed]  # type: ignore[index]
    if wrong := [name for name in compiled if "Tensor" not in name and ".cuda." not in name] or sorted(lists[installed] - set(here)):  # type: ignore[index]
        raise SystemExit(f"the source was not understood: {wrong}")
    found = []
    for name in sorted(set().union(*lists.values()) | compiled):
        having = [version for version in versions if name in lists[version] or name in compiled]
        after = [version for version in versions if version > having[-1]]
        found.append((_shown(having[0]), _shown(after[0]) if after else "-", name, here.get(name, "data")))
    return found


def _shown(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))


def main() -> None:
    """Print the table."""
    sys.stdout.write("# What torch.load(weights_only=True) may look up: in which releases of torch, the name, and its kind.\n")
    sys.stdout.write("# Made by scripts/make_weights_only_table.py, which says how; kind: data, function, class, storage, tensor.\n")
    sys.stdout.write("# since\tuntil\tname\tkind\n")
    for row in rows(sys.argv[1:]):
        sys.stdout.write("\t".join(row) + "\n")


if __name__ == "__main__":
    main()
