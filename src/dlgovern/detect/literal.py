"""See string literals with a given text, alone or as the words of a command."""

from __future__ import annotations

import ast
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from dlgovern.detect import Parameter
from dlgovern.detect.recipes import SAYING
from dlgovern.evidence.recipe import SCRIPTS, Recipe
from dlgovern.evidence.script import is_python
from dlgovern.finding import Hit
from dlgovern.flow.facts import Facts
from dlgovern.policy import Rule
from dlgovern.repository.window import Windows
from dlgovern.source.imports import normal
from dlgovern.source.tree import parents, up

PARAMETERS = {
    "pattern": Parameter("string", "regular expression that is searched in the text", required=True),
    "unless": Parameter("strings", "regular expressions; a text in which one is found is not meant", default=[]),
    "parts": Parameter("strings", "pieces of text of which a file with a hit has at least one", required=True),
    "joined": Parameter("boolean", "read a list of literals as one text, its items parted by a space", default=False),
    "everywhere": Parameter("boolean", "read the variables, values and commands of other files too", default=False),
    "inside": Parameter("names", "only in what is given to calls of these", default=[]),
    "except_inside": Parameter("names", "not in what is given to calls of these", default=[]),
    "bits": Parameter("any", "least Shannon entropy of the match, in bits a character", default=0),
}
KINDS = SCRIPTS
"""Kinds of evidence in which a rule that reads lists as commands reads commands."""

GUARDS = ("docstring",)
"""What the detector is silent under; a rule's examples must show it."""


def triggers(parameters: dict[str, Any], _tables: dict[str, Any]) -> list[dict[str, Any]]:
    """One alternative a piece of text."""
    return [{"part": part} for part in parameters["parts"]]


def watch(rules: list[Rule], facts: Facts, _tables: dict[str, Any]) -> dict[type, Callable[[Any], Iterator[Hit]]]:
    """Handlers for strings and for lists of them."""
    data = normal(facts.data)
    live = [
        (rule, re.compile(rule.parameters["pattern"]))
        for rule in rules
        if any(part.encode() in data for part in rule.parameters["parts"])
    ]

    def text(node: ast.Constant) -> Iterator[Hit]:
        if not isinstance(node.value, str):
            return
        for rule, pattern in live:
            found = pattern.search(node.value)
            if found and _is_meant(rule, facts, node, node.value, found):
                yield facts.hit(rule.id, node, text=_shown(found.group()))

    def command(node: ast.List | ast.Tuple | ast.Call) -> Iterator[Hit]:
        items = node.args if isinstance(node, ast.Call) else node.elts
        for rule, pattern in live:
            if not rule.parameters.get("joined") or len(items) < 2:  # noqa: PLR2004 - one item is a text of its own
                continue
            words = [_word(facts, item) for item in items]
            found = pattern.search(" ".join(words))
            if found is None or any(pattern.search(word) for word in words):
                continue
            at = items[_item(words, found.end() - 1)]
            if _is_meant(rule, facts, at, " ".join(words), found):
                yield facts.hit(rule.id, at, text=_shown(found.group()))

    return {ast.Constant: text, ast.List: command, ast.Tuple: command, ast.Call: command}


def judge(rules: list[Rule], document: Recipe, _tables: dict[str, Any], _windows: Windows) -> Iterator[Hit]:
    """The hits on the commands of a script, image, workflow or manifest, at the word that completes the text."""
    for rule in rules:
        if rule.parameters.get("everywhere"):
            yield from _texts(rule, document)
    live = [(rule, re.compile(rule.parameters["pattern"])) for rule in rules if rule.parameters.get("joined")]
    seen: set[tuple[str, int, int]] = set()
    for rule, pattern in live:
        held = list(_held(rule, pattern, document))
        for hit in (*held, *_started(rule, pattern, document)):
            place = (rule.id, hit.line, hit.column)
            kept_in_a_variable = hit not in held and any(hit.slots["text"] in other.slots["text"] for other in held)
            if place not in seen and not kept_in_a_variable:
                seen.add(place)
                yield hit


def _started(rule: Rule, pattern: re.Pattern[str], document: Recipe) -> Iterator[Hit]:
    """The hits on commands."""
    for command in document.commands:
        if command.words[0].text in SAYING:
            continue
        words = ["python" if is_python(word.text) else word.text for word in command.words]
        text = " ".join(words)
        found = pattern.search(text)
        if found is not None and not any(re.search(other, text) for other in rule.parameters.get("unless", ())):
            at = command.words[_item(words, len(found.group().rstrip()) + found.start() - 1)]
            yield Hit(rule.id, at.line, at.column, at.end_line, at.end_column, slots={"text": _shown(found.group())})


def _held(rule: Rule, pattern: re.Pattern[str], document: Recipe) -> Iterator[Hit]:
    """The hits on variables that hold a command, or the rest of one behind its program: where it would be changed."""
    for setting in document.settings:
        first, _, rest = setting.value.strip().partition(" ")
        text = f"python {rest}" if is_python(first) else f"python {first} {rest}" if first.startswith("-") else ""
        found = pattern.match(text)
        if found is not None:
            end = setting.end_column if setting.line == setting.end_line else setting.column + len(setting.name)
            yield Hit(rule.id, setting.line, setting.column, setting.line, end, slots={"text": _shown(found.group())})


def _texts(rule: Rule, document: Recipe) -> Iterator[Hit]:
    """The hits on single texts of a script or a configuration, each place once."""
    pattern = re.compile(rule.parameters["pattern"])
    found: dict[int, Hit] = {}
    words = [word for command in document.commands for word in command.words]
    texts: list[tuple[Any, str]] = [(one, one.value) for one in document.settings]
    texts += [(one, one.text) for one in document.values]
    texts += [(one, one.text) for one in words]
    for one, text in texts:
        match = pattern.search(text)
        if match is None or entropy(match.group()) < rule.parameters.get("bits", 0):
            continue
        if not any(re.search(other, text) for other in rule.parameters.get("unless", ())):
            place = (one.line, one.column, one.end_line, one.end_column)
            found.setdefault(one.line, Hit(rule.id, *place, slots={"text": _shown(match.group())}))
    yield from (hit for _, hit in sorted(found.items()))


def _is_meant(rule: Rule, facts: Facts, node: ast.AST, text: str, found: re.Match[str]) -> bool:
    parameters = rule.parameters
    if any(re.search(pattern, text) for pattern in parameters.get("unless", ())):
        return False
    if "docstring" not in parameters.get("without_guards", ()) and _is_prose(node):
        return False
    if parameters.get("inside") and not _given_to(facts, node, parameters["inside"]):
        return False
    if parameters.get("except_inside") and _given_to(facts, node, parameters["except_inside"]):
        return False
    return bool(entropy(found.group()) >= parameters.get("bits", 0))


def entropy(text: str) -> float:
    """Shannon entropy of the characters of a text, in bits a character."""
    total = len(text) or 1
    return -sum(count / total * math.log2(count / total) for count in Counter(text).values())


def _is_prose(node: ast.AST) -> bool:
    """Whether a string is a statement of its own: a docstring, or a comment in quotes."""
    return isinstance(up(node), ast.Expr)


def _given_to(facts: Facts, node: ast.AST, names: list[str]) -> bool:
    for parent in parents(node):
        if isinstance(parent, ast.Call):
            origin = facts.names.origin(parent.func) or _last(parent.func)
            if origin in names or any(n.endswith(".*") and f"{origin}.".startswith(n[:-1]) for n in names):
                return True
        if isinstance(parent, ast.stmt):
            return isinstance(parent, ast.Raise) and "raise" in names
    return False


def _last(node: ast.AST) -> str:
    return f"().{node.attr}" if isinstance(node, ast.Attribute) else ""


def _word(facts: Facts, node: ast.AST) -> str:
    """An item as a word of a command; the running interpreter is ``python``, what is not known is no word."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return "python" if facts.names.origin(node) == "sys.executable" else "\0"


def _item(words: list[str], offset: int) -> int:
    end = -1
    for index, word in enumerate(words):
        end += len(word) + 1
        if offset <= end:
            return index
    return len(words) - 1


def _shown(text: str) -> str:
    return " ".join(text.replace("\0", "…").split())[:80]
