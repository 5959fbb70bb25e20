"""What a Python file imports, read from its bytes: a superset of what the parser sees, and cheap."""

from __future__ import annotations

from typing import NamedTuple

from dlgovern.evidence.values import Problem
from dlgovern.source.imports import ImportLine, scan


class Imports(NamedTuple):
    """The import statements of one file, those in functions, strings and comments included."""

    path: str
    lines: tuple[ImportLine, ...]
    words: tuple[str, ...] = ()  # those of `WORDS` that its bytes hold
    problems: tuple[Problem, ...] = ()  # a file that does not parse is said by the engine


WORDS = ("onnx", "export", "cuda", "nccl", "device_count", "torch.save", "save_pretrained", "push_to_hub", "subprocess")
"""Words that rules about a repository look for before they parse a file."""


def read(path: str, data: bytes) -> Imports:
    """What the file imports, each statement once, sorted."""
    return Imports(path, tuple(sorted(set(scan(data)))), tuple(word for word in WORDS if word.encode() in data))
