"""Look at an HDF5 file for what is known to run or to lead out of it; its structure is not read, so it is never clean."""

from __future__ import annotations

from dlgovern.evidence.artifacts import keras
from dlgovern.evidence.artifacts.blob import Blob
from dlgovern.evidence.artifacts.values import Findings

MAGIC = b"\x89HDF\r\n\x1a\n"
_SEARCHED = 64 * 1024 * 1024


def read(blob: Blob, findings: Findings, member: str = "") -> None:
    """Say that a file is not decided, and unsafe where a Keras configuration in it holds a lambda."""
    if blob.read(0, 8) != MAGIC:
        findings.undecided("is no HDF5 file", member)
        return
    if keras.scan(blob, _SEARCHED):
        findings.unsafe("holds a Lambda layer of Keras: loading or calling it runs code from the file", member, name="Lambda")
    findings.undecided("is an HDF5 file: its links and external storage are not read", member)
