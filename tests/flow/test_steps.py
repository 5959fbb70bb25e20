"""Where a program trains, what runs in every step, and the functions of other files that an expression means."""

import ast

import pytest

from dlgovern.flow.facts import Facts
from dlgovern.flow.hot import hot
from dlgovern.flow.project import called, definition
from dlgovern.flow.steps import repeated, steps
from dlgovern.repository.exports import Repository
from dlgovern.repository.reads import file_of
from dlgovern.repository.window import Windows


def _facts(tmp_path, **files):
    for name, text in files.items():
        (tmp_path / f"{name}.py").write_text(text)
    repository = Repository(str(tmp_path))
    data = repository.data("train.py")
    return Facts("train.py", data, ast.parse(data), repository, Windows({}, {}))


def _call(facts, name):
    return next(n for n in facts.tree.of(ast.Call) if ast.unparse(n.func) == name)


ENGINE = """
def once(loss):
    loss.backward()
def epoch(loader):
    for loss in loader:
        once(loss)
class Trainer:
    def fit(self, loader):
        for loss in loader:
            self.one(loss)
    def one(self, loss):
        once(loss)
"""


def test_the_step_is_the_innermost_loop_that_goes_backward(tmp_path):
    facts = _facts(tmp_path, train="for epoch in range(3):\n    for batch in loader:\n        f(batch).backward()\n")
    assert [step.node.lineno for step in steps(facts)] == [2]


def test_a_loop_over_micro_batches_splits_the_step_around_it(tmp_path):
    facts = _facts(tmp_path, train="for batch in loader:\n    for micro in range(accum):\n        f(micro).backward()\n")
    assert [step.node.lineno for step in steps(facts)] == [1, 2]


def test_a_function_of_another_file_that_goes_backward_makes_a_step(tmp_path):
    facts = _facts(tmp_path, engine=ENGINE, train="from engine import once\nfor x in data:\n    once(x)\n")
    assert [step.node.lineno for step in steps(facts)] == [2]


def test_a_loop_over_epochs_that_a_function_trains_is_no_step(tmp_path):
    facts = _facts(tmp_path, engine=ENGINE, train="import engine\nfor x in range(3):\n    engine.epoch(x)\n")
    assert steps(facts) == []


def test_files_that_were_followed_count_as_read(tmp_path):
    facts = _facts(tmp_path, engine=ENGINE, middle="from engine import *\n", train="from middle import once\nfor x in y: once(x)\n")
    steps(facts)
    assert {(file_of(read), file_of(read) == read) for read in facts.reads} == {("middle.py", False), ("engine.py", False), ("engine.py", True)}


@pytest.mark.parametrize(
    ("source", "name", "line"),
    [
        ("from engine import Trainer\nTrainer(1).fit(2)\n", "Trainer(1).fit", 8),
        ("from engine import Trainer\nt = Trainer(1)\nt.one(2)\n", "t.one", 11),
        ("from engine import Trainer as T\ndef f(t: T):\n    t.fit(2)\n", "t.fit", 8),
        ("import engine\nengine.once(2)\n", "engine.once", 2),
        ("from engine import Trainer\nclass Mine(Trainer):\n    def go(self):\n        self.fit(1)\n", "self.fit", 8),
        ("from engine import Trainer\nclass A:\n    def __init__(self):\n        self.t = Trainer(1)\n    def go(self):\n        self.t.fit(1)\n", "self.t.fit", 8),
    ],
)
def test_a_call_is_followed_to_the_function_it_runs(tmp_path, source, name, line):
    facts = _facts(tmp_path, engine=ENGINE, train=source)
    assert called(facts, _call(facts, name)).node.lineno == line


def test_functions_that_import_each_other_end(tmp_path):
    facts = _facts(tmp_path, other="from train import f\n", train="from other import f\nf(1)\n")
    assert definition(facts, _call(facts, "f").func) is None


def test_what_a_condition_keeps_to_some_steps_is_not_hot(tmp_path):
    source = "for s in x:\n    a()\n    if s % 9 == 0:\n        b()\n    if self.on:\n        c()\n    if s > 5: continue\n    d()\n"
    facts = _facts(tmp_path, train=source)
    seen = [ast.unparse(one.node) for one in hot(facts, facts.tree.module.body[0].body) if isinstance(one.node, ast.Call)]
    assert seen == ["a()", "c()"]


def test_a_function_that_a_loop_calls_runs_again_and_again(tmp_path):
    facts = _facts(tmp_path, train="def f():\n    g()\ndef h():\n    k()\nfor x in y:\n    f()\nh()\n")
    assert (repeated(facts, _call(facts, "g")), repeated(facts, _call(facts, "k"))) == (True, False)
