"""Which methods and attributes of the classes of a repository answer by what certain words say, told from the text of files."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from dlgovern.repository import members
from dlgovern.repository.outline import Outlines, Seeds
from dlgovern.repository.reads import of_surface

_DEPTH = 4  # classes, and functions that make them, behind one another


def telling(outlines: Outlines, path: str, owner: str, names: set[str], seeds: Seeds, reads: set[str], depth: int = _DEPTH) -> set[str]:
    """Those of the ``names`` that a class, or what a function makes, has for methods or attributes that lead to one of the ``seeds``."""
    outline = outlines.of(path)
    reads.add(path if owner in outline else of_surface(path))
    if owner not in outline:
        places = outlines.origins(path, owner)
    elif members.is_class(outline.text(owner)):
        places = outlines.bases(path, owner)
    else:
        places = [place for place in outlines.said(path, owner).onward if place[1][:1].isupper()]
    found = _given(outlines, path, owner, seeds) & names
    for name in outline.inside(owner) & names:
        if outlines.reaches(path, f"{owner}.{name}", seeds, reads) or asks_own(outlines, path, f"{owner}.{name}", seeds):
            found.add(name)
    for inner, name, _ in places if depth else ():
        found |= telling(outlines, inner, name, names, seeds, reads, depth - 1)
    return found


def asks_own(outlines: Outlines, path: str, name: str, seeds: Seeds) -> bool:
    """Whether a method asks for an attribute that its class gives a value on a line with one of the words; its file counts as read."""
    given = _given(outlines, path, name.rpartition(".")[0], seeds)
    return bool(given) and not given.isdisjoint(outlines.said(path, name).parts)


def _given(outlines: Outlines, path: str, owner: str, seeds: Seeds) -> set[str]:
    """The attributes that a class gives a value on a line with one of the words."""
    known = _GIVEN.setdefault(outlines, {})
    key = (path, owner, seeds)
    if key not in known:
        known[key] = members.given(outlines.of(path).text(owner), seeds.words)
    return known[key]


_GIVEN: WeakKeyDictionary[Outlines, dict[tuple[str, str, Seeds], set[str]]] = WeakKeyDictionary()
