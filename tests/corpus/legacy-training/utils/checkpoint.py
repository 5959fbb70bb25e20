"""Reading and writing checkpoints."""
import os
import pickle
from collections import OrderedDict

import torch


def strip_module_prefix(state):
    """Remove the "module." that DistributedDataParallel and DataParallel put before every key."""
    return OrderedDict((key[len("module."):] if key.startswith("module.") else key, value)
                       for key, value in state.items())


def save_checkpoint(path, model, optimizer, scheduler, epoch, best_miou, args):
    """Everything needed to go on after `epoch`; the previous file stays until the new one is complete."""
    state = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "scheduler": scheduler.state_dict(),
        "epoch": epoch,
        "best_miou": float(best_miou),
        "args": args,
    }
    temporary = path + ".tmp"
    torch.save(state, temporary)
    os.replace(temporary, path)


def load_checkpoint(path, model, optimizer=None, scheduler=None):
    """Restore a checkpoint of `save_checkpoint`.

    Returns:
        The epoch to start from and the best mIoU so far.
    """
    state = torch.load(path)
    model.load_state_dict(strip_module_prefix(state["model"]))
    if optimizer is not None:
        optimizer.load_state_dict(state["optimizer"])
    if scheduler is not None:
        scheduler.load_state_dict(state["scheduler"])
    return state["epoch"] + 1, state.get("best_miou", 0.0)


def load_weights(path, model):
    """Load only the weights; accepts checkpoints and bare state dicts."""
    state = torch.load(path, map_location="cpu", weights_only=False)
    state = state.get("model", state)
    missing, unexpected = model.load_state_dict(strip_module_prefix(state), strict=False)
    if unexpected:
        raise ValueError(f"{path}: unexpected keys {sorted(unexpected)[:5]}")
    return missing


def load_encoder(path, encoder):
    """Encoder weights from our self-supervised pretraining (plain tensors)."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    own = encoder.state_dict()
    matching = {key: value for key, value in state.items() if key in own and own[key].shape == value.shape}
    own.update(matching)
    encoder.load_state_dict(own)
    return len(matching)


def save_model(path, model):
    """Whole model in one file, as the annotation tool wants it."""
    model = getattr(model, "module", model)
    torch.save(model, path)


def load_band_stats(path):
    """Per-band mean and standard deviation, as two lists of floats."""
    with open(path, "rb") as f:
        stats = pickle.load(f)
    return list(stats["mean"]), list(stats["std"])
