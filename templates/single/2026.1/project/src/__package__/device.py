"""The device: which one, and how its randomness is fixed."""

import os

import torch


def start(seed: int, deterministic: bool) -> torch.device:
    """Choose the accelerator if there is one, and fix the seed."""
    torch.manual_seed(seed)
    if deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when cuBLAS starts
        torch.use_deterministic_algorithms(True)
    accelerator = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    if accelerator is None:
        return torch.device("cpu")
    torch.accelerator.set_device_index(0)
    return torch.device(accelerator.type, 0)
