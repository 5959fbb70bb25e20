"""Small wrappers around torch.distributed that also work in a single process."""
import torch
import torch.distributed as dist


def is_distributed():
    return dist.is_available() and dist.is_initialized()


def get_world_size():
    return dist.get_world_size() if is_distributed() else 1


def reduce_mean(tensor):
    """Average of a tensor over all processes; the input is left as it is."""
    if not is_distributed():
        return tensor
    tensor = tensor.detach().clone()
    dist.all_reduce(tensor, op=dist.ReduceOp.SUM)
    return tensor / get_world_size()


def broadcast_flag(flag, device, src=0):
    """The value of `flag` on process `src`, on every process."""
    if not is_distributed():
        return flag
    value = torch.tensor([int(flag)], device=device)
    dist.broadcast(value, src=src)
    return bool(value.item())


def gather_predictions(tensor):
    """Concatenate equally shaped tensors of all processes along the batch."""
    world_size = get_world_size()
    gathered = [torch.zeros_like(tensor)] * world_size
    dist.all_gather(gathered, tensor.contiguous())
    return torch.cat(gathered, dim=0)


def gather_variable(tensor):
    """Like `gather_predictions`, for first dimensions that differ between processes."""
    world_size = get_world_size()
    if world_size == 1:
        return [tensor]
    length = torch.tensor([tensor.shape[0]], device=tensor.device)
    lengths = [torch.zeros_like(length) for _ in range(world_size)]
    dist.all_gather(lengths, length)
    longest = int(torch.stack(lengths).max())
    padded = tensor.new_zeros((longest,) + tensor.shape[1:])
    padded[:tensor.shape[0]] = tensor
    slots = [torch.empty_like(padded) for _ in range(world_size)]
    dist.all_gather(slots, padded)
    return [slot[:int(n)] for slot, n in zip(slots, lengths)]


def report_throughput(seen, seconds, device):
    """Print the images per second of the whole job; call it on every process."""
    total = torch.tensor([float(seen)], device=device)
    total = dist.all_reduce(total)
    if dist.get_rank() == 0:
        print(f"{total.item() / seconds:.1f} images/s on {dist.get_world_size()} GPUs")
