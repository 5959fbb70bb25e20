"""Where the shipped rules and templates are, in a wheel as in a checkout."""

from __future__ import annotations

import os

_HERE = os.path.dirname(os.path.abspath(__file__))


def folder(name: str) -> str:
    """Absolute path of the shipped ``rules`` or ``templates`` folder.

    In a wheel they lie under ``_bundled``; an editable install reads the checkout's top level.
    """
    shipped = os.path.join(_HERE, "_bundled", name)
    if os.path.isdir(shipped):
        return shipped
    return os.path.join(os.path.dirname(os.path.dirname(_HERE)), name)
