"""The words of a file, told from its bytes at the speed of C."""


from typing import NamedTuple

_DOTTED = bytes(c if chr(c).isalnum() or c in b"_." or c >= 0x80 else 0x20 for c in range(256))  # noqa: PLR2004
_WORDS = bytes(c if chr(c).isalnum() or c == 0x5F or c >= 0x80 else 0x20 for c in range(256))  # noqa: PLR2004


class Words(NamedTuple):
    """What stands between blanks and signs, each word once: ``dotted`` in lines with their dots, ``tokens`` the parts."""

    dotted: bytes
    tokens: set[bytes]


def read_words(data: bytes) -> Words:
    """The dotted words of a file, and its identifiers, keywords and numbers."""
    dotted = b"\n".join(set(data.translate(_DOTTED).split()))
    return Words(b"\n%b\n" % dotted, set(dotted.replace(b".", b"\n").split()))


def words(data: bytes) -> set[bytes]:
    """The identifiers, keywords and numbers of a file."""
    return set(data.translate(_WORDS).split())
