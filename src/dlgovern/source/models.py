"""Tell from its first bytes whether a file may be a model, whatever it is called."""

from __future__ import annotations

import os

from dlgovern.source.patterns import lazy
from dlgovern.source.read import FLAGS

HEAD = 256
"""How many first bytes are asked for."""

_LEAST = 16  # bytes; nothing shorter holds a weight
_SIGNS = lazy(
    rb"(?s)PK\x03\x04|\x80[\x00-\x05][\x95(\])}\x80\x8a-\x8f\x88\x89\x96BCFGIJKLMNSTUVXc]|\x93NUMPY|GGUF|\x89HDF\r\n\x1a\n"
    rb"|.{3}[\x00-\x05]\x00{4}\{[\"}\s]|.{4}(?:ET1[0-9]|TFL3)|\x08[\x01-\x20]\x12[\x01-\x30][A-Za-z0-9_. -]+[\x1a:B]"
    rb"|\x1f\x8b\x08|BZh[1-9]1AY&SY|\xfd7zXZ\x00|\x5d\x00\x00|\x78[\x01\x3f\x5e\x9c\xda]"
)
"""Archives, pickles that say their protocol, numpy, GGUF, HDF5, safetensors, ExecuTorch, TFLite, ONNX; compressed files, which may hold a pickle."""

_PUSH = (
    rb"[N()\]}]|\([dlt1]|[IL]-?[0-9]+L?\n|F-?[0-9][0-9.e+-]*\n|[SV][^\n]*\n|K.|M..|J.{4}|G.{8}|[ci][A-Za-z_][\w.]*\n[A-Za-z_][\w.]*\n"
)
_BARE = lazy(
    rb"(?s)(?:" + _PUSH + rb")(?:" + _PUSH + rb"|[02.UC]|[pg][0-9]+\n|[qh].|[rj].{3}\x00|[XTB].{2}\x00\x00)"
    rb"|[XTB].{2}\x00\x00|[SV][^\n]{250}|[UC][\x00-\x08\x0e-\x1f]"
)
"""Pickles of protocol 0 and 1 say nothing of themselves: two opcodes. Some texts begin like that too; reading on tells."""

_NEXT = frozenset(bytes((code,)) for code in b"02qcN()]}")
"""Opcodes behind a short text."""


def may_be_model(head: bytes) -> bool:
    """Whether these first bytes could be those of a model file. What it is, `evidence.artifacts` says."""
    if len(head) < _LEAST:
        return False
    if head[0] in b"UC" and head[1] > 31 and head[2 + head[1] : 3 + head[1]] in _NEXT:  # noqa: PLR2004 - a text as long as a letter says
        return True
    return (_SIGNS.match(head) or _BARE.match(head)) is not None


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
