"""What an expression is an instance of, and which methods are called on a variable."""

import ast

import pytest

from dlgovern.flow.classes import instance_of, methods_called
from dlgovern.flow.facts import Facts
from dlgovern.repository.exports import Repository
from dlgovern.repository.window import Windows

HEAD = """
import copy
import torch
from torch import nn
class Block(nn.Module): ...
class Net(Block): ...
class Settings(dict): ...
"""


def _last_value(source, tmp_path):
    """The facts of a file and the argument of its last statement, which is ``seen(...)``."""
    text = HEAD + source
    facts = Facts("train.py", text.encode(), ast.parse(text), Repository(str(tmp_path)), Windows({}, {}))
    calls = [n for n in facts.tree.of(ast.Call) if isinstance(n.func, ast.Name) and n.func.id == "seen"]
    return facts, calls[-1].args[0]


@pytest.mark.parametrize(
    "source",
    [
        "seen(Net())",
        "net = Net()\nnet = net.to('cuda')\nseen(net)",
        "net = nn.Module().eval()\nseen(net)",
        "def f(net: nn.Module):\n    seen(net)",
        "class T:\n    def __init__(self):\n        self.net = Net()\n    def f(self):\n        seen(self.net)",
    ],
)
def test_a_module_is_known(source, tmp_path):
    facts, value = _last_value(source, tmp_path)
    assert instance_of(facts, value, ["torch.nn.Module"])


@pytest.mark.parametrize(
    "source",
    [
        "seen(Settings())",
        "seen(Net().state_dict())",
        "seen(Net)",
        "net = Net()\nnet = net.state_dict()\nseen(net)",
        "def f(net):\n    seen(net)",
    ],
)
def test_what_is_no_module_is_not_taken_for_one(source, tmp_path):
    facts, value = _last_value(source, tmp_path)
    assert not instance_of(facts, value, ["torch.nn.Module"])


def test_methods_are_those_of_the_variable_in_its_own_scope(tmp_path):
    facts, value = _last_value("def g(net):\n    net.eval()\ndef f(net):\n    net.parameters()\n    seen(net)", tmp_path)
    assert {"parameters"} == methods_called(facts, value)


def test_methods_are_seen_through_a_copy_of_the_wrapped_module(tmp_path):
    facts, value = _last_value("def f(net):\n    net.parameters()\n    seen(copy.deepcopy(net.module).half())", tmp_path)
    assert {"parameters"} == methods_called(facts, value)


def test_a_variable_that_comes_to_mean_a_state_has_no_methods(tmp_path):
    facts, value = _last_value("def f(net):\n    net.parameters()\n    net = net.state_dict()\n    seen(net)", tmp_path)
    assert set() == methods_called(facts, value)
