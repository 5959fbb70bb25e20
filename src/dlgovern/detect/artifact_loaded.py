"""See unsafe model files that the repository's own code loads in the way that runs what is in them."""

from __future__ import annotations

import ast
import os
import posixpath
from collections.abc import Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.detect.artifact import allow_list
from dlgovern.evidence.artifacts.document import Here, facts
from dlgovern.finding import Hit
from dlgovern.flow.facts import Facts
from dlgovern.policy import Rule
from dlgovern.repository.exports import Repository
from dlgovern.repository.view import View
from dlgovern.source.parse import Unparsable, parse
from dlgovern.source.read import Unreadable, read

PARAMETERS = {
    "table": Parameter("string", "the table of names that a pickle may use", default=""),
    "allow": Parameter("strings", "further names that a pickle may use", default=[]),
    "always": Parameter("names", "functions that run what a file says, whatever their arguments", default=[]),
    "unless": Parameter("table", "functions that do so only with this argument: name -> argument=value", default={}),
}
GUARDS = ("safe-file",)
"""What the detector is silent under; a rule's examples must show it."""


def triggers(_parameters: dict[str, Any], _tables: dict[str, Any]) -> list[dict[str, Any]]:
    """Sees Python files through the view, not through the walk."""
    return []


def judge_repository(rules: list[Rule], view: View) -> Iterator[tuple[str, Hit]]:
    """The hits at the first line of each such file, with the place that loads it."""
    for rule in rules:
        guarded = "safe-file" not in rule.parameters.get("without_guards", ())
        names: dict[str, list[str]] = {}
        for path in view.kinds.get("artifact", ()):
            names.setdefault(path.rpartition("/")[2], []).append(path)
        for code in view.kinds.get("python", ()) if names else ():
            for said, line, column in _loads(rule, view, code, names):
                for path in _meant(said, code, names[said.rpartition("/")[2]]):
                    what = _unsafe(rule, view, path) if guarded else "may run code"
                    if what:
                        related = ((code, line, column, "loaded here"),)
                        yield path, Hit(rule.id, 1, 1, 1, 1, slots={"what": what, "code": f"{code}:{line}"}, related=related)


def _meant(said: str, code: str, paths: list[str]) -> list[str]:
    """The files that a written path can mean: that path from the root or from the code's folder, else all of that name."""
    wanted = {posixpath.normpath(said), posixpath.normpath(posixpath.join(posixpath.dirname(code), said))}
    return [path for path in paths if path in wanted] or paths


def _unsafe(rule: Rule, view: View, path: str) -> str:
    try:
        found = facts(Here(path, view.root), allow_list(rule, view.tables, view.windows, path))
    except Unreadable:
        return ""
    return next((one.what for one in found.reasons if one.verdict == "unsafe"), "")


def _loads(rule: Rule, view: View, path: str, names: dict[str, list[str]]) -> Iterator[tuple[str, int, int]]:
    """The calls in one Python file that load a file of one of these names unsafely, with their places."""
    try:
        data = read(os.path.join(view.root, path))
    except Unreadable:
        return
    if not any(name.encode() in data for name in names):
        return
    try:
        seen = Facts(path, data, parse(data), Repository(view.root), view.windows)
    except Unparsable:
        return
    for node in seen.tree.of(ast.Call):
        if isinstance(node, ast.Call) and _runs(rule, seen.names.origin(node.func) or "", node):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                    if inner.value.rpartition("/")[2] in names:
                        yield inner.value, node.lineno, node.col_offset + 1


def _runs(rule: Rule, origin: str, node: ast.Call) -> bool:
    if origin in rule.parameters.get("always", ()):
        return True
    word, _, wanted = rule.parameters.get("unless", {}).get(origin, "").partition("=")
    return bool(word) and any(
        keyword.arg == word and isinstance(keyword.value, ast.Constant) and str(keyword.value.value) == wanted
        for keyword in node.keywords
    )
