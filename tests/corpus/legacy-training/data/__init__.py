import json
import os

import torch
from torch.utils.data import DataLoader

from data.tiles import collate_tiles


def write_tile_index(root, tile_size):
    """List the crops of every split once, so that start-up does not open each tile."""
    index = {}
    for split in ("train", "val"):
        folder = os.path.join(root, split, "images")
        index[split] = sorted(name for name in os.listdir(folder) if name.endswith(".npy"))
    path = os.path.join(root, f"index_{tile_size}.json")
    with open(path, "w") as f:
        json.dump(index, f)
    return path


def build_loader(dataset, batch_size, workers, sampler=None, training=False):
    return DataLoader(
        dataset,
        batch_size=batch_size,
        shuffle=training and sampler is None,
        sampler=sampler,
        num_workers=workers,
        collate_fn=collate_tiles,
        pin_memory=torch.cuda.is_available(),
        drop_last=training,
    )
