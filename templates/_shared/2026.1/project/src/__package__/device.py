"""Devices and process groups: how a process starts, and how it leaves."""

import os
from typing import NamedTuple

import torch
import torch.distributed as dist


class Runtime(NamedTuple):
    """What one process knows about itself; `checkpoint_group` serves checkpoints alone."""

    device: torch.device
    rank: int
    world_size: int
    node_size: int  # processes of one node
    checkpoint_group: dist.ProcessGroup


def start(seed: int, deterministic: bool) -> Runtime:
    """Join the process group that torchrun describes, or form one of a single process without it."""
    _prepare(seed, deterministic)
    device = _device(int(os.environ.get("LOCAL_RANK", "0")))
    backend, bound = "gloo", None
    if device.type != "cpu":
        backend, bound = f"cpu:gloo,{device.type}:{dist.get_default_backend_for_device(device)}", device
    if "TORCHELASTIC_RUN_ID" in os.environ or "RANK" in os.environ:
        dist.init_process_group(backend, device_id=bound)
    else:
        dist.init_process_group(backend, rank=0, world_size=1, store=dist.HashStore(), device_id=bound)
    # Async checkpoints talk from another thread: on a group that training uses too, the two would wait for each other.
    group = dist.new_group(backend="gloo")
    world_size = dist.get_world_size()
    node_size = int(os.environ.get("LOCAL_WORLD_SIZE", str(world_size)))
    return Runtime(device, dist.get_rank(), world_size, node_size, group)


def start_fake(world_size: int, seed: int) -> Runtime:
    """Rank 0 of a world that does not exist: collectives return at once, shapes and memory are real."""
    _prepare(seed, deterministic=False)
    dist.init_process_group("fake", rank=0, world_size=world_size)
    return Runtime(torch.device("cpu"), 0, world_size, min(8, world_size), dist.new_group(backend="fake"))


def stop() -> None:
    """Leave together. Only where the work succeeded: after a failure another rank may never arrive."""
    dist.barrier()  # threads of gloo that outlive the interpreter abort it
    dist.destroy_process_group()


def any_rank(flag: bool) -> bool:
    """Whether the flag is set on at least one rank; every rank gets the same answer."""
    value = torch.tensor([int(flag)])
    dist.all_reduce(value, op=dist.ReduceOp.MAX)
    return bool(value.item())


def mean_over_ranks(value: torch.Tensor) -> float:
    """The mean of a scalar over all ranks."""
    total = value.detach().clone()
    dist.all_reduce(total, op=dist.ReduceOp.SUM)
    return total.item() / dist.get_world_size()


def _device(local_rank: int) -> torch.device:
    accelerator = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    if accelerator is None:
        return torch.device("cpu")
    torch.accelerator.set_device_index(local_rank)
    return torch.device(accelerator.type, local_rank)


def _prepare(seed: int, deterministic: bool) -> None:
    torch.manual_seed(seed)
    if deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when cuBLAS starts
        torch.use_deterministic_algorithms(True)
