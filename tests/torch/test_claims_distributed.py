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
    context = torch.multiprocessing.get_context("spawn")
    results, port = context.Queue(), _port()
    workers = [context.Process(target=_gather_aliased, args=(rank, port, results)) for rank in range(2)]
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
