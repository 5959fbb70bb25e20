"""See repositories that publish models without a model card, or with one that leaves required fields out."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from dlgovern.detect import Parameter
from dlgovern.finding import Hit
from dlgovern.policy import Rule
from dlgovern.repository.view import View
from dlgovern.source.classify import setting

PARAMETERS = {
    "cards": Parameter("strings", "files that may hold the card, the first that exists counts; README.md only with front matter", required=True),
    "fields": Parameter("strings", "keys that the front matter of the card must set", required=True),
    "signs": Parameter("strings", "words of training code that publish a model", required=True),
    "files": Parameter("strings", "files whose presence says that models are published", default=[]),
}
GUARDS = ("unpublished", "placeholder")
"""What the detector is silent under; examples of its rules must show each."""

_FRONT = re.compile(r"\A---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
_FIELD = re.compile(r"^([A-Za-z_][\w-]*)[ \t]*:[ \t]*(.*)$", re.MULTILINE)
_PLACEHOLDER = re.compile(r"(?i)^(?:\W*|.*\b(?:todo|tbd|fixme)\b.*|\[more information needed\])$")


def judge_repository(rules: list[Rule], view: View) -> Iterator[tuple[str, Hit]]:
    """At most one hit: where the card is, or where the repository is described."""
    for rule in rules:
        off = rule.parameters.get("without_guards", ())
        source = _publishes(rule, view)
        if source or "unpublished" in off:
            yield from _judge(rule, view, source, off)


def _publishes(rule: Rule, view: View) -> str:
    """A file that publishes models, "" where none does."""
    signs = set(rule.parameters["signs"])
    for name in rule.parameters.get("files", ()):
        if name in view.names(""):
            return str(name)
    for path in view.kinds.get("python", ()):
        if setting(path) in ("training", "library"):
            imports = view.imports(path)
            if imports is not None and not signs.isdisjoint(imports.words):
                return path
    return ""


def _judge(rule: Rule, view: View, source: str, off: Collection[str]) -> Iterator[tuple[str, Hit]]:
    related = ((source, 1, 1, "models are published from here"),) if source else ()
    for path in rule.parameters["cards"]:
        folder, _, name = path.rpartition("/")
        if name not in view.names(folder):
            continue
        text = (view.text(path) or "").replace("\r\n", "\n").removeprefix("\ufeff")
        front = _FRONT.match(text)
        if front is None and name.lower().startswith("readme"):
            continue
        said = dict(_FIELD.findall(front[1])) if front else {}
        lists = set(re.findall(r"^([A-Za-z_][\w-]*)[ \t]*:[ \t]*\n[ \t]*(?:-|\w)", front[1], re.MULTILINE)) if front else set()
        missing = [
            field for field in rule.parameters["fields"]
            if field not in said or (field not in lists and "placeholder" not in off and _PLACEHOLDER.match(said[field].strip()))
        ]  # fmt: skip
        if missing:
            words = f"{path} does not set {', '.join(missing)}"
            yield path, Hit(rule.id, 1, 1, 1, 2, slots={"what": words}, related=related)
        return
    yield "", Hit(rule.id, 1, 1, 1, 2, slots={"what": "there is no model card"}, related=related)
