"""Tell from its first bytes whether a file may be a model, whatever it is called."""

from __future__ import annotations

import os

from dlgovern.source.patterns import lazy
from dlgovern.source.read import FLAGS

HEAD = 64
"""How many first bytes are asked for."""

_LEAST = 16  # bytes; nothing shorter holds a weight
_SIGNS = lazy(
    rb"(?s)PK\x03\x04|\x80[\x02-\x05][\x95(\])}\x8a\x8c\x8e\x88\x89BCGJKMNTUXc]|\x93NUMPY|GGUF|\x89HDF\r\n\x1a\n"
    rb"|.{3}[\x00-\x05]\x00{4}\{[\"}\s]|.{4}(?:ET1[0-9]|TFL3)|\x08[\x01-\x20]\x12[\x01-\x30][A-Za-z0-9_. -]+[\x1a:B]"
)
"""Archives, pickles from protocol 2 on, numpy, GGUF, HDF5, safetensors, ExecuTorch, TFLite, ONNX."""


def may_be_model(head: bytes) -> bool:
    """Whether these first bytes could be those of a model file. What it is, `evidence.artifacts` says."""
    return len(head) >= _LEAST and _SIGNS.match(head) is not None


def file_may_be_model(path: str) -> bool:
    """The same of a regular file; links are not followed, and nothing blocks."""
    try:
        descriptor = os.open(path, FLAGS)
        try:
            return may_be_model(os.read(descriptor, HEAD))
        finally:
            os.close(descriptor)
    except (OSError, ValueError):
        return False
