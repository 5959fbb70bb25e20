"""Which methods and attributes of the classes of a repository answer by what certain words say, told from the text of files."""

from __future__ import annotations

from collections.abc import Iterable

from dlgovern.repository.outline import Outlines, Seeds
from dlgovern.repository.reads import of_surface

_DEPTH = 4  # classes, and functions that make them, behind one another


def telling(outlines: Outlines, path: str, owner: str, names: Iterable[str], seeds: Seeds, reads: set[str], depth: int = _DEPTH) -> set[str]:
    """Those of the ``names`` that a class, or what a function makes, has for methods or attributes that lead to one of the ``seeds``."""
    outline = outlines.of(path)
    reads.add(path if owner in outline else of_surface(path))
    if owner not in outline:
        places = outlines.origins(path, owner)
    else:
        words = outline.bases(owner) if outline.is_class(owner) else outline.words(owner)
        places = [place for place in outlines.onward(path, words) if place[:2] != (path, owner) and place[1][:1].isupper()]
    given = outline.given(owner, seeds.words)
    methods = {name for name in names if f"{owner}.{name}" in outline}
    found = {name for name in names if name in given}
    found |= {
        name for name in methods if outlines.reaches(path, f"{owner}.{name}", seeds, reads) or asks_own(outlines, path, f"{owner}.{name}", seeds)
    }
    for inner, name, _ in places if depth else ():
        found |= telling(outlines, inner, name, names, seeds, reads, depth - 1)
    return found


def asks_own(outlines: Outlines, path: str, name: str, seeds: Seeds) -> bool:
    """Whether a method asks for an attribute that its class gives a value on a line with one of the words; its file counts as read."""
    outline = outlines.of(path)
    given = outline.given(name.rpartition(".")[0], seeds.words)
    return bool(given) and any(not given.isdisjoint(word.split(".")) for word in outline.words(name) if word.startswith("self."))
