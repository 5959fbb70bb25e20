"""The bad and the good form of what the rules about ranks say, in two gloo processes: what hangs, what is silently wrong."""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import socket
import time
from collections.abc import Callable
from datetime import timedelta

import pytest

torch = pytest.importorskip("torch")
dist = pytest.importorskip("torch.distributed")
if not dist.is_available():
    pytest.skip("torch without torch.distributed", allow_module_level=True)

FULL = bool(os.environ.get("DLGOVERN_FULL"))
WAIT = 5.0  # seconds that a collective waits in vain for the other process
LONG = 120.0  # and where the other one comes
WAITED = ("imed out", "Application timeout", "closed by peer")  # how gloo says that it did

Form = Callable[[int, str], object]


def _port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _run(form: Form, rank: int, number: int, folder: str, wait: float, results) -> None:
    from torch.distributed.checkpoint.api import CheckpointException

    where = f"tcp://127.0.0.1:{number}"
    dist.init_process_group("gloo", init_method=where, rank=rank, world_size=2, timeout=timedelta(seconds=wait))
    found: object = "failed"
    try:
        found = form(rank, folder)
    except (RuntimeError, OSError, EOFError, ValueError, pickle.UnpicklingError, CheckpointException) as error:
        found = "stuck" if any(said in str(error) for said in WAITED) else type(error).__name__
    finally:
        results.put((rank, found))
    if found == "stuck":
        results.close()
        results.join_thread()
        os._exit(0)


def away() -> str:
    """What the other process does while one waits in vain."""
    time.sleep(WAIT + 2)
    return "done"


def two(form: Form, folder: object = "", wait: float = LONG) -> list[object]:
    """What the two processes came to, by rank; one that says nothing for a minute hangs outside of any collective's time-out."""
    context = torch.multiprocessing.get_context("spawn")
    results, number = context.Queue(), _port()
    workers = [context.Process(target=_run, args=(form, rank, number, str(folder), wait, results)) for rank in range(2)]
    for worker in workers:
        worker.start()
    found: dict[int, object] = {}
    with contextlib.suppress(queue.Empty):
        for _ in workers:
            found.update([results.get(timeout=wait + 60)])
    for worker in workers:
        worker.join(timeout=20 if len(found) == len(workers) else 0)
        worker.kill()
    return [found.get(rank, "stuck") for rank in range(2)]


everything = pytest.mark.skipif(not FULL, reason="DLGOVERN_FULL=1 runs every form")
DONE = ["done", "done"]


# -- DLG204: what a rank sees of the file system decides -----------------------------------------------


def _own_file(rank: int, folder: str) -> bool:
    path = os.path.join(folder, f"seen-by-{rank}")
    if rank == 0:
        open(path, "w").close()
    return os.path.exists(path)


def file_of_each(rank: int, folder: str) -> str:
    if _own_file(rank, folder):
        dist.barrier()
        return "done"
    return away()


def file_of_the_first(rank: int, folder: str) -> str:
    found = [_own_file(rank, folder)]
    dist.broadcast_object_list(found, src=0)
    if found[0]:
        dist.barrier()
    return "done"


@everything
def test_a_file_that_one_rank_sees_leaves_it_waiting(tmp_path) -> None:  # DLG204
    assert (two(file_of_each, tmp_path, WAIT)[0], two(file_of_the_first, tmp_path)) == ("stuck", DONE)


# -- DLG208: shards are gathered ------------------------------------------------------------------------


def _sharded():
    from torch.distributed.fsdp import fully_shard

    torch.manual_seed(0)
    model = torch.nn.Linear(4, 4, bias=False)
    fully_shard(model)
    return model


def _whole(model) -> tuple[int, ...]:
    return tuple(model.weight.full_tensor().shape)


def _state(model) -> tuple[int, ...]:
    from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict

    found = get_model_state_dict(model, options=StateDictOptions(full_state_dict=True))
    return tuple(found["weight"].shape)


def whole_on_one(rank: int, _folder: str) -> object:
    model = _sharded()
    return _whole(model) if rank == 0 else away()


def state_on_one(rank: int, _folder: str) -> object:
    model = _sharded()
    return _state(model) if rank == 0 else away()


def on_all(_rank: int, _folder: str) -> object:
    model = _sharded()
    return _whole(model), _state(model)


def optimizer_on_one(rank: int, _folder: str) -> object:
    return _consolidated(rank) if rank == 0 else _consolidated(rank, alone=True)


def optimizer_on_all(rank: int, _folder: str) -> object:
    return _consolidated(rank)


def _consolidated(rank: int, *, alone: bool = False) -> str:
    from torch.distributed.optim import ZeroRedundancyOptimizer

    model = torch.nn.Linear(4, 4)
    optimizer = ZeroRedundancyOptimizer(model.parameters(), optimizer_class=torch.optim.SGD, lr=0.1, momentum=0.9)
    model(torch.ones(1, 4)).sum().backward()
    optimizer.step()
    if alone:
        return away()
    optimizer.consolidate_state_dict(to=0)
    return "done"


@everything
@pytest.mark.parametrize("form", [whole_on_one, state_on_one, optimizer_on_one])
def test_a_rank_that_gathers_alone_waits(form) -> None:  # DLG208
    assert two(form, wait=WAIT)[0] == "stuck"


@everything
def test_together_they_gather_the_whole() -> None:  # DLG208, the good form
    assert (two(on_all), two(optimizer_on_all)) == ([((4, 4), (4, 4))] * 2, DONE)


# -- DLG209: a save that every rank must call ------------------------------------------------------------


def saves_alone(rank: int, folder: str) -> str:
    import torch.distributed.checkpoint as dcp

    if rank == 0:
        dcp.save({"x": torch.ones(2)}, checkpoint_id=folder)
        return "done"
    return away()


def saves_alone_and_says_so(rank: int, folder: str) -> str:
    import torch.distributed.checkpoint as dcp

    if rank == 0:
        dcp.save({"x": torch.ones(2)}, checkpoint_id=folder, no_dist=True)
    return "done"


def save_together(_rank: int, folder: str) -> str:
    import torch.distributed.checkpoint as dcp

    dcp.save({"x": torch.ones(2)}, checkpoint_id=folder)
    return "done"


@everything
def test_a_distributed_save_of_one_rank_waits(tmp_path) -> None:  # DLG209
    alone = two(saves_alone, tmp_path / "alone", WAIT)[0]
    good = [two(form, tmp_path / form.__name__) for form in (saves_alone_and_says_so, save_together)]
    assert (alone, good) == ("stuck", [DONE, DONE])


# -- DLG210: a forward of a wrapped model -----------------------------------------------------------------


def _evaluates(rank: int, *, inner: bool) -> str:
    model = torch.nn.parallel.DistributedDataParallel(torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2)))
    for _ in range(2):
        model(torch.ones(2, 2)).sum().backward()
    if rank != 0:
        return "done" if inner else away()
    model.eval()
    with torch.no_grad():
        (model.module if inner else model)(torch.ones(2, 2))
        if not inner:
            model.train()
    if not inner:
        model(torch.ones(2, 2)).sum().backward()
    return "done"


def evaluates_the_wrapper(rank: int, _folder: str) -> str:
    return _evaluates(rank, inner=False)


def evaluates_the_inner(rank: int, _folder: str) -> str:
    return _evaluates(rank, inner=True)


def evaluates_without_buffers(rank: int, _folder: str) -> str:
    model = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(2, 2))
    for step in range(4):
        model(torch.ones(2, 2)).sum().backward()
        if rank == 0 and step != 2:  # noqa: PLR2004 - also before buckets are rebuilt
            with torch.no_grad():
                model(torch.ones(2, 2))
    return "done"


def sharded_forward_on_one(rank: int, _folder: str) -> object:
    model = _sharded()
    return tuple(model(torch.ones(1, 4)).shape) if rank == 0 else away()


@everything
@pytest.mark.parametrize("form", [evaluates_the_wrapper, sharded_forward_on_one])
def test_a_forward_of_one_rank_waits(form) -> None:  # DLG210
    assert two(form, wait=WAIT)[0] == "stuck"


@everything
@pytest.mark.parametrize("form", [evaluates_the_inner, evaluates_without_buffers])
def test_the_inner_model_and_one_without_buffers_wait_for_nobody(form) -> None:  # DLG210, the good forms
    assert two(form) == DONE


# -- DLG243: groups ---------------------------------------------------------------------------------------


def group_of_one(rank: int, _folder: str) -> str:
    if rank == 0:
        dist.all_reduce(torch.ones(1), group=dist.new_group([0, 1]))
        return "done"
    return away()


def groups_in_two_orders(rank: int, _folder: str) -> object:
    first, second = dist.new_group([0, 1]), dist.new_group([0, 1])
    one, two_ = (first, second) if rank == 0 else (second, first)
    x = torch.ones(1)
    dist.all_reduce(x, group=one)
    dist.all_reduce(x, group=two_)
    return x.item()


def groups_in_one_order(_rank: int, _folder: str) -> object:
    one, other = dist.new_group([0, 1]), dist.new_group([0, 1])
    x = torch.ones(1)
    dist.all_reduce(x, group=one)
    dist.all_reduce(x, group=other)
    return x.item()


@everything
@pytest.mark.parametrize("form", [group_of_one, groups_in_two_orders])
def test_a_group_that_ranks_make_differently_leaves_them_waiting(form) -> None:  # DLG243
    assert two(form, wait=WAIT)[0] == "stuck"


@everything
def test_groups_that_all_make_in_one_order_work() -> None:  # DLG243, the good form
    assert two(groups_in_one_order) == [4.0, 4.0]


# -- DLG259: what another rank still writes ----------------------------------------------------------------


def _reads(rank: int, folder: str, *, waits: bool) -> str:
    path = os.path.join(folder, "state.bin")
    dist.barrier()
    if rank == 0:
        with open(path, "wb") as file:
            file.write(b"half")
            file.flush()
            time.sleep(1.5)
            file.seek(0)
            torch.save({"x": torch.ones(4)}, file)
    else:
        time.sleep(0.5)
    if waits:
        dist.barrier()
    torch.load(path, weights_only=True)
    return "done"


def reads_at_once(rank: int, folder: str) -> str:
    return _reads(rank, folder, waits=False)


def waits_and_reads(rank: int, folder: str) -> str:
    return _reads(rank, folder, waits=True)


@everything
def test_a_file_read_while_another_rank_writes_it_cannot_be_loaded(tmp_path) -> None:  # DLG259, DLG214
    assert (two(reads_at_once, tmp_path, WAIT)[1] != "done", two(waits_and_reads, tmp_path)) == (True, DONE)


# -- silently wrong: one pair of processes, in every run -----------------------------------------------------


def values(rank: int, _folder: str) -> dict[str, object]:
    import torch.distributed.nn.functional as autograd_knows

    def gradient(reduce) -> tuple[float, float]:
        model = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(1, 1, bias=False))
        with torch.no_grad():
            model.module.weight.fill_(1.0)
        loss = reduce(model(torch.tensor([[float(rank + 1)]])).sum()).square()
        loss.backward()
        return loss.item(), model.module.weight.grad.item()

    def in_place(x):
        x = x.clone()
        dist.all_reduce(x)
        return x

    own = torch.tensor([float(rank)])
    autograd_knows.all_reduce(own)
    metric = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(metric, patience=0)
    for loss in ((1.0, 0.5), (1.0, 1.5))[rank]:
        plateau.step(loss)
    data = list(range(8))
    loaders = (
        torch.utils.data.DataLoader(data, batch_size=8),
        torch.utils.data.DataLoader(data, batch_size=8, sampler=torch.utils.data.DistributedSampler(data, 2, rank)),
    )
    return {
        "in place": gradient(in_place),
        "recorded": gradient(autograd_knows.all_reduce),
        "dropped": own.item(),
        "kept": autograd_knows.all_reduce(torch.tensor([float(rank)])).item(),
        "rate": metric.param_groups[0]["lr"],
        "seen": [sorted(int(x) for batch in loader for x in batch) for loader in loaders],
    }


@pytest.fixture(scope="module")
def ranks() -> list[dict[str, object]]:
    return two(values)


def test_a_reduction_in_place_loses_the_gradient_of_the_others(ranks) -> None:  # DLG239
    # the loss is (1w + 2w)^2 on both ranks: its value is right, 9; its gradient is 18
    assert [r["in place"] for r in ranks] == [(9.0, 9.0)] * 2
    assert [r["recorded"] for r in ranks] == [(9.0, 18.0)] * 2


def test_a_functional_reduction_leaves_its_argument_alone(ranks) -> None:  # DLG260
    assert ([r["dropped"] for r in ranks], [r["kept"] for r in ranks]) == ([0.0, 1.0], [1.0, 1.0])


def test_a_metric_of_each_rank_gives_each_rank_its_own_rate(ranks) -> None:  # DLG241
    assert ranks[0]["rate"] != ranks[1]["rate"]


def test_without_a_sampler_every_rank_sees_everything(ranks) -> None:  # DLG229
    assert [r["seen"][0] for r in ranks] == [list(range(8))] * 2
    assert sorted(ranks[0]["seen"][1] + ranks[1]["seen"][1]) == list(range(8))
