"""What every repair promises, tried on all bad examples of the shipped rules, in several spellings of the file."""

from __future__ import annotations

import ast
import io
import tokenize
from collections import Counter
from pathlib import Path

import pytest

from dlgovern.engine.walk import Walk
from dlgovern.finding import Finding
from dlgovern.fix.rounds import repair_file
from dlgovern.judge.grade import grade
from dlgovern.policy import Policy
from dlgovern.repository.window import Window, Windows
from dlgovern.standard.laws import open_court
from dlgovern.standard.read import read_standard

RULES = Path(__file__).resolve().parent.parent.parent / "rules"
CORPUS = Path(__file__).resolve().parent.parent / "corpus"
WINDOWS = Windows({}, {"torch": Window((2, 13), (2, 13, 0, 1), "requirements.txt:1")})


def standard():  # type: ignore[no-untyped-def]
    read = read_standard(str(RULES))
    return read if isinstance(read, list) else [read]


CHAIN = standard()
EXAMPLES = [
    pytest.param(source.rule.id, example.bad, id=f"{source.rule.id}-{number}")
    for source in CHAIN[-1].rules
    if source.rule.fix and source.rule.shape == "python"
    for number, example in enumerate(source.rule.example)
    if example.bad and not (example.path and not example.path.endswith(".py"))
]
FORMS = {
    "plain": lambda text: text.encode(),
    "mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "returns": lambda text: text.replace("\n", "\r\n").encode(),
    "tabs": lambda text: text.replace("    ", "\t").encode(),
    "no-end": lambda text: text.rstrip("\n").encode(),
    "accents": lambda text: ("# é ü 漢\n" + text + "# ende é\n").encode(),
}


@pytest.fixture(scope="module")
def policy() -> Policy:
    court = open_court(CHAIN)
    court.close()
    return court.policy


def judged(policy: Policy, root: Path, path: str) -> tuple[Walk, list[Finding]]:
    walk = Walk(policy, str(root), WINDOWS)
    return walk, grade(policy, [walk.judge(path)])


def comments(data: bytes) -> Counter[str]:
    return Counter(
        token.string for token in tokenize.tokenize(io.BytesIO(data).readline) if token.type == tokenize.COMMENT
    )


def demand_all(policy: Policy, root: Path, path: str) -> None:
    """Parses, removes what it repairs, adds none, keeps comments and newlines, and has nothing to do again."""
    walk, before = judged(policy, root, path)
    repaired = repair_file(walk, path, before, unsafe=True)
    assert repaired is not None
    assert repaired.left == ()
    ast.parse(repaired.after)
    (root / path).write_bytes(repaired.after)
    walk, after = judged(policy, root, path)
    old, new = (Counter(one.rule for one in found) for found in (before, after))
    assert new - old == Counter()
    assert sum(old.values()) - sum(new.values()) >= len(repaired.rules)
    assert comments(repaired.before) == comments(repaired.after)
    assert (repaired.before.count(b"\r\n") == repaired.before.count(b"\n")) == (
        repaired.after.count(b"\r\n") == repaired.after.count(b"\n")
    )
    assert repaired.before[:3] == repaired.after[:3] or not repaired.before.startswith(b"\xef\xbb\xbf")
    again = repair_file(walk, path, after, unsafe=True)
    assert again is not None
    assert again.after == again.before


@pytest.mark.parametrize("form", ["plain", *(pytest.param(form, marks=pytest.mark.once) for form in FORMS if form != "plain")])
@pytest.mark.parametrize(("rule", "text"), EXAMPLES)
def test_every_repair_of_an_example_keeps_its_promises(policy, tmp_path, rule, text, form):
    (tmp_path / "train.py").write_bytes(FORMS[form](text))
    demand_all(policy, tmp_path, "train.py")


@pytest.mark.parametrize("source", sorted(CORPUS.rglob("*.py")), ids=lambda path: path.relative_to(CORPUS).as_posix())
def test_every_repair_of_the_corpus_keeps_its_promises(policy, tmp_path, source):
    (tmp_path / "train.py").write_bytes(source.read_bytes())
    demand_all(policy, tmp_path, "train.py")
