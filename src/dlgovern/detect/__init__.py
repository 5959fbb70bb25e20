"""Ways of seeing: one module a detector, found by its name, loaded when a live rule first needs it.

A detector is a module with

- ``PARAMETERS``: parameter name -> `Parameter`, what a rule may say under the detector's table;
- ``triggers(parameters, tables)``: what bytes a file must hold for a hit to be possible (`source.prefilter`);
- ``watch(rules, facts, tables)``: a mapping from node type to a function that yields hits for a node; the key
  None stands for the whole file, seen after the walk.

It knows no rule id, no message and no level. Its hits carry the words for the message as slots.
"""

import importlib
import sys
from types import ModuleType
from typing import Any, NamedTuple


class Parameter(NamedTuple):
    """One parameter of a detector, as data: the standard's compiler validates rules against it."""

    kind: str  # names, strings, string, integer, boolean, predicates, table, versions, any
    help: str
    required: bool = False
    default: Any = None


def load(name: str) -> ModuleType:
    """The detector called ``name``: ours, or ``package:module`` from an installed standard.

    Raises ImportError when there is none.
    """
    if ":" in name:
        package, _, module = name.partition(":")
        return importlib.import_module(f"{package}.detect.{module}")
    full = f"{__name__}.{name}"
    return sys.modules.get(full) or importlib.import_module(full)
