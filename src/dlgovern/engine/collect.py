"""When memory is looked through for cycles: after files, when trees have piled up, and never while a tree grows."""

from __future__ import annotations

import gc
import sys

_BLOCKS = 3_000_000
"""Objects, about a hundred bytes each, that may pile up before the trees that nobody needs are collected."""


class Collector:
    """Takes the place of the automatic collector, which would look through all trees again and again.

    Trees are freed when their file is done, but for cycles through parents. As a context manager it gives the automatic
    collector back at the end.
    """

    def __enter__(self) -> Collector:
        self._automatic = gc.isenabled()
        gc.disable()
        self._most = sys.getallocatedblocks() + _BLOCKS
        return self

    def after(self, *, parsed: bool) -> None:
        """A file is done; ``parsed``: it had a tree."""
        if parsed and sys.getallocatedblocks() > self._most:
            gc.collect()
            self._most = max(self._most, sys.getallocatedblocks() + _BLOCKS // 2)

    def __exit__(self, *_error: object) -> None:
        if self._automatic:
            gc.enable()
