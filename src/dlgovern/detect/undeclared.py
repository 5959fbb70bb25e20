"""See imports of distributions that no manifest, lock, image or script of the repository names."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Collection, Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.detect.listing import Listing, listing_of
from dlgovern.evidence.values import normal
from dlgovern.evidence.versions import home
from dlgovern.finding import Hit
from dlgovern.flow.facts import Facts
from dlgovern.flow.guards import asks_version, has_fallback
from dlgovern.flow.parsed import parsed
from dlgovern.policy import Rule
from dlgovern.repository.owner import owner
from dlgovern.repository.supply import Supply, supply
from dlgovern.repository.view import View
from dlgovern.source.classify import setting
from dlgovern.source.tree import parents, up

PARAMETERS = {
    "settings": Parameter("strings", "what a file must be written for: training, library, example, notebook, test", default=[]),
    "provided": Parameter("names", "distributions that every machine of the company has", default=[]),
}
GUARDS = ("own-module", "standard-library", "fallback", "on-demand", "another-name", "image", "computed", "no-manifest")
"""What the detector is silent under; examples of its rules must show each."""

_COMMON = frozenset("py python lib toolkit sdk client core api utils tools io ng pro".split())
_BUILD = re.compile(r"(?:gpu|cpu|cu(?:da)?\d*x?|rocm\d*|nightly|headless|contrib|binary|simd|dev|tf|preview|unstable)")
"""Words by which builds of one distribution differ."""


def judge_repository(rules: list[Rule], view: View) -> Iterator[tuple[str, Hit]]:
    """One hit for each distribution and file, at the first import that is no matter of choice."""
    found = supply(view)
    listing = listing_of(view.tables)
    for rule in rules:
        off = rule.parameters.get("without_guards", ())
        declared = _Declared(found, listing, off, rule.parameters.get("provided", ()))
        for path in view.kinds.get("python", ()):
            if setting(path) not in rule.parameters.get("settings", ()) or path.rpartition("/")[2] == "setup.py":
                continue
            names = declared.around(path)
            if names is None:
                continue
            for module in _modules(view, path, listing, (names, declared.addressed), off):
                yield from _placed(rule, view, path, module, listing, declared, off)


class _Declared:
    """The names that are declared for a file: by manifests around it, by locks, images and scripts anywhere."""

    def __init__(self, found: Supply, listing: Listing, off: Collection[str], provided: Collection[str]) -> None:
        self._found = found
        self._folders: dict[str, frozenset[str]] = {}
        self.manifests: dict[str, list[str]] = {}
        for manifest in found.manifests:
            self.manifests.setdefault(home(manifest.path), []).append(manifest.path)
        self._partial = found.partial if "computed" not in off else frozenset()
        self._anywhere = "no-manifest" in off
        self._own = {manifest.name for manifest in found.manifests if manifest.name}
        self.addressed = frozenset(one.name for one in found.said if one.url)
        self._computing = [manifest.path for manifest in found.manifests if manifest.partial] if "computed" not in off else []
        self._wide = {one.name for one in found.said if one.how in ("install", "lock")} | set(map(normal, provided))
        if "image" not in off:
            self._wide |= {
                normal(name) for entry in listing.entries for prefix in entry.images for _, image in found.images
                if image.name.startswith(prefix) for name in entry.distributions
            }  # fmt: skip

    def around(self, path: str) -> frozenset[str] | None:
        """The names for the file at ``path``; None where nothing can be said: no manifest, or a computed one."""
        folders = [""]
        for part in path.split("/")[:-1]:
            folders.append(f"{folders[-1]}/{part}" if folders[-1] else part)
        near = [folder for folder in folders if folder in self.manifests]
        if (not near and not self._anywhere) or any(folder in self._partial for folder in near):
            return None
        key = "\n".join(near)
        if key not in self._folders:
            said = {one.name for one in self._found.said if one.folder in near}
            self._folders[key] = frozenset(said | self._wide | self._own)
        return self._folders[key]

    def computed(self, view: View, path: str, module: str) -> bool:
        """Whether a manifest around the file that computes what it needs has a name like the module in its text."""
        near = [one for one in self._computing if path.startswith(f"{home(one)}/") or not home(one)]
        return any(re.search(rf"[\"'{{]{re.escape(module)}\b|\b{re.escape(normal(module))}-", view.text(one) or "", re.I) for one in near)

    def nearest(self, path: str) -> str:
        """The manifest where the name would be looked for first."""
        folder = path
        while folder:
            folder = folder.rpartition("/")[0]
            if folder in self.manifests:
                return min(self.manifests[folder], key=lambda one: (not one.endswith("pyproject.toml"), one))
        return ""


def _modules(
    view: View, path: str, listing: Listing, names: tuple[frozenset[str], frozenset[str]], off: Collection[str]
) -> Iterator[str]:
    """The first parts of the imported modules that no declared name stands for, by the bytes of the file."""
    imports = view.imports(path)
    seen = set()
    for line in imports.lines if imports else ():
        first = line.module.partition(".")[0] or line.name.partition(".")[0]
        dotted = f"{line.module}.{line.name}" if line.module and line.name else line.module or line.name
        if line.level or not first.isidentifier() or (first, dotted) in seen:
            continue
        seen.add((first, dotted))
        if first in sys.stdlib_module_names and "standard-library" not in off:
            continue
        own = view.own_roots if listing.knows(dotted) else view.own_names
        if "own-module" not in off and (first in own or view.modules.owns(path, first)):
            continue
        if not _is_declared(dotted, listing, names, off):
            yield dotted


def _is_declared(
    dotted: str, listing: Listing, said: tuple[frozenset[str], frozenset[str]], off: Collection[str]
) -> bool:
    """Whether one of the names stands for the module; the second ones may be those of a repository, not of what is in it."""
    names, addressed = said
    made = {normal(name) for name in listing.distributions(dotted)}
    if not made.isdisjoint(names):
        return True
    if "another-name" in off:
        return False
    module = normal(dotted.partition(".")[0])
    if listing.knows(dotted) and module in made:
        return any(_is_build(name, module) or (name in addressed and _alike(module, name)) for name in names)
    return any(_alike(module, name) for name in names)


def _is_build(name: str, of: str) -> bool:
    """Whether a distribution is another build of one that is called like its module: tensorflow-gpu, xformers-nightly."""
    return name.startswith(f"{of}-") and all(_BUILD.fullmatch(word) for word in name.removeprefix(f"{of}-").split("-"))


def _alike(module: str, name: str) -> bool:
    """Whether a distribution is called like the module with something around it: dateutil, python-dateutil."""
    own = set(re.split(r"[-_]", normal(module))) - _COMMON
    words = set(name.split("-")) - _COMMON
    return bool(own) and (own <= words or _holds(name, normal(module).replace("-", "")))


def _holds(name: str, module: str) -> bool:
    """Whether the module's letters stand in a name: in one word, or from the start of one to the end of another.

    The last word may be cut short (lm_eval, lm-evaluation), but not to a letter or two (torchx, torch-xla).
    """
    at = name.replace("-", "").find(module)
    starts = [0]
    for word in name.split("-"):
        starts.append(starts[-1] + len(word))
    end = at + len(module)
    last = max((start for start in starts if start < end), default=0)
    return at >= 0 and (last <= at or (at in starts and (end in starts or end - last > _FEW)))


_FEW = 2


def _placed(
    rule: Rule, view: View, path: str, module: str, listing: Listing, declared: _Declared, off: Collection[str]
) -> Iterator[tuple[str, Hit]]:
    """The first statement that imports the module and must succeed."""
    facts = parsed(view, path)
    made = listing.distributions(module)
    distribution = made[0]
    if facts is None or declared.computed(view, path, module.partition(".")[0]) or (distribution, rule.id) in view.once(f"undeclared:{path}", lambda _: set()):
        return
    nodes = [node for node, name in _statements(facts) if name == module or name.startswith(f"{module}.")]
    needed = [node for node in nodes if not _is_choice(node, off)]
    if not needed:
        return
    view.once(f"undeclared:{path}", lambda _: set()).add((distribution, rule.id))
    node = needed[0]
    own = owner(path, view)
    manifest = own or declared.nearest(path)
    slots = {"module": module.partition(".")[0], "distribution": distribution, "manifest": manifest or "a manifest"}
    entry = listing.of_module(module)
    if listing.knows(module) and len(made) == 1 and (entry is None or entry.ring != "hold"):  # no guess, no choice between builds
        slots |= {"missing": distribution, "owner": own}
    related = ((manifest, 1, 1, f"{distribution} is not declared here"),) if manifest else ()
    yield path, facts.hit(rule.id, node, **slots)._replace(confidence="" if listing.knows(module) else "low", related=related)


def _is_choice(node: ast.AST, off: Collection[str]) -> bool:
    if "fallback" not in off and (has_fallback(node) or asks_version(node)):
        return True
    return "on-demand" not in off and any(
        isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        or (isinstance(parent, ast.If) and "__name__" not in ast.unparse(parent.test))
        for parent in parents(node)
    )


def _statements(facts: Facts) -> Iterator[tuple[ast.AST, str]]:
    found: list[tuple[Any, str]] = []
    for node in facts.tree.of(ast.alias):
        statement = up(node)
        if isinstance(statement, ast.Import):
            found.append((node, node.name))  # type: ignore[attr-defined]
        elif isinstance(statement, ast.ImportFrom) and not statement.level and statement.module:
            found.append((statement, f"{statement.module}.{node.name}"))  # type: ignore[attr-defined]
    yield from sorted(found, key=lambda pair: (pair[0].lineno, pair[0].col_offset))
