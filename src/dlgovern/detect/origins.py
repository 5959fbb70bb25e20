"""See places that packages are taken from: indexes beside the main one, hosts that are not approved, moving targets."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from dlgovern.detect import Parameter
from dlgovern.evidence.installs import manifest_of
from dlgovern.evidence.recipe import Recipe
from dlgovern.evidence.values import IndexOption, Manifest
from dlgovern.finding import Hit
from dlgovern.policy import Rule
from dlgovern.repository.supply import STATEMENTS
from dlgovern.repository.window import Windows

PARAMETERS = {
    "mixed": Parameter("boolean", "report indexes that are asked beside the main one for every package", default=False),
    "hosts": Parameter("strings", "approved hosts or addresses; report every other one", default=[]),
    "moving": Parameter("boolean", "report addresses that name neither a commit nor a digest", default=False),
}
KINDS = STATEMENTS | {"notebook"}
"""Kinds of evidence that are read."""

GUARDS = (
    "main-index", "explicit-index", "hashed", "variable", "folder", "loopback", "commit", "digest", "archive-of-commit"
)
"""What the detector is silent under; examples of its rules must show each."""

_COMMIT = re.compile(r"@(?=\d*[a-f])(?=[a-f]*\d)[0-9a-f]{7,64}(?:[#?]|$)")  # a number alone may be a tag, a word a branch
_ARCHIVE_OF_COMMIT = re.compile(r"/(?:archive|tarball|zipball)/[0-9a-f]{40}(?:[./]|$)")
_DIGEST = re.compile(r"#(?:.*&)?(?:sha256|sha384|sha512)=[0-9a-f]{64,}")
_VERSION_CONTROL = re.compile(r"(?:git|hg|svn|bzr)\+")
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
_VARIABLE = re.compile(r"\$\{|\{\{|%\(")


class _Place(NamedTuple):
    url: str
    line: int
    column: int
    end_column: int
    name: str


def judge(rules: list[Rule], document: Manifest | Recipe, _tables: dict[str, Any], _windows: Windows) -> Iterator[Hit]:
    """The hits of these rules on one manifest."""
    manifest = manifest_of(document)
    for rule in rules:
        if rule.parameters.get("mixed"):
            yield from _mixed(rule, manifest)
        if hosts := rule.parameters.get("hosts"):
            yield from _hosts(rule, manifest, hosts)
        if rule.parameters.get("moving"):
            yield from _moving(rule, manifest)


def _mixed(rule: Rule, manifest: Manifest) -> Iterator[Hit]:
    """Pip takes the highest version of all its indexes; a tool with named indexes asks the first that has the name."""
    off = _off(rule)
    main = {_bare(index.url) for index in manifest.indexes if index.kind in ("index-url", "default-index")}
    main |= {"https://pypi.org/simple"}
    hashed = bool(manifest.requirements) and all(entry.hashed for entry in manifest.requirements)
    if hashed and "hashed" not in off:
        return
    for index in manifest.indexes:
        if not index.url or (index.explicit and "explicit-index" not in off):
            continue
        if _bare(index.url) in main and "main-index" not in off:
            continue
        if index.kind == "extra-index-url":
            yield _index_hit(rule, index, "searched beside the main index for every package", "")
        elif index.kind == "index":
            yield _index_hit(rule, index, "asked for every package, not only for those that name it", "warning")


def _index_hit(rule: Rule, index: IndexOption, how: str, level: str) -> Hit:
    slots = {"url": shown(index.url), "how": how}
    return Hit(rule.id, index.line, index.column, index.line, index.end_column, slots=slots, level=level)


def _hosts(rule: Rule, manifest: Manifest, hosts: list[str]) -> Iterator[Hit]:
    off = _off(rule)
    for place in _addresses(manifest):
        if "variable" not in off and _VARIABLE.search(place.url):
            continue
        how = _not_approved(place.url, hosts, off)
        if how:
            slots = {"url": shown(place.url), "how": how}
            yield Hit(rule.id, place.line, place.column, place.line, place.end_column, slots=slots)


def _addresses(manifest: Manifest) -> Iterator[_Place]:
    """Every address on the network in a manifest, each place once."""
    for index in manifest.indexes:
        if index.kind not in ("pre", "no-index"):
            url = f"https://{index.url}" if index.kind == "trusted-host" else index.url
            yield _Place(url, index.line, index.column, index.end_column, "")
    yield from (place for place in _direct(manifest) if "://" in place.url)


def _direct(manifest: Manifest) -> Iterator[_Place]:
    """The addresses of single packages; one that a tool table repeats is given once."""
    seen: set[tuple[int, int]] = set()
    places = [_Place(r.url, r.line, r.column, r.end_column, r.name) for r in manifest.requirements if r.url]
    places += [_Place(s.url, s.line, s.column, s.end_column, s.name) for s in manifest.sources if s.url]
    for place in places:
        if (place.line, place.column) not in seen:
            seen.add((place.line, place.column))
            yield place


def _not_approved(url: str, hosts: list[str], off: Collection[str]) -> str:
    try:
        parts = urlsplit(_VERSION_CONTROL.sub("", url))
        host = parts.hostname or ""
    except ValueError:
        return "not a valid address"
    if not host and "folder" not in off:
        return ""
    if parts.scheme == "http" and (host not in _THIS_MACHINE or "loopback" in off):
        return "not encrypted"
    address = f"{host}{posixpath.normpath(parts.path or '/')}"
    return "" if any(_covers(approved, host, address) for approved in hosts) else "not an approved source"


def _covers(approved: str, host: str, address: str) -> bool:
    wanted = approved.partition("://")[2] or approved
    name, slash, path = wanted.rstrip("/").partition("/")
    if host != name and not host.endswith(f".{name}"):
        return False
    rest = address[len(host) :]
    return not slash or rest == f"/{path}" or rest.startswith(f"/{path}/")


def _moving(rule: Rule, manifest: Manifest) -> Iterator[Hit]:
    off = _off(rule)
    hashed = {(entry.line, entry.column) for entry in manifest.requirements if entry.hashed and "hashed" not in off}
    for place in _direct(manifest):
        lacks = _lacks(place.url, off)
        if lacks and (place.line, place.column) not in hashed:
            slots = {"distribution": place.name or "a package", "url": shown(place.url), "lacks": lacks}
            yield Hit(rule.id, place.line, place.column, place.line, place.end_column, slots=slots)


def _lacks(url: str, off: Collection[str]) -> str:
    if "variable" not in off and _VARIABLE.search(url):
        return ""
    if _VERSION_CONTROL.match(url):
        return "" if "commit" not in off and _COMMIT.search(url) else "a commit"
    if "folder" not in off and not url.startswith(("http://", "https://")):
        return ""
    if "digest" not in off and _DIGEST.search(url):
        return ""
    return "" if "archive-of-commit" not in off and _ARCHIVE_OF_COMMIT.search(url) else "a digest"


def _off(rule: Rule) -> Collection[str]:
    """The guards that a law has switched off."""
    off: Collection[str] = rule.parameters.get("without_guards", ())
    return off


def shown(url: str) -> str:
    """The address as a message may show it: never with a user's name or password."""
    return re.sub(r"(://)[^/@]*@", r"\1", url)


def _bare(url: str) -> str:
    return shown(url).rstrip("/")
