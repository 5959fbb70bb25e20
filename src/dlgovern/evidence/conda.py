"""What conda environments and `.python-version` files say, read line by line: exact places, and no YAML to explode."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from dlgovern.evidence.requirements import included
from dlgovern.evidence.specifiers import At, requirement
from dlgovern.evidence.text import Unreadable, text_of
from dlgovern.evidence.values import Include, IndexOption, Locked, Manifest, Problem, PythonRange, Requirement, normal
from dlgovern.source.patterns import lazy

_KEY = lazy(r"([A-Za-z][\w-]*)\s*:(?:\s+(.*))?$")
_ITEM = lazy(r"-\s+(.*)$|-$")
_SPEC = lazy(r"(?:([\w./-]+)::)?([A-Za-z0-9_][\w.-]*)(\[[^\]]*\])?\s*([=<>!~][^#]*|\d[^#]*)?$")
_EXACT = lazy(r"=?=?\s*(\d[\w.+*!]*)(?:=[\w*.]+)?$")
_VERSION = lazy(r"(?:cpython-|python-?)?(\d+(?:\.\d+)*)(?:[a-z]+\d*|-dev|t)?$")
_LOCKED = lazy(r"/([A-Za-z0-9_.-]+)-([^-/]+)-[^-/]+\.(?:conda|tar\.bz2)(?:#\S*)?$")
_INCLUDE = lazy(r"(-r|-c|--requirement|--constraint)(?:\s*=\s*|\s+|(?<=^-[rc]))(.+)$")
_MOST = 20_000  # lines

NAMES = {
    "pytorch": "torch",
    "pytorch-cpu": "torch",
    "pytorch-gpu": "torch",
    "pytorch-mutex": "",
    "torchtriton": "triton",
    "opencv": "opencv-python",
    "py-opencv": "opencv-python",
    "matplotlib-base": "matplotlib",
    "tensorboardx": "tensorboardx",
    "faiss": "faiss-cpu",
    "dask-core": "dask",
    "python-graphviz": "graphviz",
    "msgpack-python": "msgpack",
    "pytables": "tables",
    "seaborn-base": "seaborn",
    "protobuf-python": "protobuf",
}
"""Name of conda -> name on the Python index, where they differ; "" for what has none."""


class _Line(NamedTuple):
    number: int
    indent: int
    text: str


def read(path: str, data: bytes) -> Manifest:
    """What an environment.yml or a .python-version says; trouble is a `Problem` of the result."""
    python = path.rpartition("/")[2].lower() == ".python-version"
    kind = "python-version" if python else "environment"
    try:
        text = text_of(data)
    except Unreadable as error:
        return Manifest(path, kind, problems=(Problem(path, 0, str(error)),))
    return read_python_version(text, path) if python else read_environment(text, path)


def read_python_version(text: str, path: str) -> Manifest:
    """The versions that pyenv and uv take from a .python-version."""
    found = []
    for number, line in enumerate(text.split("\n")[:100], 1):
        word = line.partition("#")[0].strip()
        match = _VERSION.fullmatch(word)
        if match:
            exact = f"=={match[1]}" if match[1].count(".") > 1 else f"=={match[1]}.*"
            column = line.index(word) + 1
            found.append(PythonRange(exact, path, number, column, column + len(word)))
    return Manifest(path, "python-version", pythons=tuple(found))


def read_environment(text: str, path: str) -> Manifest:
    """The requirements, channels and Python of an environment.yml; templates and flow lists make it partial."""
    requirements: list[Requirement] = []
    channels: list[IndexOption] = []
    pythons: list[PythonRange] = []
    includes: list[Include | Problem] = []
    problems: list[Problem] = []
    keys: set[str] = set()
    partial = "{{" in text or "{%" in text
    section, pip = "", 0
    for line in _lines(text):
        key = _KEY.match(line.text)
        if not line.indent and key and not line.text.startswith("-"):
            section, pip = key[1], 0
            if section in keys and "{%" not in text:  # conda refuses it; a template may leave one of them out
                problems.append(Problem(path, line.number, f"says {section!r} twice in one mapping"))
            keys.add(section)
            partial = partial or (section == "dependencies" and bool(key[2]))
            continue
        item = _ITEM.match(line.text)
        if item is None or not item[1]:
            continue
        if pip and line.indent <= pip - 1:
            pip = 0
        word = _unquoted(item[1].partition(" #")[0].strip())
        column = line.indent + line.text.index(word) + 1 if word and word in line.text else line.indent + 1
        span = (path, line.number, column, column + len(word))
        if section == "channels":
            channels.append(IndexOption("channel", word, False, *span))
        elif section == "dependencies" and re.fullmatch(r"pip\s*:", word):
            pip = line.indent + 1
        elif section == "dependencies" and pip and line.indent >= pip:
            if option := _INCLUDE.match(word):
                includes.append(included(option[1], _unquoted(option[2]), span))
            else:
                _pip(word, span, requirements, channels)
        elif section == "dependencies":
            made = conda_requirement(word, span)
            if isinstance(made, PythonRange):
                pythons.append(made)
            elif made is not None and made.name:
                requirements.append(made)
    return Manifest(
        path, "environment", requirements=tuple(requirements), indexes=tuple(channels), pythons=tuple(pythons),
        includes=tuple(one for one in includes if isinstance(one, Include)), problems=tuple(problems),
        skipped=tuple(one for one in includes if isinstance(one, Problem)), partial=partial,
    )  # fmt: skip


def read_lock(text: str, path: str) -> Manifest:
    """The versions that a conda-lock file or an explicit list of conda fixes, those for pip included."""
    found: list[Locked] = []
    name = ""
    for line in _lines(text):
        body = line.text.removeprefix("- ").strip()
        if body.startswith("name:"):
            name = _unquoted(body[5:].strip())
        elif body.startswith("version:") and name:
            found.append(Locked(_name(name), _unquoted(body[8:].strip()), path, line.number))
            name = ""
        elif match := _LOCKED.search(body):
            found.append(Locked(_name(match[1]), match[2], path, line.number))
    return Manifest(path, "lock", locked=tuple(dict.fromkeys(entry for entry in found if entry.name)))


def _lines(text: str) -> Iterator[_Line]:
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            yield _Line(number, len(line) - len(line.lstrip(" ")), stripped)
        if number >= _MOST * 20:
            return


def _pip(
    word: str, span: tuple[str, int, int, int], found: list[Requirement], channels: list[IndexOption]
) -> None:
    if word.startswith("-"):
        option = re.match(r"(--extra-index-url|--index-url|--find-links|-i|-f)[\s=]+(\S+)", word)
        if option:
            kind = {"-i": "index-url", "-f": "find-links"}.get(option[1], option[1].removeprefix("--"))
            channels.append(IndexOption(kind, option[2], False, *span))
            return
        word = re.sub(r"^(?:-e|--editable)[\s=]+", "", word)
        if word.startswith("-"):
            return
    made = requirement(word, At("", *span))
    if made:
        found.append(made)


def conda_requirement(word: str, span: tuple[str, int, int, int]) -> Requirement | PythonRange | None:
    """What a match specification of conda means, ``channel::name=version=build`` at its longest."""
    match = _SPEC.match(word)
    if match is None:
        return None
    name, wanted = match[2].lower(), (match[4] or "").strip()
    exact = _EXACT.fullmatch(wanted)
    if exact:  # one equals sign means a prefix: =2.1 is 2.1.*
        fuzzy = wanted.startswith("=") and not wanted.startswith("==") and "=" not in wanted[1:]
        specifier = f"=={exact[1]}" + (".*" if fuzzy and not exact[1].endswith("*") else "")
    else:
        specifier = wanted.replace(" ", "") if "|" not in wanted else ""
    if name == "python":
        return PythonRange(specifier, *span) if specifier else None
    return Requirement(_name(name), word, specifier, (), "", "", "", *span, conda=True)


def _name(name: str) -> str:
    return NAMES.get(normal(name), normal(name))


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text
