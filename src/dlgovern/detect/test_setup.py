"""See how tests of hardware are set up: markers that nobody registered, processes that nothing stops."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from dlgovern.finding import Hit
from dlgovern.flow.calls import callee
from dlgovern.flow.facts import Facts
from dlgovern.flow.parsed import parsed
from dlgovern.policy import Rule
from dlgovern.repository.exports import Repository
from dlgovern.repository.view import View
from dlgovern.source.classify import setting

_CONFIGURATIONS = ("pyproject.toml", "pytest.ini", ".pytest.ini", "pytest.toml", "tox.ini", "setup.cfg")
_MARK = re.compile(r"\.mark\.([A-Za-z_]\w*)")


def set_up(rules: list[Rule], view: View) -> Iterator[tuple[str, Hit]]:
    """The hits on markers, each once, and on tests that start processes."""
    tests = [path for path in view.kinds.get("python", ()) if setting(path) == "test" or path.rpartition("/")[2] == "conftest.py"]
    if not tests:
        return
    texts = {name: view.text(name) or "" for name in _CONFIGURATIONS if name in view.names("")}
    for rule in rules:
        yield from _unregistered(rule, view, tests, texts)
        if not any("timeout" in text for text in texts.values()):
            yield from _unlimited(rule, view, tests)


def _unregistered(rule: Rule, view: View, tests: list[str], texts: dict[str, str]) -> Iterator[tuple[str, Hit]]:
    wanted = set(rule.parameters.get("marks", ()))
    used: dict[str, tuple[str, ast.Attribute, Facts]] = {}
    registered = [text.partition("markers")[2] for text in texts.values()]
    for path in tests:
        text = _text(view, path)
        if "addinivalue_line" in text:
            registered.append(text)
        if wanted.isdisjoint(_MARK.findall(text)):
            continue
        facts = parsed(view, path)
        for node in facts.tree.of(ast.Attribute) if facts is not None else ():
            if node.attr in wanted and facts is not None and facts.names.origin(node) == f"pytest.mark.{node.attr}":  # type: ignore[attr-defined]
                used.setdefault(node.attr, (path, node, facts))  # type: ignore[attr-defined, arg-type]
    for mark, (path, node, facts) in sorted(used.items()):
        if not any(re.search(rf"\b{mark}\b", text) for text in registered):
            yield path, facts.hit(rule.id, node, what=f"the marker {mark} is not registered with pytest")


def _unlimited(rule: Rule, view: View, tests: list[str]) -> Iterator[tuple[str, Hit]]:
    starts = set(rule.parameters.get("starts", ()))
    words = {name.rpartition(".")[2] for name in starts}
    for path in tests:
        text = _text(view, path)
        if "timeout" in text or not any(f"{word}(" in text for word in words):
            continue
        facts = parsed(view, path)
        for node in facts.tree.of(ast.FunctionDef) if facts is not None else ():
            assert isinstance(node, ast.FunctionDef)
            if not node.name.startswith("test") or facts is None:
                continue
            call = next((one for one in ast.walk(node) if isinstance(one, ast.Call) and callee(facts, one) in starts), None)
            if call is not None:
                yield path, facts.hit(rule.id, call, what=f"{node.name} starts processes that nothing stops when they hang")


def _text(view: View, path: str) -> str:
    """The text of a file under judgement: that it changes is noticed without `View.text`."""
    repository: Repository = view.once("exports", lambda asked: Repository(asked.root))
    return repository.data(path).decode("utf-8", "replace")
