"""The rank-class interpretation gives an answer, or gives up, on whatever parses: recursion, long functions, mutants."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from dlgovern.flow.facts import Facts
from dlgovern.flow.ranks.analysis import CUT, NESTED, Analysis, analysis
from dlgovern.flow.ranks.tables import tables_of
from dlgovern.flow.ranks.writes import writes
from dlgovern.repository.exports import Repository
from dlgovern.repository.window import Windows
from dlgovern.source.parse import Unparsable, parse
from dlgovern.standard.chain import read_chain
from dlgovern.standard.compile import compile_policy

CORPUS = Path(__file__).resolve().parent.parent / "corpus" / "legacy-training"
MUTANTS = int(os.environ.get("DLGOVERN_MUTANTS", "60"))
SEED = 20261125


@pytest.fixture(scope="module")
def tables():
    return tables_of(compile_policy(read_chain("reference"), "all").tables)


def judged(text: str, tables, folder: Path) -> Analysis:
    data = text.encode()
    facts = Facts("example.py", data, parse(data), Repository(str(folder)), Windows({}, {}))
    writes(facts, tables)
    return analysis(facts, tables)


def lines(found: Analysis) -> list[tuple[int, str]]:
    return [(one.what.site.spot[1], one.what.cause) for one in found.found]


def test_functions_that_call_each_other_end(tables, tmp_path):
    text = (
        "import torch.distributed as dist\n"
        "def a(rank):\n    b(rank)\n    if rank == 0:\n        dist.barrier()\n"
        "def b(rank):\n    a(rank)\n"
    )
    assert (5, "branch") in lines(judged(text, tables, tmp_path))


def test_an_attribute_made_from_itself_ends(tables, tmp_path):
    text = (
        "import torch.distributed as dist\nclass A:\n    def f(self):\n        self.rank = self.rank.next()\n"
        "        self.x = self.x.next()\n        if self.x.next():\n            dist.barrier()\n"
    )
    assert judged(text, tables, tmp_path).gave_up == []


def deep(levels: int, last: str) -> str:
    calls = "".join(f"def f{n}(x):\n    f{n + 1}(x)\n" for n in range(levels))
    return f"import torch.distributed as dist\n{calls}def f{levels}(x):\n    {last}\n"


def test_a_call_of_some_ranks_that_leads_too_deep_is_said(tables, tmp_path):
    text = deep(7, "dist.barrier()") + "def run(rank, x):\n    if rank == 0:\n        f0(x)\n"
    assert [why for _, why in judged(text, tables, tmp_path).gave_up] == [CUT]


def test_a_call_of_all_ranks_that_leads_too_deep_is_the_same_for_all(tables, tmp_path):
    text = deep(9, "dist.barrier()") + "def run(rank, x):\n    if rank == 0:\n        print(x)\n    f0(x)\n"
    assert judged(text, tables, tmp_path).gave_up == []


def test_a_call_of_some_ranks_that_leads_deep_to_nothing_is_not_said(tables, tmp_path):
    text = deep(9, "print(x)") + "def run(rank, x):\n    if rank == 0:\n        f0(x)\n    dist.barrier()\n"
    assert judged(text, tables, tmp_path).gave_up == []


def test_a_call_of_some_ranks_that_does_too_much_is_said(tables, tmp_path):
    many = "def much(x):\n" + "    dist.all_reduce(x)\n" * 4100
    text = f"import torch.distributed as dist\n{many}def run(rank, x):\n    if rank == 0:\n        much(x)\n"
    assert [why for _, why in judged(text, tables, tmp_path).gave_up] == [CUT]


def test_statements_that_are_nested_too_deeply_are_said(tables, tmp_path):
    tests = "".join(f"{'    ' * (n + 1)}if x[{n}]:\n" for n in range(70))
    text = f"import torch.distributed as dist\ndef run(rank, x):\n{tests}{'    ' * 71}if rank == 0:\n{'    ' * 72}dist.barrier()\n"
    assert [why for _, why in judged(text, tables, tmp_path).gave_up] == [NESTED]


def test_a_long_chain_of_branches_is_read_or_given_up(tables, tmp_path):
    arms = "".join(f"    elif x == {n}:\n        dist.all_reduce(t{n})\n" for n in range(150))
    text = f"import torch.distributed as dist\ndef f(x, rank):\n    if rank == 0:\n        dist.barrier()\n{arms}"
    found = judged(text, tables, tmp_path)
    assert lines(found) or found.gave_up


def test_five_thousand_lines_are_linear_or_given_up(tables, tmp_path):
    body = "".join(f"    if rank == 0:\n        x{n} = work({n})\n    dist.all_reduce(x)\n" for n in range(1700))
    found = judged(f"import torch.distributed as dist\ndef f(x, rank):\n{body}", tables, tmp_path)
    assert lines(found) == []


def test_conditions_that_no_rank_shares_do_not_explode(tables, tmp_path):
    body = "".join(f"    if rank == 0 and a{n}:\n        dist.all_reduce(x)\n" for n in range(60))
    found = judged(f"import torch.distributed as dist\ndef f(x, rank):\n{body}", tables, tmp_path)
    assert len(found.found) == 60 or found.gave_up


def test_undecided_branches_in_a_row_are_each_reported_once(tables, tmp_path):
    """A thousand ways through ten branches, and as many traces: what they have in common is said once."""
    body = "".join(
        f"    if a{n} and rank == 0:\n        dist.all_reduce(a{n})\n    else:\n        dist.barrier()\n" for n in range(10)
    )
    found = judged(f"import torch.distributed as dist\ndef f(x, rank):\n{body}", tables, tmp_path)
    assert len(set(lines(found))) == len(lines(found)) == 20
    assert found.gave_up == []


def test_mutants_of_the_corpus_never_raise(tables, tmp_path):
    chance = random.Random(SEED)
    sources = [path.read_text(encoding="utf-8").splitlines() for path in sorted(CORPUS.rglob("*.py"))]
    tried = 0
    while tried < MUTANTS:
        text = list(chance.choice(sources))
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(text) or 1)
            kind = chance.randrange(4)
            if kind == 0:
                del text[at : at + chance.randint(1, 3)]
            elif kind == 1:
                text.insert(at, chance.choice(chance.choice(sources) or [""]))
            elif kind == 2 and text:
                words = text[at].split(" ")
                chance.shuffle(words)
                text[at] = " ".join(words)
            elif text:
                text[at] = text[at].replace("==", "!=").replace("0", "1").replace("return", "continue")
        try:
            judged("\n".join(text) or "\n", tables, tmp_path)
        except (Unparsable, UnicodeEncodeError):
            continue
        tried += 1
    assert tried == MUTANTS


def test_a_return_of_a_manager_leaves_no_loop_around_it(tables, tmp_path):
    text = (
        "import torch.distributed as dist\nfrom torch.nn.parallel import DistributedDataParallel as DDP\n"
        "class Log:\n    def __enter__(self):\n        return self\n    def __exit__(self, kind, value, trace):\n"
        "        if kind is not None:\n            return\n        for loss in self.losses:\n            dist.all_reduce(loss)\n"
        "def train(net, loader, valid):\n    model = DDP(net)\n    for epoch in range(3):\n        with Log():\n"
        "            for batch in loader:\n                model(batch).sum().backward()\n"
        "        if dist.get_rank() == 0:\n            with Log():\n                valid(net)\n"
    )
    assert [cause for _, cause in lines(judged(text, tables, tmp_path))] == ["branch"]


def test_parts_of_a_floor_division_are_as_large_on_every_rank(tables, tmp_path):
    text = (
        "import torch.distributed as dist\ndef f(items, rank):\n"
        "    mine = items.split(len(items) // dist.get_world_size())[rank]\n"
        "    for n in range(9):\n        if n % len(mine) == 0:\n            dist.barrier()\n        if rank == 0:\n            print(n)\n"
    )
    assert lines(judged(text, tables, tmp_path)) == []
    assert lines(judged(text.replace("split(len(items) // dist.get_world_size())", "chunk(8)"), tables, tmp_path)) != []


def test_a_rank_of_minus_one_by_default_is_a_single_process(tables, tmp_path):
    text = (
        "import torch.distributed as dist\ndef meet(local_rank=-1):\n    if local_rank != -1:\n        dist.barrier()\n"
        "def f(rank):\n    if rank == 0:\n        meet()\n"
    )
    assert lines(judged(text, tables, tmp_path)) == []
    assert lines(judged(text.replace("meet()", "meet(rank)"), tables, tmp_path)) == [(7, "branch")]
