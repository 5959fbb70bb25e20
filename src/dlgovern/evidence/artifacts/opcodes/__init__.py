"""What each pickle opcode does to the state of a pickle that is read but not run: one module a kind of opcode."""

from __future__ import annotations

from dlgovern.evidence.artifacts.opcodes import containers, memory, names, numbers, stream, strings
from dlgovern.evidence.artifacts.opcodes.table import TABLE, Handler

__all__ = ["TABLE", "Handler", "containers", "memory", "names", "numbers", "stream", "strings"]
