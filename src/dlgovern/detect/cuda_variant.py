"""See one environment that is put together from builds for different CUDA versions."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

from dlgovern.detect import Parameter
from dlgovern.evidence.values import IndexOption
from dlgovern.evidence.versions import versions_of
from dlgovern.finding import Hit
from dlgovern.policy import Rule
from dlgovern.repository.supply import Said, Supply, supply
from dlgovern.repository.view import View
from dlgovern.repository.window import canonical

PARAMETERS = {
    "table": Parameter("string", "table whose rows are a first version of the library and the CUDA of its default wheel"),
    "libraries": Parameter("names", "the library that brings CUDA with it", required=True),
    "driver": Parameter("string", "the newest CUDA that the drivers of the company run, such as 12.8", default=""),
}
GUARDS = ("same-major", "other-role", "runtime-image", "several-variants", "not-installed")
"""What the detector is silent under; examples of its rules must show each."""

_LOCAL = re.compile(r"\+cu(\d{2,3})\b")
_INDEX = re.compile(r"/whl/(?:nightly/|test/)?cu(\d{2,3})(?:/|$)")
_WHEEL = re.compile(r"[+_-]cu(\d{2,3})(?=[^\d]|torch|$)")
_PACKAGE = re.compile(r"(?:nvidia-[a-z0-9-]+|cupy|[a-z0-9-]+)-cu(?:da)?(1[1-9])x?$")
_IMAGE = re.compile(r"(?:^|/)nvidia/cuda:(\d+)\.(\d+)[^\s]*devel")
_ANY_IMAGE = re.compile(r"(?:^|/)nvidia/cuda:(\d+)\.(\d+)")
_CONDA = ("pytorch-cuda", "cudatoolkit", "cuda-version")


class _Variant(NamedTuple):
    """One place that says which CUDA is meant."""

    cuda: tuple[int, ...]
    words: str
    path: str
    role: str
    place: tuple[int, int, int, int]


def judge_repository(rules: list[Rule], view: View) -> Iterator[tuple[str, Hit]]:
    """The hits at the second place of each file, with the first beside it."""
    found = supply(view)
    for rule in rules:
        off = rule.parameters.get("without_guards", ())
        defaults = view.tables.get(rule.parameters.get("table") or "", [])
        variants = list(_variants(found, rule.parameters.get("libraries", ()), defaults, off))
        yield from _mixed(rule, variants, off)
        yield from _across(rule, variants, _reads(found, off), off)
        if driver := rule.parameters.get("driver"):
            yield from _too_new(rule, variants, driver)


def _mixed(rule: Rule, variants: list[_Variant], off: Collection[str]) -> Iterator[tuple[str, Hit]]:
    by_path: dict[str, list[_Variant]] = {}
    for one in variants:
        by_path.setdefault(one.path, []).append(one)
    for path, group in sorted(by_path.items()):
        group.sort(key=lambda one: one.place)
        indexes = {one.cuda for one in group if one.role == "index"}
        if len(indexes) > 1 and "several-variants" not in off:
            continue  # a file that offers one build for each kind of machine
        for number, later in enumerate(group):
            earlier = next((one for one in group[:number] if _differ(one, later, off)), None)
            if earlier is not None:
                slots = {"variant": later.words, "other": earlier.words}
                related = ((path, earlier.place[0], earlier.place[1], f"{earlier.words} is said here"),)
                yield path, Hit(rule.id, *later.place, slots=slots, related=related)
                break


def _reads(found: Supply, off: Collection[str]) -> dict[str, list[str]]:
    """File -> the lists and manifests that its commands install from, as far as they are in the repository."""
    manifests = {manifest.path for manifest in found.manifests}
    result: dict[str, list[str]] = {}
    for path, install in found.installs:
        named = [name for name in manifests if name in install.files or "not-installed" in off]
        here = posixpath.join(posixpath.dirname(path), "pyproject.toml")
        if install.local:
            named += [name for name in dict.fromkeys((here, "pyproject.toml")) if name in manifests][:1]
        result.setdefault(path, []).extend(named)
    return {path: sorted(set(names)) for path, names in result.items() if names}


def _across(
    rule: Rule, variants: list[_Variant], reads: dict[str, list[str]], off: Collection[str]
) -> Iterator[tuple[str, Hit]]:
    """An image or script, and a list that it installs from: the hit is in the former, one for each list."""
    for path, names in sorted(reads.items()):
        own = sorted((one for one in variants if one.path == path), key=lambda one: one.place)
        for name in names:
            theirs = [one for one in variants if one.path == name and one.role in ("", "index", name)]
            if len({one.cuda for one in theirs if one.role == "index"}) > 1 and "several-variants" not in off:
                continue
            pair = next(((one, other) for one in own for other in theirs if _differ(one, other._replace(role=""), off)), None)
            if pair is not None:
                one, other = pair
                slots = {"variant": one.words, "other": other.words}
                related = ((name, other.place[0], other.place[1], f"{other.words} is said here, and installed from here"),)
                yield path, Hit(rule.id, *one.place, slots=slots, related=related)


def _too_new(rule: Rule, variants: list[_Variant], driver: str) -> Iterator[tuple[str, Hit]]:
    newest = versions_of(f">={driver}").floor
    for one in variants:
        if canonical(one.cuda) > canonical(newest) and one.cuda[0] > newest[0]:
            slots = {"variant": one.words, "other": f"the driver level {driver} of the standard"}
            yield one.path, Hit(rule.id, *one.place, slots=slots)


def _differ(one: _Variant, other: _Variant, off: Collection[str]) -> bool:
    if "other-role" not in off and one.role != other.role and "index" not in (one.role, other.role):
        if one.role and other.role:
            return False
    if "same-major" in off:
        return one.cuda[: len(other.cuda)] != other.cuda[: len(one.cuda)]
    return one.cuda[0] != other.cuda[0]


def _variants(
    found: Supply, libraries: Collection[str], defaults: list[list[str]], off: Collection[str]
) -> Iterator[_Variant]:
    explicit = {(one.path, one.role) for one in found.said if one.name in libraries and _LOCAL.search(one.specifier)}
    indexed = {index.path for index in found.indexes if _INDEX.search(index.url) or "/whl/" in index.url}
    for one in found.said:
        if one.how == "lock" or one.marker:
            continue
        named = _of_statement(one)
        if named:
            yield _Variant(named[0], named[1], one.path, "" if one.how == "install" else one.role, one.place)
        elif one.name in libraries and not one.url and not one.conda:
            if (one.path, one.role) not in explicit and one.path not in indexed and (cuda := _default(one, defaults)):
                words = f"{one.name}{one.specifier} (built for CUDA {'.'.join(map(str, cuda))} where no index says otherwise)"
                yield _Variant(cuda, words, one.path, "" if one.how == "install" else one.role, one.place)
    for index in found.indexes:
        if match := _INDEX.search(index.url):
            yield _Variant(_digits(match[1]), f"the index of cu{match[1]}", index.path, "index", _span(index))
    pattern = _ANY_IMAGE if "runtime-image" in off else _IMAGE
    for path, image in found.images:
        match = pattern.search(image.name)
        if match and image.final:
            cuda = (int(match[1]), int(match[2]))
            yield _Variant(cuda, f"the image {image.name}", path, "", (image.line, image.column, image.line, image.end_column))


def _of_statement(one: Said) -> tuple[tuple[int, ...], str] | None:
    """The CUDA that a requirement names itself: in its version, its file, its own name."""
    if match := _LOCAL.search(one.specifier):
        return _digits(match[1]), f"{one.name}{one.specifier}"
    if one.url and (match := _WHEEL.search(one.url.rpartition("/")[2].replace("%2B", "+"))):
        return _digits(match[1]), f"{one.name} for cu{match[1]}"
    if match := _INDEX.search(one.url):
        return _digits(match[1]), f"{one.name} from the index of cu{match[1]}"
    if match := _PACKAGE.fullmatch(one.name):
        return (int(match[1]),), one.name
    if one.conda and one.name in _CONDA and one.range.floor:
        return one.range.floor[:2], f"{one.name}{one.specifier}"
    return None


def _default(one: Said, defaults: list[list[str]]) -> tuple[int, ...]:
    """The CUDA of the wheel on the public index; () where the versions that are allowed differ in it."""
    rows = sorted((versions_of(f">={first}").floor, versions_of(f">={cuda}").floor) for first, cuda, *_ in defaults)
    allowed = one.range
    if not allowed.floor or not allowed.below:
        return ()
    low = [cuda for first, cuda in rows if canonical(first) <= canonical(allowed.floor)]
    high = [cuda for first, cuda in rows if canonical(first) < canonical(allowed.below)]
    return low[-1] if low and high and low[-1][0] == high[-1][0] else ()


def _digits(text: str) -> tuple[int, ...]:
    return (int(text),) if len(text) == 2 and text.startswith("1") and int(text) < 20 else (int(text[:-1]), int(text[-1]))  # noqa: PLR2004


def _span(index: IndexOption) -> tuple[int, int, int, int]:
    return index.line, index.column, index.line, index.end_column
