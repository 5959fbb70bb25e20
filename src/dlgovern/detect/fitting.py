"""See versions that cannot be installed together: a library and its companion, a library and the Python it needs."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

from dlgovern.detect import Parameter
from dlgovern.evidence.recipe import Image
from dlgovern.evidence.values import PythonRange
from dlgovern.evidence.versions import Range, versions_of
from dlgovern.finding import Hit
from dlgovern.policy import Rule
from dlgovern.repository.supply import Said, Supply, supply
from dlgovern.repository.view import View
from dlgovern.repository.window import canonical
from dlgovern.source.classify import classify

PARAMETERS = {
    "table": Parameter("string", "table whose rows are companion, its versions, the library's versions", default=""),
    "libraries": Parameter("names", "the library that they accompany, or that needs a Python", required=True),
    "python": Parameter("string", "table whose rows are a first version of the library and its first Python", default=""),
}
GUARDS = ("vendor-build", "other-role", "stable-interface", "another-python", "branch")
"""What the detector is silent under; examples of its rules must show each."""


class _Row(NamedTuple):
    companion: str
    versions: Range
    library: Range


def judge_repository(rules: list[Rule], view: View) -> Iterator[tuple[str, Hit]]:
    """The hits at the companion, or at the Python, with the library's place beside it."""
    found = supply(view)
    for rule in rules:
        off = rule.parameters.get("without_guards", ())
        for library in rule.parameters.get("libraries", ()):
            if name := rule.parameters.get("table"):
                yield from _companions(rule, found, library, _rows(view.tables.get(name, [])), off)
            if name := rule.parameters.get("python"):
                yield from _pythons(rule, found, library, view.tables.get(name, []), off)


def _rows(table: list[list[str]]) -> list[_Row]:
    return [_Row(row[0], versions_of(row[1]), versions_of(row[2])) for row in table]


def _companions(
    rule: Rule, found: Supply, library: str, rows: list[_Row], off: Collection[str]
) -> Iterator[tuple[str, Hit]]:
    names = {row.companion for row in rows}
    mains = [one for one in found.named(library) if _is_judged(one, off)]
    for one in found.said:
        built = _built_for(one, library, off)
        if not built and (one.name not in names or not _is_judged(one, off)):
            continue
        fitting = built or [row for row in rows if row.companion == one.name and overlap(row.versions, one.range)]
        beside = [(main, any(overlap(row.library, main.range) for row in fitting)) for main in mains if _beside(one, main, off)]
        if one.how == "install" and any(fits for _, fits in beside) and "branch" not in off:
            continue  # a script that installs one pair here and another one there
        for main, fits in beside:
            if fits or not fitting:
                continue
            slots = {
                "companion": f"{one.name}{one.specifier}" if not built else f"the wheel of {one.name}", "library": f"{library}{main.specifier}",
                "wanted": " or ".join(sorted({_words(row.library) for row in fitting})),
                "aligned": "" if built else _aligned(one, main, rows, found),
            }  # fmt: skip
            related = ((main.path, main.line, main.column, f"{library}{main.specifier} is said here"),)
            yield one.path, Hit(rule.id, *one.place, slots=slots, related=related)
            break


def _aligned(one: Said, main: Said, rows: list[_Row], found: Supply) -> str:
    """The versions of the companion that fit all of the library's, "" where they are not sure or others forbid them."""
    fitting = [row for row in rows if row.companion == one.name and overlap(row.library, main.range)]
    if len(fitting) != 1 or not _inside(main.range, fitting[0].library):
        return ""
    others = [said for said in found.named(one.name) if said.place != one.place or said.path != one.path]
    if any(not overlap(said.range, fitting[0].versions) for said in others):
        return ""
    return _words(fitting[0].versions)


def _inside(inner: Range, outer: Range) -> bool:
    """Whether every version of one range lies in the other."""
    low = canonical(inner.floor) >= canonical(outer.floor)
    return low and (not outer.below or (bool(inner.below) and canonical(inner.below) <= canonical(outer.below)))


def _built_for(one: Said, library: str, off: Collection[str]) -> list[_Row]:
    """What the name of a wheel says that it was compiled against: ``flash_attn-2.8.2+cu12torch2.6cxx11abi…``.

    From 2.10 on torch keeps a stable binary interface, and wheels for it work with later versions.
    """
    match = re.search(rf"(?:\+|%2B)[\w.]*?{library}(\d)\.(\d+)", one.url.rpartition("/")[2])
    if match is None:
        return []
    major, minor = int(match[1]), int(match[2])
    stable = (major, minor) >= _STABLE and "stable-interface" not in off
    return [_Row(one.name, Range((), ()), Range((major, minor), () if stable else (major, minor + 1)))]


_STABLE = (2, 10)


def _pythons(
    rule: Rule, found: Supply, library: str, rows: list[list[str]], off: Collection[str]
) -> Iterator[tuple[str, Hit]]:
    floors = sorted((versions_of(f">={first}").floor, versions_of(f">={python}").floor) for first, python, *_ in rows)
    asked: list[tuple[PythonRange, frozenset[str]]] = [(python, frozenset()) for python in found.pythons]
    for python, lists in (*asked, *_of_images(found, off)):
        allowed = versions_of(python.specifier)
        for main in found.named(library):
            if main.how == "lock" or not _is_judged(main, off):
                continue
            if (main.path not in lists or main.marker) if lists else not _reaches(python, main, off):
                continue
            needed = max((floor for first, floor in floors if canonical(first) <= canonical(main.range.floor)), default=())
            if not needed or not allowed.below or canonical(allowed.below) > canonical(needed):
                continue
            slots = {
                "library": f"{library}{main.specifier}", "python": python.specifier,
                "wanted": ".".join(map(str, needed)),
            }  # fmt: skip
            related = ((main.path, main.line, main.column, f"{library}{main.specifier} is said here"),)
            yield python.path, Hit(rule.id, python.line, python.column, python.line, python.end_column, slots=slots, related=related)
            break


def _of_images(found: Supply, off: Collection[str]) -> Iterator[tuple[PythonRange, frozenset[str]]]:
    """The Python of each Dockerfile that begins with an image of one, and the files whose requirements pip installs there."""
    images: dict[str, list[Image]] = {}
    for path, image in found.images:
        if classify(path) == "dockerfile":
            images.setdefault(path, []).append(image)
    for path, several in images.items():
        match = _PYTHON.match(several[0].name)
        if match is None or not several[0].known or len({image.name for image in several}) > 1:
            continue
        made = [install for where, install in found.installs if where == path]
        if "another-python" not in off and any(install.tool != "pip" for install in made):
            continue  # uv and conda bring a Python of their own
        image = several[0]
        python = PythonRange(f"=={match[1]}.*", path, image.line, image.column, image.end_column)
        yield python, frozenset({path, *(name for install in made for name in install.files)})


_PYTHON = re.compile(r"(?:docker\.io/)?(?:library/)?python:(3\.\d+)(?:\.\d+)?(?:-[\w.-]+)?(?:@|$)")


def overlap(one: Range, other: Range) -> bool:
    """Whether some version lies in both ranges."""
    floor = max(one.floor, other.floor, key=canonical)
    below = min(filter(None, (one.below, other.below)), default=(), key=canonical)
    return not below or canonical(floor) < canonical(below)


def _is_judged(one: Said, off: Collection[str]) -> bool:
    """Whether its versions are bounded, and those of the index: a build of a vendor has its own partners."""
    if one.range == ((), ()) or one.how == "lock":
        return False
    local = one.specifier.partition("+")[2]
    ours = not local or local.startswith(("cu", "cpu", "rocm"))
    return "vendor-build" in off or (ours and not one.url)


def _beside(one: Said, main: Said, off: Collection[str]) -> bool:
    """Whether both are installed together: in one file, for one purpose, under no different conditions."""
    if one.path != main.path:
        return False
    if "other-role" in off:
        return True
    return (one.role == main.role or not main.role or not one.role) and one.marker == main.marker


def _reaches(python: PythonRange, main: Said, off: Collection[str]) -> bool:
    """Whether this Python is the one the library is installed for: the same file, or the file of the folder."""
    if python.path == main.path:
        return "other-role" in off or ((not main.role or main.path.endswith((".yml", ".yaml"))) and not main.marker)
    folder = python.path.rpartition("/")[0]
    named = python.path.rpartition("/")[2] == ".python-version"
    return named and folder == main.folder and ("other-role" in off or (not main.role and not main.marker))


def _words(found: Range) -> str:
    floor, below = (".".join(map(str, version)) for version in found)
    return ",".join(part for part in (f">={floor}" if floor else "", f"<{below}" if below else "") if part)
