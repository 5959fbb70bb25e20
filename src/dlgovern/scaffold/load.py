"""Find the templates of a standard and of what it extends, and read one of them whole."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from typing import Any, NamedTuple

import tomli

from dlgovern import bundled
from dlgovern.errors import ConfigurationError, Mistake, StandardError, UsageError, suggestion
from dlgovern.scaffold.template import VERSION, Answer, Demand, FileTable, Promise, Question, TemplateFile
from dlgovern.standard.law import REFERENCE, Where, folders
from dlgovern.standard.tables import validated
from dlgovern.store import Store

_MOST_FILES = 2000
_LARGEST_FILE = 1 << 20
_LARGEST = 16 << 20
_DEEPEST = 8  # templates that extend each other
_JUNK = frozenset({"__pycache__", ".DS_Store", ".mypy_cache", ".ruff_cache", ".pytest_cache"})


class Standard(NamedTuple):
    """The standard that a project is made for."""

    name: str
    version: str
    source: str  # as the project's configuration names it
    chain: tuple[Where, ...]  # the outermost base first

    def facts(self) -> dict[str, str]:
        """What a template may say about it."""
        return {"name": self.name, "version": self.version, "source": self.source}


class Place(NamedTuple):
    """Where one version of a template lies."""

    id: str
    version: str
    folder: str
    standard: str


class Template(NamedTuple):
    """A template with everything that it extends laid below it."""

    id: str
    version: str
    title: str
    summary: str
    standard: str  # the name of the one that holds it
    technologies: tuple[str, ...]
    after: tuple[str, ...]
    questions: tuple[Question, ...]
    defaults: dict[str, Answer]
    fixed: dict[str, Answer]
    demands: tuple[Demand, ...]
    files: tuple[FileTable, ...]
    promises: tuple[Promise, ...]
    sources: dict[str, bytes]  # name below project/ -> content
    parts: dict[str, str]


def open_standard(name: str, base: str, source: str = "") -> Standard:
    """The standard called ``name`` as seen from ``base``. Raises ConfigurationError or StandardError."""
    chain = folders(name, base, Store(""))
    head = _head(chain[-1].folder)
    return Standard(str(head.get("name", name)), str(head.get("version", "")), source or name, tuple(chain))


def places(standard: Standard) -> dict[tuple[str, str], Place]:
    """Every version of every template; the one of a company hides one of the same id and version below it."""
    found: dict[tuple[str, str], Place] = {}
    for where in standard.chain:
        name = str(_head(where.folder).get("name", where.name))
        top = bundled.folder("templates") if where.name == REFERENCE else os.path.join(where.folder, "templates")
        for identity in _folders(top):
            for version in _folders(os.path.join(top, identity)):
                folder = os.path.join(top, identity, version)
                if re.match(VERSION, version) and os.path.isfile(os.path.join(folder, "template.toml")):
                    found[identity, version] = Place(identity, version, folder, name)
    return found


def order(version: str) -> tuple[int, int]:
    """By which versions are compared."""
    year, _, number = version.partition(".")
    return int(year), int(number)


def newest(known: dict[tuple[str, str], Place]) -> list[Place]:
    """The newest version of each template that may be used by itself, sorted by id."""
    latest: dict[str, Place] = {}
    for place in known.values():
        if not place.id.startswith("_") and (place.id not in latest or order(latest[place.id].version) < order(place.version)):
            latest[place.id] = place
    return [latest[identity] for identity in sorted(latest)]


def choose(known: dict[tuple[str, str], Place], said: str) -> Place:
    """The template that ``ID`` or ``ID/VERSION`` names. Raises UsageError."""
    identity, _, version = said.partition("/")
    latest = {place.id: place for place in newest(known)}
    if identity not in latest:
        raise UsageError(f"there is no template {identity!r}{suggestion(identity, list(latest))}", do="see `dlgovern new --list`")
    if not version:
        return latest[identity]
    if (identity, version) not in known:
        have = ", ".join(sorted((v for i, v in known if i == identity), key=order))
        raise UsageError(f"there is no version {version!r} of the template {identity}", do=f"there are: {have}")
    return known[identity, version]


def read_head(place: Place) -> TemplateFile:
    """``template.toml`` alone. Raises StandardError with every mistake in it."""
    mistakes: list[Mistake] = []
    shown = f"templates/{place.id}/{place.version}/template.toml"
    head: TemplateFile | None = validated(TemplateFile, os.path.join(place.folder, "template.toml"), shown, mistakes)
    if head is not None and (head.id, head.version) != (place.id, place.version):
        mistakes.append(Mistake(shown, 0, f"calls itself {head.id}/{head.version}, its folder is {place.id}/{place.version}"))
    if mistakes or head is None:
        raise StandardError(mistakes)
    return head


def read_template(known: dict[tuple[str, str], Place], place: Place, _above: tuple[Place, ...] = ()) -> Template:
    """A template with what it extends. Raises StandardError."""
    head = read_head(place)
    shown = f"templates/{place.id}/{place.version}/template.toml"
    if place in _above or len(_above) == _DEEPEST:
        raise StandardError([Mistake(shown, 0, "extends itself, directly or through another template")])
    below = []
    for name in head.extends:
        identity, _, version = name.partition("/")
        if (identity, version) not in known:
            raise StandardError([Mistake(shown, 0, f"extends {name!r}, which is no ID/VERSION of a template")])
        below.append(read_template(known, known[identity, version], (*_above, place)))
    questions = {question.name: question for base in below for question in base.questions}
    questions |= {question.name: question for question in head.question}
    promises = {promise.name: promise for base in below for promise in base.promises}
    promises |= {promise.name: promise for promise in head.promise}
    made = Template(
        head.id, head.version, head.title, head.summary, place.standard,
        tuple(dict.fromkeys([one for base in below for one in base.technologies] + head.technologies)),
        tuple(head.after or [line for base in below[-1:] for line in base.after]),
        tuple(questions.values()),
        _joined(*(base.defaults for base in below), head.defaults),
        _joined(*(base.fixed for base in below), head.fixed),
        (*(one for base in below for one in base.demands), *head.demand),
        (*(one for base in below for one in base.files), *head.file),
        tuple(promises.values()),
        _joined(*(base.sources for base in below), _files(place.folder, "project")),
        _joined(*(base.parts for base in below), _texts(place.folder, shown)),
    )
    for word in [*head.defaults, *head.fixed]:
        if word not in questions:
            raise StandardError([Mistake(shown, 0, f"answers a question that nobody asks: {word}{suggestion(word, list(questions))}")])
    return made


def held(standard: Standard, technologies: tuple[str, ...]) -> list[str]:
    """Those of the libraries that the standard has put on hold."""
    rings: dict[str, str] = {}
    for where in standard.chain if technologies else ():
        path = _table(where.folder, "selection")
        for technology in _toml(path).get("technology", []) if path else []:
            if not technology.get("part"):
                rings |= {str(name).lower(): str(technology.get("ring", "")) for name in technology.get("distributions", [])}
    return [name for name in technologies if rings.get(name.lower()) == "hold"]


def _table(folder: str, name: str) -> str:
    relative = _toml(os.path.join(folder, "standard.toml")).get("tables", {}).get(name)
    return os.path.join(folder, relative) if isinstance(relative, str) else ""


def _head(folder: str) -> dict[str, Any]:
    head = _toml(os.path.join(folder, "standard.toml")).get("standard", {})
    return head if isinstance(head, dict) else {}


def _toml(path: str) -> dict[str, Any]:
    try:
        with open(path, "rb") as file:
            return tomli.load(file)
    except tomli.TOMLDecodeError as error:
        raise StandardError([Mistake(path, getattr(error, "lineno", 0), f"not valid TOML: {error}")]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"cannot be read: {error}", path) from None


def _joined(*tables: dict[str, Any]) -> dict[str, Any]:
    return {key: value for table in tables for key, value in table.items()}


def _folders(top: str) -> list[str]:
    try:
        return sorted(name for name in os.listdir(top) if os.path.isdir(os.path.join(top, name)))
    except OSError:
        return []


def _texts(folder: str, shown: str) -> dict[str, str]:
    try:
        return {name: data.decode("utf-8") for name, data in _files(folder, "parts").items()}
    except UnicodeDecodeError as error:
        raise StandardError([Mistake(shown, 0, f"parts/ holds a file that is not UTF-8: {error}")]) from None


def _files(folder: str, inner: str) -> dict[str, bytes]:
    """Every file of a folder, by name; a link or a special file, or too many of them, is a mistake."""
    top = os.path.join(folder, inner)
    found: dict[str, bytes] = {}
    size = 0
    for path in _walk(top):
        relative = os.path.relpath(path, top).replace(os.sep, "/")
        status = os.lstat(path)
        size += status.st_size
        if not stat.S_ISREG(status.st_mode):
            raise StandardError([Mistake(path, 0, "is a link or a special file; a template holds regular files only")])
        if status.st_size > _LARGEST_FILE or size > _LARGEST or len(found) == _MOST_FILES:
            raise StandardError([Mistake(path, 0, "is one file too many, or too large, for a template")])
        with open(path, "rb") as file:
            found[relative] = file.read()
    return found


def _walk(top: str) -> Iterator[str]:
    for base, below, names in os.walk(top):
        links = [name for name in below if os.path.islink(os.path.join(base, name))]
        below[:] = sorted(name for name in below if name not in _JUNK and name not in links)
        yield from (os.path.join(base, name) for name in sorted([*names, *links]) if name not in _JUNK and not name.endswith(".pyc"))
