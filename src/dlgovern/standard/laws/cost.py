"""The law about cost (L13): calls are counted, never timed, so the verdict is the same on every machine."""

from __future__ import annotations

import ast
import cProfile
import gc
import sys
from collections.abc import Iterator

from dlgovern.engine.walk import see
from dlgovern.flow.facts import Facts
from dlgovern.policy import Rule
from dlgovern.repository.exports import Repository
from dlgovern.source.parse import Unparsable, parse
from dlgovern.source.tree import Tree
from dlgovern.standard.laws.court import Case, Court, with_parameters
from dlgovern.standard.laws.values import Broken, Trial
from dlgovern.standard.laws.wrap import wrappings

CALLS_A_NODE = 40
"""Python calls a rule may make for each node of a file, the facts it asks for included."""

GROWTH = 3.0
"""How much more a file of twice the size may cost: 2 is linear, 4 is quadratic."""

_MANY = 1_600  # nodes; fewer cannot show how cost grows


def cost(trial: Trial, court: Court, corpus: bytes) -> Iterator[Broken]:
    """L13: on the corpus file with the rule's own bad examples in it, and on these examples many times over."""
    if trial.rule.shape != "python":
        return
    own = own_text(trial)
    nodes, calls = spent(trial.rule, court, corpus + b"\n" + own.encode())
    if calls > CALLS_A_NODE * nodes:
        yield Broken(trial.rule.id, "L13", "", f"{calls} calls for {nodes} nodes: the budget is {CALLS_A_NODE} a node")
    if not own:
        return
    rounds = max(2, _MANY // len(Tree(parse(own.encode()))))
    small, large = repeated(own, rounds), repeated(own, 2 * rounds)
    few, one = spent(trial.rule, court, small.encode())
    many, other = spent(trial.rule, court, large.encode())
    if other * few > GROWTH / 2 * one * many:
        yield Broken(trial.rule.id, "L13", "", f"{one} calls for {few} nodes, {other} for {many}: cost grows faster than the file")


def spent(rule: Rule, court: Court, data: bytes) -> tuple[int, int]:
    """Nodes of a file, and Python calls that judging it by this rule takes after parsing."""
    module = parse(data)
    case = Case({"example.py": data}, {}, {})
    nodes = len(Tree(module))
    rule = with_parameters(rule, rule.parameters, court.policy.tables)
    windows = court.windows(case)
    before = sys.getprofile()
    counter = cProfile.Profile(subcalls=False, builtins=False)
    collects = gc.isenabled()
    gc.disable()  # who is told that an old tree goes is no cost of this rule
    counter.enable()
    try:
        facts = Facts("example.py", data, module, Repository(court.empty), windows)
        see([rule], facts, court.policy.tables)
    finally:
        counter.disable()
        sys.setprofile(before)
        if collects:
            gc.enable()
    calls = sum(entry.callcount for entry in counter.getstats())
    return nodes, calls


def own_text(trial: Trial) -> str:
    """The rule's bad examples, each in a function of its own."""
    told = []
    for proof in trial.proofs:
        if proof.example.kind != "bad" or not proof.case.only.endswith(".py"):
            continue
        text = proof.case.files[proof.case.only].decode("utf-8", "replace")
        try:
            told.append(next(retold.text for retold in wrappings(text) if retold.name == "function"))
            parse(told[-1].encode())
        except (SyntaxError, ValueError, Unparsable):
            continue
    return "\n".join(text for text in told if _legal(text))


def repeated(text: str, times: int) -> str:
    """The text many times over, its functions under different names."""
    return "\n".join(text.replace("def wrapped()", f"def wrapped_{number}()") for number in range(times))


def generated(lines: int = 1200) -> bytes:
    """A training program of about this many lines: what stands for the largest file when there is no corpus."""
    head = "import os\nimport torch\nimport torch.distributed as dist\nfrom torch import nn\nfrom torch.nn import functional as F\n"
    return (head + "".join(_BLOCK.format(n=n) for n in range(lines // _BLOCK.count("\n")))).encode()


def _legal(text: str) -> bool:
    try:
        compile(text, "example.py", "exec", flags=ast.PyCF_ONLY_AST)
    except (SyntaxError, ValueError):
        return False
    return True


_BLOCK = '''

class Block{n}(nn.Module):
    def __init__(self, width, depth=2, *, dropout=0.1):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(width, width) for _ in range(depth)])
        self.dropout = nn.Dropout(dropout)
        self.scale = float(os.environ.get("SCALE_{n}", "1.0"))

    def forward(self, x, mask=None):
        for layer in self.layers:
            x = x + self.dropout(F.relu(layer(x))) * self.scale
        if mask is not None:
            x = x.masked_fill(mask, 0.0)
        return x


def train_{n}(model, loader, optimizer, epochs=3):
    rank = dist.get_rank() if dist.is_initialized() else 0
    for epoch in range(epochs):
        total = 0.0
        for step, (x, y) in enumerate(loader):
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast("cuda", dtype=torch.bfloat16):
                loss = F.mse_loss(model(x), y)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            total += loss.item()
        if rank == 0:
            print(f"epoch {{epoch}} of {n}: {{total / max(step, 1):.4f}}")
            torch.save({{"model": model.state_dict(), "epoch": epoch}}, f"last-{{epoch}}.pt")
    return total
'''
