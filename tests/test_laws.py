"""Each law is broken by a small rule, and kept by the rule's repaired twin."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from dlgovern import bundled, edits
from dlgovern.detect import Parameter
from dlgovern.finding import Edit
from dlgovern.standard.chain import read_path
from dlgovern.standard.laws import LAWS, Broken, check

HEAD = """\
schema = 1

[standard]
name = "acme"
version = "1.0"

[profiles.defects]
description = "all of it"
[profiles.defects.levels]
ACM = "error"
"""

RULE = """\
id = "ACM501"
name = "loud-load"
since = "0.1"
summary = "a file is loaded loudly"
message = "{call} is given {argument}={value}"
why = '''
Loud loading wakes the neighbours, and a neighbour that is awake complains.
'''
instead = "Write `loud=False`."
limits = "A value that is only known at run time."
confidence = "high"
references = ["https://example.org/loud"]
detect = "call"

[call]
names = ["lib.load"]
where = [{ argument = "loud", is = true }]

[[example]]
name = "loud"
bad = '''
import lib
lib.load("a", loud=True)
'''
at = [2]

[[example]]
name = "loud through a constant"
bad = '''
from lib import load
LOUD = True
load("a", loud=LOUD)
'''
at = [3]

[[example]]
name = "quiet"
ok = '''
import lib
lib.load("a", loud=False)
'''

[[example]]
name = "another loader"
ok = '''
import other
for name in other.names():
    other.load(name, loud=True)
'''
"""


def write(folder: Path, *rules: str, head: str = HEAD) -> str:
    """A standard in ``folder`` with these rules; each is put where its id and name want it."""
    (folder / "standard.toml").write_text(head)
    for text in rules:
        rule_id, name = (text.split(f'{key} = "', 1)[1].split('"', 1)[0] for key in ("id", "name"))
        families = {"1": "libraries", "2": "distributed", "3": "training", "5": "exports", "8": "repository", "9": "judgement"}
        target = folder / families[rule_id[3]] / f"{rule_id}-{name}.toml"
        target.parent.mkdir(exist_ok=True)
        target.write_text(text)
    return str(folder)


def broken(folder: Path, *rules: str, head: str = HEAD) -> list[Broken]:
    """What the laws say about the rules of a standard."""
    chain, _ = read_path(write(folder, *rules, head=head))
    return list(check(chain, corpus=b"import os\n").broken)


def laws(folder: Path, *rules: str, head: str = HEAD) -> set[str]:
    return {one.law for one in broken(folder, *rules, head=head)}


def example(kind: str, text: str, more: str = "") -> str:
    return f"\n[[example]]\nname = \"one more\"\n{kind} = '''\n{text}\n'''\n{more}\n"


def detector(monkeypatch: pytest.MonkeyPatch, see: Callable[..., Iterator[Any]], **more: Any) -> str:
    """The rule told with a detector made for the test: ``see(rule, facts, node)`` for each call."""
    module = ModuleType("dlgovern.detect.trial")
    module.PARAMETERS = {"names": Parameter("names", "what it means", required=True)}
    module.triggers = lambda parameters, _tables: [{"name": name} for name in parameters["names"]]

    def watch(rules: list[Any], facts: Any, _tables: Any) -> dict[type, Any]:
        return {ast.Call: lambda node: (hit for rule in rules for hit in see(rule, facts, node))}

    module.watch = watch
    for name, value in more.items():
        setattr(module, name, value)
    monkeypatch.setitem(sys.modules, "dlgovern.detect.trial", module)
    told = RULE.replace('detect = "call"', 'detect = "trial"').replace("[call]", "[trial]")
    return told.replace('where = [{ argument = "loud", is = true }]\n', "").replace("{call} is given {argument}={value}", "it is loud")


def is_loud(node: ast.Call) -> bool:
    return any(word.arg == "loud" and not (isinstance(word.value, ast.Constant) and word.value.value is False) for word in node.keywords)


def by_origin(rule: Any, facts: Any, node: ast.Call) -> Iterator[Any]:
    if facts.names.origin(node.func) in rule.parameters["names"] and is_loud(node):
        yield facts.hit(rule.id, node)


def test_a_good_rule_breaks_no_law(tmp_path: Path) -> None:
    assert [] == broken(tmp_path, RULE)


def test_a_good_rule_of_a_standard_that_extends_the_reference_breaks_no_law(tmp_path: Path) -> None:
    assert [] == broken(tmp_path, RULE, head=HEAD.replace("[standard]", '[standard]\nextends = "reference"'))


def test_a_good_rule_with_an_own_detector_breaks_no_law(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [] == broken(tmp_path, detector(monkeypatch, by_origin))


def test_every_law_is_told_in_a_line() -> None:
    assert [f"L{number}" for number in range(1, 14)] == list(LAWS)


@pytest.mark.parametrize(
    ("law", "change"),
    [
        ("L1", ("at = [2]", "at = [1]")),
        ("L1", ("at = [2]", "at = [2, 2]")),
        ("L1", ("other.load(name, loud=True)", "pass\nfrom lib import *\nimport lib\nlib.load(1, loud=True)")),
        ("L2", ('["lib.load"]', '["lib.load", "lib.read"]')),
        ("L2", ("is = true }]", 'is = true }]\nunless = [{ argument = "mild", given = true }]')),
        ("L2", ("is = true }]", 'is = true }]\nlower = [{ when = { argument = "mild", given = true }, level = "info" }]')),
        ("L2", ("is = true }]", 'is = true }]\nat = "mild"')),
        ("L3", ("import other\nfor name in other.names():\n    other.load(name, loud=True)", "print(1)\nprint(2)\nprint(3)")),
        ("L7", ('name = "quiet"', 'name = "loud"')),
        ("L7", ("for name in other.names():", "for name in other.names()")),
        ("L7", ('name = "quiet"\n', "")),
        ("L7", ('name = "another loader"\n', 'name = "another loader"\nasleep = ["not there"]\n')),
        ("L8", ('detect = "call"\n', 'detect = "call"\nfix = { action = "set-argument" }\n')),
        ("L10", ("{call} is given {argument}={value}", "{call} is given {argument}.")),
        ("L10", ("{call} is given {argument}={value}", "Calling it is loud")),
        ("L10", ("{call} is given {argument}={value}", "{call} is {nobody_fills_this}")),
        ("L12", ("https://example.org/loud", "a book")),
        ("L12", ("a neighbour that is awake complains.", "TODO.")),
        ("L12", (RULE[RULE.rindex("\n[[example]]") :], "")),
        ("L12", ("Loud loading wakes the neighbours, and a neighbour that is awake complains.", "It is loud, and loud is bad.")),
    ],
    ids=lambda value: value if isinstance(value, str) else value[1][:20].strip(),
)
def test_a_rule_that_breaks_a_law_is_told_so(law: str, change: tuple[str, str], tmp_path: Path) -> None:
    assert change[0] in RULE

    assert law in laws(tmp_path, RULE.replace(change[0], change[1], 1))


def test_a_clause_that_an_example_shows_is_not_idle(tmp_path: Path) -> None:
    told = RULE.replace('["lib.load"]', '["lib.load", "lib.read"]')

    assert [] == broken(tmp_path, told + example("bad", 'import lib\nlib.read("a", loud=True)', "at = [2]"))


def test_an_ok_that_wakes_without_its_named_line_is_a_near_miss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unless_hushed(rule: Any, facts: Any, node: ast.Call) -> Iterator[Any]:
        if b"hush(" not in facts.data:
            yield from by_origin(rule, facts, node)

    told = detector(monkeypatch, unless_hushed)
    quiet = "import lib\nlib.hush(1)\nstate = [\n    lib.load(name, loud=True)\n    for name in lib.names()\n]\nprint(state)"

    assert {"L3"} == laws(tmp_path, told + example("ok", quiet))
    assert set() == laws(tmp_path, told + example("ok", quiet, 'asleep = ["lib.hush(1)"]'))


def test_a_known_miss_that_is_found_is_no_miss(tmp_path: Path) -> None:
    found = example("missed", 'import lib\nx = lib.load("a", loud=True)')
    silent = example("missed", 'import lib\nx = lib.load("a", loud=lib.ask())')

    assert {"L4"} == laws(tmp_path, RULE + found)
    assert set() == laws(tmp_path, RULE + silent)


def test_a_detector_that_reads_only_one_spelling_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def by_spelling(rule: Any, facts: Any, node: ast.Call) -> Iterator[Any]:
        if ast.unparse(node.func) in ("load", *rule.parameters["names"]):
            yield from by_origin(rule, facts, node)

    assert "L5" in laws(tmp_path, detector(monkeypatch, by_spelling))


def test_a_detector_that_sees_only_the_top_of_a_module_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def at_the_top(rule: Any, facts: Any, node: ast.Call) -> Iterator[Any]:
        if not facts.hit(rule.id, node).symbol:
            yield from by_origin(rule, facts, node)

    assert {"L6"} == laws(tmp_path, detector(monkeypatch, at_the_top))
    assert set() == laws(tmp_path, detector(monkeypatch, at_the_top, MODULE_LEVEL=True))


def test_triggers_that_miss_a_finding_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unsound = detector(monkeypatch, by_origin, triggers=lambda _parameters, _tables: [{"all": ["LOUD"]}])

    assert "L9" in laws(tmp_path, unsound)


def test_a_guard_that_no_example_shows_is_idle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def guarded(rule: Any, facts: Any, node: ast.Call) -> Iterator[Any]:
        if "hushed" in rule.parameters.get("without_guards", ()) or b"hush(" not in facts.data:
            yield from by_origin(rule, facts, node)

    told = detector(monkeypatch, guarded, GUARDS=("hushed",))

    assert {"L2"} == laws(tmp_path, told)
    assert set() == laws(tmp_path, told + example("ok", 'import lib\nlib.hush(1)\nlib.load("b", loud=True)'))


def test_a_rule_in_the_folder_of_another_family_is_told_so(tmp_path: Path) -> None:
    write(tmp_path, RULE)
    (tmp_path / "exports").rename(tmp_path / "training")
    chain, _ = read_path(str(tmp_path))

    assert {"L11"} == {one.law for one in check(chain, corpus=b"x = 1\n").broken}


def test_an_id_with_the_prefix_of_the_base_is_told_so(tmp_path: Path) -> None:
    head = HEAD.replace("[standard]", '[standard]\nextends = "reference"').replace('ACM = "error"', 'DLG5 = "error"')

    assert "L11" in laws(tmp_path, RULE.replace("ACM501", "DLG599"), head=head)


def test_cost_that_grows_faster_than_the_file_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def again_and_again(rule: Any, facts: Any, node: ast.Call) -> Iterator[Any]:
        for _ in (facts.names.origin(other) for other in ast.walk(facts.tree.module)):
            pass
        yield from by_origin(rule, facts, node)

    assert {"L13"} == laws(tmp_path, detector(monkeypatch, again_and_again))


FIX = 'detect = "call"\nfix = { action = "hush" }\n'
FIXED = "at = [2]\nfixed = '''\nimport lib\nlib.load(\"a\", loud=False)\n'''\n"


def hush(_rule: Any, hit: Any, facts: Any, new: bytes = b"loud=False") -> tuple[Edit, ...] | None:
    lines = facts.data.split(b"\n")
    start = sum(len(line) + 1 for line in lines[: hit.line - 1])
    found = lines[hit.line - 1].find(b"loud=True")
    if found < 0:
        return None
    return (Edit(facts.path, "", start + found, start + found + len(b"loud=True"), new.decode()),)


def test_a_repair_that_does_what_it_shows_is_lawful(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edits, "compute", hush, raising=False)

    assert [] == broken(tmp_path, RULE.replace('detect = "call"\n', FIX).replace("at = [2]\n", FIXED))


@pytest.mark.parametrize("new", [b"loud=True", b"loud=(", b"loud=1"], ids=["leaves it", "breaks the file", "is another"])
def test_a_repair_that_does_something_else_is_told_so(new: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edits, "compute", lambda rule, hit, facts: hush(rule, hit, facts, new), raising=False)

    assert {"L8"} == laws(tmp_path, RULE.replace('detect = "call"\n', FIX).replace("at = [2]\n", FIXED))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (("", ""), []),
        (("onnx\\nonnxscript", "onnxscript"), ["the repaired text is not the one that `fixed` shows: line 2 is 'onnx', shown is 'onnxscript'"]),
        (('"requirements.txt" = "torch>=2.9', '"requirements.txt" = "--require-hashes\\ntorch>=2.9'), ["no repair is offered where the example shows one"]),
    ],
)
def test_a_repair_in_another_file_is_tried_too(tmp_path: Path, change: tuple[str, str], what: list[str]) -> None:
    rule = next((Path(bundled.folder("rules")) / "libraries").glob("DLG120-*.toml")).read_text()

    said = broken(tmp_path, rule.replace(*change, 1), head=HEAD.replace("ACM", "DLG"))

    assert what == [one.what for one in said if one.law == "L8"]


def test_without_a_room_for_repairs_the_law_is_skipped_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(edits, "compute", raising=False)
    chain, _ = read_path(write(tmp_path, RULE.replace('detect = "call"\n', FIX).replace("at = [2]\n", FIXED)))

    assert [("L8", "nothing computes repairs yet")] == [(one.law, one.why) for one in check(chain, corpus=b"x = 1\n").skipped]
