"""What the distributed rules say about torch holds on the torch that is installed; two processes where needed."""

import argparse
import inspect
import socket
import warnings

import pytest

torch = pytest.importorskip("torch")
dist = pytest.importorskip("torch.distributed")
if not dist.is_available():
    pytest.skip("torch without torch.distributed", allow_module_level=True)

PROCESSES = torch.multiprocessing.get_context("forkserver")
"""Ranks are forked from a process that has imported what they need: that takes seconds, and starts no thread."""
PROCESSES.set_forkserver_preload(["torch._dynamo", "torch.distributed.checkpoint", "torch.distributed.fsdp"])


def _port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def alone():
    dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{_port()}", rank=0, world_size=1)
    yield
    dist.destroy_process_group()


def _gather_aliased(rank: int, port: int, results) -> None:
    dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=2)
    slots = [torch.zeros(1)] * 2
    dist.all_gather(slots, torch.tensor([float(rank + 1)]))
    results.put([slot.item() for slot in slots])
    dist.destroy_process_group()


def test_an_aliased_gather_list_holds_one_value_in_every_slot() -> None:  # DLG237
    results, port = PROCESSES.Queue(), _port()
    workers = [PROCESSES.Process(target=_gather_aliased, args=(rank, port, results)) for rank in range(2)]
    for worker in workers:
        worker.start()
    slots = [results.get(timeout=120) for _ in workers]
    for worker in workers:
        worker.join(timeout=60)
    assert [slot[0] for slot in slots] == [slot[1] for slot in slots]


def test_blocking_collectives_return_none(alone: None) -> None:  # DLG236
    x = torch.ones(2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        returned = [
            dist.all_reduce(x),
            dist.broadcast(x, 0),
            dist.reduce(x, 0),
            dist.all_gather([torch.ones(2)], x),
            dist.gather(x, [torch.ones(2)]),
            dist.scatter(x, [torch.ones(2)]),
            dist.all_gather_into_tensor(torch.ones(2), x),
            dist.barrier(),
            dist.broadcast_object_list([1]),
            dist.all_gather_object([None], 1),
            dist.gather_object(1, [None]),
            dist.scatter_object_list([None], [1]),
        ]
    assert returned == [None] * len(returned)


def test_a_second_init_raises(alone: None) -> None:  # DLG224
    with pytest.raises(ValueError, match="twice"):
        dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{_port()}", rank=0, world_size=1)


def test_shuffle_beside_a_sampler_raises() -> None:  # DLG230
    data = list(range(4))
    with pytest.raises(ValueError, match="mutually exclusive"):
        torch.utils.data.DataLoader(data, shuffle=True, sampler=torch.utils.data.SequentialSampler(data))


def test_the_launcher_writes_the_argument_with_a_dash() -> None:  # DLG226
    from torch.distributed import launch, run

    assert "--local-rank" in inspect.getsource(run) + inspect.getsource(launch)
    parser = argparse.ArgumentParser()
    parser.add_argument("--local_rank", type=int)
    with pytest.raises(SystemExit):
        parser.parse_args(["--local-rank=1"])


def test_neither_data_parallel_nor_fsdp_says_that_it_is_deprecated() -> None:  # DLG225, DLG244
    from torch.distributed.fsdp import FullyShardedDataParallel

    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        torch.nn.DataParallel(torch.nn.Linear(2, 2))
    assert "__deprecated__" not in vars(FullyShardedDataParallel)


def test_batch_norm_can_be_converted_after_the_wrap(alone: None) -> None:  # DLG232: an order, not an error
    wrapped = torch.nn.parallel.DistributedDataParallel(torch.nn.Sequential(torch.nn.BatchNorm1d(2)))
    converted = torch.nn.SyncBatchNorm.convert_sync_batchnorm(wrapped)
    assert isinstance(converted.module[0], torch.nn.SyncBatchNorm)


def _wait(rank: int, port: int, form: str, patience: int, results) -> None:
    """One of two processes; ``form`` names what it does, the result is "done" or "stuck"."""
    from datetime import timedelta

    dist.init_process_group(
        "gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=2, timeout=timedelta(seconds=patience)
    )
    try:
        results.put((rank, _FORMS[form](rank)))
    except RuntimeError:
        results.put((rank, "stuck"))


def _barrier_on_one(rank: int) -> str:
    if rank == 0:
        dist.barrier()
    else:
        import time

        time.sleep(3)
    return "done"


def _leaves_early(rank: int) -> str:
    if rank != 0:
        import time

        time.sleep(3)
        return "done"
    dist.all_reduce(torch.ones(1))
    return "done"


def _first_then_others(rank: int) -> str:
    if rank != 0:
        dist.barrier()
    if rank == 0:
        dist.barrier()
    return "done"


def _two_orders(rank: int) -> str:
    one, two = torch.tensor([1.0 + rank]), torch.tensor([10.0 + 10 * rank])
    for value in (one, two) if rank == 0 else (two, one):
        dist.all_reduce(value)
    return f"{one.item():g} {two.item():g}"


def _one_order(_rank: int) -> str:
    one, two = torch.tensor([1.0 + _rank]), torch.tensor([10.0 + 10 * _rank])
    for value in (one, two):
        dist.all_reduce(value)
    return f"{one.item():g} {two.item():g}"


def _skips_a_step(rank: int) -> str:
    model = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(1, 1))
    if rank == 0:
        model(torch.ones(1, 1)).sum().backward()
    else:
        import time

        time.sleep(3)
    return "done"


def _gone() -> str:
    """What a rank does that has left: nothing, for longer than the others wait."""
    import time

    time.sleep(3)
    return "done"


def _share_of_three(rank: int) -> str:
    for item in torch.arange(3.0)[rank::2]:
        dist.all_reduce(item)
    return "done" if rank == 0 else _gone()


def _share_cut_even(rank: int) -> str:
    for item in torch.arange(2.0)[rank::2]:
        dist.all_reduce(item)
    return "done"


def _wrapped_share(rank: int) -> str:
    model = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(1, 1))
    for item in torch.ones(3, 1)[rank::2]:
        model(item).sum().backward()
    return "done" if rank == 0 else _gone()


def _joined_share(rank: int) -> str:
    from torch.distributed.algorithms.join import Join

    model = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(1, 1))
    with Join([model]):
        for item in torch.ones(3, 1)[rank::2]:
            model(item).sum().backward()
    return "done"


def _time_limit(rank: int) -> str:
    import time

    start = time.monotonic() - 0.5 * rank  # rank 1 began half a second before
    while time.monotonic() - start < 1:
        dist.all_reduce(torch.ones(1))
        time.sleep(0.05)
    return "done" if rank == 0 else _gone()


def _patience_of_one(rank: int) -> str:
    stop = False
    for step in range(3):
        dist.all_reduce(torch.ones(1))
        if rank == 0:
            stop = step == 1
        if stop:
            return _gone()
    return "done"


def _patience_shared(rank: int) -> str:
    for step in range(3):
        dist.all_reduce(torch.ones(1))
        stop = [rank == 0 and step == 1]
        dist.broadcast_object_list(stop, src=0)
        if stop[0]:
            break
    return "done"


def _signal_to_one(rank: int) -> str:
    import os
    import signal

    seen = []
    signal.signal(signal.SIGUSR1, lambda *_: seen.append(rank))
    for step in range(3):
        dist.all_reduce(torch.ones(1))
        if rank == 0 and step == 1:
            os.kill(os.getpid(), signal.SIGUSR1)
        if seen:
            return _gone()
    return "done"


def _folder() -> str:
    """A folder that both processes see."""
    import os
    import tempfile

    return os.path.join(tempfile.gettempdir(), f"dlgovern-{os.getppid()}")


def _read_at_once(rank: int) -> str:
    import os
    import time

    path = _folder() + "-weights.pt"
    if rank == 0:
        time.sleep(1)  # it takes a while to make
        torch.save(torch.ones(1), path)
    try:
        torch.load(path)
    except FileNotFoundError:
        return "missing"
    os.remove(path)
    return "done"


def _read_after_barrier(rank: int) -> str:
    import os
    import time

    path = _folder() + "-weights.pt"
    if rank == 0:
        time.sleep(1)
        torch.save(torch.ones(1), path)
    dist.barrier()
    torch.load(path)
    dist.barrier()
    if rank == 0:
        os.remove(path)
    return "done"


def _shards_in(rank: int, run: str) -> str:
    """Each rank saves its part of a state; how many parts its folder holds."""
    import os
    import shutil

    import torch.distributed.checkpoint as dcp

    dcp.save({f"part{rank}": torch.ones(2)}, checkpoint_id=run)
    dist.barrier()
    found = len([name for name in os.listdir(run) if name.endswith(".distcp")])
    dist.barrier()
    shutil.rmtree(run, ignore_errors=True)
    return str(found)


def _own_run_folder(rank: int) -> str:
    import uuid

    return _shards_in(rank, f"{_folder()}-{uuid.uuid4()}")


def _shared_run_folder(rank: int) -> str:
    import uuid

    run = [f"{_folder()}-{uuid.uuid4()}"]
    dist.broadcast_object_list(run, src=0)
    return _shards_in(rank, run[0])


_FORMS = {
    one.__name__: one
    for one in (
        _barrier_on_one, _leaves_early, _first_then_others, _two_orders, _one_order, _skips_a_step, _share_of_three,
        _share_cut_even, _wrapped_share, _joined_share, _time_limit, _patience_of_one, _patience_shared, _signal_to_one,
        _read_at_once, _read_after_barrier, _own_run_folder, _shared_run_folder,
    )
}


def _two(form: str, patience: int = 60) -> list[str]:
    """What each of two processes says; a collective waits ``patience`` seconds."""
    results, port = PROCESSES.Queue(), _port()
    workers = [PROCESSES.Process(target=_wait, args=(rank, port, form, patience, results)) for rank in range(2)]
    for worker in workers:
        worker.start()
    found = dict(results.get(timeout=120) for _ in workers)
    for worker in workers:
        worker.join(timeout=30)
        worker.kill()
    return [found[0], found[1]]


def test_ranks_that_wait_for_the_others_end_when_all_come() -> None:  # DLG201, the balanced form
    assert _two("_first_then_others") == ["done", "done"]


def test_two_orders_of_one_reduction_are_silently_wrong() -> None:  # DLG207
    right = ["3 30", "3 30"]
    assert _two("_two_orders") not in (right, ["stuck", "stuck"])


@pytest.mark.slow
@pytest.mark.parametrize("form", ["_barrier_on_one", "_leaves_early", "_skips_a_step"])
def test_a_collective_of_one_rank_waits_for_the_other(form: str) -> None:  # DLG201, DLG202, DLG203
    assert _two(form, patience=2)[0] == "stuck"


@pytest.mark.slow
def test_one_order_is_right() -> None:  # DLG207, the good form
    assert _two("_one_order") == ["3 30", "3 30"]


def test_shares_of_one_length_end() -> None:  # DLG205, the good form
    assert _two("_share_cut_even") == ["done", "done"]


@pytest.mark.slow
@pytest.mark.parametrize("form", ["_share_of_three", "_wrapped_share"])
def test_the_rank_with_one_item_more_waits(form: str) -> None:  # DLG205
    assert _two(form, patience=2)[0] == "stuck"


@pytest.mark.slow
def test_a_rank_whose_time_is_not_over_waits() -> None:  # DLG205, DLG206
    assert _two("_time_limit", patience=2)[0] == "stuck"


@pytest.mark.slow
@pytest.mark.parametrize("form", ["_joined_share", "_patience_shared"])
def test_ranks_that_decide_together_end(form: str) -> None:  # DLG205, DLG206, the good forms
    assert _two(form) == ["done", "done"]


@pytest.mark.slow
@pytest.mark.parametrize("form", ["_patience_of_one", "_signal_to_one"])
def test_a_stop_that_one_rank_decides_leaves_the_other_waiting(form: str) -> None:  # DLG206
    assert _two(form, patience=2)[1] == "stuck"


def test_what_rank_0_still_writes_is_not_there_yet() -> None:  # DLG214
    assert _two("_read_at_once") == ["done", "missing"]


@pytest.mark.slow
def test_after_a_barrier_it_is_there() -> None:  # DLG214, the good form
    assert _two("_read_after_barrier") == ["done", "done"]


@pytest.mark.slow
def test_a_checkpoint_in_folders_of_each_rank_is_whole_in_none() -> None:  # DLG707
    assert _two("_own_run_folder") == ["1", "1"]


@pytest.mark.slow
def test_a_checkpoint_in_one_folder_is_whole() -> None:  # DLG707, the good form
    assert _two("_shared_run_folder") == ["2", "2"]
