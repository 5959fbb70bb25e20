"""Whether the source of a file that no rule needs parses: asked without making a tree of it, which costs a third more."""

from __future__ import annotations

import symtable
import warnings

from dlgovern.source.parse import Unparsable, demand_bounded


def may_be_broken(data: bytes) -> bool:
    """Whether Python's compiler stumbles over a source; `parse` says where, and whether over its syntax.

    What cannot be asked in bounded time and memory passes: no rule needs the file.
    """
    try:
        demand_bounded(data)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            symtable.symtable(data, "", "exec")  # type: ignore[arg-type]  # bytes do too: a cookie counts then
    except (Unparsable, RecursionError, MemoryError, OverflowError, SystemError):
        return False
    except (SyntaxError, ValueError, LookupError):
        return True
    return False
