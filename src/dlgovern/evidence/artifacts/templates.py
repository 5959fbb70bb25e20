"""Judge a chat template by its syntax tree: what it reaches for and calls. It is never rendered."""

from __future__ import annotations

import re

from jinja2 import Environment, TemplateError, nodes

from dlgovern.evidence.artifacts.values import Findings

LARGEST = 256 * 1024
DEEPEST = 60

_CALLS = frozenset("namespace range raise_exception strftime_now dict joiner cycler tojson".split())
_METHODS = frozenset(
    "append capitalize count endswith extend find get index insert items join keys lower lstrip pop replace rfind rsplit rstrip"
    " split splitlines startswith strip title update upper values removeprefix removesuffix isdigit isalpha".split()
)
_REACH = frozenset(("attr", "getattr"))
_GENERATION = re.compile(r"\{%-?\s*(?:end)?generation\s*-?%\}")
_URL = re.compile(r"https?://")


def judge(text: str, findings: Findings, place: str) -> None:
    """Say what a template would do beyond putting text together."""
    findings.facts["chat template"] = True
    if len(text) > LARGEST or _depth(text) > DEEPEST:
        findings.undecided("has a chat template too large or too nested to be looked at", place)
        return
    environment = Environment(extensions=["jinja2.ext.loopcontrols", "jinja2.ext.do"])  # noqa: S701 - nothing is rendered
    try:
        tree = environment.parse(_GENERATION.sub("", text))
    except (TemplateError, RecursionError, ValueError):
        findings.undecided("has a chat template that is none", place)
        return
    macros = {node.name for node in tree.find_all(nodes.Macro)}
    for node in _walk(tree):
        _node(node, macros, findings, place)
    if _URL.search(text):
        findings.note("has an address in its chat template", place)


def _node(node: nodes.Node, macros: set[str], findings: Findings, place: str) -> None:
    if isinstance(node, (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)):
        findings.unsafe("has a chat template that loads another", place)
    elif isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
        findings.unsafe(f"has a chat template that reaches for {node.attr[:40]}", place, name=node.attr[:80])
    elif isinstance(node, nodes.Name) and node.name.startswith("__"):
        findings.unsafe(f"has a chat template that reaches for {node.name[:40]}", place, name=node.name[:80])
    elif isinstance(node, nodes.Filter) and node.name in _REACH:
        findings.unsafe("has a chat template that reaches for attributes by their names", place)
    elif isinstance(node, nodes.Const) and isinstance(node.value, str) and "__" in node.value and _reaches(node.value):
        findings.unsafe("has a chat template with the name of an attribute that Python keeps for itself", place)
    elif isinstance(node, nodes.Getitem) and not isinstance(node.arg, (nodes.Const, nodes.Name, nodes.Slice, nodes.Getattr, nodes.Getitem, nodes.BinExpr, nodes.Neg, nodes.Filter)):
        findings.undecided("has a chat template that looks up a computed name", place)
    elif isinstance(node, nodes.Call):
        _call(node.node, macros, findings, place)


_DUNDER = re.compile(r"(?<![A-Za-z0-9_])__[a-z]+__(?![A-Za-z0-9_])")


def _reaches(text: str) -> bool:
    return _DUNDER.search(text) is not None


def _call(called: nodes.Node, macros: set[str], findings: Findings, place: str) -> None:
    if isinstance(called, nodes.Name):
        if called.name not in _CALLS and called.name not in macros and called.name != "caller":
            findings.undecided(f"has a chat template that calls {called.name[:40]}", place)
    elif isinstance(called, nodes.Getattr):
        if called.attr in ("format", "format_map"):
            findings.undecided("has a chat template that formats a text by another", place)
        elif called.attr not in _METHODS and called.attr not in ("cycle",) and called.attr not in macros:
            findings.undecided(f"has a chat template that calls {called.attr[:40]}", place)
    else:
        findings.undecided("has a chat template that calls what it computes", place)


def _walk(tree: nodes.Node) -> list[nodes.Node]:
    found: list[nodes.Node] = []
    todo = [tree]
    while todo:
        node = todo.pop()
        found.append(node)
        todo += node.iter_child_nodes()
    return found


def _depth(text: str) -> int:
    """How deep brackets and blocks nest at most; texts in quotes count too, which only makes it larger."""
    depth = deepest = 0
    for match in re.finditer(r"[(\[{]|[)\]}]|\{%-?\s*(?:if|for|macro|call|filter|set)\b|\{%-?\s*end|[+~|.*/-]|\bnot\b", text):
        found = match[0]
        if found[0] in "([{" and not found.startswith("{%"):
            depth += 1
        elif found in ")]}":
            depth = max(0, depth - 1)
        deepest = max(deepest, depth)
    chain = max((len(part) for part in re.findall(r"(?:\bnot\s+)+|[-+]{2,}", text)), default=0)
    return max(deepest, chain // 4)
