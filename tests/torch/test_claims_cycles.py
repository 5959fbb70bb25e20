"""What the rules about life cycles say about torch holds on the torch that is installed; two processes where needed."""

from __future__ import annotations

import socket
import time
import warnings

import pytest

torch = pytest.importorskip("torch")
dist = pytest.importorskip("torch.distributed")
if not dist.is_available():
    pytest.skip("torch without torch.distributed", allow_module_level=True)
data = torch.utils.data

PROCESSES = torch.multiprocessing.get_context("forkserver")
"""Ranks are forked from a process that has imported what they need: that takes seconds, and starts no thread."""
PROCESSES.set_forkserver_preload(["torch._dynamo", "torch.distributed.checkpoint", "torch.distributed.fsdp"])


def _port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# -- one process --------------------------------------------------------------------------------------


def test_a_sampler_without_the_epoch_repeats_its_order() -> None:  # DLG228
    sampler = data.DistributedSampler(list(range(64)), num_replicas=2, rank=0)
    first, second = list(sampler), list(sampler)
    sampler.set_epoch(1)
    assert (first == second, first == list(sampler)) == (True, False)


def test_with_a_seed_for_each_rank_the_shares_overlap() -> None:  # DLG254
    def seen(seeds):
        shares = [data.DistributedSampler(list(range(64)), 2, rank, seed=seed) for rank, seed in enumerate(seeds)]
        return len({index for share in shares for index in share})

    assert (seen([3, 3]), seen([3, 4]) < 64) == (64, True)


def test_a_new_scaler_begins_at_its_first_scale_again() -> None:  # DLG317
    scaler = torch.amp.GradScaler("cpu")
    weight = torch.nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([weight], lr=0.1)
    for _ in range(3):  # overflows: the scale is halved each time
        scaler.scale(weight * float("inf")).backward()
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad()
    assert (scaler.get_scale(), torch.amp.GradScaler("cpu").get_scale()) == (65536.0 / 8, 65536.0)


def test_what_replaces_parameters_and_what_keeps_them() -> None:  # DLG313
    def kept(change) -> bool:
        model = torch.nn.Linear(2, 2)
        before = model.weight
        change(model)
        return model.weight is before

    state = torch.nn.Linear(2, 2).state_dict()
    assert [
        kept(lambda m: m.to(torch.float64)),
        kept(lambda m: m.load_state_dict(state)),
        kept(lambda m: m.load_state_dict(state, assign=True)),
        kept(lambda m: m.to("meta").to_empty(device="cpu")),
    ] == [True, True, False, False]


def test_a_context_manager_as_a_statement_does_nothing() -> None:  # DLG258
    torch.no_grad()
    torch.inference_mode()
    x = torch.ones(1, requires_grad=True)
    assert ((x * 2).requires_grad, torch.is_autocast_enabled("cpu")) == (True, False)
    assert isinstance(torch.accelerator.device_index, type)  # calling it makes an object, and nothing else


def test_an_iterator_of_a_loader_moves_the_global_generator() -> None:  # DLG318
    def moved(**more) -> bool:
        before = torch.get_rng_state()
        iter(data.DataLoader([1, 2], **more))
        return not torch.equal(before, torch.get_rng_state())

    assert (moved(), moved(generator=torch.Generator())) == (True, False)


class _Noisy(data.Dataset):
    def __init__(self) -> None:
        self.generator = torch.Generator().manual_seed(0)

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> float:
        return torch.rand(1, generator=self.generator).item()


class _Stream(data.IterableDataset):
    def __iter__(self):
        return iter(range(3))


def test_a_generator_of_the_data_set_gives_every_worker_the_same_numbers() -> None:  # DLG310
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fork, and fewer processors than workers on a small machine
        loader = data.DataLoader(_Noisy(), batch_size=1, num_workers=2)
        epochs = [[round(float(x), 6) for x in loader] for _ in range(2)]
    assert (epochs[0] == epochs[1], epochs[0][0] == epochs[0][1]) == (True, True)


def test_a_stream_is_read_once_by_every_worker() -> None:  # DLG311
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert sorted(int(x) for x in data.DataLoader(_Stream(), num_workers=2)) == [0, 0, 1, 1, 2, 2]


# -- two processes ------------------------------------------------------------------------------------


def _sharded(rank: int) -> dict[str, object]:
    from torch.distributed.fsdp import fully_shard

    torch.manual_seed(0)
    model = torch.nn.Linear(4, 4, bias=False)
    whole = model.weight.detach().clone()
    early = torch.optim.SGD(model.parameters(), lr=1.0)
    fully_shard(model)
    before = model.weight.full_tensor().clone()
    model(torch.ones(2, 4)).sum().backward()
    early.step()
    stuck = torch.equal(before, model.weight.full_tensor())
    torch.optim.SGD(model.parameters(), lr=1.0).step()
    return {
        "early optimizer moves nothing": stuck,
        "late optimizer moves": not torch.equal(before, model.weight.full_tensor()),
        "share of the state_dict": tuple(model.state_dict()["weight"].to_local().shape),
        "norm of the share": round(whole.chunk(2)[rank].sum().item(), 4),
        "number read": round(before_sum(model, whole), 4),
        "whole": round(whole.sum().item(), 4),
    }


def before_sum(model, whole) -> float:
    """The sum of a sharded parameter as ``.item()`` gives it, for the values that it had at first."""
    from torch.distributed.tensor import distribute_tensor

    placed = distribute_tensor(whole, model.weight.device_mesh, model.weight.placements)
    return placed.sum().item()


def _replicated(rank: int) -> dict[str, object]:
    torch.manual_seed(0)
    model = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(2, 1, bias=False))
    own = torch.full((1, 2), float(rank + 1))

    def gradient(run) -> float:
        model.zero_grad()
        run()
        return model.module.weight.grad[0, 0].item()

    def late() -> None:
        loss = model(own).sum()
        with model.no_sync():
            loss.backward()

    def around() -> None:
        with model.no_sync():
            model(own).sum().backward()

    return {
        "through the wrapper": gradient(lambda: model(own).sum().backward()),
        "past the wrapper": gradient(lambda: model.module(own).sum().backward()),
        "no_sync around backward": gradient(late),
        "no_sync around both": gradient(around),
    }


def _collectives(rank: int) -> dict[str, object]:
    import time

    if rank == 1:
        time.sleep(1.0)
    x = torch.ones(1)
    work = dist.all_reduce(x, async_op=True)
    early = x.item() if rank == 0 else None
    work.wait()
    feature = torch.ones(1, requires_grad=True)
    slots = [torch.zeros(1) for _ in range(2)]
    dist.all_gather(slots, feature)
    return {"early": early, "late": x.item(), "gathered with gradient": [slot.requires_grad for slot in slots]}


def _worker(rank: int, port: int, results) -> None:
    dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=2)
    results.put((rank, {**_sharded(rank), **_replicated(rank), **_collectives(rank)}))
    dist.barrier()
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def ranks():
    """What each of two gloo processes saw."""
    results, port = PROCESSES.Queue(), _port()
    workers = [PROCESSES.Process(target=_worker, args=(rank, port, results)) for rank in range(2)]
    for worker in workers:
        worker.start()
    try:
        return [seen for _, seen in sorted((results.get(timeout=240) for _ in workers), key=lambda pair: pair[0])]
    finally:
        for worker in workers:
            worker.join(timeout=60)
            if worker.is_alive():
                worker.kill()


def test_an_optimizer_from_before_sharding_moves_nothing(ranks) -> None:  # DLG215
    assert [(r["early optimizer moves nothing"], r["late optimizer moves"]) for r in ranks] == [(True, True)] * 2


def test_the_state_dict_of_a_sharded_model_holds_a_share(ranks) -> None:  # DLG211
    assert [r["share of the state_dict"] for r in ranks] == [(2, 4), (2, 4)]


def test_a_number_of_a_sharded_parameter_is_that_of_the_share(ranks) -> None:  # DLG218
    assert [r["number read"] for r in ranks] == [r["norm of the share"] for r in ranks]
    assert all(r["number read"] != r["whole"] for r in ranks)


def test_a_step_past_the_wrapper_keeps_the_gradients_of_the_rank(ranks) -> None:  # DLG217
    assert [r["through the wrapper"] for r in ranks] == [1.5, 1.5]
    assert [r["past the wrapper"] for r in ranks] == [1.0, 2.0]


def test_no_sync_around_backward_alone_synchronises(ranks) -> None:  # DLG234
    assert [r["no_sync around backward"] for r in ranks] == [1.5, 1.5]
    assert [r["no_sync around both"] for r in ranks] == [1.0, 2.0]


def test_a_tensor_read_before_wait_holds_its_old_value(ranks) -> None:  # DLG238
    assert (ranks[0]["early"], [r["late"] for r in ranks]) == (1.0, [2.0, 2.0])


def test_gathered_tensors_carry_no_gradient(ranks) -> None:  # DLG239
    assert [r["gathered with gradient"] for r in ranks] == [[False, False]] * 2


# -- a checkpoint beside the training -----------------------------------------------------------------


def _saver(rank: int, port: int, folder: str, own: bool, results) -> None:
    import torch.distributed.checkpoint as dcp

    dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=2)
    group = dist.new_group(backend="gloo") if own else None
    x = torch.ones(4)
    future = dcp.async_save({"x": torch.ones(1000)}, checkpoint_id=folder, process_group=group)
    for _ in range(2000):
        dist.all_reduce(x)
        x /= 2
    future.result()
    results.put(rank)
    dist.barrier()
    dist.destroy_process_group()


@pytest.mark.slow
@pytest.mark.parametrize("own", [True, False])
def test_an_asynchronous_save_needs_a_group_of_its_own(own: bool, tmp_path) -> None:  # DLG255
    results, port = PROCESSES.Queue(), _port()
    workers = [PROCESSES.Process(target=_saver, args=(rank, port, str(tmp_path), own, results)) for rank in range(2)]
    for worker in workers:
        worker.start()
    end = time.monotonic() + (120 if own else 10)
    for worker in workers:
        worker.join(timeout=max(end - time.monotonic(), 0))
    ended = [worker.exitcode for worker in workers]
    for worker in workers:
        worker.kill()
    assert (ended == [0, 0]) is own
