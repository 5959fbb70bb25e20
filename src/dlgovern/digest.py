"""SHA-256 without the three milliseconds that OpenSSL takes to load, as long as there is little to digest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_small: Callable[[bytes], Any]
try:
    from _sha2 import sha256 as _small  # type: ignore[import-not-found, no-redef]
except ImportError:
    try:
        from _sha256 import sha256 as _small  # type: ignore[import-not-found, no-redef]  # before Python 3.12
    except ImportError:
        from hashlib import sha256 as _small

_LITTLE = 2_000_000  # bytes in all; then OpenSSL, which is several times as fast, has paid for itself


class _Digests:
    """Counts what was digested."""

    def __init__(self) -> None:
        self.of = _small
        self.left = _LITTLE

    def hex(self, data: bytes) -> str:
        if self.left > 0:
            self.left -= len(data)
            if self.left <= 0:
                from hashlib import sha256 as large

                self.of = large
        return str(self.of(data).hexdigest())


_DIGESTS = _Digests()


def sha256(data: bytes) -> str:
    """The SHA-256 of some bytes, in hexadecimal digits."""
    return _DIGESTS.hex(data)
