"""When memory is looked through for cycles: seldom, and while files are judged only when trees have piled up."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_BLOCKS = 3_000_000
"""Objects, about a hundred bytes each, that may pile up before those that hold each other are looked for."""

_YOUNG = 100_000
"""Objects that may be made before the youngest are looked through, where nothing is judged."""


@contextmanager
def seldom() -> Iterator[None]:
    """Let the automatic collector look at the youngest objects less often than a long-lived program needs."""
    thresholds = gc.get_threshold()
    gc.set_threshold(_YOUNG, 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)


class Collector:
    """Takes the place of the automatic collector, which would look through all trees again and again.

    Trees are freed when nobody holds their file (`flow.files`); this finds what else piles up. As a context manager it gives
    the automatic collector back at the end.
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
