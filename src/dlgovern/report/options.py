"""What the caller wants of the output, the same values for every format."""

from collections.abc import Callable, Container, Mapping
from typing import NamedTuple


class Options(NamedTuple):
    """How to say a report. Each format uses what concerns it.

    ``verbosity`` is -1 for quiet, 0, or 1 for verbose. ``shown`` turns a path of the report (POSIX, relative to the
    project's root) into the one a person reads, relative to the current directory; machine formats do not use it.
    ``prefix`` is the project's root as seen from the repository's root, "" where they are the same; code hosts count
    from the latter. ``changed`` maps a path of the report to the lines that the change under review touches.
    """

    color: bool = False
    width: int = 120  # cells; only clips source lines
    verbosity: int = 0
    shown: Callable[[str], str] = str
    prefix: str = ""
    excused: bool = False  # sarif: also what is suppressed, waived or baselined
    changed: Mapping[str, Container[int]] | None = None


def hosted(path: str, options: Options) -> str:
    """``path`` relative to the repository's root, for formats that a code host reads."""
    return f"{options.prefix.strip('/')}/{path}" if options.prefix.strip("/") else path
