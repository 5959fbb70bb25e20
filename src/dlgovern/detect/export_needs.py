"""See calls that need a distribution which no manifest, lock, image or script of the repository names."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator

from dlgovern.detect import Parameter
from dlgovern.evidence.values import normal
from dlgovern.evidence.versions import home
from dlgovern.finding import Hit
from dlgovern.flow.calls import arguments
from dlgovern.flow.constants import constant
from dlgovern.flow.facts import Facts
from dlgovern.flow.guards import has_fallback
from dlgovern.flow.parsed import parsed
from dlgovern.policy import Rule
from dlgovern.repository.owner import owner
from dlgovern.repository.supply import supply
from dlgovern.repository.view import View
from dlgovern.repository.window import STANDARD, parse_version
from dlgovern.source.classify import setting

PARAMETERS = {
    "names": Parameter("names", "the calls", required=True),
    "needs": Parameter("strings", "the distributions, any of which must be declared", required=True),
    "since": Parameter("table", "library and its first version in which the call needs them by itself", default={}),
    "switch": Parameter("string", "argument that asks for it in any version when true, and for none when false", default=""),
    "words": Parameter("strings", "words of which a file must hold one before it is parsed", default=[]),
    "through": Parameter("strings", "distributions that bring them along", default=[]),
}
GUARDS = ("computed", "no-manifest", "fallback", "test")
"""What the detector is silent under; examples of its rules must show each."""


def judge_repository(rules: list[Rule], view: View) -> Iterator[tuple[str, Hit]]:
    """The hits at the calls."""
    found = supply(view)
    declared = {one.name for one in found.said}
    for rule in rules:
        off = rule.parameters.get("without_guards", ())
        enough = {*map(normal, rule.parameters["needs"]), *map(normal, rule.parameters.get("through", ()))}
        if not declared.isdisjoint(enough):
            continue
        if (found.partial and "computed" not in off) or (not found.manifests and "no-manifest" not in off):
            continue
        for path in view.kinds.get("python", ()):
            imports = view.imports(path)
            wanted = rule.parameters.get("words", ())
            if imports is None or (wanted and set(wanted).isdisjoint(imports.words)):
                continue
            if (setting(path) == "test" and "test" not in off) or (facts := parsed(view, path)) is None:
                continue
            yield from ((path, hit) for hit in _calls(rule, facts, off, view))


def _nearest(path: str, manifests: list[str]) -> str:
    """The manifest that speaks for a file: in its folder, or the nearest above."""
    around = [one for one in manifests if path.startswith(f"{home(one)}/" if home(one) else "")]
    return max(around, key=lambda one: (len(home(one)), one.endswith("pyproject.toml"), one), default="")


def _calls(rule: Rule, facts: Facts, off: Collection[str], view: View) -> Iterator[Hit]:
    own = owner(facts.path, view)
    manifest = own or _nearest(facts.path, [one.path for one in supply(view).manifests])
    for node in facts.tree.of(ast.Call):
        assert isinstance(node, ast.Call)
        if facts.names.origin(node.func) not in rule.parameters["names"] or not _needs(rule, facts, node):
            continue
        if "fallback" not in off and has_fallback(node):
            continue
        needs = rule.parameters["needs"]
        related = ((manifest, 1, 1, f"{needs[0]} is not declared here"),) if manifest else ()
        slots = {"call": ast.unparse(node.func), "distribution": needs[0], "missing": needs[0], "owner": own}
        yield facts.hit(rule.id, node, **slots)._replace(related=related)


def _needs(rule: Rule, facts: Facts, node: ast.Call) -> bool:
    """Whether this call takes the way that needs the distribution, in some version that the repository allows."""
    given = arguments(facts, node).keywords
    switch = rule.parameters.get("switch", "")
    if switch and switch in given:
        return constant(facts, given[switch]) is True
    windows = [(facts.windows.of(facts.path, name), first) for name, first in rule.parameters.get("since", {}).items()]
    return all(w is not None and w.source != STANDARD and w.reaches(parse_version(first)) for w, first in windows)
