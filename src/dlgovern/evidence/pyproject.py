"""The dependencies that a pyproject.toml or a Pipfile declares."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import Any

from dlgovern.evidence import toml
from dlgovern.evidence.specifiers import At, poetry_specifier, requirement
from dlgovern.evidence.values import Include, IndexOption, Manifest, Problem, PythonRange, Requirement, Source, normal


def read_pyproject(text: str, path: str) -> Manifest:
    """What a pyproject.toml says in the tables of the packaging standards, uv, poetry and pdm. Raises `toml.Broken`."""
    document = toml.parse(text)
    found = _Collected(document, path)
    project = document.table("project")
    found.strings("", project.get("dependencies"), "project", "dependencies")
    for group, entries in document.table("project", "optional-dependencies").items():
        found.strings(group, entries, "project", "optional-dependencies", group)
    for group, entries in document.table("dependency-groups").items():
        found.strings(group, entries, "dependency-groups", group)
    found.includes(document.table("dependency-groups"))
    _uv(found)
    _poetry(found)
    for environment, table in document.table("tool", "hatch", "envs").items():
        for key in ("dependencies", "extra-dependencies"):
            entries = table.get(key) if isinstance(table, dict) else None
            found.strings(f"hatch:{environment}", entries, "tool", "hatch", "envs", environment, key)
    found.python(project.get("requires-python"), "project", "requires-python")
    _dynamic(found, project)
    for index in _tables(document.table("tool", "pdm").get("source")):
        found.index("index", index, False, "tool", "pdm", "source")
    for group, entries in document.table("tool", "pdm", "dev-dependencies").items():
        found.strings(group, entries, "tool", "pdm", "dev-dependencies", group)
    published = bool(document.table("build-system")) and (bool(project) or bool(document.table("tool", "poetry")))
    name = project.get("name") or document.table("tool", "poetry").get("name")
    return found.manifest("pyproject", published)._replace(name=normal(name) if isinstance(name, str) else "")


def read_pipfile(text: str, path: str) -> Manifest:
    """What a Pipfile says. Raises `toml.Broken`."""
    document = toml.parse(text)
    found = _Collected(document, path)
    found.named("", "packages")
    found.named("dev", "dev-packages")
    for number, entry in _tables(document.data.get("source")):
        found.index("default-index" if number == 0 else "index", (number, entry), number > 0, "source")
    requires = document.table("requires")
    for key in ("python_version", "python_full_version"):
        if isinstance(requires.get(key), str):
            found.python(f"=={requires[key]}{'.*' if requires[key].count('.') < 2 else ''}", "requires", key)  # noqa: PLR2004
    return found.manifest("pipfile", False)


def _dynamic(found: _Collected, project: dict[str, Any]) -> None:
    """Dependencies that the build back end finds: setuptools may read them from files, others compute them."""
    dynamic = project.get("dynamic")
    if not isinstance(dynamic, list):
        return
    table = found.document.table("tool", "setuptools", "dynamic")
    for key in ("dependencies", "optional-dependencies"):
        if key not in dynamic:
            continue
        said = table.get(key)
        inner = list(said.values()) if key != "dependencies" and isinstance(said, dict) else [said]
        files = [name for one in inner if isinstance(one, dict) for name in _names(one.get("file"))]
        found.partial = found.partial or not files
        folder = posixpath.dirname(found.path)
        line = found.document.place("tool", "setuptools", "dynamic", key).line
        for name in files:
            target = posixpath.normpath(posixpath.join(folder, name))
            if not target.startswith(("../", "/")):
                found.included.append(Include("requirements", target, line))


def _names(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [name for name in values if isinstance(name, str)]


def _uv(found: _Collected) -> None:
    tool = found.document.table("tool", "uv")
    for key, group in (("dev-dependencies", "dev"), ("constraint-dependencies", "constraint")):
        found.strings(group, tool.get(key), "tool", "uv", key)
    found.strings("override", tool.get("override-dependencies"), "tool", "uv", "override-dependencies")
    for number, entry in _tables(tool.get("index")):
        kind = "default-index" if entry.get("default") is True else "index"
        found.index(kind, (number, entry), entry.get("explicit") is True, "tool", "uv", "index")
    for where in (("tool", "uv"), ("tool", "uv", "pip")):
        table = found.document.table(*where)
        found.option("index-url", table.get("index-url"), *where, "index-url")
        for kind in ("extra-index-url", "find-links"):
            values = table.get(kind)
            for number, value in enumerate(values if isinstance(values, list) else []):
                found.option(kind, value, *where, kind, number)
    for name, value in found.document.table("tool", "uv", "sources").items():
        if isinstance(value, list):
            for number, entry in enumerate(value):
                found.source(name, entry, "index", "tool", "uv", "sources", name, number)
        else:
            found.source(name, value, "index", "tool", "uv", "sources", name)


def _poetry(found: _Collected) -> None:
    found.named("", "tool", "poetry", "dependencies")
    found.named("dev", "tool", "poetry", "dev-dependencies")
    for group in found.document.table("tool", "poetry", "group"):
        found.named(group, "tool", "poetry", "group", group, "dependencies")
    for number, entry in _tables(found.document.table("tool", "poetry").get("source")):
        priority = entry.get("priority", "primary")
        kind = "default-index" if priority in ("default", "primary") and number == 0 else "index"
        found.index(kind, (number, entry), priority == "explicit", "tool", "poetry", "source")


class _Collected:
    """The facts of one document as they are found."""

    def __init__(self, document: toml.Document, path: str) -> None:
        self.document = document
        self.path = path
        self.requirements: list[Requirement] = []
        self.sources: list[Source] = []
        self.indexes: list[IndexOption] = []
        self.problems: list[Problem] = []
        self.pythons: list[PythonRange] = []
        self.included: list[Include] = []
        self.partial = False

    def python(self, specifier: Any, *where: str | int) -> None:
        """The versions of Python that are asked for."""
        if isinstance(specifier, str) and specifier:
            self.pythons.append(PythonRange(specifier.replace(" ", ""), self.path, *self.document.place(*where)))

    def manifest(self, kind: str, published: bool) -> Manifest:
        return Manifest(
            self.path,
            kind,
            requirements=tuple(sorted(self.requirements, key=lambda r: (r.line, r.column))),
            sources=tuple(sorted(self.sources, key=lambda s: (s.line, s.column))),
            indexes=tuple(sorted(self.indexes, key=lambda i: (i.line, i.column))),
            problems=tuple(sorted(self.problems)),
            published=published,
            includes=tuple(self.included),
            partial=self.partial,
            pythons=tuple(self.pythons),
        )

    def strings(self, group: str, entries: Any, *where: str) -> None:
        """A list of PEP 508 strings."""
        for number, entry in enumerate(entries if isinstance(entries, list) else []):
            if not isinstance(entry, str):
                continue
            at = self._inside(group, *where, number)
            made = requirement(entry, at)
            if made:
                self.requirements.append(made)
            else:
                self.problems.append(Problem(self.path, at.line, "has a string that is no requirement"))

    def includes(self, groups: dict[str, Any]) -> None:
        """``{include-group = "x"}`` must name a group that exists."""
        known = {normal(name) for name in groups}
        for group, entries in groups.items():
            for number, entry in enumerate(entries if isinstance(entries, list) else []):
                wanted = entry.get("include-group") if isinstance(entry, dict) else None
                if isinstance(wanted, str) and normal(wanted) not in known:
                    line = self.document.place("dependency-groups", group, number).line
                    self.problems.append(Problem(self.path, line, "includes a group that does not exist"))

    def named(self, group: str, *where: str) -> None:
        """A table of names with versions, as poetry and pipenv write them."""
        for name, value in self.document.table(*where).items():
            if normal(name) == "python" and where[0] == "tool":
                self.python(poetry_specifier(value) if isinstance(value, str) else "", *where, name)
                continue
            if isinstance(value, list):
                for number, entry in enumerate(value):
                    self._one(group, name, entry, *where, name, number)
            else:
                self._one(group, name, value, *where, name)

    def _one(self, group: str, name: str, entry: Any, *where: str | int) -> None:
        table = entry if isinstance(entry, dict) else {"version": entry}
        version = table.get("version", "*")
        key = self.document.keys.get(where) or self.document.place(*where)
        value = self.document.place(*where)
        end = value.end_column if value.line == key.line else key.end_column
        specifier = poetry_specifier(version) if isinstance(version, str) else ""
        extras = table.get("extras")
        marker = table.get("markers")
        self.requirements.append(
            Requirement(
                normal(name),
                f"{name}{specifier}",
                specifier,
                tuple(sorted(str(e) for e in extras)) if isinstance(extras, list) else (),
                marker if isinstance(marker, str) else "",
                _origin(table)[1],
                group,
                self.path,
                key.line,
                key.column,
                end,
            )
        )
        self.source(name, table, "source", *where)

    def source(self, name: str, table: Any, index_key: str, *where: str | int) -> None:
        """Where one dependency is taken from, if the table says so."""
        if not isinstance(table, dict):
            return
        kind, url = _origin(table)
        if not kind and isinstance(table.get(index_key), str):
            kind, url = "index", table[index_key]
        if not kind and table.get("workspace") is True:
            kind = "workspace"
        if kind:
            span = self.document.keys.get(where) or self.document.place(*where)
            self.sources.append(Source(normal(name), kind, url, self.path, *span))

    def index(self, kind: str, entry: tuple[int, dict[str, Any]], explicit: bool, *where: str) -> None:
        """One entry of an array of named indexes."""
        number, table = entry
        url, name = table.get("url"), table.get("name")
        span = self.document.place(*where, number, "url")
        self.indexes.append(
            IndexOption(
                kind,
                url if isinstance(url, str) else "",
                explicit,
                self.path,
                *span,
                name if isinstance(name, str) else "",
            )
        )

    def option(self, kind: str, value: Any, *where: str | int) -> None:
        """An index given as a plain string."""
        if isinstance(value, str):
            self.indexes.append(IndexOption(kind, value, False, self.path, *self.document.place(*where)))

    def _inside(self, group: str, *where: str | int) -> At:
        span = self.document.place(*where)
        return At(group, self.path, span.line, span.column + 1, max(span.end_column - 1, span.column + 1))


def _origin(table: dict[str, Any]) -> tuple[str, str]:
    for kind in ("git", "hg"):
        address = table.get(kind)
        if isinstance(address, str):
            names = (table.get(key) for key in ("rev", "ref", "tag", "branch"))
            chosen = next((name for name in names if isinstance(name, str)), "")
            return "git", f"{kind}+{address}{'@' if chosen else ''}{chosen}"
    if isinstance(table.get("url"), str):
        return "url", table["url"]
    for key in ("path", "file"):
        if isinstance(table.get(key), str):
            return "path", f"file:{table[key]}"
    return "", ""


def _tables(entries: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, entry in enumerate(entries if isinstance(entries, list) else []):
        if isinstance(entry, dict):
            yield number, entry
