"""Laws about how a rule is written: its examples (L7), its message (L10), its id (L11), its prose (L12)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from dlgovern.source.parse import Unparsable, parse
from dlgovern.standard.compile import FAMILIES
from dlgovern.standard.laws.court import Court
from dlgovern.standard.laws.values import Broken, Trial
from dlgovern.standard.read import Source

_START = re.compile(r"""[a-z0-9{`"'<$@\-]|[A-Z][A-Z0-9_]+\b|\w+[._(]\w*|[A-Z]\w*[a-z]\w*[A-Z]""")
_SLOT = re.compile(r"\{\w+\}")
_LEAST = 40  # characters of a reason


def examples(trial: Trial) -> Iterator[Broken]:
    """L7: examples parse, are named and differ, and name only lines that they have."""
    names: set[str] = set()
    texts: set[tuple[object, ...]] = set()
    for example, case, title in trial.proofs:
        def say(what: str, title: str = title) -> Broken:
            return Broken(trial.rule.id, "L7", title, what)

        if not example.name:
            yield say("has no name")
        elif example.name in names:
            yield say("has the name of another example")
        names.add(example.name)
        identity = (*sorted(case.files.items()), str(case.window), str(case.parameters))
        if identity in texts:
            yield say("says the same as another example")
        texts.add(identity)
        for path, data in sorted(case.files.items()):
            if path.endswith((".py", ".pyi")) and trial.rule.shape != "engine":
                try:
                    parse(data)
                except Unparsable as error:
                    yield say(f"{path} does not parse: line {error.line}: {error.why}")
        lines = {line.strip() for data in case.files.values() for line in data.split(b"\n")}
        for line in example.asleep:
            if line.strip().encode() not in lines:
                yield say(f"names in `asleep` a line it does not have: {line.strip()!r}")


def message(trial: Trial, court: Court) -> Iterator[Broken]:
    """L10: one line, a fact in lower case, no final stop, every slot filled on every bad example."""
    rule = trial.rule
    for field, text in (("message", rule.message), ("summary", rule.summary)):
        if "\n" in text or not text.strip():
            yield Broken(rule.id, "L10", "", f"the {field} is not one line")
        elif not _START.match(text):
            yield Broken(rule.id, "L10", "", f"the {field} begins with a capital letter: {text[:30]!r}")
        if text.rstrip().endswith((".", "!")) and not text.endswith("…"):
            yield Broken(rule.id, "L10", "", f"the {field} ends with a full stop")
    empty = set()
    for example, case, _title in trial.proofs:
        if example.kind == "bad":
            for mark in court.judge(rule, case).marks:
                empty |= set(_SLOT.findall(mark.message)) & set(_SLOT.findall(rule.message))
                if "\n" in mark.message or "  " in mark.message.strip():
                    yield Broken(rule.id, "L10", _title, f"a filled message is not one clean line: {mark.message!r}")
    for slot in sorted(empty):
        yield Broken(rule.id, "L10", "", f"nothing fills {slot} of the message")


def identity(trial: Trial, chain: Iterable[Source]) -> Iterator[Broken]:
    """L11: ids and names are unique in the chain, retired ids stay retired, the family is the folder."""
    rule = trial.rule
    for source in chain:
        for other in source.rules:
            if other.path == trial.path and source.file.standard.name == trial.standard:
                continue
            for word in ("id", "name"):
                if getattr(other.rule, word) == getattr(rule, word):
                    yield Broken(rule.id, "L11", "", f"{getattr(rule, word)} is also used by {other.path}")
        if rule.id in source.file.retired:
            yield Broken(rule.id, "L11", "", f"is retired by {source.file.standard.name}: {source.file.retired[rule.id]}")
        if source.file.standard.name != trial.standard and any(s.rule.id[:3] == rule.id[:3] for s in source.rules):
            yield Broken(rule.id, "L11", "", f"the prefix {rule.id[:3]} belongs to {source.file.standard.name}")
    family = FAMILIES.get(rule.id[3])
    folder = trial.path.rpartition("/")[0].rpartition("/")[2]
    if family is None:
        yield Broken(rule.id, "L11", "", f"no family has the digit {rule.id[3]}: {', '.join(FAMILIES.values())}")
    elif folder != family and (folder in FAMILIES.values() or trial.standard == "reference"):
        yield Broken(rule.id, "L11", "", f"lies in {folder or 'no folder'!r}, and {rule.id[3]} is the family {family}")
    if not trial.path.rpartition("/")[2].startswith(f"{rule.id}-{rule.name}."):
        yield Broken(rule.id, "L11", "", f"the file should be called {rule.id}-{rule.name}.toml")


def prose(trial: Trial) -> Iterator[Broken]:
    """L12: a reason, what to write instead, a reference, two bad and two ok examples."""
    rule = trial.rule
    if len(rule.why) < _LEAST:
        yield Broken(rule.id, "L12", "", f"`why` gives no reason: fewer than {_LEAST} characters")
    if not rule.instead:
        yield Broken(rule.id, "L12", "", "`instead` is empty")
    if not any(re.match(r"https?://[\w-]+\.", reference) for reference in rule.references):
        yield Broken(rule.id, "L12", "", "no reference is an address")
    for field in ("why", "instead", "limits", "summary"):
        if re.search(r"\bTODO\b", getattr(rule, field)):
            yield Broken(rule.id, "L12", "", f"`{field}` says TODO")
    for kind in ("bad", "ok"):
        count = sum(proof.example.kind == kind for proof in trial.proofs)
        if count < 2:  # noqa: PLR2004 - the law says two
            yield Broken(rule.id, "L12", "", f"{count} {kind} example{'s' if count != 1 else ''}, at least two are needed")
